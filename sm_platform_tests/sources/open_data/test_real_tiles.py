"""Real tiles of the providers behind a server: excerpts hold what rasterio reads from the disk."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds, intersect
from rasterio.windows import transform as moved

from sm_platform.errors import SourceError
from sm_platform.formats import mod13q1
from sm_platform.formats.glo30 import read_elevation
from sm_platform.formats.worldcover import read_land_cover
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, Raster, centres, lonlat_bounds, pad
from sm_platform.sources.metering import metered
from sm_platform.sources.open_data.cog_window import MARGIN_CELLS, Remote, write_window
from sm_platform.sources.open_data.elevation import OpenElevationSource
from sm_platform.sources.open_data.land_cover import OpenLandCoverSource
from sm_platform.sources.protocol import LiveSource, Product
from sm_platform.sources.services import Service
from sm_platform_tests.conftest import SHARED
from sm_platform_tests.servers import StandIn, standing_in

SERVICE = Service("bucket", "The bucket", account="https://bucket.example")
DEM = "Copernicus_DSM_COG_10_N00_00_E006_00_DEM"
COVER = "ESA_WorldCover_10m_2021_v200_N00E006_Map"
COMPOSITE = "MYD13Q1.A2020153.h30v10.006.2020170024036"
"""The name of 250 m under which the real tile of another size is read."""
NDVI, QUALITY = (f"{COMPOSITE}_250m_16_days_{end}" for end in ("NDVI", "pixel_reliability"))
CHIP = "Spain_7370579_S1Hand"
_MODIS = "modis/MYD13A1.A2020153.h30v10.006.2020170024036"
REAL = {
    DEM: f"dem_landcover/{DEM}.tif",
    COVER: f"dem_landcover/{COVER}.tif",
    NDVI: f"{_MODIS}_NDVI_B01.TIF",
    QUALITY: f"{_MODIS}_PR_B12.TIF",
    CHIP: f"s1/{CHIP}.tif",
}
FOLDERS = {DEM: "elevation", COVER: "land_cover"}
"""Where the stand-ins look for the tiles of a bucket."""
BESIDE = 1 << 17
"""Bytes asked for beside the blocks, at most: the header, and what rounding to 16 KiB adds."""
Bounds = tuple[float, float, float, float]
Span = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """What is asked for of a real file, and what the cells there are like."""

    tile: str
    bounds: Bounds
    margin: int = MARGIN_CELLS
    clipped: bool = False
    """Whether it reaches beyond the tile."""
    is_varied: bool = True
    """Whether more than one number lies there."""
    shape: tuple[int, int] | None = None


def point(lon: float, lat: float) -> Bounds:
    """A ten millionth of a degree on each side: within one cell."""
    return (lon - 1e-7, lat - 1e-7, lon + 1e-7, lat + 1e-7)


PLACES = {
    "heights inside": Place(DEM, (6.60, 0.25, 6.63, 0.28), shape=(117, 117)),
    "heights over four blocks": Place(DEM, (6.555, 0.13, 6.58, 0.16)),
    "heights across the equator": Place(DEM, (6.50, -0.01, 6.54, 0.01), clipped=True),
    "one height": Place(DEM, point(6.6, 0.25), 0, is_varied=False, shape=(1, 1)),
    "sea": Place(DEM, (6.03, 0.03, 6.06, 0.06), is_varied=False),
    "cover inside": Place(COVER, (6.60, 0.25, 6.63, 0.28), shape=(368, 368)),
    "cover across the eastern edge": Place(COVER, (8.99, 0.27, 9.02, 0.30), clipped=True),
    "one cover": Place(COVER, point(6.60004, 0.25004), 0, is_varied=False, shape=(1, 1)),
    "no cover": Place(COVER, (6.03, 0.03, 6.06, 0.06), is_varied=False),
    "sinusoidal inside": Place(NDVI, (128.0, -15.5, 128.5, -15.0)),
    "sinusoidal across the western edge": Place(NDVI, (123.8, -15.2, 124.6, -14.8), clipped=True),
    "no vegetation": Place(NDVI, (126.0, -11.0, 126.3, -10.7), is_varied=False),
    "two bands": Place(CHIP, (-0.77, 38.09, -0.76, 38.10)),
    "two bands across a corner": Place(CHIP, (-0.79, 38.12, -0.77, 38.13), clipped=True),
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files under the names and folders of a bucket, as links: none is copied."""
    folder = tmp_path_factory.mktemp("bucket")
    for tile, place in REAL.items():
        path = SHARED / "realdata" / place
        if not path.exists():
            pytest.skip(f"real file realdata/{place} is not at hand")
        home = folder / FOLDERS.get(tile, "other")
        home.mkdir(exist_ok=True)
        (home / f"{tile}.tif").symlink_to(path.resolve())
    return folder


@pytest.fixture(scope="module")
def running(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(real, tmp_path_factory.mktemp("home")) as servers:
        yield servers


def on_disk(real: Path, tile: str) -> Path:
    return real / FOLDERS.get(tile, "other") / f"{tile}.tif"


def remote(servers: StandIn, tile: str) -> Remote:
    return Remote(SERVICE, f"{servers.url}/cogs/{tile}.tif")


def wanted(file: rasterio.DatasetReader, place: Place) -> Window:
    """The whole cells around the bounds, and the margin, that the file has: by rasterio alone."""
    box = from_bounds(*transform_bounds("EPSG:4326", file.crs, *place.bounds), file.transform)
    first = math.floor(box.row_off) - place.margin, math.floor(box.col_off) - place.margin
    stop = (
        math.ceil(box.row_off + box.height) + place.margin,
        math.ceil(box.col_off + box.width) + place.margin,
    )
    rows, cols = (
        (max(one, 0), min(other, size))
        for one, other, size in zip(first, stop, file.shape, strict=True)
    )
    assert place.clipped == ((rows[0], cols[0], rows[1], cols[1]) != (*first, *stop))
    return Window.from_slices(rows, cols)


@pytest.mark.parametrize("name", PLACES)
def test_an_excerpt_is_what_rasterio_reads(
    servers: StandIn, real: Path, tmp_path: Path, name: str
) -> None:
    place = PLACES[name]
    write_window(
        remote(servers, place.tile), place.bounds, tmp_path / "out.tif", margin_cells=place.margin
    )
    with (
        rasterio.open(on_disk(real, place.tile)) as file,
        rasterio.open(tmp_path / "out.tif") as ours,
    ):
        part = wanted(file, place)
        expected = file.read(window=part)
        np.testing.assert_array_equal(ours.read(), expected)
        assert place.shape in (None, ours.shape)
        assert (np.unique(expected[np.isfinite(expected)]).size > 1) == place.is_varied
        assert ours.transform.almost_equals(moved(part, file.transform), 1e-12)
        assert (ours.crs, ours.dtypes) == (file.crs, file.dtypes)
        np.testing.assert_equal(ours.nodata, file.nodata)  # of radar: NaN
        assert (ours.scales, ours.descriptions) == (file.scales, file.descriptions)
        assert ours.tags().items() >= file.tags().items()
        assert not ours.overviews(1)


@pytest.mark.parametrize(
    ("name", "value"), [("sea", 0.0), ("no cover", 0), ("no vegetation", -3000)]
)
def test_places_without_data_are_what_they_seem(real: Path, name: str, value: float) -> None:
    with rasterio.open(on_disk(real, PLACES[name].tile)) as file:
        assert (file.read(window=wanted(file, PLACES[name])) == value).all()


@pytest.mark.parametrize("name", ["heights inside", "cover inside"])
def test_no_overview_is_read_for_an_excerpt(
    servers: StandIn, real: Path, tmp_path: Path, name: str
) -> None:
    """The tiles have overviews, whose cells are others; no byte of theirs is asked for."""
    place = PLACES[name]
    write_window(remote(servers, place.tile), place.bounds, tmp_path / "out.tif")
    path = on_disk(real, place.tile)
    with rasterio.open(path) as file:
        part, n_levels = wanted(file, place), len(file.overviews(1))
        assert n_levels >= 3
        full = file.read(1, window=part)
    with rasterio.open(path, overview_level=0) as half:
        box = Window(part.col_off / 2, part.row_off / 2, part.width / 2, part.height / 2)
        coarse = half.read(1, window=box, out_shape=full.shape)
    assert np.count_nonzero(coarse != full) > 500
    blocks = [block for level in range(n_levels) for block in stored(path, level)]
    assert blocks
    start = min(first for first, _ in blocks)  # before them lie the indexes of all levels
    own = stored(path, part=part)
    for first, stop in asked_for(servers):
        assert first < start or [one for one in own if one[0] < stop and first < one[1]]


def stored(path: Path, level: int | None = None, part: Window | None = None) -> list[Span]:
    """First and stop byte of each block that is there, of an overview or of a part's cells."""
    how = {} if level is None else {"overview_level": level}
    found = []
    with rasterio.open(path, **how) as file:
        for (row, col), box in file.block_windows(1):
            offset, size = (
                file.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=1)
                for what in ("OFFSET", "SIZE")
            )
            if offset and (part is None or intersect(box, part)):
                found.append((int(offset), int(offset) + int(size)))
    return found


def asked_for(servers: StandIn) -> list[Span]:
    """First and stop byte of every answer with content; whatever is asked for must be a range."""
    found = []
    for entry in servers.log():
        if entry["method"] == "GET":
            assert entry["status"] == 206
            first, end = entry["headers"]["range"].removeprefix("bytes=").split("-")
            found.append((int(first), int(end) + 1))
    return found


@pytest.mark.parametrize(
    "name", ["heights across the equator", "one height", "sea", "cover inside"]
)
def test_fewer_bytes_move_than_the_tile_has(
    servers: StandIn, real: Path, tmp_path: Path, name: str
) -> None:
    """Those of the blocks that the cells lie in; counted as the server sees them."""
    place = PLACES[name]
    path = on_disk(real, place.tile)
    with metered() as meter:
        write_window(
            remote(servers, place.tile),
            place.bounds,
            tmp_path / "out.tif",
            margin_cells=place.margin,
        )
    with rasterio.open(path) as file:
        blocks = stored(path, part=wanted(file, place))
    size, needed = path.stat().st_size, sum(stop - first for first, stop in blocks)
    moved_bytes = sum(min(stop, size) - first for first, stop in asked_for(servers))
    assert needed < moved_bytes < needed + BESIDE
    assert moved_bytes < size / 2
    assert meter.received_bytes == pytest.approx(moved_bytes, abs=BESIDE)
    assert meter.requests == pytest.approx(len(servers.log()), abs=3)


def test_a_place_outside_a_real_tile_is_refused(servers: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"does not reach 105\.000\.\.105\.100 E"):
        write_window(remote(servers, DEM), (105.0, 20.0, 105.1, 20.1), tmp_path / "out.tif")


def landed(source: LiveSource, product: Product, window: GridWindow, folder: Path) -> list[Path]:
    """The files of all granules of a region, fetched as the platform does."""
    found = []
    for granule in source.granules(product, window, None):
        home = folder / granule.granule_id
        home.mkdir()
        source.fetch(granule, window, home)
        found += [home / name for name in granule.files]
    return found


def expected(path: Path, raster: Raster, beyond: float) -> NDArray[Any]:
    """The real tile at the centres of a raster's cells, `beyond` where it does not reach."""
    with rasterio.open(path) as file:
        x, y = centres(raster.window)
        rows, cols = np.array(rasterio.transform.rowcol(file.transform, x.ravel(), y.ravel()))
        row, col = rows.min(), cols.min()
        shape = rows.max() - row + 1, cols.max() - col + 1
        values = file.read(
            1, window=Window(col, row, *shape[::-1]), boundless=True, fill_value=beyond
        )
    return np.asarray(values)


@pytest.mark.parametrize("lat", [0.25, 0.0])
def test_a_region_s_heights_are_those_of_the_real_tile(
    servers: StandIn, real: Path, tmp_path: Path, lat: float
) -> None:
    """Also across the equator, beyond which no tile exists: sea."""
    window = window_around(LEVEL_100M, 6.53, lat, (24, 24))
    source = OpenElevationSource(f"{servers.url}/dem")
    paths = landed(source, Product.ELEVATION, window, tmp_path)
    found = read_elevation(paths, lonlat_bounds(pad(window, 30)))
    values = expected(on_disk(real, DEM), found, 0.0)
    np.testing.assert_array_equal(found.values["elevation_m"], values)
    assert values.max() > 20


def test_a_region_s_land_cover_is_that_of_the_real_tile(
    servers: StandIn, real: Path, tmp_path: Path
) -> None:
    window = window_around(LEVEL_100M, 6.62, 0.25, (24, 24))
    source = OpenLandCoverSource(f"{servers.url}/worldcover")
    paths = landed(source, Product.LAND_COVER, window, tmp_path)
    found = read_land_cover(paths, lonlat_bounds(pad(window, 30)))
    values = expected(on_disk(real, COVER), found, 0)
    np.testing.assert_array_equal(found.values["land_cover_code"], values)
    assert {10, 20, 50} <= set(np.unique(values).tolist())


def test_a_composite_s_excerpt_reads_as_the_real_tile(
    servers: StandIn, real: Path, tmp_path: Path
) -> None:
    """As the source of MODIS tiles lands them: each layer an excerpt on the sinusoidal grid."""
    bounds = PLACES["sinusoidal inside"].bounds
    for tile in (NDVI, QUALITY):
        write_window(remote(servers, tile), bounds, tmp_path / f"{tile}.tif")
    with rasterio.open(on_disk(real, NDVI)) as file, rasterio.open(on_disk(real, QUALITY)) as other:
        part = wanted(file, PLACES["sinusoidal inside"])
        stored_ndvi, codes = file.read(1, window=part), other.read(1, window=part)
        profile = file.profile | {"width": part.width, "height": part.height}
        profile["transform"] = moved(part, file.transform)
    name = tmp_path / f"{COMPOSITE}_250m_16_days_composite_day_of_the_year.tif"
    with rasterio.open(name, "w", **profile) as out:
        out.write(np.full_like(stored_ndvi, 160), 1)
    found = mod13q1.read_composite(tmp_path, COMPOSITE).values
    valid = (stored_ndvi >= -2000) & (stored_ndvi <= 10000)
    assert valid.any()
    np.testing.assert_array_equal(np.isfinite(found["ndvi"]), valid)
    np.testing.assert_allclose(found["ndvi"][valid], stored_ndvi[valid] / 10000, rtol=1e-6)
    np.testing.assert_array_equal(
        found["reliability_code"], np.where(codes == 255, -1, codes.astype(int))
    )
    np.testing.assert_array_equal(found["observed_day"], date(2020, 6, 8).toordinal())
