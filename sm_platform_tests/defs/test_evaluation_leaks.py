"""No row that a checkpoint, or what it is compared with, was taught counts for its figures."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.evaluating import entries_to_judge, judge, judge_all
from sm_platform.defs.evaluation_retraining import Reduced
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.promotion import promote, retire
from sm_platform.defs.registry import find_entry
from sm_platform.defs.sample_set import gather
from sm_platform.defs.splitting import write_splits
from sm_platform.errors import DataError, MissingInputError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SAMPLE_SPLITS
from sm_platform_tests.defs.judged_lake import (
    CUT_OFF,
    N_PASSES,
    RULES,
    add_trees,
    judged_lake,
    register,
)
from sm_platform_tests.defs.judging import NO_TREES, OTHER, OWN, copied, judged_by, models_of, one
from sm_platform_tests.defs.sample_lake import NAME, ROW


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
    with pytest.raises(
        DataError, match=r"All test rows of delta .* were taught .* \(child, before\)"
    ):
        judged_by(changed, "child")


def test_where_the_roles_of_a_start_are_gone_all_its_rows_count_as_taught(changed: Layout) -> None:
    """With other roles under its cut-off nobody knows any more which rows it was taught."""
    with_start(changed, seed=30)
    write_splits(changed, NAME, CUT_OFF - timedelta(1), RULES)
    with pytest.raises(DataError, match=r"All test rows of delta .* \(child, before\)"):
        judged_by(changed, "child")


def test_a_start_that_is_not_in_the_store_is_told(changed: Layout) -> None:
    with_start(changed, seed=30)
    assert not any("is not in the store" in line for line in judged_by(changed, "child").remarks)
    shutil.rmtree(models_of(changed).folder("before"))
    assert any(
        "before, behind its start, is not in" in r for r in judged_by(changed, "child").remarks
    )


def test_what_is_trained_anew_is_not_judged_on_what_its_start_was_taught(changed: Layout) -> None:
    """A start of the same roles was taught passes of the test period at its own sites."""
    models = models_of(changed)
    add_trees(changed, models, "child", metadata={"parent": OWN}, seed=2)
    choice = replace(NO_TREES, schemes=("time",), reduced=Reduced(members=1))
    plain, of_child = (judged_by(changed, name, choice).scores for name in (OWN, "child"))
    time, block = (gather(changed, NAME, CUT_OFF, 10**6, one) for one in ("time", "block"))
    sites = time.about["site_id"].to_numpy().astype(str)
    unseen = set(block.about["site_id"].to_numpy().astype(str)[block.role == "test"])
    is_test = time.role == "test"
    wanted = {"scheme": "time", "source": "planet_swc"}
    assert one(plain, **wanted).n == is_test.sum()
    assert one(of_child, **wanted).n == np.isin(sites[is_test], list(unseen)).sum()


def test_ground_that_two_regions_share_is_seen_in_both(changed: Layout) -> None:
    judged_lake(changed.root.parent, name="twin")
    choice = replace(NO_TREES, other_regions=("twin",))
    own = gather(changed, NAME, CUT_OFF, 10**6, "block")
    test = set(own.about["block_id"].to_numpy()[own.role == "test"])
    found = one(judged_by(changed, choice=choice).scores, scheme="region", source="planet_swc")
    assert found.n_blocks == len(test)


def test_a_checkpoint_is_judged_in_a_region_of_which_it_learned_nothing(changed: Layout) -> None:
    """Where it is registered without being trained there, its own roles say nothing."""
    judged_lake(changed.root.parent, name=OTHER, row=ROW - 900)
    register(changed, OWN, name=OTHER)
    stores, entry = (changed, models_of(changed)), find_entry(changed, OTHER, OWN)
    judged = judge(stores, find_region(changed, OTHER), entry, NO_TREES, lambda _: None)
    samples = gather(changed, OTHER, CUT_OFF, 10**6, "block")
    assert one(judged.scores, source="planet_swc").n == (samples.role == "test").sum()


def test_roles_of_another_region_that_it_learned_from_must_be_those_of_then(
    changed: Layout,
) -> None:
    judged_lake(changed.root.parent, name=OTHER, row=ROW - 900)
    note = store.note_of(changed, SAMPLE_SPLITS, OTHER, CUT_OFF)
    assert note is not None
    told = {"source_regions": [OTHER], "source_splits": {OTHER: note["inputs"]}}
    add_trees(changed, models_of(changed), "both", metadata=told)
    register(changed, "both", name=OTHER)
    stores, entry = (changed, models_of(changed)), find_entry(changed, OTHER, "both")
    region = find_region(changed, OTHER)
    assert judge(stores, region, entry, NO_TREES, lambda _: None).told is not None
    write_splits(changed, OTHER, CUT_OFF, replace(RULES, seed=7))
    with pytest.raises(MissingInputError, match="samples of hills .* given roles anew since both"):
        judge(stores, region, entry, NO_TREES, lambda _: None)


def test_an_older_one_that_is_gone_does_not_keep_the_newest_from_being_judged(
    changed: Layout,
) -> None:
    stores, region = (changed, models_of(changed)), find_region(changed, NAME)
    add_trees(changed, stores[1], "newer", seed=2)
    (stores[1].folder(OWN) / "checkpoint.json").unlink()
    told: list[str] = []
    chosen = entries_to_judge(changed, NAME, CUT_OFF, None)
    judged = judge_all(stores, region, chosen, NO_TREES, told.append)
    assert [one.subject.name for one in judged] == ["newer"]
    assert told[-1].startswith(f"{OWN} is not judged again: There is no checkpoint '{OWN}'")


def test_an_older_one_of_other_roles_does_not_keep_the_newest_from_being_judged(
    changed: Layout,
) -> None:
    write_splits(changed, NAME, CUT_OFF, replace(RULES, seed=7))
    add_trees(changed, models_of(changed), "newer", seed=2)
    chosen = entries_to_judge(changed, NAME, CUT_OFF, None)
    assert [entry.checkpoint_id for entry in chosen] == [OWN, "newer"]
    told: list[str] = []
    stores, region = (changed, models_of(changed)), find_region(changed, NAME)
    judged = judge_all(stores, region, chosen, NO_TREES, told.append)
    assert [one.subject.name for one in judged] == ["newer"]
    assert told[-1].startswith(f"{OWN} is not judged again: The samples of {NAME}")
    with pytest.raises(MissingInputError, match=f"given roles anew since {OWN} was trained"):
        judge_all(stores, region, chosen[:1], NO_TREES, told.append)
    retire(changed, chosen[0], "of other roles", datetime.now(UTC))
    chosen = entries_to_judge(changed, NAME, CUT_OFF, None)
    assert [entry.checkpoint_id for entry in chosen] == ["newer"]


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
