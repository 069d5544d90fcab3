"""All asset checks, generated from lists: of dated assets, of tables, and the rules of some assets.

They judge the partitions of their own run, or all there are when run by themselves. Most warn or
show an error and stop nothing. Two on `sm_maps` are blocking: they keep `map_figures` from being
drawn in the same run, nothing else; the maps are in the lake by then. The gate on `evaluations`
(gate_check.py) is the only other one that blocks.
"""

from collections import defaultdict

import dagster as dg

from sm_platform.defs.checking.contract import fits_contract
from sm_platform.defs.checking.failed import no_failed_day
from sm_platform.defs.checking.label_rules import LABEL_RULES
from sm_platform.defs.checking.map_drift import no_drift
from sm_platform.defs.checking.map_files import fits_product
from sm_platform.defs.checking.map_inputs import inside_training
from sm_platform.defs.checking.map_values import like_the_map_before, values_plausible
from sm_platform.defs.checking.platform_bias import no_platform_bias
from sm_platform.defs.checking.rules import Rule, checks_of
from sm_platform.schema.families import ALL_TABLES

DATED = (
    *("s1_granules", "ndvi_granules", "weather_granules", "late_rain_granules"),
    *("swc_granules", "nsidc_granules", "smap_l3_granules", "smap_l4_granules"),
    *("s1_scenes", "s1_backscatter", "ndvi", "weather", "late_rain", "scene_features"),
    *("sm_observations", "site_features", "training_samples", "sample_splits"),
    *("checkpoints", "pretrained_checkpoints", "evaluations", "sm_maps", "map_figures"),
)
"""Assets of region and day."""
WRITTEN_BY = {
    "regions": "static_granules",
    "scene_series": "scene_features",
    "checkpoint_stages": "evaluations",
    "scene_log": "pass_calendar",
}
"""Assets that tables without an asset of their name are checked with; the others have theirs."""
ELSEWHERE = ("alerts",)
"""Tables that are written by no run of an asset."""
MAP_RULES = (
    values_plausible(),
    like_the_map_before(),
    no_drift(),
    inside_training(),
    fits_product(),
)
RADAR_RULES = (no_platform_bias(),)


def rules_by_asset() -> dict[str, list[Rule]]:
    """Every rule, by the name of its asset."""
    rules = defaultdict[str, list[Rule]](list)
    for asset in DATED:
        rules[asset].append(no_failed_day(asset))
    for table in ALL_TABLES:
        if table.name in WRITTEN_BY:
            rules[WRITTEN_BY[table.name]].append(fits_contract(table, f"{table.name}_fit_contract"))
        elif table.name not in ELSEWHERE:
            rules[table.name].append(fits_contract(table))
    for asset, more in (
        *LABEL_RULES.items(),
        ("s1_backscatter", RADAR_RULES),
        ("sm_maps", MAP_RULES),
    ):
        rules[asset] += more
    return dict(rules)


CHECKS: list[dg.AssetChecksDefinition] = [
    checks_of(asset, rules) for asset, rules in rules_by_asset().items()
]
