"""The rule that no day of a run has failed: a failed day is materialized too, as `failed`."""

from collections.abc import Mapping
from functools import partial

import dagster as dg

from sm_platform.defs.checking.rules import ERROR, Matter, Rule, Verdict
from sm_platform.defs.checking.stored import Part, regions_of
from sm_platform.lake.failures import failed_days

MOST_TOLD = 10
"""Failed days whose reasons are told in full."""


def no_failed_day(asset: str) -> Rule:
    """The rule of one dated asset."""
    return Rule(
        "no_failed_day",
        "Every day of the run was made; one that failed is named with its reason.",
        partial(_judge, asset),
    )


def _judge(asset: str, matter: Matter) -> Verdict:
    """Failed days of the scope; a day that succeeded since is none of them."""
    reasons = {
        Part(one.region_id, one.day): one.reason
        for region in regions_of(matter.layout, matter.scope)
        for one in failed_days(matter.layout, region, asset)
        if matter.scope.holds(region, one.day)
    }
    counted: dict[str, object] = {"failed_days": len(reasons)}
    if reasons:
        counted["reasons"] = dg.MetadataValue.json({str(k): why for k, why in reasons.items()})
    return Verdict(not reasons, _told(reasons), counted, ERROR)


def _told(reasons: Mapping[Part, str]) -> str:
    lines = [f"{part}: {why}" for part, why in reasons.items()]
    more = len(lines) - MOST_TOLD
    return "\n".join(lines[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else []))
