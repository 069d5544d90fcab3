"""Maps that are to be made again: their inputs or the accepted checkpoint are newer than they are.

What was written later is looked at, not what changed: a map that comes out with the same pixels is
left alone, so asking once too often costs seconds and no revision.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.map_chain import FEATURES, FIGURES, MAPS, PASS_TO_MAP, PASSES, STATIC_TABLES
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.partitions import LOOK_AHEAD_DAYS, LOOK_BACK_DAYS
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.radar_quantity import stored_quantity
from sm_platform.defs.registry import Entry, accepted, entries, newest_accepted
from sm_platform.defs.resources import settings
from sm_platform.defs.watching.requests import Ask, Why, spans
from sm_platform.defs.watching.scene_log import read_log
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.day_status import FAILED, day_status
from sm_platform.lake.failures import failed_days
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.model_tables import SCENE_FEATURES, SM_MAPS
from sm_platform.schema.recipes import RadarQuantity
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table

ASSETS = (FEATURES, MAPS, FIGURES)
SETTLED = timedelta(days=2)
"""After a day without a listed frame: scenes are published up to a day after their pass."""
MOST_DAYS = 31

Written = Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Backscatter:
    """What is stored of a day's passes."""

    written_ns: int
    has_rows: bool
    """An empty one is not remembered, so it makes nothing older."""
    quantity: RadarQuantity


def refreshes(layout: Layout, region: Region, today: date, days: int) -> list[Ask]:
    """Runs over the mapped days of the last `days` that are to be made again.

    And over earlier days, whose passes are remembered, that failed of what may have passed; and
    over those of the last `days` on which no pass was listed.
    """
    name, first = region.region_id, max(today - timedelta(days), settings().first_day)
    stale = stale_days(layout, region, days_between(first, today))
    failed = [one for asset in PASS_TO_MAP for one in failed_days(layout, name, asset)]
    barred = {one.day for one in failed} - set(stale)
    memory = max(today - timedelta(MEMORY_DAYS), settings().first_day)
    again = [
        one.day
        for one in failed
        if one.is_passing and one.asset in PASSES and memory <= one.day < first
    ]
    return [
        *(_ask(name, span, today, ASSETS) for span in spans(stale, MOST_DAYS, barred)),
        *(_ask(name, span, today, PASSES) for span in spans(again, MOST_DAYS)),
        *unlooked(layout, region, first, today),
    ]


def unlooked(layout: Layout, region: Region, first: date, today: date) -> Iterator[Ask]:
    """Runs over days of which no frame was listed, so that they are told as days without a pass.

    Only once they are settled, and only where maps are made: else nothing is to be told of them.
    Mapped days between are looked at again, which costs little; others are not.
    """
    name = region.region_id
    if not region.checkpoint_id and accepted(layout, name, today) is None:
        return
    listed = {one.pass_day for one in read_log(layout, name, first)}
    told = {day: day_status(layout, name, day) for day in days_between(first, today)}
    settled = [
        day
        for day, one in told.items()
        if one is None and day not in listed and today - day >= SETTLED
    ]
    barred = {day for day, one in told.items() if one is None or one.status == FAILED}
    for span in spans(settled, MOST_DAYS, barred - set(settled)):
        yield _ask(name, span, today, (*PASS_TO_MAP, FIGURES))


def stale_days(layout: Layout, region: Region, days: Sequence[date]) -> list[date]:
    """Days with a current map whose inputs or checkpoint have changed since, in order."""
    name = region.region_id
    first = max(days[0] - timedelta(LOOK_BACK_DAYS), settings().first_day)
    around = days_between(first, days[-1] + timedelta(LOOK_AHEAD_DAYS))
    ndvi = _written(layout, tables.NDVI, name, around)
    weather = _written(layout, tables.WEATHER, name, around)
    late_rain = _written(layout, tables.LATE_RAIN, name, around if takes_late_rain(region) else [])
    passes = _passes(layout, name, around)
    statics = max((store.written_ns(layout, one, name) or 0 for one in STATIC_TABLES), default=0)
    known = entries(layout, name)
    return [
        day
        for day, rows in _mapped(layout, name, days)
        if _is_older(layout, name, day, ((ndvi, weather, late_rain), passes), statics)
        or _has_other_checkpoint(layout, region, day, rows, known)
    ]


def _mapped(layout: Layout, region: str, days: Sequence[date]) -> Iterator[tuple[date, list[Row]]]:
    for day in days:
        current = [row for row in read_index(layout, region, day) if row["is_latest"]]
        if current:
            yield day, current


def _written(layout: Layout, table: Table, region: str, days: Sequence[date]) -> Written:
    times = ((day, store.written_ns(layout, table, region, day)) for day in days)
    return {day: when for day, when in times if when is not None}


def _passes(layout: Layout, region: str, days: Sequence[date]) -> Mapping[date, Backscatter]:
    found = {}
    for day, when in _written(layout, tables.S1_BACKSCATTER, region, days).items():
        note = store.note_of(layout, tables.S1_BACKSCATTER, region, day) or {}
        found[day] = Backscatter(when, bool(note.get("rows")), stored_quantity(note))
    return found


def _is_older(
    layout: Layout,
    region: str,
    day: date,
    inputs: tuple[Sequence[Written], Mapping[date, Backscatter]],
    statics: int,
) -> bool:
    """Whether the features of a day were made before one of their inputs was last written.

    Earlier passes of another quantity are no input: `PassMemory` leaves them out.
    """
    made = store.written_ns(layout, SCENE_FEATURES, region, day)
    if made is None:
        return False
    drivers, passes = inputs
    first, last = day - timedelta(LOOK_BACK_DAYS), day + timedelta(LOOK_AHEAD_DAYS)
    newest = [when for one in drivers for on, when in one.items() if first <= on <= last]
    memory = day - timedelta(MEMORY_DAYS)
    own = passes[day].quantity if day in passes else stored_quantity(None)
    newest += [
        one.written_ns
        for on, one in passes.items()
        if memory <= on <= day and one.has_rows and one.quantity is own
    ]
    return max([*newest, statics]) > made


def _has_other_checkpoint(
    layout: Layout, region: Region, day: date, rows: Sequence[Row], known: Sequence[Entry]
) -> bool:
    """Whether the day would be mapped by another checkpoint than its current maps were.

    A map made with a checkpoint that a person named for it stays until one is accepted later.
    """
    made = store.written_ns(layout, SM_MAPS, region.region_id, day) or 0
    if region.checkpoint_id:
        return any(row["checkpoint_id"] != region.checkpoint_id for row in rows)
    note = store.note_of(layout, SCENE_FEATURES, region.region_id, day) or {}
    chosen = newest_accepted(known, day, note.get("recipe_fingerprint"))
    if chosen is None or chosen.decision is None:
        return False
    is_later = chosen.decision.changed_utc.timestamp() * 1e9 > made
    return is_later and any(row["checkpoint_id"] != chosen.checkpoint_id for row in rows)


def _ask(region: str, span: tuple[date, date], today: date, assets: tuple[str, ...]) -> Ask:
    hashed = hashlib.sha256(f"{today} {assets}".encode()).hexdigest()[:12]
    return Ask(region, Why.REFRESH, f"{span[0]}..{span[1]}", hashed, assets, span)
