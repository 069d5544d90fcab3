"""The older system's folder as a source."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from sm_platform.errors import GranuleError, SourceError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.seed_layout import SeedLayoutSource, region_window

GRID = Affine(0.001, 0, 106.3, 0, -0.001, 9.95)
WINDOW = GridWindow("EPSG:4326", GRID, (4, 5))
ELSEWHERE = GridWindow("EPSG:4326", Affine(0.001, 0, 10.0, 0, -0.001, 9.95), (4, 5))


def raster(path: Path, crs: str | None = "EPSG:4326", shape: tuple[int, int] = (4, 5)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=shape[0],
        width=shape[1],
        count=1,
        dtype="float32",
        crs=crs,
        transform=GRID,
    ) as file:
        file.write(np.ones((1, *shape), np.float32))


@pytest.fixture
def seed(tmp_path: Path) -> SeedLayoutSource:
    data = tmp_path / "delta" / "data"
    for name in (
        "S1_2025-01-27.tif",
        "S1_2025-01-03.tif",
        "S1_2025-02-30.tif",
        "notes.txt",
        "S1_2025-01-03.tif.aux.xml",
        "old_S1_2025-01-04.tif",
    ):
        raster(data / "s1_images" / name)
    raster(data / "weather_images" / "Weather_2025-01-03.tif")
    raster(data / "soilgrid_images" / "SoilGrid_sand_clay_bdod.tif")
    raster(data / "dem_images" / "DEM_elevation_slope_aspect_30m.tif")
    return SeedLayoutSource(tmp_path, "delta")


def test_days_come_from_names_in_order_and_strangers_are_ignored(seed: SeedLayoutSource) -> None:
    days = [date(2025, 1, 27), date(2025, 1, 3), date(2025, 1, 4), date(2025, 3, 2)]
    found = seed.granules(Product.S1_GRD, WINDOW, days)
    assert all(one.stamp for one in found)
    assert [replace(one, stamp=None) for one in found] == [
        Granule(
            product=Product.S1_GRD,
            granule_id=f"S1_{day}",
            day=day,
            files=(f"S1_{day}.tif",),
            format="seed_layout",
            available_utc=None,
            licence="brought by the user",
        )
        for day in (date(2025, 1, 3), date(2025, 1, 27))
    ]


def test_static_products_have_no_day(seed: SeedLayoutSource) -> None:
    for product, stem in (
        (Product.SOIL, "SoilGrid_sand_clay_bdod"),
        (Product.ELEVATION, "DEM_elevation_slope_aspect_30m"),
    ):
        (found,) = seed.granules(product, WINDOW, None)
        assert (found.granule_id, found.day) == (stem, None)
        assert seed.granules(product, WINDOW, [date(2025, 1, 3)]) == []
    assert seed.granules(Product.S1_GRD, WINDOW, None) == []


def test_absent_products_and_folders_are_simply_empty(seed: SeedLayoutSource) -> None:
    assert seed.granules(Product.NDVI, WINDOW, [date(2025, 1, 3)]) == []
    assert seed.granules(Product.SWC, WINDOW, [date(2025, 1, 3)]) == []
    assert seed.granules(Product.LAND_COVER, WINDOW, None) == []


def test_a_window_elsewhere_sees_nothing(seed: SeedLayoutSource) -> None:
    assert seed.granules(Product.S1_GRD, ELSEWHERE, [date(2025, 1, 3)]) == []


def test_the_region_is_the_grid_of_the_first_radar_day(seed: SeedLayoutSource) -> None:
    raster(seed.root / "delta/data/s1_images/S1_2024-12-01.tif", shape=(7, 8))
    assert region_window(seed.root, "delta") == GridWindow("EPSG:4326", GRID, (7, 8))


def test_fetch_copies_the_one_file(seed: SeedLayoutSource, tmp_path: Path) -> None:
    (granule,) = seed.granules(Product.WEATHER, WINDOW, [date(2025, 1, 3)])
    with pytest.raises(UsageError, match="no folder"):
        seed.fetch(granule, WINDOW, tmp_path / "to")
    (tmp_path / "to").mkdir()
    seed.fetch(granule, WINDOW, tmp_path / "to")
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["Weather_2025-01-03.tif"]


def test_a_file_that_went_away_is_a_source_error(seed: SeedLayoutSource, tmp_path: Path) -> None:
    (granule,) = seed.granules(Product.WEATHER, WINDOW, [date(2025, 1, 3)])
    (seed.root / "delta/data/weather_images/Weather_2025-01-03.tif").unlink()
    (tmp_path / "to").mkdir()
    with pytest.raises(SourceError, match="put the file back"):
        seed.fetch(granule, WINDOW, tmp_path / "to")


def test_the_grid_is_that_of_the_first_readable_radar_file(seed: SeedLayoutSource) -> None:
    whole = region_window(seed.root, "delta")
    folder = seed.root / "delta/data/s1_images"
    raster(folder / "S1_2024-11-01.tif", crs=None)
    (folder / "S1_2024-11-02.tif").write_bytes(b"II*\0 no more")
    assert region_window(seed.root, "delta") == whole


def test_radar_files_that_are_all_unreadable_are_refused(seed: SeedLayoutSource) -> None:
    for path in (seed.root / "delta/data/s1_images").glob("*.tif"):
        path.write_bytes(b"II*\0 no more")
    with pytest.raises(GranuleError, match=r"S1_.*\.tif"):
        region_window(seed.root, "delta")


def test_radar_files_without_crs_are_refused(seed: SeedLayoutSource) -> None:
    for path in (seed.root / "delta/data/s1_images").glob("*.tif"):
        raster(path, crs=None)
    with pytest.raises(GranuleError, match="no coordinate reference system"):
        region_window(seed.root, "delta")


@pytest.mark.parametrize("region", ["../delta", "", "a/b", "..", ".hidden"])
def test_a_region_id_cannot_leave_the_folder(seed: SeedLayoutSource, region: str) -> None:
    with pytest.raises(SourceError, match="region id"):
        SeedLayoutSource(seed.root, region).granules(Product.SOIL, WINDOW, None)


def test_an_unknown_region_and_one_without_radar_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds regions"):
        region_window(tmp_path, "nowhere")
    (tmp_path / "dry" / "data").mkdir(parents=True)
    with pytest.raises(SourceError, match="no radar file"):
        region_window(tmp_path, "dry")


def test_the_golden_folder_is_read(shared: Callable[..., Path]) -> None:
    source = SeedLayoutSource(shared("golden", "roi"), "goldroi")
    window = region_window(source.root, "goldroi")
    assert (window.crs, window.shape) == ("EPSG:4326", (24, 24))
    january = [date(2025, 1, n) for n in range(1, 32)]
    found = source.granules(Product.S1_GRD, window, january)
    assert [one.day for one in found] == [date(2025, 1, 3), date(2025, 1, 27)]
    assert len(source.granules(Product.NDVI, window, january)) == 4
    assert len(source.granules(Product.WEATHER, window, january)) == 31


def test_what_was_brought_since_is_listed_by_day(seed: SeedLayoutSource) -> None:
    asked = (Product.WEATHER, Product.S1_GRD, Product.SOIL, Product.SWC)
    soon = seed.now() + timedelta(hours=1)

    def listed(since: datetime | None, first_day: date, window: GridWindow = WINDOW) -> list[str]:
        return [one.granule_id for one in seed.listed_since(asked, window, since, first_day)]

    brought = ["S1_2025-01-03", "Weather_2025-01-03", "S1_2025-01-27"]
    assert listed(None, date(2025, 1, 1)) == brought
    assert listed(soon - timedelta(hours=2), date(2025, 1, 1)) == brought
    assert listed(None, date(2025, 1, 4)) == brought[2:]
    assert listed(None, date(2025, 1, 1), ELSEWHERE) == []
    assert listed(soon, date(2025, 1, 1)) == []
    path = seed.root / "delta/data/s1_images/S1_2025-01-03.tif"
    os.utime(path, times=(soon.timestamp(), soon.timestamp()))
    assert listed(soon, date(2025, 1, 1)) == ["S1_2025-01-03"]


def test_a_copy_that_keeps_its_age_came_when_it_was_copied(seed: SeedLayoutSource) -> None:
    path = seed.root / "delta/data/s1_images/S1_2025-01-27.tif"
    before = seed.now() - timedelta(seconds=1)
    os.utime(path, times=(0, 0))
    found = seed.listed_since([Product.S1_GRD], WINDOW, before, date(2025, 1, 27))
    assert [one.granule_id for one in found] == ["S1_2025-01-27"]
