"""No row that a checkpoint, or what it is compared with, was taught counts for its figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.defs.promotion import promote
from sm_platform.defs.registry import find_entry
from sm_platform.defs.sample_set import gather
from sm_platform.defs.splitting import write_splits
from sm_platform.errors import DataError, MissingInputError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform_tests.defs.judged_lake import (
    CUT_OFF,
    N_PASSES,
    RULES,
    add_trees,
    judged_lake,
)
from sm_platform_tests.defs.judging import NO_TREES, OTHER, OWN, copied, judged_by, models_of, one
from sm_platform_tests.defs.sample_lake import NAME


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A delta with a checkpoint; read only."""
    layout = judged_lake(tmp_path_factory.mktemp("judged"))
    add_trees(layout, models_of(layout), OWN)
    return layout


@pytest.fixture
def changed(lake: Layout, tmp_path: Path) -> Layout:
    return copied(lake, tmp_path)


def with_start(layout: Layout, seed: int) -> tuple[set[int], set[int]]:
    """Give the region a checkpoint of an earlier cut-off and its child; test blocks of both."""
    models, before = models_of(layout), CUT_OFF - timedelta(1)
    write_splits(layout, NAME, before, replace(RULES, seed=seed))
    add_trees(layout, models, "before", cut_off=before)
    add_trees(layout, models, "child", metadata={"parent": "before"}, seed=2)
    old, new = (gather(layout, NAME, day, 10**6, "block") for day in (before, CUT_OFF))
    test = [
        set(samples.about["block_id"].to_numpy()[samples.role == "test"]) for samples in (old, new)
    ]
    return test[0], test[1]


def test_blocks_that_a_start_was_taught_on_are_left_out(changed: Layout) -> None:
    before, now = with_start(changed, seed=30)
    left = before & now
    assert 0 < len(left) < len(now)
    judged = judged_by(changed, "child")
    score = one(judged.scores, source="planet_swc")
    assert (score.n_blocks, score.n) == (len(left), len(left) * 4 * N_PASSES)
    assert any("before, behind its start" in line for line in judged.remarks)


def test_a_start_that_was_taught_all_test_blocks_leaves_nothing(changed: Layout) -> None:
    before, now = with_start(changed, seed=99)
    assert not before & now
    with pytest.raises(DataError, match=r"All test rows of child were taught .* \(before\)"):
        judged_by(changed, "child")


def test_roles_given_anew_after_the_training_are_refused(changed: Layout) -> None:
    write_splits(changed, NAME, CUT_OFF, replace(RULES, seed=7))
    with pytest.raises(MissingInputError, match="given roles anew since own-trees was trained"):
        judged_by(changed)


def test_a_region_that_was_learned_from_is_refused(changed: Layout) -> None:
    models = models_of(changed)
    add_trees(changed, models, "both", metadata={"source_regions": [OTHER]})
    with pytest.raises(UsageError, match="both learned from hills, so both cannot be judged there"):
        judged_by(changed, "both", replace(NO_TREES, other_regions=(OTHER,)))
    add_trees(changed, models, "child", metadata={"parent": "both"})
    with pytest.raises(UsageError, match="both learned from hills, so child cannot be judged"):
        judged_by(changed, "child", replace(NO_TREES, other_regions=(OTHER,)))


def test_the_accepted_one_is_not_scored_on_what_it_was_taught(changed: Layout) -> None:
    before, now = with_start(changed, seed=30)
    promote(changed, find_entry(changed, NAME, "before"), "as good as any", datetime.now(UTC))
    accepted = {"estimator": "accepted:before", "source": "planet_swc"}
    scores = judged_by(changed).scores
    assert one(scores, source="planet_swc").n_blocks == len(now)
    assert one(scores, **accepted).n_blocks == len(before & now)
    difference = one(scores, **accepted, metric="rmse_difference")
    assert difference.n_blocks == len(before & now)
