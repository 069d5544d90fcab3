"""A UTC day of late IMERG rain: the turned grid, units, fill, and what is refused."""

from datetime import date
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.imerg_late import read_day

DAY = date(2025, 3, 1)
NAME = "3B-DAY-L.MS.MRG.3IMERG.20250301-S000000-E235959.V07B.nc4"
FILL = np.float32(-9999.9)
LON, LAT = 106.05 + 0.1 * np.arange(5), 20.05 + 0.1 * np.arange(4)


def write_imerg(path: Path, rain: NDArray[Any], **changes: Any) -> Path:  # noqa: ANN401
    """A part of a daily file as GES DISC lays it out; `rain` is (lon, lat) in mm/day."""
    told: dict[str, Any] = {
        "units": "mm/day",
        "time": 16491,
        "epoch": "1980-01-06",
        "lon": LON,
        "lat": LAT,
        "counts": None,
    } | changes
    with h5py.File(path, "w") as file:
        for name in ("lon", "lat"):
            file.create_dataset(name, data=told[name].astype(np.float32)).make_scale(name)
        time = file.create_dataset("time", data=np.array([told["time"]], np.int32))
        time.attrs["units"] = f"days since {told['epoch']} 00:00:00Z"
        time.make_scale("time")
        stored = file.create_dataset("precipitation", data=rain[None])
        stored.attrs["units"] = told["units"]
        stored.attrs["_FillValue"] = np.array([FILL], rain.dtype)
        for axis, name in enumerate(("time", "lon", "lat")):
            stored.dims[axis].attach_scale(file[name])
        if told["counts"] is not None:
            file.create_dataset("precipitation_cnt", data=told["counts"][None])
    return path


def numbers() -> NDArray[np.float32]:
    return np.arange(20, dtype=np.float32).reshape(5, 4)


def test_north_is_up_and_rain_in_metres(tmp_path: Path) -> None:
    rain = numbers()
    rain[0, 3], rain[1, 3] = FILL, 2500.0
    found = read_day(write_imerg(tmp_path / NAME, rain), DAY)
    assert found.window.crs == "EPSG:4326"
    assert found.window.affine.almost_equals(Affine(0.1, 0, 106.0, 0, -0.1, 20.4), 1e-9)
    expected = np.array(
        [
            [np.nan, np.nan, 11, 15, 19],
            [2, 6, 10, 14, 18],
            [1, 5, 9, 13, 17],
            [0, 4, 8, 12, 16],
        ]
    )
    rain_m = np.asarray(found.values["precipitation_m"], np.float64)
    np.testing.assert_allclose(rain_m, expected / 1000, rtol=1e-6)
    assert found.values["precipitation_m"].dtype == np.float32
    assert found.values["precipitation_range_code"][0].tolist() == [0, 1, 0, 0, 0]


def test_a_day_with_fewer_than_36_half_hours_is_missing(tmp_path: Path) -> None:
    counts = np.full((5, 4), 48, np.int16)
    counts[0, 0], counts[1, 0], counts[2, 0], counts[3, 0], counts[4, 3] = 36, 35, 0, -99, 99
    rain = np.full((5, 4), 24, np.float32)
    path = write_imerg(tmp_path / NAME, rain, counts=counts)
    found = read_day(path, DAY).values["precipitation_m"]
    expected = np.full((4, 5), 0.024)
    expected[3, 1:4] = expected[0, 4] = np.nan
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    part = read_day(path, DAY, bounds_lonlat=(106.32, 20.02, 106.38, 20.08))
    np.testing.assert_array_equal(part.values["precipitation_m"], found[2:, 2:])


def test_a_file_without_counts_is_read_as_it_is(tmp_path: Path) -> None:
    path = write_imerg(tmp_path / NAME, numbers())
    assert np.isfinite(read_day(path, DAY).values["precipitation_m"]).all()


def test_later_minor_versions_are_read(tmp_path: Path) -> None:
    path = write_imerg(tmp_path / NAME.replace("V07B", "V07C"), numbers())
    assert read_day(path, DAY).window.shape == (4, 5)


def test_bounds_give_the_same_crop(tmp_path: Path) -> None:
    path = write_imerg(tmp_path / NAME, numbers())
    part = read_day(path, DAY, bounds_lonlat=(106.32, 20.32, 106.38, 20.38))
    whole = read_day(path, DAY).values["precipitation_m"]
    np.testing.assert_array_equal(part.values["precipitation_m"], whole[:2, 2:])
    assert part.window.affine.almost_equals(Affine(0.1, 0, 106.2, 0, -0.1, 20.4), 1e-9)
    with pytest.raises(GranuleError, match="lies outside"):
        read_day(path, DAY, bounds_lonlat=(10, 10, 11, 11))


def test_the_whole_globe_lies_where_it_should(tmp_path: Path) -> None:
    lon, lat = -179.95 + 0.1 * np.arange(3600), -89.95 + 0.1 * np.arange(1800)
    rain = np.zeros((3600, 1800), np.float32)
    rain[2864, 1104] = 7  # centre 106.45 E, 20.45 N
    path = write_imerg(tmp_path / NAME, rain, lon=lon, lat=lat)
    found = read_day(path, DAY, bounds_lonlat=(106.4, 20.4, 106.5, 20.5))
    row, col = np.argwhere(found.values["precipitation_m"] == np.float32(0.007))[0]
    x, y = found.window.affine * (col + 0.5, row + 0.5)
    assert (round(x, 6), round(y, 6)) == (106.45, 20.45)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"time": 16492}, "holds 2025-03-02, not 2025-03-01"),
        ({"epoch": "1970-01-01"}, "holds 2015-02-25"),
        ({"units": "mm/hr"}, "is in 'mm/hr', not 'mm/day'"),
        ({"lat": LAT[::-1]}, "lat does not rise by 0.1 deg"),
        (
            {"counts": np.full((4, 5), 48, np.int16)},
            r"precipitation_cnt is int16 of .* not a number",
        ),
        ({"lon": LON[:4]}, r"of shape \(1, 5, 4\), not floating point of \(1, 4, 4\)"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    path = write_imerg(tmp_path / NAME, numbers(), **changes)
    with pytest.raises(GranuleError, match=text):
        read_day(path, DAY)


def test_the_name_counts_as_well(tmp_path: Path) -> None:
    path = write_imerg(tmp_path / NAME.replace("20250301", "20250302"), numbers())
    with pytest.raises(GranuleError, match="holds 2025-03-02, not 2025-03-01"):
        read_day(path, DAY)
    path = write_imerg(tmp_path / "renamed.nc4", numbers())
    assert read_day(path, DAY).window.shape == (4, 5)


def test_a_cut_file_and_a_web_page_are_refused(tmp_path: Path) -> None:
    path = write_imerg(tmp_path / NAME, numbers())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(GranuleError, match="damaged or cut off"):
        read_day(path, DAY)
    path.write_bytes(b"<html>log in</html>")
    with pytest.raises(GranuleError, match="is a web page"):
        read_day(path, DAY)
