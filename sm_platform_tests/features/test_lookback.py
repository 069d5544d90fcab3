"""Gaps: held, interpolated, and counted as tables worked by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.features import lookback
from sm_platform.features.lookback import Step, clipped, hold, interpolate, steps_with

GAP = float("nan")
INF = float("inf")


def column(*values: float) -> tuple[np.ndarray, np.ndarray]:
    series = np.array(values, np.float32)[:, None]
    return series, ~np.isnan(series)


@pytest.mark.parametrize(
    ("values", "held", "drawn"),
    [
        ((1, 2, 3), (1, 2, 3), (1, 2, 3)),
        ((1, GAP, 3), (1, 1, 3), (1, 2, 3)),
        ((1, GAP, GAP, 7), (1, 1, 1, 7), (1, 3, 5, 7)),
        ((GAP, GAP, 4, GAP), (4, 4, 4, 4), (4, 4, 4, 4)),
        ((GAP, 2, GAP, 6, GAP), (2, 2, 2, 6, 6), (2, 2, 4, 6, 6)),
        ((GAP, GAP), (GAP, GAP), (GAP, GAP)),
    ],
)
def test_gaps(values: tuple[float, ...], held: tuple[float, ...], drawn: tuple[float, ...]) -> None:
    assert hold(*column(*values))[:, 0] == pytest.approx(held, nan_ok=True)
    assert interpolate(*column(*values))[:, 0] == pytest.approx(drawn, nan_ok=True)


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5, width=32)), min_size=1, max_size=12))
def test_interpolation_is_that_of_numpy(values: list[float | None]) -> None:
    known = [n for n, value in enumerate(values) if value is not None]
    found = interpolate(*column(*(GAP if v is None else v for v in values)))[:, 0]
    if known:
        line = np.interp(range(len(values)), known, [values[n] for n in known])  # type: ignore[arg-type]
        np.testing.assert_allclose(found, line, atol=1e-5)
    else:
        assert np.isnan(found).all()


def test_blocks_of_places_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    values, is_there = rng.random((46, 11), np.float32), rng.random((46, 11)) < 0.4
    whole = interpolate(values, is_there)
    monkeypatch.setattr(lookback, "BLOCK_PLACES", 4)
    np.testing.assert_array_equal(interpolate(values, is_there), whole)


def test_steps_with_any_of_the_days() -> None:
    steps = [Step(date(2025, 1, 1), date(2025, 1, 8)), Step(date(2025, 1, 9), date(2025, 1, 16))]
    for day, expected in ((1, [1, 0]), (8, [1, 0]), (9, [0, 1]), (16, [0, 1]), (17, [0, 0])):
        assert steps_with(steps, [date(2025, 1, day).toordinal()]) == expected
    assert steps_with(steps, []) == [False, False]


def test_numbers_out_of_range_are_infinite_until_they_are_scaled() -> None:
    values = clipped(np.array([0.5, GAP, GAP, GAP], np.float32), np.array([0, -1, 1, 0], np.int8))
    assert values == pytest.approx([0.5, -INF, INF, GAP], nan_ok=True)
