import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.trust.moments import Moments, combine, moments, ratio

FIELDS = ("n", "x", "y", "xx", "yy", "xy", "ee")


def parts_of(moment: Moments) -> list[list[float]]:
    return [getattr(moment, name).tolist() for name in FIELDS]


def test_moments_worked_by_hand() -> None:
    found = moments(
        np.array([1.0, 3.0, 9.0]), np.array([2.0, 6.0, 5.0]), group=np.array([0, 0, 2]), n_groups=3
    )
    assert found.n.tolist() == [2, 0, 1]
    assert [found.x[0], found.y[0]] == [2, 4]
    assert [found.xx[0], found.yy[0], found.xy[0], found.ee[0]] == [2, 8, 4, 2]
    assert np.isnan(found.x[1])
    assert [found.xx[1], found.xx[2]] == [0, 0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_weighted_parts_equal_the_pairs_repeated(seed: int, n_parts: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, n_parts, size=30)
    weight = rng.integers(0, 4, size=n_parts)
    into = rng.integers(0, 2, size=n_parts)
    x, y = rng.random(30), 0.3 + 0.1 * rng.random(30)
    parts = moments(x, y, group=group, n_groups=n_parts)
    often = weight[group]
    whole = moments(
        np.repeat(x, often),
        np.repeat(y, often),
        group=np.repeat(into[group], often),
        n_groups=2,
    )
    both = np.stack([np.zeros_like(weight), weight])
    found = combine(parts, both, unit=np.arange(n_parts), into=into, n_groups=2)
    for (nothing, ours), theirs in zip(parts_of(found), parts_of(whole), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-12, nan_ok=True)
        assert np.nan_to_num(nothing).tolist() == [0, 0]


def test_a_quotient_by_zero_is_missing() -> None:
    found = ratio(np.array([1.0, 0.0, 2.0]), np.array([0.0, 0.0, np.nan]))
    assert np.isnan(found).all()


def test_parts_of_one_unit_are_taken_together() -> None:
    """Two parts of unit 0, one of unit 1, all in one group; the draw takes unit 0 twice."""
    x = np.array([1.0, 2.0, 4.0])
    parts = moments(x, np.zeros(3), group=np.arange(3), n_groups=3)
    unit, into = np.array([0, 0, 1]), np.zeros(3, dtype=np.int64)
    found = combine(parts, np.array([[2, 0]]), unit=unit, into=into, n_groups=1)
    assert (found.n[0, 0], found.x[0, 0]) == (4, 1.5)
    assert found.xx[0, 0] == pytest.approx(1.0)
