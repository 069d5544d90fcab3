"""`sm-platform demo`: archive, graph and maps of two regions, as a newcomer sees them first."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from sm_platform.defs.commands.archive import simulate_command
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.resources import CHECKOUT, environment, settings
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
COARSE = ("nsidc_granules", "smap_l3_granules", "smap_l4_granules")
REDUCED = {"members": 5, "epochs": 20, "most_rows": 9000}
"""A training of a minute, to show the whole path."""
MAPPED = ("s1_backscatter", "scene_features", "sm_maps", "map_figures")


@home_explained()
def demo_command(say: Say) -> None:
    """Do what is not done yet, region by region side by side, and print the maps."""
    simulate_command(None, 1, say)
    archive, layout = settings().archive, Layout(settings().data_lake)
    instance = open_instance()
    regions = list(archive_regions(archive))
    last = read_clock(archive).today
    days = days_between(last - timedelta(DAYS_MAPPED - 1), last)
    with ThreadPoolExecutor(max_workers=2) as workers:
        left = [
            name for name in regions if not _is_done(Launcher(instance, name, say), layout, days)
        ]
        codes = list(workers.map(_in_own_process, left))
    if any(codes):
        raise DataError("The demo did not finish; its messages are above. `make demo` goes on.")
    for region in regions:
        for row in _current(layout, region, days):
            print(
                f"{row['pass_start_utc']:%Y-%m-%d %H:%M} UTC  {region:10}  "
                f"{row['sm_mean_m3m3']:.3f} m3/m3  {layout.root / row['path']}"
            )
    print("Next: `make up` opens the graph and the maps in a browser.")


def _in_own_process(region: str) -> int:
    """One region in a process of its own: two cores, and one run's crash leaves the other."""
    command = [sys.executable, "-m", "sm_platform.cli", "demo-region", region]
    run = subprocess.run(command, env=environment(), cwd=CHECKOUT, check=False)  # noqa: S603
    return run.returncode


@home_explained()
def demo_region_command(name: str, say: Say) -> None:
    """Make one region of the demo; what is done already is left alone."""
    now = settings()
    layout, last = Layout(now.data_lake), read_clock(now.archive).today
    region = Region(name, archive_regions(now.archive)[name], "archive", str(now.archive))
    launcher = Launcher(open_instance(), name, say)
    days = days_between(last - timedelta(DAYS_MAPPED - 1), last)
    if _is_done(launcher, layout, days):
        return
    save_region(layout, region)
    launcher.instance.add_dynamic_partitions("regions", [name])
    _learn(launcher, region, days[0])
    run_steps(launcher, Request(region, days[0], last), list(Step), only_missing=True)
    if launcher.failures or launcher.driver_failures:
        failed = {**launcher.driver_failures, **launcher.failures}
        raise DataError("\n".join(f"{day}: {why}" for day, why in sorted(failed.items())))


def _is_done(launcher: Launcher, layout: Layout, days: Sequence[date]) -> bool:
    made = all(read_index(layout, launcher.region_id, day) for day in days)
    return made and not launcher.pending(MAPPED, days)


def _learn(launcher: Launcher, region: Region, cut_off: date) -> None:
    """Samples of the days before the cut-off, and a checkpoint from them."""
    if not launcher.pending(["checkpoints"], [cut_off]):
        return
    first, last = cut_off - timedelta(DAYS_TRAINED), cut_off - timedelta(1)
    request = Request(region, first, last)
    _missing(launcher, ["swc_granules"], request)
    compared = Request(region, cut_off - timedelta(DAYS_COMPARED), last)
    _missing(launcher, COARSE, compared)
    run_steps(launcher, request, [Step.DOWNLOAD, Step.EXTRACT], only_missing=True)
    if launcher.pending(["sm_observations"], request.days):
        launcher.once(["station_granules", "station_readings"])
        launcher.once(["site_catalog"])
    for asset in ("sm_observations", "site_features", "training_samples"):
        _missing(launcher, [asset], request)
    launcher.over(["sample_splits", "checkpoints"], [cut_off], {"checkpoints": REDUCED})
    launcher.once(["label_report"])


def _missing(launcher: Launcher, assets: Sequence[str], request: Request) -> None:
    launcher.over(assets, launcher.pending(assets, request.days))


def _current(layout: Layout, region: str, days: Sequence[date]) -> list[Row]:
    rows = [row for day in days for row in read_index(layout, region, day)]
    return [row for row in rows if row["is_latest"]]
