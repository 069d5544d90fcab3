"""Rules as Dagster's checks: one step an asset judges all of its rules on the run's partitions.

A step costs Dagster 20 to 40 ms, so there is none for every rule. A fault inside a rule is a failed
check that says so: it stops neither the other rules nor what lies below the asset.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from sm_platform.defs.launch_tags import Scope, scope_of
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.talk import legible
from sm_platform.errors import SmPlatformError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@dataclass(frozen=True, slots=True)
class Matter:
    """What is judged: the partitions of one run, with where they lie."""

    layout: Layout
    models: ModelStore
    scope: Scope


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule found."""

    passed: bool
    told: str = ""
    """What is wrong, or what could not be judged."""
    counted: Mapping[str, Any] = field(default_factory=dict)
    """Metadata of the check; Dagster plots its numbers over the runs."""
    severity: dg.AssetCheckSeverity = WARN
    """Of a failure; ERROR stops what lies below where the rule is blocking."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of an asset."""

    name: str
    description: str
    judge: Callable[[Matter], Verdict]
    is_blocking: bool = False
    """Whether an ERROR keeps the assets below from being made in the same run."""


def checks_of(asset: str, rules: Sequence[Rule]) -> dg.AssetChecksDefinition:
    """The rules of an asset as checks that one step runs; each can also be run alone."""
    key = dg.AssetKey(asset)
    specs = {
        rule.name: dg.AssetCheckSpec(
            rule.name, asset=key, description=rule.description, blocking=rule.is_blocking
        )
        for rule in rules
    }

    @dg.multi_asset_check(name=f"{asset}_checks", specs=list(specs.values()), can_subset=True)
    def judged(
        context: dg.AssetCheckExecutionContext, lake: LakeResource, models: ModelsResource
    ) -> Iterator[Any]:
        matter = Matter(lake.layout, models.store, scope_of(context.run.tags))
        target = _judged_materialization(context.instance, key)
        for rule in rules:
            spec = specs[rule.name]
            if spec.key in context.selected_asset_check_keys:
                yield dg.Output(None, spec.get_python_identifier())
                yield evaluation(spec, _verdict(context, rule, matter), target)

    return judged


def _judged_materialization(
    instance: dg.DagsterInstance, asset: dg.AssetKey
) -> AssetCheckEvaluationTargetMaterializationData | None:
    """The newest materialization, which the UI shows a check to be about.

    `AssetCheckResult` would look it up too, and on the way list every partition of the asset: 0.2 s
    a step with 9,000 of them, when the run is over a range.
    """
    for record in instance.fetch_materializations(asset, limit=1).records:
        return AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
    return None


def _verdict(context: dg.AssetCheckExecutionContext, rule: Rule, matter: Matter) -> Verdict:
    try:
        return rule.judge(matter)
    except SmPlatformError as error:
        return Verdict(False, str(error))
    except Exception as error:  # the asset was made: a fault of its judge must not say otherwise
        context.log.exception(f"{rule.name} could not judge")
        why = f"{type(error).__name__}: {error} (a fault of the check, see the log)"
        return Verdict(False, why)


def evaluation(
    spec: dg.AssetCheckSpec,
    verdict: Verdict,
    target: AssetCheckEvaluationTargetMaterializationData | None = None,
) -> dg.AssetCheckEvaluation:
    """The verdict as Dagster records it; `target` is the materialization that it is about."""
    return dg.AssetCheckEvaluation(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=verdict.passed,
        severity=verdict.severity,
        description=verdict.told or None,
        metadata=legible(verdict.counted),
        blocking=spec.blocking,
        target_materialization_data=target,
    )
