"""ERA5-Land files: valid netCDF, UTC accumulation, and errors of the stated kind."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

from sm_platform.grid.window import link
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform.sources.simulated.weather_errors import (
    coarse_weather,
    shower_weights,
)
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import TINY

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]


def series(listed: Listed, region: str, name: str) -> np.ndarray:
    """(days, 25, rows, cols) of one variable."""
    days = []
    for granule, folder in listed(Product.WEATHER, region):
        with h5py.File(folder / granule.files[0]) as file:
            days.append(file[name][:])
    return np.stack(days)


def test_the_file_is_what_the_climate_data_store_writes(listed: Listed) -> None:
    granule, folder = listed(Product.WEATHER, "red-river")[0]
    assert granule.files == ("era5-land_red-river_20241215.nc",)
    with netCDF4.Dataset(folder / granule.files[0]) as file:
        assert file["t2m"].dimensions == ("valid_time", "latitude", "longitude")
        assert (file["t2m"].units, file["tp"].units) == ("K", "m")
        assert np.isnan(file["tp"]._FillValue)
        times = netCDF4.num2date(
            file["valid_time"][:], file["valid_time"].units, file["valid_time"].calendar
        )
        assert (str(times[0]), str(times[-1])) == ("2024-12-15 00:00:00", "2024-12-16 00:00:00")
        assert len(times) == 25
        assert file["expver"].dimensions == ("valid_time",)
        latitude, longitude = file["latitude"][:], file["longitude"][:]
        assert np.all(np.diff(latitude) < 0)
        assert np.allclose(latitude * 10, np.round(latitude * 10))
        assert longitude.min() < RED_RIVER.lon < longitude.max()


def test_every_day_is_there_and_comes_five_days_late(listed: Listed) -> None:
    found = [one for one, _ in listed(Product.WEATHER, "highland")]
    # Later days exist in the archive, but not yet at its clock.
    assert [one.day for one in found] == TINY.driver_days[:-5]
    for one in found:
        assert one.day is not None
        midnight = datetime.combine(one.day, datetime.min.time(), UTC)
        assert one.available_utc == midnight + timedelta(days=6)


def test_the_newest_ninety_days_are_preliminary(listed: Listed) -> None:
    for granule, folder in listed(Product.WEATHER, "highland"):
        with h5py.File(folder / granule.files[0]) as file:
            versions = set(file["expver"].asstr()[:])
        assert granule.day is not None
        is_final = granule.day <= TINY.last - timedelta(days=90)
        assert versions == {"0001" if is_final else "0005"}


def test_rain_accumulates_from_midnight_to_midnight(listed: Listed) -> None:
    tp = series(listed, "highland", "tp")
    steps = np.diff(tp[:, 1:], axis=1)
    assert steps.min() > -1e-7
    np.testing.assert_allclose(tp[1:, 0], tp[:-1, -1], atol=1e-7)
    assert ((tp < 0) & (tp > -1e-6)).any()
    assert tp.min() > -1e-6


def test_the_day_is_warmest_at_seven_utc(listed: Listed) -> None:
    t2m = series(listed, "highland", "t2m")[:, :24]
    assert np.all(np.abs(t2m.mean(axis=(0, 2, 3)).argmax() - 7) <= 1)
    spread = t2m.max(axis=1) - t2m.min(axis=1)
    assert 7 < spread.mean() < 15


def test_the_sea_has_no_weather_but_the_place_has(listed: Listed) -> None:
    red = series(listed, "red-river", "t2m")
    assert np.isnan(red[:, :, -1, -1]).all()
    assert np.isnan(red).mean() < 0.2
    assert not np.isnan(series(listed, "highland", "t2m")).any()


def test_showers_fall_in_the_afternoon_and_lose_nothing() -> None:
    for month in (1, 7):
        assert shower_weights(month).sum() == pytest.approx(1)
    # 16-19 local is 09-12 UTC.
    assert shower_weights(7)[16:19].sum() > 0.4
    assert np.ptp(shower_weights(1)) == 0


def test_coarse_rain_is_like_the_truth_but_not_the_truth(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    weather = coarse_weather(world)
    local = np.concatenate([np.zeros((7, *weather.window.shape)), weather.rain_m])[:-7]
    daily = local.reshape(-1, 24, *weather.window.shape).sum(axis=1)
    middle = daily[:, 1, 1]
    truth = world.rain_m.mean(axis=(1, 2))
    assert 0.55 < np.corrcoef(middle, truth)[0, 1] < 0.9
    assert 0.8 < middle.mean() / truth.mean() < 1.15
    dry = truth == 0
    assert 0.2 < (middle[dry] > 0).mean() < 0.6


def test_the_cells_cover_the_whole_region(worlds: dict[str, World]) -> None:
    for world in worlds.values():
        weather = coarse_weather(world)
        cells = link(world.window, weather.window)
        assert cells.min() >= 0
        assert not weather.is_sea.ravel()[cells].any()
    assert date(2023, 12, 1) == weather.first_day
