from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from sm_platform.errors import DataError, RecipeError, UsageError
from sm_platform.schema.recipes import DENSESM_2024
from sm_platform.schema.rows import FeatureRows, take
from sm_platform.trees.boosting import (
    SteerRows,
    TreeSettings,
    fit_trees,
)
from sm_platform.trees.coding import coded, steps_of
from sm_platform.trees.columns import columns_of
from sm_platform.trees.ensemble import TreeEnsemble
from sm_platform.trees.evaluation import evaluate, splits_of
from sm_platform.trees.fitted import forest_of
from sm_platform_tests.trees.making import QUICK, blocks_of, moisture, rows_of_blocks

ROWS = rows_of_blocks(20)
OTHERS = rows_of_blocks(10, seed=1)


@cache
def fitted(settings: TreeSettings = QUICK) -> TreeEnsemble:
    return fit_trees(ROWS, moisture(ROWS), blocks_of(ROWS), settings)


def steered(settings: TreeSettings, sm_m3m3: np.ndarray, steer: SteerRows) -> TreeEnsemble:
    return fit_trees(ROWS, sm_m3m3, blocks_of(ROWS), settings, steer=steer)


def rmse(ensemble: TreeEnsemble, rows: FeatureRows) -> float:
    return float(np.sqrt(np.mean((ensemble.predict(rows).mean - moisture(rows)) ** 2)))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_arrays_predict_what_scikit_learn_predicts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rows_of_blocks(20, seed)
    rows.scalars[:, :4] = rows.scalars[:, :4].round(1)  # fewer values than codes
    columns = columns_of(rows, np.arange(len(rows)))
    steps = steps_of(columns)
    booster = HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=5, random_state=seed)
    booster.fit(coded(columns, steps), moisture(rows) + rng.normal(0, 0.05, len(rows)))
    splits = splits_of(forest_of(booster, steps))
    for seen in (columns, columns_of(OTHERS, np.arange(len(OTHERS)))):
        theirs = booster.predict(coded(seen, steps))
        np.testing.assert_allclose(evaluate(splits, seen), theirs, rtol=0, atol=1e-7)


def test_trees_learn_what_blocks_share() -> None:
    constant = float(np.std(moisture(OTHERS)))
    assert rmse(fitted(replace(QUICK, max_iter=30)), OTHERS) < 0.5 * constant
    upside_down = fit_trees(ROWS, 0.9 - moisture(ROWS), blocks_of(ROWS), QUICK)
    r = np.corrcoef(upside_down.predict(OTHERS).mean, moisture(OTHERS))[0, 1]
    assert r < -0.7


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    one, other = fitted(), fitted(replace(QUICK, seed=2))
    again = fit_trees(ROWS, moisture(ROWS), blocks_of(ROWS), QUICK)
    for ours, theirs in zip(one.forests, again.forests, strict=True):
        for name in ours.__slots__:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert not np.array_equal(one.predict(OTHERS).mean, other.predict(OTHERS).mean)


def test_each_member_has_a_draw_of_its_own_that_others_do_not_change() -> None:
    one, two = fitted(replace(QUICK, members=1)), fitted()
    np.testing.assert_array_equal(one.forests[0].value, two.forests[0].value)
    assert two.forests[0].baseline[0] != two.forests[1].baseline[0]


def test_blocks_are_drawn_whole() -> None:
    numbers = blocks_of(ROWS)
    once = replace(QUICK, members=5, max_iter=1)
    # labels are the block's number in hundredths, so the mean of 20 drawn blocks is a whole number
    # of hundredths over 20; drawn by row it would be one over 800
    ensemble = fit_trees(ROWS, 0.01 * numbers, numbers, once)
    drawn = np.array([float(forest.baseline[0]) for forest in ensemble.forests]) * 100 * 20
    np.testing.assert_allclose(drawn, drawn.round(), atol=1e-6)
    assert len(set(drawn.round())) > 1


def test_the_scale_of_weights_does_not_count() -> None:
    doubled = fit_trees(ROWS, moisture(ROWS), blocks_of(ROWS), QUICK, weight=np.full(len(ROWS), 2))
    np.testing.assert_array_equal(doubled.predict(OTHERS).mean, fitted().predict(OTHERS).mean)


def test_rows_of_weight_0_do_not_count() -> None:
    lies = moisture(ROWS).copy()
    lies[::2] = 0.0
    honest = np.arange(len(ROWS)) % 2
    weighed = fit_trees(ROWS, lies, blocks_of(ROWS), QUICK, weight=honest)
    chosen = np.flatnonzero(honest)
    alone = fit_trees(take(ROWS, chosen), lies[chosen], blocks_of(ROWS)[chosen], QUICK)
    np.testing.assert_array_equal(weighed.predict(OTHERS).mean, alone.predict(OTHERS).mean)


def test_steer_rows_stop_a_member_at_its_best() -> None:
    noise = np.random.default_rng(0).uniform(0.1, 0.5, len(ROWS))
    settings = replace(QUICK, members=1, max_iter=30, patience=5)
    steer = SteerRows(OTHERS, moisture(OTHERS))
    lengths = [
        len(ensemble.forests[0].first)
        for ensemble in (
            steered(settings, noise, steer),
            steered(settings, moisture(ROWS), steer),
            fitted(settings),
        )
    ]
    assert lengths[0] < 5, "noise is worth hardly a tree"
    assert 10 < lengths[1] <= lengths[2] == 30


def test_missing_inputs_have_missing_results_and_rows_do_not_touch_each_other() -> None:
    ensemble, rows = fitted(), rows_of_blocks(3, seed=2)
    whole = ensemble.predict(rows, members=True)
    rows.scalars[5, 2] = np.nan
    rows.series[11, 1, 45] = np.nan
    missing = np.isin(np.arange(len(rows)), [5, *range(110, 120)])
    found = ensemble.predict(rows, members=True)
    for name in ("mean", "sd", "members"):
        assert np.isnan(getattr(found, name)[missing]).all()
        np.testing.assert_array_equal(
            getattr(found, name)[~missing], getattr(whole, name)[~missing]
        )
    backwards = np.arange(len(rows))[::-1]
    np.testing.assert_array_equal(ensemble.predict(take(rows, backwards)).mean, found.mean[::-1])
    assert len(ensemble.predict(take(rows, np.array([], int))).mean) == 0


def test_mean_and_spread_are_those_of_the_members() -> None:
    ensemble = fitted(replace(QUICK, members=3))
    found = ensemble.predict(OTHERS, members=True)
    assert found.members is not None
    assert found.members.shape == (len(OTHERS), 3)
    assert ensemble.names == ("trees_1", "trees_2", "trees_3")
    np.testing.assert_allclose(found.mean, found.members.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(found.sd, found.members.std(axis=1), atol=1e-6)
    assert found.mean.dtype == found.sd.dtype == found.members.dtype == np.float32
    alone = fitted(replace(QUICK, members=1)).predict(OTHERS)
    assert alone.members is None
    assert not alone.sd.any()


def foreign(rows: FeatureRows) -> FeatureRows:
    other = DENSESM_2024
    return replace(rows, recipe_id=other.recipe_id, recipe_fingerprint=other.fingerprint)


def test_rows_of_another_recipe_are_refused_by_both_names() -> None:
    with pytest.raises(RecipeError, match="'sm-100m-v1'.*'densesm-2024'"):
        fitted().predict(foreign(OTHERS))
    steer = SteerRows(foreign(OTHERS), moisture(OTHERS))
    with pytest.raises(RecipeError, match="'sm-100m-v1'.*'densesm-2024'"):
        steered(QUICK, moisture(ROWS), steer)


def spoil(**changes: Callable[[np.ndarray], np.ndarray]) -> None:
    """Fit with changed arguments."""
    rows = rows_of_blocks(20)
    given = {"sm_m3m3": moisture(rows), "group": blocks_of(rows), "weight": np.ones(len(rows))}
    given |= {name: change(given[name]) for name, change in changes.items() if name in given}
    for name in {"scalars", "series"} & set(changes):
        rows = replace(rows, **{name: changes[name](getattr(rows, name).copy())})
    fit_trees(rows, given["sm_m3m3"], given["group"], QUICK, weight=given["weight"])


def put(place: object, number: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[place] = number
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("scalars", put((3, 2), np.nan), "1 of 800 training rows have a missing input"),
        ("series", put((3, 2, 0), np.inf), "10 of 800 training rows have a missing input"),
        ("sm_m3m3", put(4, np.nan), "1 training labels are missing"),
        ("sm_m3m3", put(slice(None), 0.25), "All 800 training labels are about 0.2500"),
        ("sm_m3m3", lambda labels: labels * 100, "divide percent by 100"),
        ("sm_m3m3", put(4, -0.01), "go from -0.01"),
        ("sm_m3m3", lambda labels: labels[1:], "800 training rows have 799 labels"),
        ("group", put(slice(160, None), 3), "lie in 4 blocks: at least 5"),
        ("group", lambda group: group[1:], "800 training rows have 799 block ids"),
        ("weight", put(4, -1), "Weights of training rows"),
        ("weight", put(slice(None), 0), "Weights of training rows"),
        ("weight", lambda weight: weight[1:], "800 training rows have 799 weights"),
    ],
)
def test_what_cannot_teach_is_refused(
    name: str, change: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        spoil(**{name: change})


def test_too_few_rows_of_either_role_are_refused() -> None:
    few = take(ROWS, np.arange(0, 800, 13))
    with pytest.raises(DataError, match="62 training rows: at least 64"):
        fit_trees(few, moisture(few), np.arange(62), QUICK)
    with pytest.raises(DataError, match="62 steer rows: at least 64"):
        steered(QUICK, moisture(ROWS), SteerRows(few, moisture(few)))


@pytest.mark.parametrize(
    "changes", [{"members": 0}, {"max_iter": 0}, {"learning_rate": 0.0}, {"max_leaf_nodes": 33}]
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(changes))):
        replace(QUICK, **changes)
