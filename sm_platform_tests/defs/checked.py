"""Rules of an asset judged on a lake: at once, or as checks in a run, as the button of the UI."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import dagster as dg

from sm_platform.defs.checking.rules import Matter, Verdict
from sm_platform.defs.checks import CHECKS, rules_by_asset
from sm_platform.defs.launch_tags import Scope
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def judged(
    layout: Layout, asset: str, scope: Scope | None = None, models: Path | None = None
) -> dict[str, Verdict]:
    """What each rule of an asset says of a scope; None: of everything."""
    store = ModelStore(models or layout.root / "no models")
    matter = Matter(layout, store, scope or Scope())
    return {rule.name: rule.judge(matter) for rule in rules_by_asset()[asset]}


def run_checks(
    layout: Layout, asset: str, tags: Mapping[str, str] | None = None
) -> dict[str, dg.AssetCheckEvaluation]:
    """The checks of an asset, run alone, by name."""
    (check,) = [one for one in CHECKS if {asset} == assets_of(one)]
    alone = dg.Definitions(
        assets=[dg.AssetSpec(asset)],
        asset_checks=[check],
        jobs=[dg.define_asset_job("checks", dg.AssetSelection.checks(*check.check_keys))],
        resources={
            "lake": LakeResource(root=str(layout.root)),
            "models": ModelsResource(root=str(layout.root / "no models")),
        },
        executor=dg.in_process_executor,
    ).resolve_job_def("checks")
    with dg.DagsterInstance.ephemeral() as instance:
        result = alone.execute_in_process(
            instance=instance, tags=dict(tags or {}), run_config=QUIET, raise_on_error=False
        )
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def assets_of(check: dg.AssetChecksDefinition) -> set[str]:
    """The assets that a check step is about."""
    return {key.asset_key.to_user_string() for key in check.check_keys}


def of_days(region: str, first: date, last: date | None = None) -> Scope:
    """The scope of a run over these days of a region."""
    return Scope(region, first, last or first)


def value(verdicts: Mapping[str, Verdict], rule: str, name: str) -> object:
    """What a rule counted under a name."""
    found = verdicts[rule].counted[name]
    return found.value if isinstance(found, dg.MetadataValue) else found


def failed(verdicts: Mapping[str, Verdict]) -> set[str]:
    """Names of the rules that are broken."""
    return {name for name, one in verdicts.items() if not one.passed}
