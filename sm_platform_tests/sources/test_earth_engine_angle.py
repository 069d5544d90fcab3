"""The radar's angle from Earth Engine's few points: against truth, by maps and at sites alike."""

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import ee
import numpy as np
import pytest
from affine import Affine
from google.auth.credentials import AnonymousCredentials
from numpy.typing import NDArray
from rasterio.warp import Resampling, reproject
from scipy.interpolate import CloughTocher2DInterpolator

from sm_platform.formats.s1_earth_engine import read_frame
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, centres, lonlat, reproject_points
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.earth_engine.images import S1, S1_LINEAR, radar_db
from sm_platform.sources.earth_engine.sites import Site
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earth_engine_angle import SHAPE, STEPS_M
from sm_platform_tests.servers.earth_engine_graph import Graph
from sm_platform_tests.servers.earth_engine_image import CoarseBand, Image
from sm_platform_tests.sources.earth_engine_desk import fetched

Floats = NDArray[np.float64]
NAME = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255.zip"
(A, B), (D, E) = STEPS_M
MADE = Affine(A, B, 224484.886, D, E, 5355371.242)
"""The angle's transform in the description of S1A_IW_GRDH_1SDV_20191202T163455 (EPSG:32634)."""
UTM = "EPSG:32634"
DAYS = [date(2025, 3, 1) + timedelta(days=n) for n in range(12)]


@pytest.fixture
def source(servers: StandIn, tiny: Path) -> EarthEngineSource:
    made = EarthEngineSource("test-project", AnonymousCredentials(), url=servers.url)
    made.granules(Product.SOIL, archive_regions(tiny)["red-river"], None)  # connects
    return made


@pytest.fixture
def angle(source: EarthEngineSource) -> Callable[[CoarseBand], Floats]:
    """What the platform's own graph gives of points, evaluated as the service does."""
    assert source.name == "earth_engine"
    graph = ee.serializer.encode(radar_db(ee, "X"), for_cloud_api=True)

    def evaluated(points: CoarseBand) -> Floats:
        power = np.ma.ones(points.target.shape)
        given = {f"{S1_LINEAR}/X": Image({"VV": power, "VH": power, "angle": points})}
        found = Graph(Path(), graph["values"], points.target, given=given)
        bands = found.at({"valueReference": graph["result"]}).bands
        return np.asarray(np.ma.filled(bands["angle"], np.nan))

    return evaluated


def cells_at(col: float, row: float, *, crs: str = UTM, grid: Affine = MADE) -> GridWindow:
    """Some cells of the platform's grid around a place of the points' grid."""
    x, y = (np.array([one]) for one in grid @ (col, row))
    lon, lat = reproject_points(x, y, crs, "EPSG:4326")
    return window_around(LEVEL_100M, float(lon[0]), float(lat[0]), (7, 9))


def test_points_on_corners_span_the_frame_and_pixels_would_not() -> None:
    """The frame has 22,018 rows of 10 m."""
    heights = []
    for cols, rows in ((20, 9), (21, 10)):
        corners = [MADE @ (c, r) for c in (0, cols) for r in (0, rows)]
        heights.append(max(y for _, y in corners) - min(y for _, y in corners))
    assert heights[0] == pytest.approx(220_180, abs=100)
    assert heights[1] > 240_000


@pytest.mark.parametrize("is_bilinear", [False, True])
def test_the_stand_in_takes_values_as_those_of_centres_as_gdal_does(is_bilinear: bool) -> None:
    values = np.random.default_rng(4).uniform(30, 46, SHAPE)
    target = cells_at(7.2, 3.9)
    found = CoarseBand(UTM, MADE, values, target, is_bilinear=is_bilinear).array()
    expected = np.full(target.shape, np.nan)
    reproject(
        values,
        expected,
        src_transform=MADE,
        src_crs=UTM,
        dst_transform=target.affine,
        dst_crs=target.crs,
        resampling=Resampling.bilinear if is_bilinear else Resampling.nearest,
        tolerance=0,
    )
    assert np.ma.filled(found, np.nan) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("place", [(0.4, 0.3), (10.3, 4.6), (19.9, 8.8)])
def test_a_turned_grid_gives_the_angle_of_the_place(
    angle: Callable[[CoarseBand], Floats], place: tuple[float, float]
) -> None:
    """0.8 deg from column to column and 0.02 from row to row: half of each is lost as stored."""
    rows, cols = np.indices(SHAPE)
    target = cells_at(*place)
    stored = CoarseBand(UTM, MADE, 30.2 + 0.8 * cols + 0.02 * rows, target)
    x, y = (np.asarray(one) for one in centres(target))
    col, row = (~MADE) @ reproject_points(x, y, target.crs, UTM)
    truth = 30.2 + 0.8 * col + 0.02 * row
    assert np.abs(angle(stored) - truth).max() < 1e-9
    if place == (10.3, 4.6):
        untouched = replace(stored, is_bilinear=True).array()
        assert np.ma.filled(untouched - truth) == pytest.approx(-0.41, abs=1e-6)


def test_beyond_the_outermost_points_the_nearest_one_counts(
    angle: Callable[[CoarseBand], Floats],
) -> None:
    values = np.arange(210.0).reshape(SHAPE)
    assert set(angle(CoarseBand(UTM, MADE, values, cells_at(-0.3, 4.1))).flat) == {84.0}
    assert np.isnan(angle(CoarseBand(UTM, MADE, values, cells_at(-0.8, 4.1)))).all()


def test_a_real_annotation_read_through_a_grid_of_its_points(
    angle: Callable[[CoarseBand], Floats], shared: Callable[..., Path]
) -> None:
    """The points lie on no exact grid: a transform fits them to kilometres, along the track."""
    lon, lat, incidence = _annotation(shared("realdata", "s1", NAME))
    crs = f"EPSG:{32600 + int(lon.mean() // 6) + 31}"
    x, y = reproject_points(lon, lat, "EPSG:4326", crs)
    grid = _fitted(x, y)
    truth = CloughTocher2DInterpolator(np.stack([x.ravel(), y.ravel()], 1), incidence.ravel())
    errors, as_stored = [], []
    for place in np.random.default_rng(5).uniform((1, 1), (19, 8), (12, 2)):
        target = cells_at(*place, crs=crs, grid=grid)
        there = reproject_points(*map(np.asarray, centres(target)), target.crs, crs)
        points = CoarseBand(crs, grid, incidence, target)
        errors.append(angle(points) - truth(*there))
        as_stored.append(replace(points, is_bilinear=True).array() - truth(*there))
    assert np.mean(errors) == pytest.approx(0, abs=0.02)
    assert np.abs(errors).max() < 0.1
    assert np.mean(as_stored) == pytest.approx(-0.39, abs=0.03)


def test_frames_are_described_as_the_real_ones_are(source: EarthEngineSource, tiny: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    granule = source.granules(Product.S1_GRD, window, DAYS)[0]
    told = ee.data.getAsset(f"{S1}/{granule.granule_id}")
    assert told["startTime"] == told["endTime"]
    grids = {one["id"]: one["grid"] for one in told["bands"]}
    assert grids["angle"]["dimensions"] == {"width": 21, "height": 10}
    assert grids["angle"]["affineTransform"]["shearX"] == B
    assert grids["VV"]["dimensions"] == {"width": 29644, "height": 22018}


def test_sites_have_the_archive_s_values_of_their_pixels(
    source: EarthEngineSource, tiny: Path, tmp_path: Path
) -> None:
    window = archive_regions(tiny)["red-river"]
    lon, lat = lonlat(window)
    cells = [(4, 40), (25, 9), (47, 31)]
    sites = [Site(f"{r} {c}", float(lon[r, c]), float(lat[r, c])) for r, c in cells]
    (table,) = source.radar_at(sites, DAYS)
    assert len({*table["granule_id"].to_pylist()}) > 2
    frames = {}
    archive = ArchiveSource(tiny)
    for granule in archive.granules(Product.S1_GRD, window, DAYS):
        home = fetched(archive, granule, window, tmp_path)
        frames[granule.granule_id] = read_frame(home / granule.files[0])
    for seen in table.to_pylist():
        r, c = map(int, seen["site_id"].split())
        frame = frames[seen["granule_id"]]
        row = r - round((frame.window.affine.f - window.affine.f) / window.affine.e)
        col = c - round((frame.window.affine.c - window.affine.c) / window.affine.a)
        for name, values in frame.values.items():
            assert seen[name] == pytest.approx(float(values[row, col]), abs=1e-5), name


def _fitted(x: Floats, y: Floats) -> Affine:
    """The transform of columns and rows that lies nearest to points."""
    rows, cols = np.indices(x.shape)
    sides = np.stack([cols.ravel(), rows.ravel(), np.ones(x.size)], axis=1)
    (a, d), (b, e), (c, f) = np.linalg.lstsq(sides, np.stack([x.ravel(), y.ravel()], 1))[0]
    return Affine(a, b, c, d, e, f)


def _annotation(path: Path) -> tuple[Floats, ...]:
    """Longitude, latitude and incidence angle of the points, each (10, 21)."""
    with zipfile.ZipFile(path) as archive:
        name = next(one for one in archive.namelist() if "/annotation/s1" in one)
        root = ET.fromstring(archive.read(name))  # noqa: S314 - our own shared file
    points = list(root.iter("geolocationGridPoint"))
    fields = ("longitude", "latitude", "incidenceAngle")
    return tuple(
        np.array([float(one.findtext(f, "nan")) for one in points]).reshape(SHAPE) for f in fields
    )
