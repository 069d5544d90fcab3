"""A lake of all days of the archive, with sites of every level, for the other experiments.

    SM_DATA_LAKE=DIR SM_MODELS=DIR SM_ARCHIVE=DIR DAGSTER_HOME=DIR \
        python -m experiments.build_lake red-river highland

Writes the archive if there is none; a stopped run goes on. About ten minutes a region.
"""

import sys

from sm_platform.defs.commands.archive import simulate_command
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.resources import settings
from sm_platform.defs.steps import Request, Step, run_steps
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.archive import archive_regions, read_clock
from sm_platform.sources.archive_clock import Clock, end_of, write_clock
from sm_platform.sources.simulated.period import WHOLE

SITES = {"count": 400, "more_levels": {"9km": 4, "1km": 60}}
LABELS = ("swc_granules", "nsidc_granules", "smap_l3_granules", "smap_l4_granules")
ROWS = ("sm_observations", "site_features", "training_samples")


def say(text: str) -> None:
    """Progress goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def build(name: str) -> None:
    """Labels, drivers, sites and samples of one region over the archive's period."""
    now = settings()
    layout, root = Layout(now.data_lake), now.archive
    region = Region(name, archive_regions(root)[name], "archive", str(root))
    launcher = Launcher(open_instance(), name, say)
    save_region(layout, region)
    launcher.instance.add_dynamic_partitions("regions", [name])
    request = Request(region, WHOLE.radar_first, read_clock(root).today)
    for asset in LABELS:
        launcher.over([asset], launcher.pending([asset], request.days))
    run_steps(launcher, request, [Step.DOWNLOAD, Step.EXTRACT], only_missing=True)
    if launcher.pending(ROWS[:1], request.days):
        launcher.once(["station_granules", "station_readings"])
        launcher.once(["site_catalog"], {"site_catalog": SITES})
    for asset in ROWS:
        launcher.over([asset], launcher.pending([asset], request.days))
    for day, why in sorted({**launcher.driver_failures, **launcher.failures}.items()):
        say(f"{name} {day}: {why}")


def main() -> None:
    """Build the regions named, or all."""
    simulate_command(None, 1, say)
    write_clock(settings().archive, Clock(end_of(WHOLE.last), WHOLE.last))  # all days are wanted
    for name in sys.argv[1:] or list(archive_regions(settings().archive)):
        build(name)


if __name__ == "__main__":
    main()
