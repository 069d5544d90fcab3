"""Scores of checkpoints and their baselines: right figures, in the right rows of the table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.baselines import TreesAsked
from sm_platform.defs.evaluating import (
    EvaluationChoice,
    Judged,
    entries_to_judge,
    store_scores,
)
from sm_platform.defs.evaluation_figure import evaluation_figure
from sm_platform.defs.evaluation_retraining import Reduced
from sm_platform.defs.evaluation_set import EvaluationSet, evaluation_set
from sm_platform.defs.evaluation_subject import open_subject
from sm_platform.defs.evaluation_table import as_markdown_table, sheets
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.promotion import promote
from sm_platform.defs.registry import find_entry
from sm_platform.defs.sample_set import gather
from sm_platform.defs.stored_scores import CHECKPOINT, stored_scores
from sm_platform.errors import MissingInputError, RecipeError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.schema.recipes import DENSESM_2024
from sm_platform.schema.rows import dense
from sm_platform.trees.boosting import TreeSettings, fit_trees
from sm_platform.trees.checkpoint import TreeCheckpoint
from sm_platform.trees.checkpoint import save as save_trees
from sm_platform_tests.defs.judged_lake import (
    CUT_OFF,
    NOISE,
    add_trees,
    judged_lake,
    moisture,
    register,
)
from sm_platform_tests.defs.judging import (
    NO_TREES,
    OTHER,
    OWN,
    copied,
    judged_by,
    models_of,
    one,
    value,
)
from sm_platform_tests.defs.sample_lake import NAME, ROW

FEW = EvaluationChoice(trees=TreesAsked(members=1, most_rows=900))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A delta with a checkpoint, and hills that it has never seen; read only."""
    root = tmp_path_factory.mktemp("judged")
    judged_lake(root, name=OTHER, row=ROW - 900)
    layout = judged_lake(root)
    add_trees(layout, models_of(layout), OWN)
    return layout


@pytest.fixture(scope="module")
def whole(lake: Layout) -> Judged:
    return judged_by(lake, choice=FEW)


@pytest.fixture(scope="module")
def rows(lake: Layout) -> EvaluationSet:
    samples = gather(lake, NAME, CUT_OFF, 10**6, "block")
    return evaluation_set(lake, find_region(lake, NAME), samples)


@pytest.fixture
def changed(lake: Layout, tmp_path: Path) -> Layout:
    return copied(lake, tmp_path)


# Figures.


def test_figures_are_those_of_the_checkpoint_on_rows_that_count(
    lake: Layout, whole: Judged, rows: EvaluationSet
) -> None:
    entry = find_entry(lake, NAME, OWN)
    subject = open_subject(lake, models_of(lake), entry)
    mean = subject.rivals[CHECKPOINT].estimator.predict(rows.rows).mean
    truth = moisture(dense(rows.rows))
    drained = ~rows.is_flooded
    error = (mean - truth)[drained]
    score = one(whole.scores)
    assert score.value == pytest.approx(np.sqrt(np.mean(error**2)), abs=2e-5)
    assert score.n == drained.sum() < len(rows)
    assert value(whole.scores, metric="bias") == pytest.approx(error.mean(), abs=2e-5)
    by_site = [error[rows.site_id[drained] == site] for site in np.unique(rows.site_id)]
    rmse = np.mean([np.sqrt(np.mean(of_site**2)) for of_site in by_site])
    assert value(whole.scores, pooling="site") == pytest.approx(rmse, abs=2e-5)
    spring = error[(rows.season == "MAM")[drained]]
    found = value(whole.scores, stratum="season", stratum_value="MAM")
    assert found == pytest.approx(np.sqrt(np.mean(spring**2)), abs=2e-5)


def test_flooded_rows_are_a_stratum_of_their_own(whole: Judged, rows: EvaluationSet) -> None:
    under = one(whole.scores, stratum="inundation", stratum_value="inundated")
    drained = one(whole.scores, stratum="inundation", stratum_value="drained")
    assert (under.n, drained.n) == (rows.is_flooded.sum(), (~rows.is_flooded).sum())
    assert drained.value == one(whole.scores).value
    against_label = one(whole.scores, source="planet_swc")
    assert against_label.n == len(rows)  # a real label tells nothing of a truth


def test_every_score_names_its_reference_and_has_an_interval(whole: Judged) -> None:
    found = {(row.reference, row.source) for row in whole.scores}
    assert found == {("product", "planet_swc"), ("simulated", "archive")}
    whole_rows = [row for row in whole.scores if row.stratum == "all" and row.metric == "rmse"]
    assert all(row.low <= row.value <= row.high for row in whole_rows)  # type: ignore[operator]
    assert not any(row.is_comparison_only for row in whole.scores)


def test_the_label_against_the_truth_tells_its_own_noise(whole: Judged) -> None:
    label = {"estimator": "label:planet_swc"}
    assert value(whole.scores, **label) == pytest.approx(NOISE, rel=0.1)
    assert value(whole.scores, metric="bias", **label) == pytest.approx(0, abs=0.005)
    assert not [
        row
        for row in whole.scores
        if row.source == "planet_swc" and row.estimator.startswith("label:")
    ]


def test_baselines_learn_from_the_training_rows_alone(lake: Layout, whole: Judged) -> None:
    samples = gather(lake, NAME, CUT_OFF, 10**6, "block")
    mean = samples.sm_m3m3[samples.role == "train"].mean(dtype=np.float64)
    test = samples.sm_m3m3[samples.role == "test"].astype(np.float64)
    site_mean = {"estimator": "site_mean", "source": "planet_swc"}
    expected = np.sqrt(np.mean((mean - test) ** 2))  # no site of the test has a mean of its own
    assert value(whole.scores, **site_mean) == pytest.approx(expected, abs=1e-5)
    for source in ("planet_swc", "archive"):
        rmse = {
            name: value(whole.scores, estimator=name, source=source)
            for name in (CHECKPOINT, "boosted_trees", "site_mean", "climatology")
        }
        assert max(rmse[CHECKPOINT], rmse["boosted_trees"]) < min(
            rmse["site_mean"], rmse["climatology"]
        )


def test_a_difference_is_that_of_the_two_figures(whole: Judged) -> None:
    against = {"estimator": "site_mean", "metric": "rmse_difference"}
    score = one(whole.scores, **against)
    expected = value(whole.scores) - value(whole.scores, estimator="site_mean")
    assert score.value == pytest.approx(expected, abs=1e-6)
    assert score.high is not None and score.high < 0  # the checkpoint is better, beyond doubt


def test_headline_takes_the_product_before_the_simulated_truth(whole: Judged) -> None:
    told = whole.told
    assert told is not None and whole.pairs is not None
    assert (told.ground.reference, told.ground.source) == ("product", "planet_swc")
    by_site = {"source": "planet_swc", "pooling": "site"}
    assert told.figures["rmse_m3m3"] == value(whole.scores, **by_site)
    assert told.figures["spatial_r"] == value(
        whole.scores, source="planet_swc", pooling="spatial_9km", metric="r"
    )
    assert len(whole.pairs) == told.figures["n"]
    picture = evaluation_figure(whole.pairs, whole.scores, told)
    assert picture.startswith(b"\x89PNG")


def test_tables_have_a_line_an_estimator(whole: Judged) -> None:
    product, simulated = sheets(whole.scores)
    assert product.title == f"{OWN}, test rows of scheme block, reference=product (planet_swc)"
    names = [line[0] for line in simulated.lines]
    assert names == [CHECKPOINT, "boosted_trees", "climatology", "site_mean", "label:planet_swc"]
    rmse = value(whole.scores, pooling="site")
    assert f"| checkpoint | {rmse:.3f} " in as_markdown_table(simulated)


def test_random_labels_leave_no_skill(tmp_path: Path) -> None:
    layout = judged_lake(tmp_path, is_random=True)
    add_trees(layout, models_of(layout), OWN)
    scores = judged_by(layout).scores
    found = [
        one(scores, source=source, pooling=pooling, metric="r")
        for source in ("planet_swc", "archive")
        for pooling in ("pooled", "spatial_9km")
    ]
    assert all(abs(row.value or 1) < 4 / np.sqrt(row.n) for row in found)
    ends = [(row.low, row.high) for row in found if row.low is not None and row.high is not None]
    assert sum(low <= 0 <= high for low, high in ends) >= 3
    assert value(scores) >= value(scores, estimator="site_mean")


# Other schemes and regions.


def test_other_schemes_are_judged_by_training_anew(lake: Layout) -> None:
    choice = replace(NO_TREES, schemes=("time", "random", "block"), reduced=Reduced(members=1))
    judged = judged_by(lake, choice=choice)
    is_apart = {row.scheme: row.is_comparison_only for row in judged.scores}
    assert is_apart == {"block": False, "time": False, "random": True}
    samples = gather(lake, NAME, CUT_OFF, 10**6, "time")
    assert (
        one(judged.scores, scheme="time", source="planet_swc").n == (samples.role == "test").sum()
    )
    assert "trained anew with 1 members" in " ".join(judged.remarks)


def test_a_region_not_seen_is_judged_by_all_its_rows(lake: Layout) -> None:
    judged = judged_by(lake, choice=replace(NO_TREES, other_regions=(OTHER,)))
    found = one(judged.scores, scheme="region", source="planet_swc")
    samples = gather(lake, OTHER, CUT_OFF, 10**6, "region")
    assert found.n == len(samples.role)
    assert value(judged.scores, scheme="region", metric="r") > 0.5
    assert f"Scheme region: rows of {OTHER}." in judged.remarks


def test_an_imported_checkpoint_says_that_its_training_is_not_known(changed: Layout) -> None:
    add_trees(changed, models_of(changed), "imported", scheme=None)
    judged = judged_by(changed, "imported")
    assert one(judged.scores, source="planet_swc").scheme == "block"
    assert judged.remarks[0].startswith("It is not known what imported was trained on")
    with pytest.raises(UsageError, match="imported was not trained here, so it cannot be trained"):
        judged_by(changed, "imported", replace(NO_TREES, schemes=("time",)))


def test_starting_weights_and_the_accepted_one_are_in_the_table(changed: Layout) -> None:
    models = models_of(changed)
    add_trees(changed, models, "far", scheme=None, seed=3)
    add_trees(changed, models, "child", metadata={"parent": "far"}, seed=2)
    promote(changed, find_entry(changed, NAME, OWN), "as good as any", datetime.now(UTC))
    scores = judged_by(changed, "child").scores
    own = judged_by(changed).scores
    assert value(scores, estimator=f"accepted:{OWN}") == value(own)
    difference = {"estimator": f"accepted:{OWN}", "metric": "rmse_difference"}
    assert value(scores, **difference) == pytest.approx(value(scores) - value(own), abs=1e-9)
    assert one(scores, estimator="start").n == one(scores).n


def test_a_checkpoint_of_another_recipe_is_refused(changed: Layout) -> None:
    samples = gather(changed, NAME, CUT_OFF, 500, "block")
    recipe = {"recipe_id": DENSESM_2024.recipe_id}
    recipe |= {"recipe_fingerprint": DENSESM_2024.fingerprint}
    other = fit_trees(
        replace(samples.rows, **recipe),
        samples.sm_m3m3,
        samples.about["block_id"].to_numpy(),
        TreeSettings(members=1, max_iter=2),
    )
    made = TreeCheckpoint("other-recipe", other, {})
    models_of(changed).add("other-recipe", lambda folder: save_trees(made, folder))
    register(changed, "other-recipe", scheme=None)
    with pytest.raises(RecipeError, match="densesm-2024"):
        judged_by(changed, "other-recipe")


# What is stored.


def test_scores_of_checkpoints_stand_side_by_side(changed: Layout) -> None:
    first = judged_by(changed)
    assert store_scores(changed, NAME, CUT_OFF, [first]) == len(first.scores)
    add_trees(changed, models_of(changed), "other-trees", seed=2)
    second = judged_by(changed, "other-trees")
    n = store_scores(changed, NAME, CUT_OFF, [second])
    assert n == len(first.scores) + len(second.scores)
    assert store_scores(changed, NAME, CUT_OFF, [second]) == n
    stored = stored_scores(changed, NAME, CUT_OFF)
    assert {row.checkpoint_id for row in stored} == {OWN, "other-trees"}
    again = [row for row in stored if row.checkpoint_id == OWN]
    assert value(again) == pytest.approx(value(first.scores), abs=1e-7)


# Bad input.


def test_checkpoints_that_are_not_there_are_named(changed: Layout) -> None:
    assert [e.checkpoint_id for e in entries_to_judge(changed, NAME, CUT_OFF, None)] == [OWN]
    with pytest.raises(
        UsageError, match=r"'else' is no checkpoint of delta .*\(there: own-trees\)"
    ):
        entries_to_judge(changed, NAME, CUT_OFF, "else")
    day = CUT_OFF - timedelta(5)
    with pytest.raises(MissingInputError, match=f"no checkpoint with cut-off {day}: materialize"):
        entries_to_judge(changed, NAME, day, None)


@pytest.mark.parametrize("scheme", ["blok", "region"])
def test_schemes_that_cannot_be_trained_by_are_refused(scheme: str) -> None:
    with pytest.raises(UsageError, match=f"no split '{scheme}' to train by: choose of block, time"):
        EvaluationChoice(schemes=(scheme,))


def test_without_samples_nothing_is_judged(lake: Layout) -> None:
    with pytest.raises(MissingInputError, match="Region nowhere has no roles of its samples"):
        judged_by(lake, choice=replace(NO_TREES, other_regions=("nowhere",)))
