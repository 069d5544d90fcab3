"""What a backfill asks for: of each asset the region and day keys that are not made yet.

Days that are finished are left out. What must come before the others is asked for as well, as far
as the lake lacks it: static assets, a year of vegetation and weather, earlier passes of the tracks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import dagster as dg

from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.launch import Launcher, stretches
from sm_platform.defs.map_chain import (
    CHAIN,
    DRIVERS,
    FEATURES,
    FIGURES,
    LATE_RAIN,
    MAPS,
    PASSES,
    STATIC,
    STATIC_TABLES,
)
from sm_platform.defs.partitions import LOOK_AHEAD_DAYS, LOOK_BACK_DAYS, ONE_MONTH, TWO_MONTHS
from sm_platform.defs.steps import Request, remembered_days, stale_driver_days
from sm_platform.lake import store
from sm_platform.lake.failures import failed_days
from sm_platform.lake.layout import Layout
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.region import Region

MONTH = ONE_MONTH.max_partitions_per_run or 1
MONTHS = TWO_MONTHS.max_partitions_per_run or 1


@dataclass(frozen=True, slots=True)
class Place:
    """Lake and Dagster instance that a backfill is about."""

    layout: Layout
    instance: dg.DagsterInstance
    made: dict[str, set[str]] = field(default_factory=dict)
    """Partitions made by asset, asked for once: of many regions and years there are many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which assets, and whether finished days are looked at again."""

    assets: tuple[str, ...] = CHAIN
    is_again: bool = False

    @property
    def looks_back(self) -> bool:
        """Whether earlier days are needed."""
        return FEATURES in self.assets


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """What is to be done in one region; days are in order."""

    region_id: str
    asked: Sequence[date]
    """Days that a person asked for."""
    days: Sequence[date] = ()
    """Those of them that are not finished, or look back to a driver that is tried again."""
    pass_days: Sequence[date] = ()
    """Days whose granules are to be brought and read, earlier ones as far as remembered."""
    driver_days: Sequence[date] = ()
    """Days whose vegetation and weather are to be made."""
    late_rain_days: Sequence[date] = ()
    """Days whose late rain is: the same, or none where no recipe asks for it."""
    lacks_static: bool = False

    def days_of(self, asset: str) -> Sequence[date]:
        """The days of a dated asset that are asked for."""
        if asset in PASSES:
            return self.pass_days
        if asset in LATE_RAIN:
            return self.late_rain_days
        return self.driver_days if asset in DRIVERS else self.days

    def n_runs(self, assets: Sequence[str]) -> int:
        """Runs at least: assets of the same days go together, a month of days without a gap."""
        groups = {tuple(self.days_of(one)) for one in assets if one != FIGURES}
        runs = sum(len(stretches(days, MONTH)) for days in groups)
        runs += len(stretches(self.days, MONTHS)) if FIGURES in assets else 0
        return runs + self.lacks_static


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done in all regions, of these assets."""

    regions: Sequence[RegionPlan]
    assets: Sequence[str]

    @property
    def n_days(self) -> int:
        """Days of all regions to be finished."""
        return sum(len(one.days) for one in self.regions)

    @property
    def n_runs(self) -> int:
        """Runs at least."""
        return sum(one.n_runs(self.assets) for one in self.regions)

    @property
    def n_keys(self) -> int:
        """Partitions to be made, of all assets."""
        return sum(len(keys) for keys in self.keys().values())

    def keys(self) -> Mapping[str, frozenset[str]]:
        """Partition keys by asset; assets without any are left out."""
        found: dict[str, set[str]] = defaultdict(set)
        for one in self.regions:
            for asset in self.assets:
                found[asset] |= {f"{day}|{one.region_id}" for day in one.days_of(asset)}
            for asset in STATIC if one.lacks_static else ():
                found[asset].add(one.region_id)
        return {asset: frozenset(keys) for asset, keys in found.items() if keys}


def plan_region(place: Place, region: Region, asked: Sequence[date], wanted: Wanted) -> RegionPlan:
    """What is to be done for these days of a region.

    Raises:
        SourceError: its source cannot list what there is.
    """
    name = region.region_id
    launcher = Launcher(place.instance, name, _say_nothing, made=place.made)
    own = list(asked) if wanted.is_again else _unfinished(place, launcher, asked, wanted)
    behind = _behind_failed_drivers(place.layout, name, asked) if wanted.looks_back else set()
    days = sorted({*own, *behind})
    if not days:
        return RegionPlan(name, asked)
    request = Request(region, days[0], days[-1])
    driver_days = stale_driver_days(launcher, request) if wanted.looks_back else days
    has_late_rain = not wanted.looks_back or takes_late_rain(region)
    return RegionPlan(
        name,
        asked,
        days,
        pass_days=sorted(
            {*own, *(remembered_days(launcher, request) if wanted.looks_back else ())}
        ),
        driver_days=driver_days,
        late_rain_days=driver_days if has_late_rain else (),
        lacks_static=wanted.looks_back and _lacks_static(place, name),
    )


def _unfinished(
    place: Place, launcher: Launcher, asked: Sequence[date], wanted: Wanted
) -> list[date]:
    """Days on which one of the assets was never made, or failed, or is lost."""
    drivers = (*DRIVERS, *LATE_RAIN) if wanted.looks_back else ()
    assets = [one for one in wanted.assets if one not in drivers]
    found = set(launcher.pending(assets, asked))
    if MAPS in assets:
        found |= set(asked) - set(store.days_made(place.layout, SM_MAPS, launcher.region_id))
    return sorted(found)


def _behind_failed_drivers(layout: Layout, region_id: str, asked: Sequence[date]) -> set[date]:
    """Days that look back, or ahead, to a day without its vegetation or weather."""
    drivers = (*DRIVERS, *LATE_RAIN)
    failed = {one.day for asset in drivers for one in failed_days(layout, region_id, asset)}
    back, ahead = timedelta(LOOK_BACK_DAYS), timedelta(LOOK_AHEAD_DAYS)
    return {day for day in asked if any(day - back <= one <= day + ahead for one in failed)}


def _lacks_static(place: Place, region_id: str) -> bool:
    """Whether a static asset of a region was never made, or its table is lost."""
    made = [place.instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in STATIC]
    notes = [store.note_of(place.layout, one, region_id) for one in STATIC_TABLES]
    return None in notes or any(region_id not in keys for keys in made)


def _say_nothing(_: str) -> None:
    return None
