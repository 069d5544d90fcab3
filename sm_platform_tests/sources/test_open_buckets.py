"""Static drivers from the open buckets: they read as the archive's own files, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.formats import glo30, worldcover
from sm_platform.formats.glo30 import read_elevation
from sm_platform.formats.soilgrids import read_soil
from sm_platform.formats.worldcover import read_land_cover
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds, pad
from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.metering import metered
from sm_platform.sources.open_data.elevation import OpenElevationSource
from sm_platform.sources.open_data.land_cover import OpenLandCoverSource
from sm_platform.sources.open_data.soil import OpenSoilSource
from sm_platform.sources.open_data.tile_names import corners, glo30_tile, worldcover_tile
from sm_platform.sources.protocol import LiveSource, Product
from sm_platform_tests.servers import StandIn

REGIONS = ("red-river", "highland")
PRODUCTS = (Product.SOIL, Product.ELEVATION, Product.LAND_COVER)
Found = Callable[[Product, str], list[tuple[Any, Path]]]


def source_of(product: Product, url: str) -> LiveSource:
    made: dict[Product, LiveSource] = {
        Product.SOIL: OpenSoilSource(f"{url}/soilgrids"),
        Product.ELEVATION: OpenElevationSource(f"{url}/dem"),
        Product.LAND_COVER: OpenLandCoverSource(f"{url}/worldcover"),
    }
    return made[product]


def read(product: Product, folders: list[Path], window: GridWindow) -> Raster:
    bounds = lonlat_bounds(pad(window, 30))
    if product is Product.SOIL:
        return read_soil(folders[0], bounds)
    paths = [path for folder in folders for path in sorted(folder.glob("*.tif"))]
    return (read_elevation if product is Product.ELEVATION else read_land_cover)(paths, bounds)


def landed(source: LiveSource, product: Product, window: GridWindow, into: Path) -> list[Path]:
    folders = []
    for granule in source.granules(product, window, None):
        folder = into / granule.granule_id
        folder.mkdir()
        source.fetch(granule, window, folder)
        assert sorted(path.name for path in folder.iterdir()) == sorted(granule.files)
        folders.append(folder)
    return folders


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_landed_reads_as_the_archive(
    servers: StandIn, tiny: Path, listed: Found, product: Product, region: str, tmp_path: Path
) -> None:
    window = archive_regions(tiny)[region]
    source = source_of(product, servers.url)
    ours = read(product, landed(source, product, window, tmp_path), window)
    theirs = read(product, [folder for _, folder in listed(product, region)], window)
    inner = [lonlat_bounds(one.window) for one in (ours, theirs)]
    assert np.allclose(*inner, atol=0.1)
    if product is not Product.SOIL:  # soil's window depends on how far the excerpts reach
        assert ours.window == theirs.window
    for name, values in theirs.values.items():
        assert np.isfinite(values.astype(float)).sum() > 500
        np.testing.assert_array_equal(
            _common(ours, ours.values[name], theirs.window), values, err_msg=name
        )


def _common(raster: Raster, values: Any, window: GridWindow) -> Any:  # noqa: ANN401
    """The part of a raster's values that another window on the same grid takes."""
    col, row = (round(v) for v in ~raster.window.affine * (window.affine.c, window.affine.f))
    return values[row : row + window.shape[0], col : col + window.shape[1]]


@pytest.mark.parametrize("product", PRODUCTS)
def test_granules_tell_where_they_come_from(
    servers: StandIn, tiny: Path, listed: Found, product: Product
) -> None:
    window = archive_regions(tiny)["red-river"]
    source = source_of(product, servers.url)
    found = source.granules(product, window, None)
    ((theirs, _),) = listed(product, "red-river")
    (ours,) = found
    assert (ours.files, ours.format) == (theirs.files, theirs.format)
    assert ours.service == source.name
    assert all(href.startswith(servers.url) and "?" not in href for href in ours.hrefs)
    assert "doi.org" in (ours.citation or "")
    assert ours.size_bytes is None
    moved = source.granules(product, pad(window, 3), None)
    assert moved[0].stamp != ours.stamp
    assert source.granules(product, window, [source.now().date()]) == []
    assert source.granules(Product.NDVI, window, None) == []
    assert source.listed_since([product], window, None, source.now().date()) == []


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [("error", PassingError), ("too-many", PassingError), ("html", PassingError)],
)
def test_faults_are_passing_errors(
    servers: StandIn,
    tiny: Path,
    product: Product,
    fault: str,
    expected: type[Exception],
    tmp_path: Path,
) -> None:
    window = archive_regions(tiny)["highland"]
    source = source_of(product, servers.url)
    (granule,) = source.granules(product, window, None)
    servers.faults([fault], retry_after="7")
    with pytest.raises(expected) as caught:
        source.fetch(granule, window, tmp_path)
    if fault == "too-many":
        assert isinstance(caught.value, PassingError)
        assert caught.value.retry_after_s == 7


def test_a_missing_soil_tile_is_no_hole(servers: StandIn, tiny: Path, tmp_path: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    source = OpenSoilSource(f"{servers.url}/soilgrids")
    (granule,) = source.granules(Product.SOIL, window, None)
    servers.faults(["error"], paths=r"clay.*_2-1\.tif")
    with pytest.raises(PassingError, match="clay_0-5cm_mean"):
        source.fetch(granule, window, tmp_path)


def test_a_denied_soil_tile_is_told_as_denied(servers: StandIn, tiny: Path, tmp_path: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    source = OpenSoilSource(f"{servers.url}/soilgrids")
    (granule,) = source.granules(Product.SOIL, window, None)
    servers.faults(["forbidden"], paths=r"sand.*_1-1\.tif")
    with pytest.raises(DeniedError, match="sand_0-5cm_mean"):
        source.fetch(granule, window, tmp_path)


def test_an_outage_is_no_sea(servers: StandIn, tiny: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    for product in (Product.ELEVATION, Product.LAND_COVER):
        source = source_of(product, servers.url)
        servers.faults(["error"])
        with pytest.raises(PassingError):
            source.granules(product, window, None)
        servers.faults(["html"])
        with pytest.raises(PassingError, match="web page"):
            source.granules(product, window, None)
        servers.faults()
        assert source.granules(product, window, None)


def test_open_sea_has_no_tiles(servers: StandIn) -> None:
    window = window_around(LEVEL_100M, 150.5, 10.5, (20, 20))
    for product in (Product.ELEVATION, Product.LAND_COVER):
        assert source_of(product, servers.url).granules(product, window, None) == []


def test_tiles_never_released_are_no_sea(servers: StandIn) -> None:
    window = window_around(LEVEL_100M, 45.5, 40.5, (20, 20))
    with pytest.raises(SourceError, match="not released"):
        OpenElevationSource(f"{servers.url}/dem").granules(Product.ELEVATION, window, None)


def test_requests_and_bytes_are_counted(servers: StandIn, tiny: Path, tmp_path: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    source = OpenLandCoverSource(f"{servers.url}/worldcover")
    with metered() as meter:
        landed(source, Product.LAND_COVER, window, tmp_path)
    asked = servers.log()
    assert meter.requests == pytest.approx(len(asked), abs=3)
    size = next(tiny.rglob("ESA_*N18E105*.tif")).stat().st_size
    assert size / 2 < meter.received_bytes < 2 * size


@pytest.mark.parametrize("product", PRODUCTS)
def test_probe_tells_reach_and_outage(servers: StandIn, product: Product) -> None:
    source = source_of(product, servers.url)
    assert [one.is_good for one in source.probe([product])] == [True, True]
    servers.faults(["error"])
    last = list(source_of(product, servers.url).probe([product]))[-1]
    assert not last.is_good
    assert "500" in last.text


def test_only_the_tiles_of_the_window_are_read(
    servers: StandIn, tiny: Path, tmp_path: Path
) -> None:
    source = OpenSoilSource(f"{servers.url}/soilgrids")
    landed(source, Product.SOIL, archive_regions(tiny)["highland"], tmp_path)
    tiles = {entry["path"].split("/")[-2] for entry in servers.log() if "tileSG" in entry["path"]}
    assert tiles == {"tileSG-0"}  # highland's, the first by name


@pytest.mark.parametrize("seed", range(4))
def test_tiles_hold_what_the_readers_want(seed: int) -> None:
    """Also where bounds lie within two cells of a whole degree."""
    rng = np.random.default_rng(seed)
    for cells, step, reader, name in (
        (3600, 1, glo30.tile_names, glo30_tile),
        (12000, 3, worldcover.tile_names, worldcover_tile),
    ):
        for _ in range(50):
            lon, lat = rng.integers(-170, 170), rng.integers(-58, 58)
            west, south = (
                lon + rng.integers(-4, 5) / 2 / cells,
                lat + rng.integers(-4, 5) / 2 / cells,
            )
            bounds = (west, south, west + rng.choice([0.03, 1.0]), south + rng.choice([0.03, 1.0]))
            ours = {
                f"{name(*corner)}.tif"
                for corner in corners(bounds, tile_degrees=step, cells_per_degree=cells)
            }
            assert ours >= set(reader(bounds))


def test_the_date_line_is_refused_in_words() -> None:
    with pytest.raises(SourceError, match="date line"):
        list(corners((179.5, 10, -179.5, 11), tile_degrees=1, cells_per_degree=3600))
