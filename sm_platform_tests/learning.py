"""From extracted days to a checkpoint, as the demo does it, with few sites and weak networks."""

import sys
from datetime import date

from sm_platform.defs.instance import open_instance
from sm_platform.defs.launch import Launcher
from sm_platform.grid.calendar import days_between

SITES = {"count": 500, "seed": 3}
TRAINING = {"members": 2, "epochs": 3, "seed": 5}


def learn(region: str, first: str, last: str, cut_off: str) -> None:
    """Label and sample the days first to last, then train with those before the cut-off."""
    launcher = Launcher(open_instance(), region, say=lambda text: print(text, file=sys.stderr))
    days = days_between(date.fromisoformat(first), date.fromisoformat(last))
    launcher.over(["swc_granules"], days)
    launcher.once(["station_granules", "station_readings"])
    launcher.once(["site_catalog"], {"site_catalog": SITES})
    for asset in ("sm_observations", "site_features", "training_samples"):
        launcher.over([asset], days)
    cut_off_day = [date.fromisoformat(cut_off)]
    launcher.over(["sample_splits", "checkpoints"], cut_off_day, {"checkpoints": TRAINING})
    if launcher.failures:
        raise SystemExit(str(launcher.failures))
