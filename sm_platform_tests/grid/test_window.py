import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import GridError
from sm_platform.grid.window import (
    GridWindow,
    Raster,
    cell_index,
    centres,
    link,
    lonlat,
    lonlat_bounds,
    pad,
    reproject_points,
)

# Two rows and three columns of half a degree; the upper left corner is 105 E, 21 N.
DEGREES = GridWindow("EPSG:4326", Affine(0.5, 0, 105, 0, -0.5, 21), (2, 3))
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
SIDES = st.floats(0.01, 50)
CORNERS = st.floats(-1000, 1000)
WINDOWS = st.builds(
    lambda shape, side, x, y: GridWindow("EPSG:3857", Affine(side, 0, x, 0, -side, y), shape),
    SHAPES,
    SIDES,
    CORNERS,
    CORNERS,
)


@given(WINDOWS)
def test_index_of_every_centre_is_its_own_cell(window: GridWindow) -> None:
    x, y = centres(window)
    expected = np.arange(window.size).reshape(window.shape)
    np.testing.assert_array_equal(cell_index(window, x, y), expected)


@given(WINDOWS, st.integers(0, 5))
def test_padded_window_links_back_to_the_original(window: GridWindow, n: int) -> None:
    grown = pad(window, n)
    assert grown.size == (window.shape[0] + 2 * n) * (window.shape[1] + 2 * n)
    inner = link(grown, window)[n : n + window.shape[0], n : n + window.shape[1]]
    np.testing.assert_array_equal(inner.ravel(), np.arange(window.size))
    assert (link(grown, window) == -1).sum() == grown.size - window.size


@given(st.floats(-179, 179), st.floats(-80, 80))
def test_points_return_from_another_projection(lon: float, lat: float) -> None:
    x, y = reproject_points(np.array([lon]), np.array([lat]), "EPSG:4326", SINUSOIDAL)
    back = reproject_points(x, y, SINUSOIDAL, "EPSG:4326")
    np.testing.assert_allclose(np.ravel(back), [lon, lat], atol=1e-7)


def test_centres_and_bounds_of_a_small_grid() -> None:
    lon, lat = lonlat(DEGREES)
    np.testing.assert_allclose(lon[1], [105.25, 105.75, 106.25])
    np.testing.assert_allclose(lat[:, 2], [20.75, 20.25])
    assert DEGREES.bounds == (105, 20, 106.5, 21)
    assert lonlat_bounds(DEGREES) == pytest.approx((105, 20, 106.5, 21))
    assert DEGREES.epsg == 4326


@pytest.mark.parametrize(
    ("lon", "lat", "index"),
    [
        (105.0, 21.0, 0),  # the corner itself
        (105.5, 20.9, 1),  # a western edge belongs to the cell
        (105.1, 20.5, 3),  # so does a northern one
        (106.49, 20.01, 5),
        (106.5, 20.1, -1),  # the eastern edge of the window is outside
        (105.1, 20.0, -1),  # and the southern one
        (104.99, 20.9, -1),
        (105.1, 21.01, -1),
        (np.nan, 20.5, -1),
        (np.inf, np.inf, -1),
    ],
)
def test_index_of_points_by_hand(lon: float, lat: float, index: int) -> None:
    assert cell_index(DEGREES, np.array([lon]), np.array([lat])) == index


def test_link_between_projections_keeps_the_place() -> None:
    lon, lat = lonlat(DEGREES)
    x, y = reproject_points(lon, lat, "EPSG:4326", SINUSOIDAL)
    fine = GridWindow(
        SINUSOIDAL, Affine(1000, 0, x.min() - 5e3, 0, -1000, y.max() + 5e3), (80, 150)
    )
    index = link(DEGREES, fine)
    assert (index >= 0).all()
    found_x, found_y = (part.ravel()[index] for part in centres(fine))
    assert np.abs(found_x - x).max() <= 500
    assert np.abs(found_y - y).max() <= 500


@pytest.mark.parametrize(
    ("affine", "shape", "message"),
    [
        (Affine(1, 0, 0, 0, -1, 0), (0, 4), "is empty"),
        (Affine(1, 0, 0, 0, 1, 0), (2, 2), "not north-up"),
        (Affine(-1, 0, 0, 0, -1, 0), (2, 2), "not north-up"),
        (Affine(1, 0.1, 0, 0, -1, 0), (2, 2), "not north-up"),
    ],
)
def test_impossible_windows_are_refused(
    affine: Affine, shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(GridError, match=message):
        GridWindow("EPSG:6933", affine, shape)


def test_shrinking_a_window_to_nothing_is_refused() -> None:
    with pytest.raises(GridError, match="is empty"):
        pad(DEGREES, -1)


def test_band_of_another_shape_is_refused_by_name() -> None:
    with pytest.raises(GridError, match="vv_db"):
        Raster(DEGREES, {"vv_db": np.zeros((3, 2), np.float32)})
