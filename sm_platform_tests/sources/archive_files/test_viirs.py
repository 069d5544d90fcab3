"""VNP13A1 granules: whole tiles of the real grid, the provider's dates, values near the truth."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest

from sm_platform.errors import UsageError
from sm_platform.formats.vnp13a1 import read_composite
from sm_platform.grid.window import Raster, lonlat_bounds
from sm_platform.sources.simulated.archive_index import Entry
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_modis import write_modis
from sm_platform.sources.simulated.write_tiff import nearest_cells
from sm_platform.sources.simulated.write_viirs import ABOVE_MODIS, write_viirs

PERIOD = Period(date(2024, 12, 15), date(2025, 3, 1), date(2025, 4, 12))
FIRST = date(2024, 12, 26)
NAMES = ("NDVI", "composite day of the year", "pixel reliability")
FIELDS = "HDFEOS/GRIDS/VIIRS_Grid_16Day_VI_500m/Data Fields/500 m 16 days"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("viirs")


@pytest.fixture(scope="module")
def written(root: Path, worlds: dict[str, World]) -> list[Entry]:
    return write_viirs(root, worlds["red-river"], PERIOD, FIRST)


def path_of(root: Path, entry: Entry) -> Path:
    return root / "ndvi" / entry.region_id / entry.granule_id / entry.files[0]


def read(root: Path, entry: Entry, world: World) -> Raster:
    path, bounds = path_of(root, entry), lonlat_bounds(world.window)
    return read_composite(path, entry.granule_id, bounds_lonlat=bounds)


def test_ids_dates_and_arrival_are_the_providers(written: list[Entry]) -> None:
    starts = [FIRST, date(2025, 1, 1), date(2025, 1, 9), date(2025, 1, 17)]
    assert [entry.day for entry in written][:4] == starts
    assert written[-1].day == date(2025, 3, 22)  # the next one ends after the period
    for entry in written:
        match = re.fullmatch(r"VNP13A1\.A(\d{7})\.h27v06\.002\.(\d{13})", entry.granule_id)
        assert match is not None
        assert entry.day is not None
        assert entry.available_utc is not None
        assert (match[1], entry.format) == (f"{entry.day:%Y%j}", "vnp13a1")
        end = datetime.combine(entry.day + timedelta(days=16), datetime.min.time(), UTC)
        assert timedelta(days=8) <= entry.available_utc - end <= timedelta(days=10)


def test_a_file_is_a_whole_tile_with_the_types_of_the_product(
    root: Path, written: list[Entry]
) -> None:
    path = path_of(root, written[0])
    assert path.stat().st_size < 60_000
    with h5py.File(path) as file:
        stored = [file[f"{FIELDS} {name}"] for name in NAMES]
        assert [one.shape for one in stored] == [(2400, 2400)] * 3
        assert [one.dtype.name for one in stored] == ["int16", "int16", "int8"]
        assert stored[0].attrs["_FillValue"].tolist() == [-15000, -13000]
        assert stored[0].attrs["valid_range"].tolist() == [-10000, 10000]
        ndvi, day, quality = (one[()] for one in stored)
    is_fill = ndvi == -15000
    assert np.array_equal(is_fill, day == -1)
    assert np.array_equal(is_fill, quality == -1)
    assert set(np.unique(quality)) <= {-1, 0, 1, 3, 6, 9}
    assert 100 < np.count_nonzero(~is_fill) < 1000


def test_clear_values_are_the_truth_of_their_day_a_little_above(
    root: Path, written: list[Entry], worlds: dict[str, World]
) -> None:
    world, errors, cloudy = worlds["red-river"], [], []
    for entry in written:
        found = read(root, entry, world)
        rows, cols = nearest_cells(found.window, world.window)
        inside = (rows > 1) & (rows < 46) & (cols > 1) & (cols < 46)
        day, ndvi = found.values["observed_day"], found.values["ndvi"]
        quality = found.values["reliability_code"]
        for r, c in zip(*np.nonzero(inside & np.isfinite(ndvi)), strict=True):
            n = world.index(date.fromordinal(int(day[r, c])))
            box = np.s_[n, rows[r, c] - 2 : rows[r, c] + 3, cols[r, c] - 2 : cols[r, c] + 3]
            error = float(ndvi[r, c] - world.ndvi[box].mean())
            (cloudy if quality[r, c] == 3 else errors).append(error)
    assert np.median(errors) == pytest.approx(ABOVE_MODIS, abs=0.006)
    assert 0.012 < np.quantile(np.abs(errors - np.median(errors)), 0.68) < 0.05
    assert np.median(cloudy) < -0.03


def test_the_same_world_gives_the_same_bytes(
    root: Path, written: list[Entry], worlds: dict[str, World], tmp_path: Path
) -> None:
    again = write_viirs(tmp_path, worlds["red-river"], PERIOD, date(2025, 3, 14))
    assert again == written[-2:]
    for entry in again:
        assert path_of(tmp_path, entry).read_bytes() == path_of(root, entry).read_bytes()


def test_modis_ends_when_it_is_told_to(tmp_path: Path, worlds: dict[str, World]) -> None:
    last = date(2025, 1, 9)
    found = write_modis(tmp_path, worlds["red-river"], PERIOD, last)
    assert [entry.day for entry in found] == [
        date(2024, 12, 18), date(2024, 12, 26), date(2025, 1, 1), last
    ]  # fmt: skip


def test_an_unusual_fleet_is_told_and_an_impossible_one_refused() -> None:
    assert Fleet().unusual() == {}
    fleet = Fleet(modis_last=FIRST, s1d_first=FIRST, s1d_bias_db=-1.0)
    told = {"modis_last": "2024-12-26", "s1d_first": "2024-12-26", "s1d_bias_db": -1.0}
    assert fleet.unusual() == told
    for wrong in ({"s1d_bias_db": 1.0}, {"s1d_first": FIRST, "s1d_bias_db": 11.0}):
        with pytest.raises(UsageError, match="Sentinel-1D cannot read"):
            Fleet(**wrong)  # type: ignore[arg-type]
