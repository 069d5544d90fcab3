"""From samples through `evaluations` and its gate to maps, as Dagster runs them together."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from sm_platform.defs.assets.evaluations import evaluations
from sm_platform.defs.gate_check import gate
from sm_platform.defs.launch import _failed_days, _verdicts
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, look_back
from sm_platform.defs.promotion import promote
from sm_platform.defs.registry import accepted, find_entry
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.stored_scores import compared_with, scores_of, stored_scores
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform_tests.defs.judged_lake import CUT_OFF, add_trees, judged_lake
from sm_platform_tests.defs.registry_lake import NOW
from sm_platform_tests.defs.sample_lake import NAME

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NO_TREES = {"ops": {"evaluations": {"config": {"tree_members": 0}}}}


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[dg.AssetDep(evaluations, partition_mapping=look_back(-364))],
)
def maps_made() -> dg.MaterializeResult[None]:
    """Stands where the maps do in the graph."""
    return dg.MaterializeResult()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Trees that learned from noise: the gate cannot pass them."""
    layout = judged_lake(tmp_path_factory.mktemp("gate"))
    models = ModelStore(layout.root.parent / "models")
    add_trees(layout, models, "older")
    add_trees(layout, models, "newer", seed=2)
    return layout


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [NAME])
        yield instance


def run(layout: Layout, instance: dg.DagsterInstance, *names: str) -> dg.ExecuteInProcessResult:
    defs = dg.Definitions(
        assets=[evaluations, maps_made],
        asset_checks=[gate],
        resources={
            "lake": LakeResource(root=str(layout.root)),
            "models": ModelsResource(root=str(layout.root.parent / "models")),
        },
        executor=dg.in_process_executor,
    )
    key = f"{CUT_OFF}|{NAME}"
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(name) for name in names],
        tags={RANGE_START: key, RANGE_END: key},
        run_config=QUIET | (NO_TREES if "evaluations" in names else {}),
        raise_on_error=False,
    )


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {one.step_key for one in result.all_events if one.is_step_success and one.step_key}


def test_a_failed_gate_stops_the_maps_of_its_run_and_no_others(
    lake: Layout, instance: dg.DagsterInstance
) -> None:
    together = run(lake, instance, "evaluations", "maps_made")
    assert not together.success
    assert made(together) == {"evaluations"}
    assert made(run(lake, instance, "maps_made")) == {"maps_made"}
    found = accepted(lake, NAME, CUT_OFF)
    assert found is None or found.checkpoint_id != "newer"


def test_a_verdict_is_told_and_is_no_failed_day(lake: Layout, instance: dg.DagsterInstance) -> None:
    result = run(lake, instance, "evaluations")
    (verdict,) = _verdicts(result)
    assert f"newer ({NAME}, cut-off {CUT_OFF}): Failed against reference=product" in verdict
    assert "is not within 0.045" in verdict
    assert _failed_days(result, [CUT_OFF]) == {}
    (lake.root.parent / "models" / "newer").rename(lake.root / "gone")
    broken = run(lake, instance, "evaluations")
    (lake.root / "gone").rename(lake.root.parent / "models" / "newer")
    assert "no checkpoint 'newer'" in _failed_days(broken, [CUT_OFF])[CUT_OFF]


def test_what_is_accepted_is_scored_beside_the_next_one(
    lake: Layout, instance: dg.DagsterInstance
) -> None:
    promote(lake, find_entry(lake, NAME, "older"), "to be compared with", NOW)
    result = run(lake, instance, "evaluations")
    scores = stored_scores(lake, NAME, CUT_OFF)
    assert compared_with(scores_of(scores, "newer")) == "older"
    assert compared_with(scores_of(scores, "older")) is None
    assert "not compared with" not in _verdicts(result)[0]
    found = accepted(lake, NAME, CUT_OFF + timedelta(9))
    assert found is not None
    assert found.checkpoint_id == "older", "a person's word stands"
