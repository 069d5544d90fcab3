"""What a checkpoint is compared with where little can be learned from its region."""

from pathlib import Path

import pytest

from sm_platform.defs.baselines import TreesAsked
from sm_platform.defs.evaluating import EvaluationChoice
from sm_platform_tests.defs.judged_lake import add_trees, judged_lake
from sm_platform_tests.defs.judging import OWN, judged_by, models_of, value

FEW = EvaluationChoice(trees=TreesAsked(members=1, most_rows=900))


def test_without_blocks_enough_for_trees_the_rest_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks may learn from three blocks, trees need five."""
    lake = judged_lake(tmp_path)
    add_trees(lake, models_of(lake), OWN)
    assert not judged_by(lake, choice=FEW).remarks
    monkeypatch.setattr("sm_platform.defs.baselines.FEWEST_BLOCKS", 99)
    judged = judged_by(lake, choice=FEW)
    assert not [row for row in judged.scores if row.estimator == "boosted_trees"]
    assert value(judged.scores, estimator="site_mean") > 0
    assert judged.remarks[0].startswith("Under block the training rows or their blocks are too few")
