import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.grid.mosaic import mosaic, offset, union
from sm_platform.grid.window import GridWindow, Raster

NAN = np.nan


def at(row: float, col: float, shape: tuple[int, int], cell: float = 0.25) -> GridWindow:
    """Cells of one grid in degrees, from 105 E, 21 N."""
    corner = Affine(cell, 0, 105 + col * cell, 0, -cell, 21 - row * cell)
    return GridWindow("EPSG:4326", corner, shape)


def raster(row: int, col: int, values: list[list[float]], kind: type = np.float32) -> Raster:
    array: NDArray[np.generic] = np.array(values, kind)
    return Raster(at(row, col, (len(values), len(values[0]))), {"v": array})


def test_two_rasters_side_by_side_with_a_gap_worked_by_hand() -> None:
    left = raster(0, 0, [[1, 2], [3, 4]])
    right = raster(1, 3, [[5], [6]])
    found = mosaic([left, right])
    assert found.window == at(0, 0, (3, 4))
    expected = [[1, 2, NAN, NAN], [3, 4, NAN, 5], [NAN, NAN, NAN, 6]]
    np.testing.assert_array_equal(found.values["v"], np.array(expected, np.float32))
    assert found.values["v"].dtype == np.float32


def test_where_both_are_valid_the_first_counts_and_fills_its_gaps_from_the_second() -> None:
    first = raster(0, 0, [[1, NAN, 3]])
    second = raster(0, 1, [[7, 8, 9]])
    np.testing.assert_array_equal(mosaic([first, second]).values["v"], [[1, 7, 3, 9]])
    np.testing.assert_array_equal(mosaic([second, first]).values["v"], [[1, 7, 8, 9]])


def test_whole_numbers_are_always_valid_and_uncovered_cells_are_zero() -> None:
    first = raster(0, 0, [[0, 5]], np.int16)
    second = raster(1, 0, [[-1, 2], [3, 4]], np.int16)
    over = raster(0, 0, [[8], [9]], np.int16)
    found = mosaic([first, second, over], at(0, 0, (3, 3))).values["v"]
    np.testing.assert_array_equal(found, [[0, 5, 0], [-1, 2, 0], [3, 4, 0]])
    assert found.dtype == np.int16


def test_a_target_window_cuts_and_a_raster_beyond_it_does_not_count() -> None:
    inside = raster(0, 0, [[1, 2, 3], [4, 5, 6]])
    beyond = raster(5, 5, [[7]])
    found = mosaic([beyond, inside], at(1, 1, (2, 2)))
    np.testing.assert_array_equal(found.values["v"], [[5, 6], [NAN, NAN]])
    touching = raster(1, 3, [[8]])
    np.testing.assert_array_equal(
        mosaic([inside, touching], at(1, 1, (1, 2))).values["v"], [[5, 6]]
    )


def test_rows_and_columns_between_corners() -> None:
    assert offset(at(2, 3, (1, 1)), at(7, 1, (9, 9))) == (5, -2)
    assert union([at(2, 3, (1, 1)), at(1, 7, (4, 2))]) == at(1, 3, (4, 6))


@st.composite
def splits(draw: st.DrawFn) -> tuple[Raster, list[Raster]]:
    """A raster with missing cells, and pieces that cover it, some twice, in any order."""
    rows, cols = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=(rows, cols)).astype(np.float32)
    values[rng.random((rows, cols)) < 0.2] = NAN
    codes = rng.integers(-3, 3, (rows, cols), dtype=np.int8)
    top, left = draw(st.integers(-400, 400)), draw(st.integers(-400, 400))
    row_cut, col_cut = draw(st.integers(0, rows)), draw(st.integers(0, cols))
    extra = draw(st.integers(0, 2))
    pieces = []
    for row_part in (slice(0, row_cut), slice(max(row_cut - extra, 0), rows)):
        for col_part in (slice(0, col_cut), slice(max(col_cut - extra, 0), cols)):
            part = values[row_part, col_part]
            if part.size:
                window = at(top + row_part.start, left + col_part.start, part.shape)
                pieces.append(Raster(window, {"v": part, "code": codes[row_part, col_part]}))
    whole = Raster(at(top, left, (rows, cols)), {"v": values, "code": codes})
    return whole, draw(st.permutations(pieces))


@given(splits())
def test_the_pieces_of_a_raster_make_it_whole_again(split: tuple[Raster, list[Raster]]) -> None:
    whole, pieces = split
    found = mosaic(pieces)
    assert found.window.shape == whole.window.shape
    assert found.window.affine.almost_equals(whole.window.affine, 1e-9)
    for name, values in whole.values.items():
        np.testing.assert_array_equal(found.values[name], values)
        assert found.values[name].dtype == values.dtype


@given(splits(), st.integers(-9, 9), st.integers(-9, 9))
def test_a_mosaic_on_a_window_is_the_cut_of_the_mosaic_on_all(
    split: tuple[Raster, list[Raster]], row: int, col: int
) -> None:
    whole, pieces = split
    corner = whole.window.affine
    window = at((21 - corner.f) / 0.25 + row, (corner.c - 105) / 0.25 + col, (4, 5))
    values = np.pad(whole.values["v"], 20, constant_values=NAN)
    expected = values[20 + row : 24 + row, 20 + col : 25 + col]
    np.testing.assert_array_equal(mosaic(pieces, window).values["v"], expected)


BASE = at(0, 0, (3600, 3600), 1 / 3600)
MISALIGNED = {
    "half a cell east": at(0, 0.5, (2, 2), 1 / 3600),
    "a twentieth south": at(3.05, 0, (2, 2), 1 / 3600),
    "another side": at(0, 0, (2, 2), 1 / 3600.5),
    "another height": GridWindow("EPSG:4326", Affine(1 / 3600, 0, 105, 0, -1 / 3601, 21), (2, 2)),
    "nearly the same side": at(0, 0, (2, 2), (1 + 1e-5) / 3600),
    "another CRS": GridWindow("EPSG:32648", BASE.affine, (2, 2)),
}


@pytest.mark.parametrize("why", MISALIGNED)
def test_rasters_of_different_grids_are_refused(why: str) -> None:
    other = MISALIGNED[why]
    with pytest.raises(GridError, match="not on the grid EPSG:4326 .*export it"):
        offset(BASE, other)
    with pytest.raises(GridError):
        union([BASE, other])
    small = Raster(other, {"v": np.zeros(other.shape, np.float32)})
    with pytest.raises(GridError):
        mosaic([raster(0, 0, [[1]]), small], BASE)


def test_rounding_of_a_corner_is_no_misalignment() -> None:
    tile = GridWindow(
        "EPSG:4326", Affine(0.000277777777778, 0, 105.5, 0, -0.000277777777778, 20.75), (2, 2)
    )
    assert offset(BASE, tile) == (900, 1800)
