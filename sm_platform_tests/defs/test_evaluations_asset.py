"""The asset `evaluations` and what `sm-platform evaluate` prints of it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sm_platform.defs.assets.evaluations import EvaluationConfig, evaluations
from sm_platform.defs.commands.evaluate import show_scores
from sm_platform.defs.evaluation_table import HEADER
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.stored_scores import stored_scores
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform_tests.defs.judged_lake import CUT_OFF, add_trees, judged_lake
from sm_platform_tests.defs.judging import copied
from sm_platform_tests.defs.label_lake import told, why
from sm_platform_tests.defs.sample_lake import NAME

COMMAND = """
import sys
from sm_platform.defs.commands.evaluate import evaluate_command
from sm_platform.errors import SmPlatformError
region, day = sys.argv[1:]
say = lambda text: print(text, file=sys.stderr)
evaluate_command((region, day), {"checkpoint": "older", "tree_members": 0}, say)
for name, checkpoint in ((region, "none"), ("nowhere", "older")):
    try:
        evaluate_command((name, day), {"checkpoint": checkpoint}, say)
    except SmPlatformError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = judged_lake(tmp_path_factory.mktemp("judged"))
    models = ModelStore(layout.root.parent / "models")
    add_trees(layout, models, "older")
    add_trees(layout, models, "newer", seed=2)
    return layout


def run(layout: Layout, **config: Any) -> dg.ExecuteInProcessResult:  # noqa: ANN401
    key = dg.MultiPartitionKey({"day": CUT_OFF.isoformat(), "region": NAME})
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [NAME])
        return dg.materialize(
            [evaluations],
            instance=instance,
            partition_key=str(key),
            resources={
                "lake": LakeResource(root=str(layout.root)),
                "models": ModelsResource(root=str(layout.root.parent / "models")),
            },
            run_config={
                "ops": {"evaluations": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )


def test_all_checkpoints_of_the_cut_off_are_judged_and_the_newest_is_told(
    lake: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(lake, tree_members=0)
    assert result.success
    shown = told(result)
    stored = stored_scores(lake, NAME, CUT_OFF)
    assert {row.checkpoint_id for row in stored} == {"older", "newer"}
    assert (shown["status"], shown["rows"]) == ("evaluated", len(stored))
    (rmse,) = [
        row.value
        for row in stored
        if (row.checkpoint_id, row.estimator, row.metric) == ("newer", "checkpoint", "rmse")
        and (row.source, row.stratum, row.pooling) == ("planet_swc", "all", "site")
    ]
    assert shown["rmse_m3m3"] == pytest.approx(rmse, rel=5e-4), "four digits"
    assert (shown["checkpoint"], shown["reference"]) == ("newer", "product")
    assert {"bias_m3m3", "ubrmse_m3m3", "r", "anomaly_r", "kge", "spatial_r", "n"} <= set(shown)
    assert "data:image/png;base64," in str(shown["picture"])
    assert str(shown["tables"]).count("| checkpoint |") == 4

    show_scores(lake, NAME, CUT_OFF, "older")
    printed = capsys.readouterr().out
    assert "older, test rows of scheme block, reference=product (planet_swc)" in printed
    assert "newer" not in printed
    assert all(title.split()[0] in printed for title in HEADER)


def test_the_command_judges_and_prints_the_tables_and_the_verdict(
    lake: Layout, tmp_path: Path
) -> None:
    copy = copied(lake, tmp_path)
    folders = {"SM_DATA_LAKE": copy.root, "SM_MODELS": tmp_path / "models"}
    folders |= {"DAGSTER_HOME": tmp_path / "home"}
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, NAME, CUT_OFF.isoformat()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert "older, test rows of scheme block, reference=simulated (archive)" in printed
    assert "older is candidate: Failed against reference=product" in printed
    assert "'none' is no checkpoint of delta with cut-off" in printed
    assert "There is no region 'nowhere'" in printed


def test_one_checkpoint_is_judged_when_it_is_named(lake: Layout) -> None:
    before = [row for row in stored_scores(lake, NAME, CUT_OFF) if row.checkpoint_id == "newer"]
    result = run(lake, checkpoint="older", tree_members=0)
    assert result.success and told(result)["checkpoint"] == "older"
    after = [row for row in stored_scores(lake, NAME, CUT_OFF) if row.checkpoint_id == "newer"]
    assert after == before


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"checkpoint": "none"}, "'none' is no checkpoint of delta with cut-off"),
        ({"schemes": ["tiem"]}, "There is no split 'tiem' to train by: choose of block, time"),
        ({"other_regions": [NAME]}, "newer learned from delta, so newer cannot be judged there"),
    ],
)
def test_bad_config_fails_with_the_reason(lake: Layout, config: dict[str, Any], words: str) -> None:
    result = run(lake, **config)
    assert not result.success
    assert words in why(result)


def test_config_becomes_the_choice() -> None:
    choice = EvaluationConfig(schemes=["time"], members=3, tree_members=0).choice()
    assert (choice.schemes, choice.reduced.members, choice.trees) == (("time",), 3, None)
    with pytest.raises(UsageError, match="no split 'x'"):
        EvaluationConfig(schemes=["x"]).choice()


def test_nothing_is_shown_of_a_day_without_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_scores(Layout(tmp_path), NAME, CUT_OFF, None)
    assert "95 % interval" not in capsys.readouterr().out
