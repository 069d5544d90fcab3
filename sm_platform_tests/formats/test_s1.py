"""Sentinel-1: ids, orbits, properties and frames, against real files where they are at hand."""

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.s1_earth_engine import (
    parse_granule_id,
    read_frame,
    read_properties,
    relative_orbit,
)
from sm_platform_tests.formats.provider_files import s1_properties, write_json, write_tiff

Shared = Callable[..., Path]
REAL_ID = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"
SAFE = "{http://www.esa.int/safe/sentinel-1.0}"
MOMENTS = st.datetimes(datetime(2014, 4, 3), datetime(2035, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


@given(
    platform=st.sampled_from(["S1A", "S1B", "S1C", "S1D"]),
    start=MOMENTS,
    orbit=st.integers(1, 999_999),
    codes=st.tuples(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFF)),
)
def test_an_id_says_what_it_was_made_of(
    platform: str, start: datetime, orbit: int, codes: tuple[int, int]
) -> None:
    end = start + timedelta(seconds=25)
    made = (
        f"{platform}_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{end:%Y%m%dT%H%M%S}_{orbit:06d}_"
        f"{codes[0]:06X}_{codes[1]:04X}"
    )
    name = parse_granule_id(made)
    assert (name.platform, name.mode, name.product, name.level) == (platform, "IW", "GRDH", "1SDV")
    assert (name.start_utc, name.end_utc, name.absolute_orbit) == (start, end, orbit)
    assert (name.datatake_id, name.unique_id) == (f"{codes[0]:06X}", f"{codes[1]:04X}")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "S1_2025-01-03",
        REAL_ID + ".SAFE",
        REAL_ID.replace("S1A", "S1E"),
        REAL_ID.replace("GRDH", "SLC_"),
        REAL_ID.replace("20210119T031653", "20210230T031653"),
        REAL_ID.replace("036201", "36201"),
        REAL_ID.replace("043ED0", "043ed0"),
        REAL_ID.replace("036201", "03620\N{ARABIC-INDIC DIGIT ONE}"),
    ],
)
def test_other_names_are_refused(wrong: str) -> None:
    with pytest.raises(GranuleError, match="check its name|check the file's name"):
        parse_granule_id(wrong)


@pytest.mark.parametrize(
    ("platform", "absolute", "day", "relative"),
    [
        ("S1A", 36201, date(2021, 1, 19), 79),
        ("S1A", 73, date(2014, 4, 8), 1),
        ("S1A", 72, date(2014, 4, 8), 175),
        ("S1B", 27, date(2016, 4, 26), 1),
        ("S1C", 638, date(2025, 1, 17), None),
        ("S1C", 5676, date(2025, 12, 30), 80),
        ("S1C", 5676, date(2025, 3, 26), 80),
        ("S1C", 8000, date(2026, 6, 15), 129),
        ("S1C", 8000, date(2026, 6, 16), None),
        ("S1C", 8000, date(2026, 6, 23), None),
        ("S1C", 8000, date(2026, 6, 24), 27),
        ("S1D", 42, date(2026, 5, 1), 1),
        ("S1X", 42, date(2026, 5, 1), None),
    ],
)
def test_relative_orbits_by_formula(
    platform: str, absolute: int, day: date, relative: int | None
) -> None:
    assert relative_orbit(platform, absolute, day) == relative


def test_the_real_archive_and_its_manifest_agree_with_its_name(shared: Shared) -> None:
    path = shared("realdata", "s1", f"{REAL_ID}.zip")
    name = parse_granule_id(path.stem)
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read(f"{REAL_ID}.SAFE/manifest.safe"))  # noqa: S314

    def text(tag: str) -> str:
        return next(item.text or "" for item in root.iter(f"{SAFE}{tag}"))

    assert int(text("orbitNumber")) == name.absolute_orbit == 36201
    assert relative_orbit(name.platform, name.absolute_orbit, name.start_utc.date()) == 79
    assert int(text("relativeOrbitNumber")) == 79
    assert f"S1{text('number')}" == name.platform
    start = datetime.fromisoformat(text("startTime")).replace(tzinfo=UTC)
    stop = datetime.fromisoformat(text("stopTime")).replace(tzinfo=UTC)
    assert abs(start - name.start_utc) < timedelta(seconds=1)
    assert abs(stop - name.end_utc) < timedelta(seconds=1)


def test_properties_of_a_frame(tmp_path: Path) -> None:
    made = s1_properties(REAL_ID, orbitProperties_pass="DESCENDING", relativeOrbitNumber_start=91)  # noqa: S106
    made["system:time_start"] += 312
    found = read_properties(write_json(tmp_path / "a.json", made))
    assert (found.granule_id, found.platform, found.orbit_state) == (REAL_ID, "S1A", "D")
    assert (found.relative_orbit, found.absolute_orbit) == (91, 36201)
    assert found.datatake_id == "043ED0"
    assert found.start_utc == datetime(2021, 1, 19, 3, 16, 53, 312000, tzinfo=UTC)
    assert found.end_utc == datetime(2021, 1, 19, 3, 17, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end_ms", "expected_s"),
    [(0, 25), (-1000, 25), (None, 25), (24_600, 24.6)],
    ids=["the start, as Earth Engine tells it", "before it", "none", "a real end"],
)
def test_a_frame_ends_after_its_start(
    tmp_path: Path, end_ms: int | None, expected_s: float
) -> None:
    made = s1_properties(REAL_ID)
    end = None if end_ms is None else made["system:time_start"] + end_ms
    told = s1_properties(REAL_ID, system__time_end=end)
    found = read_properties(write_json(tmp_path / "a.json", told))
    assert found.end_utc - found.start_utc == timedelta(seconds=expected_s)


def test_a_whole_image_description_is_read_too(tmp_path: Path) -> None:
    image = {"type": "Image", "id": f"COPERNICUS/S1_GRD/{REAL_ID}"}
    bare = read_properties(write_json(tmp_path / "a.json", s1_properties(REAL_ID)))
    image["properties"] = s1_properties(REAL_ID)
    assert read_properties(write_json(tmp_path / "b.json", image)) == bare
    unnamed = s1_properties(REAL_ID, system__index=None)
    assert read_properties(write_json(tmp_path / f"{REAL_ID}.json", unnamed)) == bare


def test_the_formula_serves_only_where_the_metadata_are_silent(tmp_path: Path) -> None:
    silent = s1_properties(REAL_ID, relativeOrbitNumber_start=None)
    assert read_properties(write_json(tmp_path / "a.json", silent)).relative_orbit == 79
    odd = s1_properties(REAL_ID, relativeOrbitNumber_start=15)
    assert read_properties(write_json(tmp_path / "b.json", odd)).relative_orbit == 15


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform_number": "C"}, "platform_number"),
        ({"platform_number": None}, "platform_number"),
        ({"orbitNumber_start": 36202}, "orbitNumber_start"),
        ({"orbitNumber_start": "36201"}, "orbitNumber_start"),
        ({"system__time_start": 1611026213000 + 5000}, "system:time_start"),
        ({"system__time_start": 1e300}, "system:time_start"),
        ({"system__time_start": None}, "system:time_start"),
        ({"orbitProperties_pass": "UP"}, "orbitProperties_pass"),
        ({"instrumentMode": "EW"}, "instrumentMode"),
        ({"relativeOrbitNumber_start": 176}, "relativeOrbitNumber_start"),
        ({"relativeOrbitNumber_start": True}, "relativeOrbitNumber_start"),
    ],
)
def test_wrong_properties_are_named(tmp_path: Path, changes: dict[str, object], field: str) -> None:
    path = write_json(tmp_path / "frame.json", s1_properties(REAL_ID, **changes))
    with pytest.raises(GranuleError, match=rf"frame\.json: .*{field}.*: (fetch|leave)"):
        read_properties(path)


@pytest.mark.parametrize("content", ["", "<html>", "[1]", '{"properties": 3}', '{"a": '])
def test_what_is_no_description_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "frame.json"
    path.write_text(content)
    with pytest.raises(GranuleError, match=r"frame\.json: .*: fetch it again"):
        read_properties(path)


def frame(vv: list[float], vh: list[float], angle: list[float]) -> list[np.ndarray]:
    """Three bands of one row."""
    return [np.array([band], dtype=np.float32) for band in (vv, vh, angle)]


def test_a_frame_keeps_measurements_and_only_them(tmp_path: Path) -> None:
    nan = np.nan
    bands = frame(
        [-10.5, nan, 0.0, 0.0, -np.inf, -9.0, -99.0],
        [-17.5, -18.0, 0.0, -16.0, -19.0, -16.0, -20.0],
        [38.0, 38.0, 0.0, 38.0, 38.0, nan, 38.0],
    )
    path = write_tiff(tmp_path / "a.tif", bands, names=("VV", "VH", "angle"), nodata=-99)
    found = read_frame(path).values
    expected = frame(
        [-10.5, nan, nan, 0.0, nan, nan, nan],
        [-17.5, -18.0, nan, -16.0, -19.0, nan, -20.0],
        [38.0, 38.0, nan, 38.0, 38.0, nan, 38.0],
    )
    for name, band in zip(("vv_db", "vh_db", "angle_deg"), expected, strict=True):
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], band)


def test_power_is_told_from_decibels(tmp_path: Path) -> None:
    power = frame([0.1, 0.3, np.nan], [0.02, 0.05, 0.04], [38, 38, 38])
    with pytest.raises(GranuleError, match="linear power and not dB"):
        read_frame(write_tiff(tmp_path / "power.tif", power))
    bright = frame([0.1, 4.0, np.nan], [-6.0, 0.5, 0.4], [38, 38, 38])
    assert read_frame(write_tiff(tmp_path / "town.tif", bright)).values["vv_db"][0, 1] == 4
    nothing = frame([np.nan] * 3, [np.nan] * 3, [38, 38, 38])
    assert np.isnan(read_frame(write_tiff(tmp_path / "empty.tif", nothing)).values["vv_db"]).all()


def test_a_frame_stays_on_its_own_grid(tmp_path: Path) -> None:
    affine = rasterio.Affine(100.0895023349556, 0, 1e7, 0, -100.0895023349556, 2.5e6)
    bands = [np.full((5, 7), value, dtype=np.float32) for value in (-10, -16, 38)]
    made = write_tiff(tmp_path / "a.tif", bands, affine=affine, crs="EPSG:6933")
    window = read_frame(made).window
    assert (window.crs, window.affine, window.shape) == ("EPSG:6933", affine, (5, 7))


def test_integer_backscatter_is_refused(tmp_path: Path) -> None:
    bands = [np.full((2, 2), value, dtype=np.int16) for value in (-10, -16, 38)]
    with pytest.raises(GranuleError, match="VV is int16, not float32"):
        read_frame(write_tiff(tmp_path / "a.tif", bands))


def test_the_real_frame_of_spain_is_read_as_rasterio_reads_it(
    tmp_path: Path, shared: Shared
) -> None:
    with rasterio.open(shared("realdata", "s1", "Spain_7370579_S1Hand.tif")) as file:
        vv, vh = file.read()
        affine = file.transform
    bands = [vv, vh, np.full_like(vv, 38)]
    path = write_tiff(tmp_path / "a.tif", bands, affine=affine, names=("VV", "VH", "angle"))
    found = read_frame(path)
    np.testing.assert_array_equal(found.values["vv_db"], vv)
    np.testing.assert_array_equal(found.values["vh_db"], vh)
    assert found.window.affine == affine


def test_a_real_frame_without_angle_is_refused(shared: Shared) -> None:
    with pytest.raises(GranuleError, match="band angle is missing among VV, VH"):
        read_frame(shared("realdata", "s1", "Spain_7370579_S1Hand.tif"))


def test_real_paddies_in_linear_power_are_refused_and_in_db_are_read(
    tmp_path: Path, shared: Shared
) -> None:
    table = pd.read_excel(shared("realdata", "s1", "an_giang_2021-02-07.xlsx"))
    columns = [[name for name in table if re.fullmatch(key, name)][0] for key in ("vv", "vh")]
    power = [table[name].to_numpy(np.float32)[None, :] for name in columns]
    angle = np.full_like(power[0], 38)
    path = write_tiff(tmp_path / "power.tif", [*power, angle])
    with pytest.raises(GranuleError, match="linear power and not dB: export COPERNICUS/S1_GRD,"):
        read_frame(path)
    path = write_tiff(tmp_path / "db.tif", [*(10 * np.log10(band) for band in power), angle])
    found = read_frame(path).values["vv_db"]
    np.testing.assert_allclose(np.percentile(found, [5, 50, 95]), [-21, -10.1, -4.7], atol=0.15)
