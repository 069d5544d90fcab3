"""The gate as Dagster shows it: a blocking check of `evaluations` that decides stages.

It judges the cut-offs of its run and records what it decides, so maps of any later run know it.
Maps depend on `evaluations`: in a run that also evaluates, a failed gate stops its maps. Maps made
on their own are not touched by it: they use the newest checkpoint that is accepted, or the named
one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import dagster as dg

from sm_platform.defs.judging import Judged, judge_cut_off
from sm_platform.defs.launch_tags import Scope, scope_of
from sm_platform.defs.model_card import table
from sm_platform.defs.resources import LakeResource
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.registry_tables import EVALUATIONS
from sm_platform.trust.gate import LIMITS

HEADER = ("checkpoint", "stage", "figure", "value (m3/m3)", "at most")


@dg.asset_check(
    asset=dg.AssetKey("evaluations"),
    name="gate",
    blocking=True,
    description="Figures within their limits and not worse than the accepted checkpoint: it "
    "becomes accepted, else it stays a candidate. The newest checkpoint of each cut-off counts.",
)
def gate(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    """Judge what the run evaluated; without a partition, all there is."""
    judged = judge_scope(lake.layout, scope_of(context.run.tags), datetime.now(UTC))
    counting = [found[-1] for found in judged if found]
    failed = [one for one in counting if not one.is_usable]
    told = failed or counting
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n".join(verdict_of(one) for one in told) or "Nothing was evaluated.",
        metadata=_metadata([one for found in judged for one in found], told),
    )


def judge_scope(layout: Layout, scope: Scope, now: datetime) -> list[list[Judged]]:
    """The judged checkpoints of each evaluated cut-off of a scope."""
    cut_offs = [
        (region, day)
        for region in store.regions_stored(layout, EVALUATIONS)
        for day in store.days_made(layout, EVALUATIONS, region)
        if scope.holds(region, day)
    ]
    return [judge_cut_off(layout, region, day, now) for region, day in cut_offs]


def verdict_of(judged: Judged) -> str:
    """The verdict with the checkpoint's name and, where a person overrode it, that."""
    entry, decision = judged.entry, judged.entry.decision
    line = f"{entry.checkpoint_id} ({entry.region_id}, cut-off {entry.cut_off}): {judged.text}"
    if decision and decision.reason != judged.text:
        line += f" It is {entry.stage.value} by {decision.by.value}: {decision.reason}"
    return line


def _metadata(judged: Sequence[Judged], told: Sequence[Judged]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "judged": len(judged),
        "accepted": sum(one.is_usable for one in judged),
        "verdict": dg.MetadataValue.md("\n\n".join(map(verdict_of, judged)) or "none"),
    }
    rows = [row for one in judged for row in _figures(one)]
    if rows:
        found["figures"] = dg.MetadataValue.md(table(HEADER, rows))
    if len(told) == 1 and told[0].figures:
        figures = told[0].figures
        found |= {"reference": figures.reference, "pairs": figures.n, "sites": figures.n_sites}
        named = {
            "rmse_m3m3": figures.rmse,
            "bias_m3m3": figures.bias,
            "ubrmse_m3m3": figures.ubrmse,
        }
        found |= {name: value for name, value in named.items() if isfinite(value)}
    return found


def _figures(judged: Judged) -> list[tuple[str, ...]]:
    """Lines of the table of figures: each with its limit, then the baselines."""
    figures, entry = judged.figures, judged.entry
    if figures is None:
        return []
    limits = LIMITS[figures.reference]
    lines = [
        ("rmse", figures.rmse, f"{limits.rmse:.3f}"),
        ("bias", figures.bias, f"{limits.bias:.3f} either way"),
        (
            "ubrmse",
            figures.ubrmse,
            "not asked" if limits.ubrmse is None else f"{limits.ubrmse:.3f}",
        ),
    ]
    if figures.difference:
        lines.append(("rmse less the accepted one's", figures.difference.value, "0, beyond doubt"))
    lines += [(f"rmse of {name}", rmse, "-") for name, rmse in figures.baselines.items()]
    head = (entry.checkpoint_id, entry.stage.value)
    return [(*head, name, f"{value:.4f}", limit) for name, value, limit in lines]
