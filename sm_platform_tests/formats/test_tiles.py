"""GLO-30 and WorldCover: names of tiles, mosaics across borders, real tiles as plain crops."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.windows import Window

from sm_platform.errors import GranuleError
from sm_platform.formats import glo30, worldcover
from sm_platform.formats.tiles import TileGrid, box_around
from sm_platform.grid.window import centres
from sm_platform_tests.formats.provider_files import write_tiff

Shared = Callable[..., Path]
GLO = "Copernicus_DSM_COG_10_N{lat:02d}_00_E{lon:03d}_00_DEM.tif"
SECOND = 1 / 3600


def write_glo(
    folder: Path, corner: tuple[int, int], cells: np.ndarray, *, at: tuple[int, int]
) -> Path:
    """Part of a GLO-30 tile: `corner` (lat, lon), first row and column of the excerpt `at`."""
    lat, lon = corner
    west = lon - SECOND / 2 + at[1] * SECOND
    north = lat + 1 + SECOND / 2 - at[0] * SECOND
    path = folder / GLO.format(lat=lat, lon=lon)
    return write_tiff(path, [cells], affine=Affine(SECOND, 0, west, 0, -SECOND, north))


def test_names_of_tiles() -> None:
    assert glo30.tile_names((106.4, 20.4, 106.5, 20.5)) == [
        "Copernicus_DSM_COG_10_N20_00_E106_00_DEM.tif"
    ]
    assert worldcover.tile_names((106.4, 20.4, 106.5, 20.5)) == [
        "ESA_WorldCover_10m_2021_v200_N18E105_Map.tif"
    ]
    assert glo30.tile_names((-0.5, -0.5, 0.5, 0.5)) == [
        "Copernicus_DSM_COG_10_N00_00_W001_00_DEM.tif",
        "Copernicus_DSM_COG_10_N00_00_E000_00_DEM.tif",
        "Copernicus_DSM_COG_10_S01_00_W001_00_DEM.tif",
        "Copernicus_DSM_COG_10_S01_00_E000_00_DEM.tif",
    ]
    assert worldcover.tile_names((8.9, 2.9, 9.1, 3.1)) == [
        "ESA_WorldCover_10m_2021_v200_N03E006_Map.tif",
        "ESA_WorldCover_10m_2021_v200_N03E009_Map.tif",
        "ESA_WorldCover_10m_2021_v200_N00E006_Map.tif",
        "ESA_WorldCover_10m_2021_v200_N00E009_Map.tif",
    ]


@pytest.mark.parametrize("bounds", [(106.5, 20, 106.4, 21), (106, 21, 107, 20), (0, 0, 361, 1)])
def test_bounds_that_are_none_are_refused(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(GranuleError, match="are not west, south, east, north"):
        glo30.tile_names(bounds)


@settings(max_examples=30, deadline=None)
@given(
    grid=st.sampled_from([glo30.GRID, worldcover.GRID]),
    west=st.floats(-179, 178),
    south=st.floats(-80, 79),
    size=st.tuples(st.floats(1e-4, 1), st.floats(1e-4, 1)),
)
def test_the_window_of_any_bounds_holds_them_with_a_cell_to_spare(
    grid: TileGrid, west: float, south: float, size: tuple[float, float]
) -> None:
    bounds = (west, south, west + size[0], south + size[1])
    left, bottom, right, top = grid.window(box_around(grid, bounds)).bounds
    cell = 1 / grid.cells_per_degree
    margins = (bounds[0] - left, bounds[1] - bottom, right - bounds[2], top - bounds[3])
    assert all(0.99 * cell < margin < 2.01 * cell for margin in margins)


def test_a_mosaic_joins_tiles_and_ocean_is_zero(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    west, east = (random.uniform(1, 90, (6, 5)).astype(np.float32) for _ in range(2))
    paths = [
        write_glo(tmp_path, (20, 105), west, at=(3594, 3595)),
        write_glo(tmp_path, (20, 106), east, at=(3594, 0)),
    ]
    bounds = (106 - 3 * SECOND, 20 - 1.2 * SECOND, 106 + 1.2 * SECOND, 20 + 2.2 * SECOND)
    found = glo30.read_elevation(paths, bounds)
    heights = found.values["elevation_m"]
    x, y = centres(found.window)
    np.testing.assert_allclose(x * 3600, np.rint(x * 3600), atol=1e-6)
    land = np.concatenate([west, east], axis=1)
    col = np.rint((x[0] - 106) * 3600).astype(int) + 5
    row = np.rint((20 - y[:, 0]) * 3600).astype(int) + 6
    on_land = row < 6
    np.testing.assert_array_equal(heights[on_land], land[np.ix_(row[on_land], col)])
    assert on_land.sum() > 2
    assert (heights[~on_land] == 0).all()
    assert (~on_land).sum() > 1


def test_a_present_tile_that_does_not_reach_is_missing_not_ocean(tmp_path: Path) -> None:
    cells = np.array([[7, -600, np.nan], [9001, 0, 3]], dtype=np.float32)
    path = write_glo(tmp_path, (20, 106), cells, at=(100, 100))
    west, north = 106 + 100 * SECOND, 21 - 100 * SECOND
    bounds = (west - SECOND, north - SECOND, west + 2 * SECOND, north + 0.1 * SECOND)
    found = glo30.read_elevation([path], bounds).values["elevation_m"]
    kept = found[~np.isnan(found)]
    np.testing.assert_array_equal(np.sort(kept), [0, 3, 7])


def test_tiles_elsewhere_are_not_opened(tmp_path: Path) -> None:
    far = tmp_path / GLO.format(lat=50, lon=10)
    found = glo30.read_elevation([far], (106.1, 20.1, 106.11, 20.11)).values["elevation_m"]
    assert (found == 0).all()


def test_a_tile_that_is_not_what_it_says_is_named(tmp_path: Path) -> None:
    bounds = (106.1, 20.1, 106.2, 20.2)
    cells = np.ones((4, 4), dtype=np.float32)
    good = write_glo(tmp_path, (20, 106), cells, at=(3000, 400))
    name = good.name.replace(".", r"\.")
    with pytest.raises(GranuleError, match="names no tile corner"):
        glo30.read_elevation([good.rename(tmp_path / "dem.tif")], bounds)
    write_glo(tmp_path, (20, 106), cells, at=(3598, 400))
    with pytest.raises(GranuleError, match=rf"{name}: grid is not where its name says"):
        glo30.read_elevation([good], bounds)
    write_tiff(good, [cells], affine=Affine(SECOND, 0, 106.1, 0, -SECOND, 20.2))
    with pytest.raises(GranuleError, match=rf"{name}: grid has not 3600 cells a degree"):
        glo30.read_elevation([good], bounds)
    write_tiff(good, [cells.astype(np.int16)])
    with pytest.raises(GranuleError, match=rf"{name}: band 1 is int16, not float32"):
        glo30.read_elevation([good], bounds)
    write_tiff(good, [cells], crs="EPSG:4258")
    with pytest.raises(GranuleError, match=rf"{name}: CRS is EPSG:4258, declared is EPSG:4326"):
        glo30.read_elevation([good], bounds)
    good.write_bytes(b"<!doctype html>")
    with pytest.raises(GranuleError, match=rf"{name}: is a web page"):
        glo30.read_elevation([good], bounds)


def test_unknown_classes_are_refused_and_absent_tiles_are_missing(tmp_path: Path) -> None:
    cell = 1 / 12000
    path = tmp_path / "ESA_WorldCover_10m_2021_v200_N18E105_Map.tif"
    codes = np.array([[10, 20, 30], [40, 95, 100]], dtype=np.uint8)
    affine = Affine(cell, 0, 106, 0, -cell, 20)
    write_tiff(path, [codes], affine=affine)
    bounds = (106 + 0.1 * cell, 20 - 1.9 * cell, 106 + 2.9 * cell, 20 - 0.1 * cell)
    found = worldcover.read_land_cover([path], bounds)
    codes_found = found.values["land_cover_code"]
    assert codes_found.dtype == np.uint8
    np.testing.assert_array_equal(codes_found, np.pad(codes, 1))
    assert (worldcover.read_land_cover([], bounds).values["land_cover_code"] == 0).all()
    codes[1, 1] = 37
    write_tiff(path, [codes], affine=affine)
    with pytest.raises(GranuleError, match="class 37 is none of WorldCover v200"):
        worldcover.read_land_cover([path], bounds)


def test_the_real_glo30_tile_is_read_as_a_plain_crop(shared: Shared) -> None:
    path = shared("realdata", "dem_landcover", "Copernicus_DSM_COG_10_N00_00_E006_00_DEM.tif")
    bounds = (6.55, 0.2, 6.65, 0.3)
    assert glo30.tile_names(bounds) == [path.name]
    found = glo30.read_elevation([path], bounds)
    with rasterio.open(path) as file:
        whole = file.read(1)
        col, row = ~file.transform * (found.window.affine.c, found.window.affine.f)
        assert abs(col - round(col)) + abs(row - round(row)) < 1e-4
    rows, cols = found.window.shape
    crop = whole[round(row) : round(row) + rows, round(col) : round(col) + cols]
    np.testing.assert_array_equal(found.values["elevation_m"], crop)
    assert crop.max() > 500
    assert (rows, cols) == (363, 363)


def test_the_real_worldcover_tile_is_read_as_a_plain_crop(shared: Shared) -> None:
    path = shared("realdata", "dem_landcover", "ESA_WorldCover_10m_2021_v200_N00E006_Map.tif")
    bounds = (6.60, 0.25, 6.63, 0.28)
    found = worldcover.read_land_cover([path], bounds)
    with rasterio.open(path) as file:
        rows, cols = found.window.shape
        col, row = (
            round(n) for n in ~file.transform * (found.window.affine.c, found.window.affine.f)
        )
        crop = file.read(1, window=Window(col, row, cols, rows))
    np.testing.assert_array_equal(found.values["land_cover_code"], crop)
    assert {10, 20, 50} <= set(np.unique(crop).tolist())
