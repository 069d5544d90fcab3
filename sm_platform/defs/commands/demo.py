"""`sm-platform demo`: archive, graph and maps of two regions, as a newcomer sees them first."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sm_platform.defs.commands.archive import simulate_command
from sm_platform.defs.commands.demo_region import Part, is_done, is_taught, mapped_days
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.local_time import pass_told, zone_of
from sm_platform.defs.map_index import read_index
from sm_platform.defs.resources import CHECKOUT, environment, settings
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError
from sm_platform.lake.layout import Layout
from sm_platform.sources.archive import archive_regions


@home_explained()
def demo_command(say: Say) -> None:
    """Do what is not done yet, region by region side by side, and print the maps."""
    simulate_command(None, 1, say)
    instance, layout = open_instance(), Layout(settings().data_lake)
    regions = list(archive_regions(settings().archive))
    launchers = [Launcher(instance, name, say) for name in regions]
    left = [one.region_id for one in launchers if not is_done(one, layout)]
    untaught = [one.region_id for one in launchers if not is_taught(one)]
    _side_by_side([(name, Part.SAMPLES) for name in untaught])
    starts = [(name, Part.START) for name in untaught[:1]]  # of the samples of both regions
    _side_by_side([*((name, Part.MAPS) for name in left), *starts])
    for region in regions:
        _print_maps(layout, region)
    print("Next: `make up` opens the graph and the maps in a browser.")


def _side_by_side(parts: Sequence[tuple[str, Part]]) -> None:
    """Parts of regions, each in a process of its own: two cores, and one's crash leaves the other.

    Raises:
        DataError: one of them did not finish.
    """
    with ThreadPoolExecutor(max_workers=2) as workers:
        codes = list(workers.map(lambda one: _in_own_process(*one), parts))
    if any(codes):
        raise DataError("The demo did not finish; its messages are above. `make demo` goes on.")


def _in_own_process(region: str, part: Part) -> int:
    command = [sys.executable, "-m", "sm_platform.cli", "demo-region", region, part.value]
    run = subprocess.run(command, env=environment(), cwd=CHECKOUT, check=False)  # noqa: S603
    return run.returncode


def _print_maps(layout: Layout, region: str) -> None:
    zone = zone_of(find_region(layout, region))
    for row in [row for day in mapped_days() for row in read_index(layout, region, day)]:
        if row["is_latest"]:
            print(
                f"{pass_told(row, zone)}  {region:10}  {row['sm_mean_m3m3']:.3f} m3/m3  "
                f"{layout.root / row['path']}"
            )
