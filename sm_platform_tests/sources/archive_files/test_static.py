"""Soil, elevation and land cover: names, grids and codes of the providers, near the truth."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated import write_elevation, write_land_cover
from sm_platform.sources.simulated.places import HIGHLAND
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_land_cover import KINDS, labels
from sm_platform.sources.simulated.write_soil import HOMOLOSINE, is_missing, soil_window
from sm_platform.sources.simulated.write_tiff import nearest_cells
from sm_platform_tests.sources.conftest import opened

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]


def test_soil_is_three_int16_files_in_the_homolosine(listed: Listed) -> None:
    ((granule, folder),) = listed(Product.SOIL, "red-river")
    assert granule.files == tuple(f"{one}_0-5cm_mean.tif" for one in ("sand", "clay", "bdod"))
    x, y = Transformer.from_crs("EPSG:4326", HOMOLOSINE, always_xy=True).transform(106.43, 20.45)
    for name in granule.files:
        with opened(folder / name) as file:
            assert (file.dtypes[0], file.nodata, file.res) == ("int16", -32768, (250.0, 250.0))
            assert "Goode" in file.crs.to_wkt()
            assert file.bounds.left < x < file.bounds.right
            assert file.bounds.bottom < y < file.bounds.top


@pytest.mark.parametrize("region", ["red-river", "highland"])
def test_soil_is_the_smoothed_truth_with_an_error(
    listed: Listed, worlds: dict[str, World], region: str
) -> None:
    ((_, folder),) = listed(Product.SOIL, region)
    world = worlds[region]
    window = soil_window(world.window)
    cells = nearest_cells(window, world.window)
    for name, truth, scale in (
        ("sand", world.sand_fraction, 1000),
        ("clay", world.clay_fraction, 1000),
        ("bdod", world.bulk_density_g_cm3, 100),
    ):
        with opened(folder / f"{name}_0-5cm_mean.tif") as file:
            digits = file.read(1)
        known = digits != -32768
        error = digits[known] / scale - truth[cells][known]
        assert 0.005 < np.sqrt(np.mean(error**2)) < 0.15


def test_the_coast_is_missing_but_never_far_from_soil(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    window = soil_window(world.window)
    missing = is_missing(world, window)
    rows, cols = nearest_cells(window, world.window)
    inside = (rows > 0) & (rows < 47) & (cols > 0) & (cols < 47)
    assert missing[-1, -1]
    assert 0.01 < missing[inside].mean() < 0.4
    known = np.argwhere(~missing)
    for row, col in np.argwhere(missing & inside):
        assert np.hypot(*(known - (row, col)).T).min() * 250 < 2000


def test_elevation_lies_on_the_grid_of_its_real_tile(listed: Listed) -> None:
    ((granule, folder),) = listed(Product.ELEVATION, "red-river")
    assert granule.files == ("Copernicus_DSM_COG_10_N20_00_E106_00_DEM.tif",)
    with opened(folder / granule.files[0]) as file:
        assert (file.dtypes[0], file.crs.to_epsg()) == ("float32", 4326)
        assert file.res == pytest.approx((1 / 3600, 1 / 3600))
        col = (file.transform.c - (106 - 1 / 7200)) * 3600
        row = (21 + 1 / 7200 - file.transform.f) * 3600
        assert (col, row) == pytest.approx((round(col), round(row)), abs=1e-5)
        assert "subset" in file.tags()


def test_elevation_is_near_the_truth(listed: Listed, worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    ((granule, folder),) = listed(Product.ELEVATION, "highland")
    lon, lat = HIGHLAND.lon, HIGHLAND.lat
    with opened(folder / granule.files[0]) as file:
        row, col = file.index(lon, lat)
        middle = file.read(1)[row - 1 : row + 2, col - 1 : col + 2].mean()
    assert middle == pytest.approx(world.elevation_m[23:26, 23:26].mean(), abs=4)


def test_a_region_across_a_degree_line_gets_both_tiles() -> None:
    window = window_around(LEVEL_100M, HIGHLAND.lon, HIGHLAND.lat, (150, 150))
    found = list(write_elevation.corners(window, 1))
    assert [write_elevation.tile_name(*one) for one in found] == [
        "Copernicus_DSM_COG_10_N12_00_E107_00_DEM",
        "Copernicus_DSM_COG_10_N12_00_E108_00_DEM",
    ]
    found = list(write_elevation.corners(window, 3))
    assert [write_land_cover.tile_name(*one) for one in found] == [
        "ESA_WorldCover_10m_2021_v200_N12E105_Map",
        "ESA_WorldCover_10m_2021_v200_N12E108_Map",
    ]
    assert write_elevation.tile_name(-6, -1) == "Copernicus_DSM_COG_10_S01_00_W006_00_DEM"


def test_land_cover_has_legal_codes_on_the_real_grid(listed: Listed) -> None:
    ((granule, folder),) = listed(Product.LAND_COVER, "red-river")
    assert granule.files == ("ESA_WorldCover_10m_2021_v200_N18E105_Map.tif",)
    with opened(folder / granule.files[0]) as file:
        assert (file.dtypes[0], file.nodata) == ("uint8", 0)
        col, row = (file.transform.c - 105) * 12000, (21 - file.transform.f) * 12000
        assert (col, row) == pytest.approx((round(col), round(row)), abs=1e-4)
        assert set(np.unique(file.read(1))) <= {10, 20, 30, 40, 50, 80, 90}
        west, south, east, north = file.bounds
    assert granule.licence
    bounds = lonlat_bounds(window_around(LEVEL_100M, 106.43, 20.45, (48, 48)))
    assert west < bounds[0] < bounds[2] < east
    assert south < bounds[1] < bounds[3] < north


def test_label_shares_are_the_true_shares_but_for_the_confusion(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    tile = GridWindow("EPSG:4326", Affine(1 / 12000, 0, 105, 0, -1 / 12000, 21), (36000, 36000))
    part = write_elevation.tile_part(world.window, tile, 0)
    found = labels(world, part, "a tile")
    crops = float((world.fractions["paddy"] + world.fractions["dry_crop"]).mean())
    assert (found == 40).mean() == pytest.approx(0.9 * crops + 0.01, abs=0.04)
    assert (found == 50).mean() == pytest.approx(0.9 * world.fractions["village"].mean(), abs=0.04)
    assert (found[:, 1:] == found[:, :-1]).mean() > 0.8
    assert set(KINDS) == {*world.fractions, "coffee"}
