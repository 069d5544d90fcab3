"""The rule that no day of a run has failed: a failed day is materialized too, as `failed`."""

from collections.abc import Sequence
from functools import partial

import dagster as dg

from sm_platform.defs.checking.rules import ERROR, Matter, Rule, Verdict, evaluation
from sm_platform.defs.checking.stored import Part, regions_of
from sm_platform.defs.launch_tags import Scope, scope_of
from sm_platform.defs.reasons_told import failed_told
from sm_platform.lake.failures import FailedDay, failed_days
from sm_platform.lake.layout import Layout

NAME = "no_failed_day"
MOST_TOLD = 10
"""Causes of failed days that are told in full."""


def no_failed_day(asset: str) -> Rule:
    """The rule of one dated asset."""
    return Rule(
        NAME,
        "Every day of the run was made; one that failed is named with its reason.",
        partial(_judge, asset),
    )


def tell_failed_days(context: dg.AssetExecutionContext, layout: Layout) -> None:
    """Judge that rule within a step that is about to fail: Dagster runs no check after it.

    The UI would say of every check that it could not be executed, and of none why.
    """
    asset = context.asset_key
    verdict = _verdict(asset.to_user_string(), layout, scope_of(context.run.tags))
    told = evaluation(dg.AssetCheckSpec(NAME, asset=asset), verdict)
    # The event records itself when it is made.
    dg.DagsterEvent.asset_check_evaluation(context.get_step_execution_context(), told)


def _judge(asset: str, matter: Matter) -> Verdict:
    return _verdict(asset, matter.layout, matter.scope)


def _verdict(asset: str, layout: Layout, scope: Scope) -> Verdict:
    """Failed days of the scope; a day that succeeded since is none of them."""
    failed = [
        one
        for region in regions_of(layout, scope)
        for one in failed_days(layout, region, asset)
        if scope.holds(region, one.day)
    ]
    reasons = {Part(one.region_id, one.day): one.reason for one in failed}
    counted: dict[str, object] = {"failed_days": len(reasons)}
    if reasons:
        counted["reasons"] = dg.MetadataValue.json({str(k): why for k, why in reasons.items()})
    return Verdict(not reasons, _told(failed), counted, ERROR)


def _told(failed: Sequence[FailedDay]) -> str:
    lines = failed_told(failed)
    more = len(lines) - MOST_TOLD
    return "\n".join(lines[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else []))
