import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affine import Affine

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.inspected import Variable, number_of, unique_names, unit_of
from sm_platform.formats.inspection import inspect_file
from sm_platform_tests.formats.provider_files import weather_hours, write_era5, write_tiff

STATION = "VDS VDS Hpayargyi 17.46610 96.53020 7.00 0.01 0.10 GS1-Port-5"
HOURS = (
    "2020/01/21 02:00 0.2500 D03 M",
    "2020/01/21 03:00 0.2600 G M",
    "2020/01/21 04:00 -9999.0 M M",
    "2020/01/21 05:00 0.2700 G M",
)
PLACE = (96.5302, 17.4661)


def station(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((STATION, *rows)) + "\n")
    return path


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("m3/m3", "m3/m3"),
        ("cm**3/cm**3", "m3/m3"),
        ("m3 m-3", "m3/m3"),
        ("m^3/m^3", "m3/m3"),
        ("Kelvin", "K"),
        ("degrees", "deg"),
        ("dimensionless", "1"),
        ("", "1"),
        ("kg m-2", "kg m-2"),
        ("%", "%"),
    ],
)
def test_units_are_written_in_one_way(written: str, unit: str) -> None:
    assert unit_of(written) == unit


def test_numbers_are_whole_where_they_are_and_never_nan() -> None:
    assert [number_of(value) for value in (3.0, 0.5, float("nan"), float("inf"))] == [
        3,
        0.5,
        None,
        None,
    ]
    assert isinstance(number_of(3.0), int)


def test_two_fields_of_one_name_keep_their_groups() -> None:
    assert unique_names(["/a/sm", "/b/sm", "/b/t"]) == ["/a/sm", "/b/sm", "t"]


def test_a_station_is_told_by_its_good_hours(tmp_path: Path) -> None:
    found = inspect_file(station(tmp_path / "VDS_sm_0.01_0.10_x_20200101_20201231.stm", *HOURS))
    assert (found.product, found.crs, found.shape) == ("ismn", "EPSG:4326", (4,))
    assert found.time_utc == datetime(2020, 1, 21, 2, tzinfo=UTC)
    assert found.variables == (Variable("soil_moisture", "m3/m3", 0.5),)


@pytest.mark.parametrize(
    ("place", "value"),
    [(PLACE, 0.26), ((96.5310, 17.4661), 0.26), ((96.55, 17.4661), None)],
)
def test_a_place_is_the_station_within_a_kilometre(
    tmp_path: Path, place: tuple[float, float], value: float | None
) -> None:
    path = station(tmp_path / "a.stm", *HOURS)
    assert inspect_file(path, place).variables[0].at == value


def test_a_folder_and_a_zip_of_stations(tmp_path: Path) -> None:
    folder = tmp_path / "VDS" / "Hpayargyi"
    folder.mkdir(parents=True)
    path = station(folder / "VDS_VDS_H_sm_0.010000_0.100000_GS1_20200101_20221231.stm", *HOURS)
    with zipfile.ZipFile(tmp_path / "VDS.zip", "w") as archive:
        archive.write(path, "VDS/" + path.name)
    for found in (inspect_file(tmp_path / "VDS", PLACE), inspect_file(tmp_path / "VDS.zip", PLACE)):
        assert found.variables == (Variable("soil_moisture", "m3/m3", 0.5, 0.26),)


def test_real_stations_are_told_as_plain_pandas_reads_them(shared: Callable[..., Path]) -> None:
    folder = shared("realdata", "ismn", "VDS", "Hpayargyi")
    (path,) = folder.glob("*_0.010000_*.stm")
    frame = pd.read_csv(path, sep=r"\s+", skiprows=1, header=None)
    good = frame[frame[3] == "G"]
    lat, lon = (float(text) for text in path.read_text().split()[3:5])
    (variable,) = inspect_file(path, (lon, lat)).variables
    assert variable.valid_share == pytest.approx(len(good) / len(frame))
    assert variable.at == pytest.approx(good[2].iloc[0])


def test_a_real_planet_series(shared: Callable[..., Path]) -> None:
    path = shared("realdata", "planet", "SWC_C_ND.csv")
    frame = pd.read_csv(path, comment="#")
    found = inspect_file(path, (106.4, 20.45))
    assert (found.product, found.crs) == ("planet_series", None)
    assert found.shape == (len(frame),)
    known = frame.iloc[:, 1].notna()
    assert found.variables == (
        Variable(
            "soil_moisture",
            "m3/m3",
            pytest.approx(known.mean()),
            pytest.approx(frame.iloc[:, 1][known].iloc[0]),
        ),
    )


def test_any_table_tells_its_number_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("ngày;độ ẩm;ghi chú\n2025-01-10;0,25;x\n2025-01-11;;y\n".encode())
    found = inspect_file(path)
    assert (found.product, found.shape) == ("unknown", (2,))
    assert found.variables == (Variable("độ ẩm", "", 0.5),)
    assert "add-csv" in found.notes[0]


def test_a_real_sentinel1_product_tells_its_angle(shared: Callable[..., Path]) -> None:
    """At a point of its own grid the angle is that point's."""
    name = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"
    path = shared("realdata", "s1", f"{name}.zip")
    with zipfile.ZipFile(path) as archive:
        (vv,) = (one for one in archive.namelist() if "/annotation/s1a-iw-grd-vv" in one)
        text = archive.read(vv).decode()
    points = text.split("<geolocationGridPoint>")[1:]
    middle = points[len(points) // 2 + 5]
    lat, lon, angle = (
        float(middle.split(f"<{name}>")[1].split("<")[0])
        for name in ("latitude", "longitude", "incidenceAngle")
    )
    found = inspect_file(path, (lon, lat))
    assert (found.product, found.time_utc) == (
        "s1_grd",
        datetime(2021, 1, 19, 3, 16, 53, tzinfo=UTC),
    )
    assert found.variables == (
        Variable("incidence_angle", "deg", 1.0, pytest.approx(angle, abs=1e-5)),
    )
    assert found.notes[0] == "Relative orbit 79."
    assert inspect_file(path, (0.0, 0.0)).variables[0].at is None


def test_a_sentinel1_product_is_known_by_the_folder_in_its_zip(
    tmp_path: Path, shared: Callable[..., Path]
) -> None:
    name = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"
    path = shared("realdata", "s1", f"{name}.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    slc = (tmp_path / f"{name}.SAFE").rename(tmp_path / f"{name.replace('GRDH', 'SLC_')}.SAFE")
    (tmp_path / "a.zip").write_bytes(path.read_bytes())
    found = [inspect_file(one) for one in (path, tmp_path / "a.zip", slc)]
    assert [one.product for one in found] == ["s1_grd", "s1_grd", "s1_slc"]
    assert len({(one.time_utc, one.shape, one.variables) for one in found}) == 1


def test_a_zip_of_weather_and_a_zip_of_one_file(tmp_path: Path) -> None:
    weather = write_era5(tmp_path / "data_0.nc", datetime(2025, 1, 10), weather_hours(1))
    image = write_tiff(
        tmp_path / "a.tif", [np.ones((2, 2), "f4")], affine=Affine(0.1, 0, 106, 0, -0.1, 21)
    )
    for path, product, names in (
        (weather, "era5_land", ["t2m", "tp"]),
        (image, "unknown", ["band_1"]),
    ):
        with zipfile.ZipFile(tmp_path / f"{path.stem}.zip", "w") as archive:
            archive.write(path, path.name)
        found = inspect_file(tmp_path / f"{path.stem}.zip")
        assert found.product == product
        assert [one.name for one in found.variables] == names


def zip_of(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tif", b"", "an empty file"),
        ("a.tif", b"<!DOCTYPE html><html>", "a web page"),
        ("a.dmr", b"<?xml version='1.0'?><Dataset/>", "XML"),
        ("a.bin", b"\x00\x01\x02", "something else"),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(50), "damaged or cut off"),
        ("a.zip", b"PK\x03\x04" + bytes(50), "zip is damaged"),
        ("a.nc", b"CDF\x01" + bytes(3), "damaged or cut off"),
        ("a.csv", b"\x00\xff\x00\xfe", "a.csv"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(GranuleError, match=f"^{name}: ") as error:
        inspect_file(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a.png": b"1", "b.png": b"2"}, "a zip of 2 files such as a.png"),
        ({"[Content_Types].xml": b"", "xl/a.xml": b""}, "Office document"),
        ({}, "a zip"),
        ({"../a.tif": b"1"}, "leads out"),
    ],
)
def test_zips_of_nothing_known_are_named(
    tmp_path: Path, members: dict[str, bytes], said: str
) -> None:
    with pytest.raises(GranuleError, match="a.zip: ") as error:
        inspect_file(zip_of(tmp_path / "a.zip", members))
    assert said in str(error.value) or not members


@pytest.mark.parametrize("place", [(20.45, 106.4), (181.0, 0.0), (float("nan"), 0.0)])
def test_a_place_off_the_globe_is_refused(tmp_path: Path, place: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="longitude .* then latitude"):
        inspect_file(station(tmp_path / "a.stm", *HOURS), place)


def test_a_path_that_is_not_there_and_a_folder_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        inspect_file(tmp_path / "absent.tif")
    with pytest.raises(UsageError, match="name one file"):
        inspect_file(tmp_path)
