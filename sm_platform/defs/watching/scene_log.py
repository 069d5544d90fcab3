"""The log of frames that a source listed for a region, and the passes that they make.

A frame is known by its id, stamp and service: listed again it changes nothing, a new version of it,
a late frame or the frame of another service is a new row. Rows are never taken away, so that what
was seen can be told; passes are made of the frames of one service.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.service_choice import one_service
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.lock import locked
from sm_platform.schema.watch_tables import SCENE_LOG
from sm_platform.sources.earthdata.bursts import burst_of
from sm_platform.sources.pass_days import frame_of
from sm_platform.sources.protocol import Granule

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Frame:
    """One row of `scene_log`."""

    frame_id: str
    frame_stamp: str
    scene_id: str
    pass_day: date
    frame_start_utc: datetime | None
    relative_orbit: int | None
    frame_available_utc: datetime | None
    listed_utc: datetime
    service: str | None = None
    """Who lists it; None: it was logged before this was noted."""


@dataclass(frozen=True, slots=True)
class ListedPass:
    """A pass as one service lists it: of each slice the frame that became available last."""

    region_id: str
    scene_id: str
    day: date
    frames: tuple[Frame, ...]

    @property
    def granules_hash(self) -> str:
        """One hash over ids, stamps and service: another one is another request."""
        names = sorted(f"{one.frame_id}@{one.frame_stamp}" for one in self.frames)
        names += [self.service] if self.service else []
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]

    @property
    def service(self) -> str | None:
        """Who lists it; None when this was not noted."""
        return self.frames[0].service

    @property
    def start_utc(self) -> datetime | None:
        """Start of its first frame; None where names do not tell."""
        return min(
            (one.frame_start_utc for one in self.frames if one.frame_start_utc), default=None
        )

    @property
    def newest_utc(self) -> datetime | None:
        """When its newest frame became available; None when not told."""
        told = [one.frame_available_utc for one in self.frames if one.frame_available_utc]
        return max(told, default=None)

    @property
    def relative_orbit(self) -> int | None:
        """Orbit of its track; None when not known."""
        return self.frames[0].relative_orbit


def read_log(layout: Layout, region: str, first_day: date = date.min) -> list[Frame]:
    """The frames logged for a region whose pass is of a day or later."""
    made = store.read(layout, SCENE_LOG, region)
    if made is None:
        return []
    rows = made.rows.filter(pc.greater_equal(made.rows["pass_day"], pa.scalar(first_day)))
    return [Frame(**row) for row in rows.to_pylist()]


def register(
    layout: Layout,
    region: str,
    listed: Sequence[Granule],
    listed_utc: datetime,
    *,
    service: str | None = None,
) -> list[Frame]:
    """Log frames that are not known yet; returns those. Two who register at once lose none.

    What is logged later has a later `listed_utc`, also where this machine's clock went back. A row
    that was logged without a service gets the one that lists its frame now.

    Args:
        layout: the lake.
        region: the region's id.
        listed: its frames as a source lists them.
        listed_utc: the moment of this machine.
        service: who brings the region's radar, for frames that do not say it.

    Raises:
        LakeError: the lake cannot be written.
    """
    told = [replace(one, service=one.service or service) for one in listed]
    if not _unknown(told, read_log(layout, region, _first_day(told))):
        return []
    with locked(layout, f"scene_log-{region}"):
        known = _named(read_log(layout, region), told)
        last = max((one.listed_utc for one in known), default=NEVER)
        moment = max(listed_utc, last + timedelta(microseconds=1))
        new = [_frame(granule, moment) for granule in _unknown(told, known)]
        rows = [asdict(one) for one in (*known, *new)]
        table = pa.Table.from_pylist(rows, schema=SCENE_LOG.arrow_schema)
        store.write(layout, SCENE_LOG, table, region=region)
    return new


def _named(known: Sequence[Frame], listed: Sequence[Granule]) -> list[Frame]:
    """The rows, those without a service with the one that lists their frame and version now."""
    services = {(one.granule_id, one.stamp or ""): one.service for one in listed}
    return [
        one if one.service else replace(one, service=services.get((one.frame_id, one.frame_stamp)))
        for one in known
    ]


def _unknown(listed: Sequence[Granule], known: Sequence[Frame]) -> list[Granule]:
    """Those that are not logged yet, each once; without a service they may be anybody's."""
    there = {(one.frame_id, one.frame_stamp, one.service) for one in known}
    there |= {(one.frame_id, one.frame_stamp, None) for one in known}
    found = {(one.granule_id, one.stamp or "", one.service): one for one in listed}
    return [one for key, one in found.items() if key not in there]


def _first_day(listed: Sequence[Granule]) -> date:
    return min((one.day for one in listed if one.day), default=date.min)


def listed_passes(
    region: str, log: Iterable[Frame], first_day: date, service: str | None = None
) -> list[ListedPass]:
    """The passes of the log from a day on, in order of day and scene id.

    Those of a day are of one service, as what is made of its granules (`one_service`): of the
    one given, which brings the radar now, where it lists a frame of that day, else of the one that
    listed a frame last. A pass that this service does not have is not among them.
    """
    frames = [frame for frame in log if frame.pass_day >= first_day]
    days: dict[str, date] = {}
    for frame in frames:
        days[frame.scene_id] = min(frame.pass_day, days.get(frame.scene_id, frame.pass_day))
    by_day: dict[date, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_day[days[frame.scene_id]].append(frame)
    by_scene: dict[str, list[Frame]] = defaultdict(list)
    for of_day in by_day.values():
        used = one_service([(one.listed_utc, one.service) for one in of_day], service)
        for frame in of_day:
            if frame.service == used:
                by_scene[frame.scene_id].append(frame)
    found = [
        ListedPass(region, scene, min(one.pass_day for one in own), _counted(own))
        for scene, own in by_scene.items()
    ]
    return sorted(found, key=lambda one: (one.day, one.scene_id))


def _frame(granule: Granule, listed_utc: datetime) -> Frame:
    name = frame_of(granule)
    day = granule.day or listed_utc.date()
    return Frame(
        frame_id=granule.granule_id,
        frame_stamp=granule.stamp or "",
        scene_id=name.scene_id if name else f"S1X_{day:%Y%m%d}",
        pass_day=day,
        frame_start_utc=name.start_utc if name else None,
        relative_orbit=name.relative_orbit if name else None,
        frame_available_utc=granule.available_utc,
        listed_utc=listed_utc,
        service=granule.service,
    )


def _counted(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Of one slice the version that came last counts, as when a day's frames become passes.

    Bursts of two subswaths may begin in the same second.
    """
    last: dict[object, Frame] = {}
    for one in sorted(
        frames, key=lambda one: (one.frame_available_utc or NEVER, one.frame_id, one.listed_utc)
    ):
        last[one.frame_start_utc or one.frame_id, burst_of(one.frame_id)] = one
    return tuple(sorted(last.values(), key=lambda one: one.frame_id))
