"""From extracted days to an accepted checkpoint, as the demo does it, with few sites.

Its networks are weak, so the gate is overridden.
"""

import sys
from datetime import UTC, date, datetime

from sm_platform.defs.instance import open_instance
from sm_platform.defs.launch import Launcher
from sm_platform.defs.promotion import promote
from sm_platform.defs.registry import Stage, entries
from sm_platform.defs.resources import settings
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout

SITES = {"count": 500, "seed": 3}
TRAINING = {"members": 2, "epochs": 3, "seed": 5, "fewest_sites": 1, "fewest_blocks": 1}
JUDGED = {"tree_members": 0}
REASON = "weak networks, trained to see the path only"


def learn(region: str, first: str, last: str, cut_off: str) -> None:
    """Label and sample the days first to last, then train with those before the cut-off, judge."""
    launcher = Launcher(open_instance(), region, say=lambda text: print(text, file=sys.stderr))
    days = days_between(date.fromisoformat(first), date.fromisoformat(last))
    launcher.over(["swc_granules"], days)
    launcher.once(["station_granules", "station_readings"])
    launcher.once(["site_catalog"], {"site_catalog": SITES})
    for asset in ("sm_observations", "site_features", "training_samples"):
        launcher.over([asset], days)
    cut_off_day = [date.fromisoformat(cut_off)]
    launcher.over(["sample_splits", "checkpoints"], cut_off_day, {"checkpoints": TRAINING})
    launcher.over(["evaluations"], cut_off_day, {"evaluations": JUDGED})
    if launcher.failures:
        print(launcher.failures, file=sys.stderr)
        raise SystemExit(1)
    _accept(Layout(settings().data_lake), region)


def _accept(layout: Layout, region: str) -> None:
    newest = entries(layout, region)[-1]
    if newest.stage is not Stage.ACCEPTED:
        promote(layout, newest, REASON, datetime.now(UTC))
