"""IMERG Late files: valid netCDF of the stated shape, and errors of the stated kind."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from sm_platform.grid.window import cell_index, lonlat
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform.sources.simulated.weather_errors import own_rain
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_imerg import (
    AMOUNT_SD,
    DRIZZLE_M,
    MISSED_SHARE,
    MISSING_SHARE,
    LateRain,
    late_rain,
    utc_days,
)
from sm_platform_tests.sources.conftest import SEED, SIZE

FIRST = date(2025, 3, 2)
SHORT = Period(date(2025, 2, 27), date(2025, 3, 1), date(2025, 3, 8))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of one region, the last seven with late rain."""
    folder = tmp_path_factory.mktemp("imerg") / "archive"
    fleet = Fleet(imerg_first=FIRST)
    usual = {"places": (RED_RIVER,), "period": SHORT, "workers": 1}
    write_archive(folder, seed=SEED, size=SIZE, fleet=fleet, **usual)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def late(worlds: dict[str, World]) -> LateRain:
    return late_rain(worlds["red-river"])


def test_the_files_are_a_part_of_the_daily_global_ones(archive: Path, late: LateRain) -> None:
    source, window = ArchiveSource(archive), archive_regions(archive)["red-river"]
    found = source.granules(Product.LATE_RAIN, window, SHORT.driver_days)
    # That of the clock's own day comes 14 hours later.
    assert [one.day for one in found] == [FIRST + timedelta(days=n) for n in range(6)]
    first = found[0]
    assert first.available_utc == datetime(2025, 3, 3, 14, tzinfo=UTC)
    assert first.files == ("3B-DAY-L.MS.MRG.3IMERG.20250302-S000000-E235959.V07B.nc4",)
    folder = archive / "late_rain" / "red-river" / first.granule_id
    with netCDF4.Dataset(folder / first.files[0]) as file:
        rain = file["precipitation"]
        assert rain.dimensions == ("time", "lon", "lat")
        assert (rain.units, rain.dtype, rain._FillValue) == ("mm/day", "f4", np.float32(-9999.9))
        lon, lat = file["lon"][:], file["lat"][:]
        time = netCDF4.num2date(file["time"][:], file["time"].units)
        shown = np.ma.filled(rain[0].astype(float), np.nan)
        counts = file["precipitation_cnt"][0]
    assert str(time[0]) == "2025-03-02 00:00:00"
    assert np.all(np.diff(lat) > 0)
    assert np.allclose(lat * 10 % 1, 0.5) and np.allclose(lon * 10 % 1, 0.5, atol=1e-4)
    n = (FIRST - late.first_day).days
    np.testing.assert_allclose(shown.T[::-1] / 1000, late.rain_m[n], rtol=1e-6)
    assert np.all((counts == 48) == ~np.isnan(shown))


def test_the_part_reaches_around_the_region(late: LateRain, worlds: dict[str, World]) -> None:
    cells = cell_index(late.window, *lonlat(worlds["red-river"].window))
    rows, cols = np.divmod(np.unique(cells), late.window.shape[1])
    assert cells.min() >= 0
    assert rows.min() >= 1 and cols.min() >= 1
    assert rows.max() < late.window.shape[0] - 1 and cols.max() < late.window.shape[1] - 1


def test_a_day_of_rain_is_a_utc_day_and_no_water_is_lost() -> None:
    local = np.zeros((4, 1, 1))
    local[1] = 0.024  # a winter's day, evenly: from 17 UTC of the day before to 17 UTC
    days = utc_days(local, date(2025, 1, 1))[:, 0, 0]
    assert days == pytest.approx([0.007, 0.017, 0, 0])


def test_errors_are_as_stated(worlds: dict[str, World]) -> None:
    logs, missed, missing = [], [], []
    for world in worlds.values():
        late = late_rain(world)
        truth = utc_days(own_rain(world, late.window), world.first_day)
        known = ~np.isnan(late.rain_m)
        drizzle = known & (truth > 0) & (truth < DRIZZLE_M)
        logs.append(
            np.log(late.rain_m[known & (truth >= DRIZZLE_M)] / truth[known & (truth >= DRIZZLE_M)])
        )
        missed.append(late.rain_m[drizzle] == 0)
        missing.append(~known)
        assert not late.rain_m[known & (truth == 0)].any()
    factor = np.concatenate(logs)
    assert factor.std() == pytest.approx(AMOUNT_SD, abs=0.03)
    assert factor.mean() == pytest.approx(-(AMOUNT_SD**2) / 2, abs=0.03)
    assert np.concatenate(missed).mean() == pytest.approx(MISSED_SHARE, abs=0.05)
    assert np.concatenate([m.ravel() for m in missing]).mean() == pytest.approx(
        MISSING_SHARE, abs=0.003
    )


def test_the_usual_archive_has_none_of_it_and_is_as_it_was(tiny: Path) -> None:
    assert not (tiny / "late_rain").exists()
    assert "imerg" not in (tiny / "parameters.json").read_text()
