"""Grid position inputs, worked by hand for one place."""

import math

import numpy as np
import pytest

from sm_platform.features.place import positions, rounded_cell
from sm_platform.grid import ease2
from sm_platform.schema.recipes import PlaceRule

WINDOW = ease2.window(ease2.LEVEL_100M, 45_000, 310_000, (2, 3))
"""Exact 100 m cells: a pixel's centre lies at row 45000.5, column 310000.5 and so on."""
CELLS = np.array([0, 5])


@pytest.mark.parametrize(
    ("rule", "rows", "cols"),
    [
        (PlaceRule.EXACT_FRACTION, (45000.5, 45001.5), (310000.5, 310002.5)),
        (PlaceRule.CELL_OF_SITE, (45001, 45002), (310000, 310002)),
    ],
)
def test_exact_cells_over_90(
    rule: PlaceRule, rows: tuple[float, ...], cols: tuple[float, ...]
) -> None:
    found = positions(rule, WINDOW, CELLS)
    assert found.grid_row == pytest.approx([row / 90 / 1624 for row in rows], abs=1e-12)
    turns = [2 * math.pi * col / 90 / 3856 for col in cols]
    assert found.grid_col_sin == pytest.approx([math.sin(t) for t in turns], abs=1e-12)
    assert found.grid_col_cos == pytest.approx([math.cos(t) for t in turns], abs=1e-12)


def test_rounded_cells_drift_by_more_than_a_cell() -> None:
    found = positions(PlaceRule.ROUNDED_CELL_OF_SITE, WINDOW, CELLS[:1])
    x, y = WINDOW.affine @ (0.5, 0.5)
    row = math.ceil((7314540.83 - y) / 100.09)
    col = math.floor((x + 17367530.45) / 100.09)
    assert (row, col) != (45001, 310000)
    assert found.grid_row == pytest.approx(row / 90 / 1624, abs=1e-15)
    assert found.grid_col_sin == pytest.approx(math.sin(2 * math.pi * col / 90 / 3856), abs=1e-15)


def test_rows_count_from_one_and_columns_from_zero() -> None:
    row, col = rounded_cell(np.array([-17367530.0]), np.array([7314540.0]))
    assert (row[0], col[0]) == (1, 0)
