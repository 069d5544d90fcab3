import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.samples.fusion import besides_water, weights

ROLES = ("train", "validation", "calibration", "test", "buffer")
SOURCES = ("planet_swc", "nsidc_0779", "ismn")
FACTORS = {"planet_swc": 1.0, "nsidc_0779": 0.5, "ismn": 4.0}
SEEDS = st.integers(0, 2**31)


def rows(seed: int, n: int = 400) -> tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.str_]]:
    rng = np.random.default_rng(seed)
    sm = rng.uniform(0, 0.8, n).astype(np.float32)
    return rng.choice(SOURCES, n), sm, rng.choice(ROLES, n)


def test_a_row_counts_by_the_factor_of_its_source() -> None:
    source = np.array(["planet_swc", "planet_swc", "nsidc_0779", "ismn", "ismn"])
    role = np.array(["train", "train", "train", "train", "test"])
    found = weights(source, np.full(5, 0.2), role, per_source=FACTORS, balanced=False, seed=0)
    # factors 1, 1, 0.5, 4: mean 1.625
    assert found.tolist() == pytest.approx([1 / 1.625, 1 / 1.625, 0.5 / 1.625, 4 / 1.625, 1])


@given(SEEDS, st.booleans())
def test_only_training_rows_change_and_those_that_count_have_mean_one(
    seed: int, balanced: bool
) -> None:
    source, sm, role = rows(seed)
    found = weights(source, sm, role, per_source=FACTORS, balanced=balanced, seed=seed)
    assert found.dtype == np.float32
    assert (found[role != "train"] == 1).all()
    counts = found[(role == "train") & (found > 0)]
    assert counts.mean() == pytest.approx(1, abs=1e-5)
    assert (found >= 0).all()


@given(SEEDS)
def test_balanced_keeps_the_middle_and_half_of_the_rest(seed: int) -> None:
    source, sm, role = rows(seed, 2000)
    found = weights(source, sm, role, per_source={}, balanced=True, seed=seed)
    kept, training = found > 0, role == "train"
    assert not kept[training & ((sm < 0.1) | (sm > 0.7))].any()
    assert kept[training & (sm >= 0.3) & (sm <= 0.4)].all()
    for part in ((sm >= 0.1) & (sm < 0.3), (sm > 0.4) & (sm <= 0.7)):
        n = (training & part).sum()
        assert abs(kept[training & part].sum() - n / 2) <= 0.5


def test_edges_of_the_balance_are_included() -> None:
    sm = np.array([0.1, 0.1, 0.3, 0.4, 0.7, 0.7, 0.0999, 0.7001, np.nan], np.float32)
    role = np.full(len(sm), "train")
    found = [
        weights(np.full(len(sm), "ismn"), sm, role, per_source={}, balanced=True, seed=seed) > 0
        for seed in range(20)
    ]
    assert np.all([kept[2:4] for kept in found])
    assert {kept[:2].sum() for kept in found} == {kept[4:6].sum() for kept in found} == {1}
    assert not np.any([kept[6:] for kept in found])


def test_the_seed_draws_which_half() -> None:
    source, sm, role = rows(1)
    one, same, two = (
        weights(source, sm, role, per_source={}, balanced=True, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != two).any()


def test_scale_of_the_factors_does_not_matter() -> None:
    source, sm, role = rows(2)
    twice = {name: 2 * factor for name, factor in FACTORS.items()}
    one, two = (
        weights(source, sm, role, per_source=given, balanced=False, seed=0)
        for given in (FACTORS, twice)
    )
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_no_factors_make_all_sources_equal() -> None:
    source, sm, role = rows(3)
    assert (weights(source, sm, role, per_source={}, balanced=False, seed=0) == 1).all()


def test_a_factor_of_zero_takes_a_source_out() -> None:
    source, sm, role = rows(4)
    found = weights(source, sm, role, per_source=FACTORS | {"ismn": 0}, balanced=False, seed=0)
    assert (found[(role == "train") & (source == "ismn")] == 0).all()
    assert (found[(role == "test") & (source == "ismn")] == 1).all()


def test_impossible_factors_are_refused() -> None:
    source, sm, role = rows(5)
    with pytest.raises(UsageError, match="rows of ismn, nsidc_0779 have no weight"):
        weights(source, sm, role, per_source={"planet_swc": 1}, balanced=False, seed=0)
    with pytest.raises(UsageError, match="no label source 'planet'"):
        weights(source, sm, role, per_source=FACTORS | {"planet": 1}, balanced=False, seed=0)
    for factor in (-1.0, np.nan, np.inf):
        with pytest.raises(UsageError, match="weight of ismn"):
            weights(source, sm, role, per_source=FACTORS | {"ismn": factor}, balanced=False, seed=0)


def test_nothing_left_to_train_on_is_refused() -> None:
    role, source = np.array(["train", "test"]), np.array(["ismn", "ismn"])
    with pytest.raises(DataError, match="No training row"):
        weights(source, np.array([0.05, 0.3]), role, per_source={}, balanced=True, seed=0)
    with pytest.raises(DataError, match="2 sources, 1 labels"):
        weights(source, np.array([0.2]), role, per_source={}, balanced=False, seed=0)


def test_a_region_of_tests_only_needs_no_training_row() -> None:
    found = weights(
        np.array(["ismn"]), np.array([0.05]), np.array(["test"]), per_source={}, balanced=True,
        seed=0,
    )  # fmt: skip
    assert found.tolist() == [1]


def test_a_product_beside_water_says_nothing_of_the_soil_and_a_sensor_does() -> None:
    types = np.array(["product", "model", "in_situ", "product", "product", "simulated"])
    share = np.array([0.06, 0.5, 0.9, 0.05, np.nan, 0.9], np.float32)
    found = besides_water(types, share, 0.05)
    assert found.tolist() == [True, False, False, False, False, False]
