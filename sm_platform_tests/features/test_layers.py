"""Dated rasters at distinct places: shared cells, tiles, revisions, contradictions."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine

from sm_platform.errors import DataError, GridError
from sm_platform.features.build import build
from sm_platform.features.layers import NDVI_BANDS, read_layers
from sm_platform.grid.window import GridWindow, pad
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.rows import dense
from sm_platform_tests.features.small import (
    COMPOSITES,
    NEWEST,
    WINDOW,
    N,
    composite,
    drivers,
    scene,
    terrain,
    weather,
    with_ndvi,
)

WEST = GridWindow(WINDOW.crs, WINDOW.affine, (3, 2))
EAST = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.translation(2, 0), (3, 2))
COARSE = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.scale(2), (2, 2))
ALL = np.arange(N)


def test_pixels_of_one_native_cell_share_a_place() -> None:
    found = read_layers(WINDOW, ALL, [composite(NEWEST, window=COARSE)], NDVI_BANDS)
    assert found.place.reshape(WINDOW.shape).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]
    assert found.layers[0].bands["ndvi"].shape == (4,)
    both = read_layers(
        WINDOW, ALL, [composite(NEWEST, window=COARSE), composite(COMPOSITES[0])], NDVI_BANDS
    )
    assert len(np.unique(both.place)) == N, "another day's finer grid tells them apart"


def test_series_are_kept_once_per_place() -> None:
    region = replace(drivers(), ndvi=[composite(day, window=COARSE) for day in COMPOSITES])
    region = replace(
        region, weather=[weather(dated.day, window=COARSE) for dated in region.weather]
    )
    assert len(build(EOV_2025, region, scene()).rows.series) == 4


def test_tiles_of_one_day_join() -> None:
    tiles = [composite(NEWEST, 0.2, window=WEST), composite(NEWEST, 0.8, window=EAST)]
    newest = dense(build(EOV_2025, with_ndvi(drivers(), *tiles), scene()).rows)[:, 60]
    expected = np.where(ALL % 4 < 2, 4000, 10000) / 12000
    assert newest == pytest.approx(expected)


def test_a_later_revision_wins_where_it_has_a_value() -> None:
    first = composite(NEWEST, 0.2, available=datetime(2025, 3, 20, tzinfo=UTC))
    values = np.where(np.arange(N).reshape(WINDOW.shape) < 5, np.nan, 0.8)
    second = composite(NEWEST, values, available=datetime(2025, 3, 21, tzinfo=UTC))
    for order in ([first, second], [second, first]):
        newest = dense(build(EOV_2025, with_ndvi(drivers(), *order), scene()).rows)[:, 60]
        assert newest == pytest.approx(np.where(ALL < 5, 4000, 10000) / 12000)


def test_two_rasters_that_contradict_each_other_are_refused() -> None:
    twice = [composite(NEWEST, 0.2), composite(NEWEST, 0.3)]
    with pytest.raises(DataError, match=f"Two rasters of {NEWEST} on the same grid"):
        read_layers(WINDOW, ALL, twice, NDVI_BANDS)
    same = read_layers(WINDOW, ALL, [composite(NEWEST), composite(NEWEST)], NDVI_BANDS)
    assert len(same.layers) == 2


def test_terrain_of_another_window_is_refused() -> None:
    with pytest.raises(GridError, match="Terrain lies on"):
        replace(drivers(), terrain=terrain(pad(WINDOW, 1)))
