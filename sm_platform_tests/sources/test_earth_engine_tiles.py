"""Laws of what Earth Engine is asked: cells, sites and days each exactly once, within limits."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.earth_engine.client import HIGH_VOLUME_URL, URL
from sm_platform.sources.earth_engine.collections import collection_of, collections_of
from sm_platform.sources.earth_engine.fetching import seen_part
from sm_platform.sources.earth_engine.grids import (
    ERA5_LAND,
    GLO30,
    MODIS_250M,
    WORLDCOVER,
    NativeGrid,
    bounds_in,
    covering,
)
from sm_platform.sources.earth_engine.pixels import (
    MOST_BYTES,
    MOST_SIDE,
    eecu_seconds,
    in_order,
    tiles,
)
from sm_platform.sources.earth_engine.sites import Site, chunks
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.metering import metered, spend
from sm_platform.sources.pass_days import with_neighbours, with_pass_days
from sm_platform.sources.protocol import Granule, Product

CELL = Affine(100, 0, 0, 0, -100, 0)
SIDES = st.integers(1, 400)
LONG_SIDES = st.integers(1, 200_000)


@settings(max_examples=40)
@given(rows=SIDES, cols=SIDES, size=st.integers(1, 16), tile_bytes=st.integers(400, 500_000))
def test_tiles_cover_each_cell_once(rows: int, cols: int, size: int, tile_bytes: int) -> None:
    window = GridWindow("EPSG:6933", CELL, (rows, cols))
    found = tiles(window, size, tile_bytes)
    covered = np.zeros((rows, cols), int)
    for tile in found:
        covered[tile.rows, tile.cols] += 1
    assert (covered == 1).all()
    assert [(t.rows.start, t.cols.start) for t in found] == sorted(
        (t.rows.start, t.cols.start) for t in found
    )


@given(rows=LONG_SIDES, cols=LONG_SIDES, size=st.sampled_from([1, 2, 6, 8, 12]))
def test_tiles_keep_the_limits_of_the_service(rows: int, cols: int, size: int) -> None:
    window = GridWindow("EPSG:6933", CELL, (rows, cols))
    for tile_bytes in (16 << 20, MOST_BYTES):
        first = tiles(window, size, tile_bytes)[0]
        assert first.shape[0] * first.shape[1] * size <= tile_bytes
        assert max(first.shape) <= MOST_SIDE


def test_a_tile_lies_where_its_cells_lie() -> None:
    window = GridWindow("EPSG:6933", CELL, (600, 600))
    last = tiles(window, 12, 12 * 256 * 256)[-1]
    assert last.of(window).bounds == (51200, -60000, 60000, -51200)


@pytest.mark.parametrize("tile_bytes", [5, MOST_BYTES + 1])
def test_impossible_tiles_are_refused(tile_bytes: int) -> None:
    with pytest.raises(SourceError, match="tile_bytes"):
        tiles(GridWindow("EPSG:6933", CELL, (2, 2)), 6, tile_bytes)


@given(
    n_sites=st.integers(0, 60),
    n_images=st.integers(0, 25),
    pairs=st.integers(1, 90),
)
def test_each_site_is_asked_with_each_image_once(n_sites: int, n_images: int, pairs: int) -> None:
    sites = [Site(f"s{n}", 0.0, 0.0) for n in range(n_sites)]
    images = [f"i{n}" for n in range(n_images)]
    found = list(chunks(sites, images, pairs))
    asked = [(s.site_id, i) for chunk in found for s in chunk.sites for i in chunk.images]
    assert sorted(asked) == sorted((s.site_id, i) for s in sites for i in images)
    assert all(len(chunk.sites) * len(chunk.images) <= pairs for chunk in found)
    assert found == list(chunks(sites, images, pairs))


@given(
    lon=st.floats(-170, 170),
    lat=st.floats(-45, 45),
    grid=st.sampled_from([MODIS_250M, ERA5_LAND, GLO30, WORLDCOVER]),
)
def test_driver_s_cells_cover_the_region_and_are_the_collection_s(
    lon: float, lat: float, grid: NativeGrid
) -> None:
    window = GridWindow("EPSG:4326", Affine(0.001, 0, lon, 0, -0.001, lat), (40, 30))
    found = covering(grid, window)
    left, bottom, right, top = bounds_in(window, grid.crs)
    assert found.bounds[0] < left
    assert found.bounds[1] < bottom
    assert found.bounds[2] > right
    assert found.bounds[3] > top
    col, row = ~grid.affine @ (found.affine.c, found.affine.f)
    assert max(abs(col - round(col)), abs(row - round(row))) < 1e-3
    assert found.affine.a == grid.affine.a


def test_only_the_part_that_a_frame_covers_is_asked_for() -> None:
    window = GridWindow("EPSG:4326", Affine(0.001, 0, 106, 0, -0.001, 21), (1000, 1000))
    ring = [[106.5, 20.5], [109.0, 20.5], [109.0, 25.0], [106.5, 25.0], [106.5, 20.5]]
    part = seen_part(window, {"type": "Polygon", "coordinates": [ring]})
    assert part.shape == (530, 530)  # half of it and a margin of 30 cells
    assert part.affine.c == pytest.approx(106.47)
    assert seen_part(window, None) == window
    assert seen_part(window, {"coordinates": [[[0, 0], [1, 0], [1, 1]]]}) == window


def test_work_is_done_some_at_once_and_answered_in_order() -> None:
    lock, busy, peak = threading.Lock(), [0], [0]

    def work(item: int) -> int:
        with lock:
            busy[0] += 1
            peak[0] = max(peak[0], busy[0])
        time.sleep(0.002 * (item % 3))
        spend(requests=1, received_bytes=item)
        with lock:
            busy[0] -= 1
        return item * item

    with metered() as meter:
        assert list(in_order(work, range(20), 3)) == [n * n for n in range(20)]
    assert peak[0] in (2, 3)
    assert (meter.requests, meter.received_bytes) == (20, 190)


def test_what_failed_work_has_spent_is_counted() -> None:
    def work(item: int) -> int:
        spend(requests=1)
        if item == 2:
            raise SourceError("no")
        return item

    def results() -> Iterator[int]:
        yield from in_order(work, range(50), 2)

    with metered() as meter, pytest.raises(SourceError, match="no"):
        list(results())
    assert 3 <= meter.requests <= 5


def test_compute_units_are_the_first_column() -> None:
    text = " EECU·s PeakMem Count  Description\n  0.072   47k  44  (plumbing)\n   1.5 1k 1 Load\n"
    assert eecu_seconds(f"{text}     -  12k 1 Reading") == pytest.approx(1.572)
    assert eecu_seconds("something else") is None
    assert eecu_seconds("") is None


@pytest.mark.parametrize("sensor", ["MODIS", "VIIRS"])
def test_a_granule_s_id_leads_to_its_image(sensor: str) -> None:
    found = {}
    for one in collections_of(Product.NDVI, sensor):
        granule_id = one.granule_id("2025_01_09")
        assert collection_of(granule_id, Product.NDVI) is one
        found[granule_id] = one.image_id(granule_id)
    terra, aqua = "MOD13Q1.061_2025_01_09", "MYD13Q1.061_2025_01_09"
    assert found == (
        {terra: "MODIS/061/MOD13Q1/2025_01_09", aqua: "MODIS/061/MYD13Q1/2025_01_09"}
        if sensor == "MODIS"
        else {"VNP13A1.002_2025_01_09": "NASA/VIIRS/002/VNP13A1/2025_01_09"}
    )


def test_the_address_for_many_requests_is_the_usual_one() -> None:
    source = EarthEngineSource("project")
    usual = replace(source, high_volume=False)
    addresses = [one._access().url for one in (source, usual, replace(usual, url="http://a/"))]  # noqa: SLF001
    assert addresses == [HIGH_VOLUME_URL, URL, "http://a"]
    assert source.in_flight(Product.S1_GRD) == 4
    assert replace(source, tiles_in_flight=1).in_flight(Product.S1_GRD) == 1


def frame(start: datetime, *, datatake: str = "06F3A1") -> Granule:
    stop = start + timedelta(seconds=25)
    name = f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_056789_{datatake}_1B2C"
    return Granule(Product.S1_GRD, name, start.date(), (), "s1_earth_engine", None, "none")


def test_frames_over_midnight_have_the_first_one_s_day() -> None:
    before = datetime(2025, 3, 1, 23, 59, 50, tzinfo=UTC)
    after = before + timedelta(seconds=25)
    other = frame(after, datatake="06F3A2")
    found = with_pass_days([frame(after), other, frame(before)])
    assert [one.day for one in found] == [date(2025, 3, 1), date(2025, 3, 2), date(2025, 3, 1)]
    assert with_neighbours([date(2025, 3, 1)]) == [
        date(2025, 2, 28),
        date(2025, 3, 1),
        date(2025, 3, 2),
    ]
