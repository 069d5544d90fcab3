"""The registry of a region's checkpoints: which there are, the stage of each, and who gave it.

A stage belongs to a region and a cut-off. Its history is kept; the newest row of a checkpoint
counts, and one without a row is a candidate. Maps use accepted ones alone, unless told otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.registry_tables import CHECKPOINT_STAGES, CHECKPOINTS

NAMES = ["checkpoint_id", "recipe_id", "recipe_fingerprint", "scheme"]


class Stage(StrEnum):
    """Where a checkpoint is in its life."""

    CANDIDATE = "candidate"
    ACCEPTED = "accepted"
    RETIRED = "retired"


class Judge(StrEnum):
    """Who gives a stage."""

    GATE = "gate"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Decision:
    """A stage with who gave it, when and why."""

    stage: Stage
    by: Judge
    reason: str
    changed_utc: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint of a region."""

    region_id: str
    cut_off: date
    checkpoint_id: str
    recipe_id: str
    recipe_fingerprint: str
    scheme: str | None
    """Split whose roles it was trained on; None when imported."""
    decision: Decision | None
    """The newest; None while nobody has judged it."""

    @property
    def stage(self) -> Stage:
        """Candidate until judged."""
        return self.decision.stage if self.decision else Stage.CANDIDATE


def entries(layout: Layout, region: str) -> list[Entry]:
    """The region's checkpoints by cut-off; of one day in the order of their registration."""
    found = []
    for day in store.days_made(layout, CHECKPOINTS, region):
        part = store.read(layout, CHECKPOINTS, region, day, columns=NAMES)
        newest = dict(history(layout, region, day))
        for row in part.rows.to_pylist() if part else []:
            decision = newest.get(row["checkpoint_id"])
            found.append(Entry(region, day, **row, decision=decision))
    return found


def history(layout: Layout, region: str, cut_off: date) -> list[tuple[str, Decision]]:
    """Every decision about the checkpoints of a cut-off, oldest first."""
    part = store.read(layout, CHECKPOINT_STAGES, region, cut_off)
    return [
        (
            row["checkpoint_id"],
            Decision(
                Stage(row["stage"]), Judge(row["decided_by"]), row["reason"], row["changed_utc"]
            ),
        )
        for row in (part.rows.to_pylist() if part else [])
    ]


def find_entry(
    layout: Layout, region: str, checkpoint_id: str, cut_off: date | None = None
) -> Entry:
    """The region's checkpoint of that name, of its newest cut-off unless one is said.

    Raises:
        UsageError: it is not registered for the region; those that are, are listed.
    """
    known = entries(layout, region)
    fitting = [
        one
        for one in known
        if one.checkpoint_id == checkpoint_id and cut_off in (None, one.cut_off)
    ]
    if not fitting:
        names = ", ".join(dict.fromkeys(one.checkpoint_id for one in known)) or "none yet"
        raise UsageError(
            f"'{checkpoint_id}' is no checkpoint of region {region} (there: {names}): train it "
            "there, or materialize `checkpoints` with `source_checkpoint` to register it."
        )
    return fitting[-1]


def accepted(
    layout: Layout, region: str, day: date, recipe_fingerprint: str | None = None
) -> Entry | None:
    """What maps of a day use: the newest accepted with a cut-off up to it, else the oldest.

    Those of the recipe count; without one all do. None when the region has no accepted one.
    """
    return newest_accepted(entries(layout, region), day, recipe_fingerprint)


def newest_accepted(
    among: Sequence[Entry], day: date, recipe_fingerprint: str | None = None
) -> Entry | None:
    """As `accepted`, of entries that were read before."""
    known = [one for one in among if one.stage is Stage.ACCEPTED]
    known = [one for one in known if one.recipe_fingerprint == recipe_fingerprint] or known
    if not known:
        return None
    limit = max(day, min(one.cut_off for one in known))
    return max((one for one in known if one.cut_off <= limit), key=_age)


def rival(layout: Layout, entry: Entry) -> Entry | None:
    """The accepted one that a checkpoint must not be worse than: what maps of its cut-off use now.

    None when that is itself, or of another recipe, whose rows it cannot read.
    """
    known = [
        one
        for one in entries(layout, entry.region_id)
        if one.stage is Stage.ACCEPTED
        and one.cut_off <= entry.cut_off
        and one.recipe_fingerprint == entry.recipe_fingerprint
    ]
    newest = max(known, key=_age, default=None)
    return None if newest is None or newest.checkpoint_id == entry.checkpoint_id else newest


def everywhere(layout: Layout) -> list[Entry]:
    """The checkpoints of all regions, by region and cut-off."""
    regions = store.regions_stored(layout, CHECKPOINTS)
    return [one for region in regions for one in entries(layout, region)]


def registrations(layout: Layout, checkpoint_id: str) -> list[Entry]:
    """Where a checkpoint is registered, by region and cut-off."""
    return [one for one in everywhere(layout) if one.checkpoint_id == checkpoint_id]


def _age(entry: Entry) -> tuple[date, datetime]:
    """Of one cut-off (with several recipes) the last accepted is the newest."""
    changed = entry.decision.changed_utc if entry.decision else datetime.min.replace(tzinfo=UTC)
    return entry.cut_off, changed
