"""How long observations, drivers and maps may go without a new partition before the UI says so.

A policy counts from the last materialization of an asset, of any region and day: it tells that
nothing arrives any more. Which pass of which region is overdue, `pass_calendar` tells.
"""

from collections.abc import Mapping
from datetime import timedelta

import dagster as dg

CATCH_UP = timedelta(days=1)
"""What the sensors missed is found by `find_missed_passes`, fetched and mapped within it."""
PAIR_REPEAT = timedelta(days=6)
"""Of two Sentinel-1 satellites on the same track."""
REPEAT = timedelta(days=12)
"""Of one of them alone: Torres et al. 2012, 10.1016/j.rse.2011.05.028."""
ISSUE = timedelta(days=1)
"""From a pass to its map, when its frames come as late as they usually do."""
WEATHER_DELAY = timedelta(days=5)
"""Of ERA5-Land (ERA5-Land-T): Munoz-Sabater et al. 2021, 10.5194/essd-13-4349-2021."""
COMPOSITE = timedelta(days=16)
"""Of MOD13Q1; those of Terra and Aqua (MYD13Q1) begin 8 days apart: MOD13 user guide, C6.1."""

FRESHNESS: Mapping[str, dg.FreshnessPolicy] = {
    "s1_granules": dg.FreshnessPolicy.time_window(
        fail_window=REPEAT + CATCH_UP, warn_window=PAIR_REPEAT + CATCH_UP
    ),
    "weather": dg.FreshnessPolicy.time_window(
        fail_window=WEATHER_DELAY + CATCH_UP, warn_window=2 * CATCH_UP
    ),
    "ndvi": dg.FreshnessPolicy.time_window(
        fail_window=COMPOSITE + CATCH_UP, warn_window=COMPOSITE / 2 + CATCH_UP
    ),
    "sm_maps": dg.FreshnessPolicy.time_window(
        fail_window=REPEAT + ISSUE + CATCH_UP, warn_window=PAIR_REPEAT + ISSUE + CATCH_UP
    ),
}
"""By asset: it warns when what comes usually has not come, fails when even the rarest should."""
