"""Scale: the ends of every input, beyond them, and its middle."""

import numpy as np
import pytest

from sm_platform.features.vector import day_inputs, scale
from sm_platform.grid.calendar import parse_day
from sm_platform.schema.recipes import EOV_2025, RECIPES, SM_100M_V1, Input

INPUTS = sorted(
    {column for r in RECIPES for column in (*r.scalars, *r.series)},
    key=lambda column: (column.name, column.low),
)


@pytest.mark.parametrize("column", INPUTS, ids=lambda column: f"{column.name} {column.low}")
def test_ranges(column: Input) -> None:
    span = column.high - column.low
    values = np.array(
        [
            column.low - span,
            -np.inf,
            column.low,
            column.low + span / 4,
            column.high,
            column.high + 1,
            np.inf,
            np.nan,
        ]
    )
    found = scale(values, column)
    assert found == pytest.approx([0, 0, 0, 0.25, 1, 1, 1, np.nan], nan_ok=True)
    assert found.dtype == np.float32


def test_fractions_of_a_kelvin_survive() -> None:
    column = EOV_2025.series[1]
    found = scale(np.array([273.15 + 45 * 0.123456], np.float64), column)
    assert found[0] == pytest.approx(0.123456, abs=1e-7)


@pytest.mark.parametrize(
    ("day", "sine", "cosine"),
    [
        ("2025-12-31", 0.5, 1.0),
        ("2025-04-01", 0.999995, 0.502152),
        ("2025-07-02", 0.495697, 0.000019),
    ],
)
def test_day_of_year(day: str, sine: float, cosine: float) -> None:
    assert day_inputs(SM_100M_V1, parse_day(day)) == pytest.approx([sine, cosine], abs=1e-6)
