"""What is told of a silent region and of overdue passes, in words for a hydrologist."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sm_platform.defs.alerting.alert import Alert, AlertKind, moment_text, shortened
from sm_platform.defs.alerting.last_map import LastMap, Readiness
from sm_platform.defs.local_time import NO_TIME
from sm_platform.defs.talk import counted
from sm_platform.defs.watching.calendar import PassRow
from sm_platform.sources.repeat import TOLERANCE

OVERDUE = "overdue"
IN_WORDS = {
    OVERDUE: "due, but not listed by the source",
    "listed": "listed, not mapped yet",
    "waiting_for_frames": "waiting for frames",
    "no_data": "seen, without data for a map",
    "failed": "failed",
    "not_mapped": "seen, not mapped",
}
"""Of `schema/watch_tables.py: PASS_STATUSES`, those of a pass without a map."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A region without a new map."""

    region_id: str
    now_utc: datetime
    """Of its source."""
    last: LastMap
    missing: tuple[PassRow, ...]
    """Passes of the calendar since then that have no map."""
    ready: Readiness | None
    """None where it has a map."""

    @property
    def age(self) -> timedelta:
        """How long it lasts."""
        return self.now_utc - self.last.since_utc

    @property
    def is_unlisted(self) -> bool:
        """Whether no pass is listed that could be mapped: nothing here is at fault."""
        return all(one.pass_status == OVERDUE for one in self.missing)

    @property
    def has_listed_none(self) -> bool:
        """Whether the source has listed no pass since the newest map."""
        newest, listed = self.last.newest, self.last.listed_utc
        if listed is None or not self.is_unlisted:
            return self.is_unlisted
        return newest is not None and listed <= newest.pass_start_utc + TOLERANCE


def silence_told(silence: Silence) -> Alert:
    """The alert; once a day, but where a day without a time is all that is known of the passes."""
    region, last, day = silence.region_id, silence.last, silence.last.since_utc.date()
    is_once = last.is_of_a_day and not silence.missing
    return Alert(
        AlertKind.SILENT,
        region,
        _subject(silence),
        "\n".join(
            [
                " ".join(filter(None, (_since(silence), _listed(silence)))),
                *_passes(silence),
                _next(region, is_unlisted=silence.is_unlisted),
            ]
        ),
        f"silent/{region}/{day}" if is_once else f"silent/{region}",
        silence.now_utc.astimezone(UTC).date(),
        is_told_once=is_once,
    )


def overdue_told(region: str, overdue: Sequence[PassRow], now_utc: datetime) -> Alert:
    """Passes that did not come; named by the newest one, as each is told once."""
    newest = max(overdue, key=_start)
    n_passes = f"{len(overdue)} passes are" if len(overdue) > 1 else "a pass is"
    return Alert(
        AlertKind.OVERDUE,
        region,
        f"{region}: {n_passes} overdue",
        "\n".join(
            [
                f"By the repeat of their tracks these passes over {region} were due and are not "
                "listed a day later:",
                *shortened(_lines(overdue)),
                _next(region, is_unlisted=True),
            ]
        ),
        f"overdue/{region}/{_start(newest).astimezone(UTC).date()}",
        now_utc.astimezone(UTC).date(),
        is_told_once=True,
    )


def _subject(silence: Silence) -> str:
    what = "its source lists no pass" if silence.has_listed_none else "no map"
    return f"{silence.region_id}: {what} for {counted(silence.age.days, 'day')}"


def _since(silence: Silence) -> str:
    """How long there was no map, and what is known of the last one, or lacks for the first."""
    n_days, newest, ready = counted(silence.age.days, "day"), silence.last.newest, silence.ready
    if newest is not None:
        told = f"The newest map is of {_told(newest)}."
        return f"{silence.region_id} has had no new map for {n_days}. {told}"
    known = "It is prepared and has a checkpoint."
    if ready and not ready.has_checkpoint:
        known = "It has no accepted checkpoint, for which its passes wait: train or promote one."
    elif ready and not ready.is_prepared:
        known = "Soil, terrain and land cover were not made yet: look at these runs in the UI."
    return f"{silence.region_id} has been watched for {n_days}. There is no map yet. {known}"


def _listed(silence: Silence) -> str:
    """What its source listed last."""
    listed = silence.last.listed_utc
    if listed is None:
        has_none = silence.last.newest is None and silence.has_listed_none
        return "Its source has listed no pass so far." if has_none else ""
    return f"The last pass that its source listed was on {listed.astimezone(UTC).date()}."


def _passes(silence: Silence) -> Iterator[str]:
    """The passes without a map, as far as the calendar goes back."""
    if not silence.missing:
        yield "What passes are due is not known: no track was seen twice in the last weeks."
        return
    first = min(_start(one) for one in silence.missing)
    counts = Counter(IN_WORDS[one.pass_status] for one in silence.missing)
    passes = ", ".join(f"{n} {words}" for words, n in counts.items())
    yield f"Passes without a map since {first.date()}: {passes}."
    yield from shortened(_lines(silence.missing))


def _next(region: str, *, is_unlisted: bool) -> str:
    if is_unlisted:
        return (
            "Next: look whether the provider announces an outage or left out the acquisition. "
            "What comes late is mapped by itself."
        )
    query = f"from pass_calendar where region_id = '{region}' and pass_status <> 'mapped'"
    return f'Next: look at the reasons, `sm-platform sql "{query}"`, and at the runs in the UI.'


def _lines(passes: Sequence[PassRow]) -> Iterator[str]:
    """A line a pass, the newest first."""
    for one in sorted(passes, key=_start, reverse=True):
        reason = f" ({one.pass_status_reason})" if one.pass_status_reason else ""
        yield f"- {_told(one)}: {IN_WORDS[one.pass_status]}{reason}"


def _told(one: PassRow) -> str:
    """A pass for people, with both of its days."""
    if one.platform.endswith(NO_TIME):
        return f"{one.pass_day} (time not known)"
    orbit = "" if one.relative_orbit is None else f" {one.orbit_state}{one.relative_orbit:03d}"
    return f"{one.platform}{orbit} at {moment_text(_start(one))} (local day {one.local_day})"


def _start(one: PassRow) -> datetime:
    return one.pass_start_utc
