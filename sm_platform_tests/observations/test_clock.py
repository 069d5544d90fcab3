import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from sm_platform.errors import UsageError
from sm_platform.observations.clock import local_time_shift_h
from sm_platform_tests.observations.rows import hours

Series = tuple[NDArray[np.datetime64], NDArray[np.float64]]
# Middle of sheet D-49-49-A, in whose folder the files lie.
SHEET_LON = 108.1
HOUR = np.timedelta64(1, "h")


def course(lon: float, days: int = 10, step: float = 1.0, swing_k: float = 8.0) -> Series:
    """True UTC: warmest at 14 hours of local solar time, with weather that varies by day."""
    times = hours(int(days * 24 / step), step)
    solar = np.arange(len(times)) * step + lon / 15
    weather = np.random.default_rng(1).normal(0, 2, days + 2)[(solar // 24).astype(int) + 1]
    return times, 290 + weather + swing_k * np.cos(2 * np.pi * (solar - 14) / 24)


@pytest.mark.parametrize("lon", [-150.0, -75.0, 60.0, 108.1, 178.0])
@pytest.mark.parametrize("shift", [-11, -8, -4, 4, 7, 9])
def test_shift_is_found_and_a_right_clock_is_right(lon: float, shift: int) -> None:
    times, kelvin = course(lon)
    assert local_time_shift_h(times, kelvin, lon) == 0
    assert local_time_shift_h(times + shift * HOUR, kelvin, lon) == shift


def test_order_unit_and_gaps_do_not_matter() -> None:
    times, kelvin = course(SHEET_LON, step=0.5)
    order = np.random.default_rng(2).permutation(len(times))
    kelvin[::5] = np.nan
    found = local_time_shift_h((times + 7 * HOUR)[order], (kelvin - 273.15)[order], SHEET_LON)
    assert found == 7


def test_nothing_is_said_without_clear_evidence() -> None:
    times, kelvin = course(SHEET_LON)
    rng = np.random.default_rng(3)
    said = local_time_shift_h
    assert said(times, np.full(len(times), 290.0), SHEET_LON) is None, "no course"
    assert said(times, rng.normal(290, 5, len(times)), SHEET_LON) is None, "noise"
    assert said(times[:96], kelvin[:96], SHEET_LON) is None, "four days"
    assert said(times[::6], kelvin[::6], SHEET_LON) is None, "four readings a day"
    is_morning = np.arange(len(times)) % 24 < 9
    assert said(times[is_morning], kelvin[is_morning], SHEET_LON) is None, "mornings only"
    assert said(times[:0], kelvin[:0], SHEET_LON) is None, "nothing"
    assert said(*course(10.0), 10.0) is None, "local time is UTC there, near enough"


def test_unequal_numbers_are_refused() -> None:
    times, kelvin = course(0)
    with pytest.raises(UsageError, match="one each a time"):
        local_time_shift_h(times, kelvin[1:], 0)


@pytest.mark.parametrize("kind", ["temperature_2m", "skin_temperature"])
def test_real_hours_labelled_z_are_of_utc_plus_7(kind: str, shared: Callable[..., Path]) -> None:
    path = next(shared("realdata", "vietnam").glob("era5_*.zip"))
    times, kelvin = read(path, kind)
    assert len(times) == 744
    assert local_time_shift_h(times, kelvin, SHEET_LON) == 7
    assert local_time_shift_h(times - 7 * HOUR, kelvin, SHEET_LON) == 0


def read(path: Path, kind: str) -> Series:
    times, kelvin = [], []
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            if not name.startswith(kind):
                continue
            stamp = re.findall(r"\d{8}_\d{6}", name)[0]
            times.append(datetime.strptime(stamp, "%Y%m%d_%H%M%S"))
            with MemoryFile(bundle.read(name)) as memory, memory.open() as file:
                kelvin.append(float(file.read(1).mean()))
    return np.array(times, "datetime64[us]"), np.array(kelvin)
