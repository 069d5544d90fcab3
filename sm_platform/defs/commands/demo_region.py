"""What `sm-platform demo` does in each region: samples, networks, maps, and a start of 9 km."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.local_time import zone_of
from sm_platform.defs.map_index import read_index
from sm_platform.defs.promotion import promote
from sm_platform.defs.reasons_told import causes_of
from sm_platform.defs.registry import Stage, entries
from sm_platform.defs.resources import settings
from sm_platform.defs.steps import Request, Step, run_steps
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.archive import archive_regions, read_clock

DAYS_MAPPED = 31
DAYS_TRAINED = 270
"""Labels of the nine months before the mapped days: a first checkpoint, not a final one."""
DAYS_COMPARED = 60
"""Days of the coarser products, which meet the others at the stations: enough to be compared."""
COMPARED = ("nsidc_granules", "smap_l3_granules")
SITES = {"more_levels": {"9km": 4}}
"""Beside those of 100 m: for the start of the networks."""
START = {"members": 5, "epochs": 20}
REDUCED = {**START, "most_rows": 9000, "repeats": 1}
"""A training of a minute, to show the whole path."""
EVALUATION = {"tree_members": 1}
ALL_THE_SAME = (
    "The demo's reduced training is mapped although the gate did not pass it: it shows the path, "
    "not the accuracy."
)
MAPPED = ("s1_backscatter", "scene_features", "sm_maps", "map_figures")


class Part(StrEnum):
    """What is done in one go."""

    SAMPLES = "samples"
    START = "start"
    """Networks taught by labels of 9 km of all regions, as who has no weights to start from would.

    The regions' own networks start at random all the same: from so few rows it is no help."""
    MAPS = "maps"


@dataclass(frozen=True, slots=True)
class _Demo:
    """One region of the demo and what runs its assets."""

    launcher: Launcher
    region: Region
    layout: Layout

    @property
    def cut_off(self) -> date:
        """First mapped day: no label of it or later is used."""
        return mapped_days()[0]


@home_explained()
def demo_region_command(name: str, part: str, say: Say) -> None:
    """Make a part of one region of the demo; what is done already is left alone.

    Raises:
        DataError: days failed.
    """
    now = settings()
    bare = Region(name, archive_regions(now.archive)[name], "archive", str(now.archive))
    region = replace(bare, time_zone=zone_of(bare))
    demo = _Demo(Launcher(open_instance(), name, say), region, Layout(now.data_lake))
    {Part.SAMPLES: _samples, Part.START: _start, Part.MAPS: _maps}[Part(part)](demo)
    failed = {**demo.launcher.driver_failures, **demo.launcher.failures}
    if failed:
        raise DataError("\n".join(cause.told for cause in causes_of(failed.items())))


def mapped_days() -> list[date]:
    """The days that the demo maps: the archive's last month."""
    last = read_clock(settings().archive).today
    return days_between(last - timedelta(DAYS_MAPPED - 1), last)


def is_done(launcher: Launcher, layout: Layout) -> bool:
    """Whether every mapped day of the region is."""
    days = mapped_days()
    made = all(read_index(layout, launcher.region_id, day) for day in days)
    return made and not launcher.pending(MAPPED, days)


def is_taught(launcher: Launcher) -> bool:
    """Whether the region has its checkpoint."""
    return not launcher.pending(["checkpoints"], mapped_days()[:1])


def _samples(demo: _Demo) -> None:
    """Labels with their inputs of the days before the cut-off, and their roles."""
    save_region(demo.layout, demo.region)
    demo.launcher.instance.add_dynamic_partitions("regions", [demo.region.region_id])
    cut_off, launcher = demo.cut_off, demo.launcher
    last = cut_off - timedelta(1)
    request = Request(demo.region, cut_off - timedelta(DAYS_TRAINED), last)
    compared = days_between(cut_off - timedelta(DAYS_COMPARED), last)
    _missing(launcher, ["swc_granules", "smap_l4_granules"], request.days)
    _missing(launcher, COMPARED, compared)
    run_steps(launcher, request, [Step.DOWNLOAD, Step.EXTRACT], only_missing=True)
    if launcher.pending(["sm_observations"], request.days):
        launcher.once(["station_granules", "station_readings"])
        launcher.once(["site_catalog"], {"site_catalog": SITES})
    for asset in ("sm_observations", "site_features", "training_samples"):
        _missing(launcher, [asset], request.days)
    launcher.over(["sample_splits"], [cut_off])
    launcher.once(["label_report"])


def _start(demo: _Demo) -> None:
    others = sorted(set(archive_regions(settings().archive)) - {demo.region.region_id})
    config = {"pretrained_checkpoints": {**START, "more_regions": others}}
    demo.launcher.over(["pretrained_checkpoints"], [demo.cut_off], config)


def _maps(demo: _Demo) -> None:
    """The region's own networks, judged, then the maps."""
    if not is_taught(demo.launcher):
        demo.launcher.over(["checkpoints"], [demo.cut_off], {"checkpoints": REDUCED})
    newest = entries(demo.layout, demo.region.region_id)[-1:]
    if newest and newest[0].stage is not Stage.ACCEPTED:
        demo.launcher.over(["evaluations"], [demo.cut_off], {"evaluations": EVALUATION})
        judged = entries(demo.layout, demo.region.region_id)[-1]
        if judged.stage is not Stage.ACCEPTED:
            promote(demo.layout, judged, ALL_THE_SAME, datetime.now(UTC))
    days = mapped_days()
    run_steps(demo.launcher, Request(demo.region, days[0], days[-1]), list(Step), only_missing=True)


def _missing(launcher: Launcher, assets: Sequence[str], days: Sequence[date]) -> None:
    launcher.over(assets, launcher.pending(assets, days))
