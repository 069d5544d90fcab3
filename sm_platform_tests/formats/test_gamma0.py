"""Terrain-corrected gamma0 of OPERA and of the Planetary Computer: small files in their form."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats import opera_rtc, rtc_planetary_computer
from sm_platform.grid.ellipsoid_angle import angle_on
from sm_platform_tests.formats.provider_files import write_tiff

OPERA = "OPERA_L2_RTC-S1_T055-116871-IW2_20250309T105803Z_20250309T184607Z_S1A_30_v1.0"
FRAME = "S1A_IW_GRDH_1SDV_20250309T105756_20250309T105821_058227_0732F1_rtc"
UTM = {"affine": Affine(30, 0, 649000, 0, -30, 2262000), "crs": "EPSG:32648"}
"""Near 106.43 E, 20.45 N: relative orbit 55, ascending, sees it under 32 deg."""
TAGS = {
    "ABSOLUTE_ORBIT_NUMBER": "58227",
    "TRACK_NUMBER": "55",
    "ORBIT_PASS_DIRECTION": "ascending",
    "ZERO_DOPPLER_START_TIME": "2025-03-09T10:58:03.123456Z",
    "ZERO_DOPPLER_END_TIME": "2025-03-09T10:58:06.223456Z",
    "INPUT_L1_SLC_GRANULES": str(
        ["S1A_IW_SLC__1SDV_20250309T105755_20250309T105822_058227_0732F1_8D5C"]
    ),
}
POWER = np.array([[0.1, 0.01, np.nan, 0.0], [1.0, 0.5, 0.2, -0.001]], np.float32)
MASK = np.array([[0, 1, 255, 0], [2, 3, 0, 0]], np.uint8)


def burst(
    folder: Path,
    power: NDArray[Any] = POWER,
    mask: NDArray[Any] = MASK,
    **tags: str | None,
) -> Path:
    """The files of a burst; tags replace those of the product, None leaves one out."""
    told = {key: value for key, value in (TAGS | tags).items() if value is not None}
    for layer, band in (("VV", power), ("VH", power / 10), ("mask", mask)):
        nodata = 255 if layer == "mask" else float("nan")
        path = write_tiff(folder / f"{OPERA}_{layer}.tif", [band], nodata=nodata, **UTM)
        with rasterio.open(path, "r+") as file:
            file.update_tags(**told)
    return folder


def frame(
    folder: Path, power: NDArray[Any] = POWER, nodata: float = -32768, **properties: object
) -> Path:
    """The files of a frame of the Planetary Computer."""
    stored = np.where(np.isnan(power), np.float32(nodata), power)
    for name, factor in (("vv", 1.0), ("vh", 0.1)):
        band = np.where(stored == nodata, stored, stored * np.float32(factor))
        path = folder / f"{FRAME}_{name}.tif"
        write_tiff(path, [band.astype(np.float32)], nodata=nodata, **UTM)
    told = {
        "start_datetime": "2025-03-09 10:57:56.498034+00:00",
        "end_datetime": "2025-03-09 10:58:21.497001+00:00",
        "sat:orbit_state": "ascending",
        "sat:absolute_orbit": 58227,
        "sat:relative_orbit": 55,
    }
    item = {"type": "Feature", "id": FRAME, "properties": told | properties}
    (folder / f"{FRAME}.json").write_text(json.dumps(item))
    return folder


def test_a_burst_is_gamma0_in_decibels_without_shadow_and_layover(tmp_path: Path) -> None:
    found = opera_rtc.read_burst(burst(tmp_path), OPERA)
    nan = np.nan
    expected = [[-10.0, nan, nan, nan], [nan, nan, 10 * np.log10(0.2), nan]]
    np.testing.assert_allclose(found.values["vv_db"], expected, rtol=1e-6)
    np.testing.assert_allclose(found.values["vh_db"], np.array(expected) - 10, rtol=1e-5)
    angle = angle_on(found.window, 55, "A")
    np.testing.assert_array_equal(
        found.values["angle_deg"], np.where(np.isnan(expected), np.float32(nan), angle)
    )
    assert 31 < np.nanmean(found.values["angle_deg"]) < 33
    assert {band.dtype.name for band in found.values.values()} == {"float32"}


def test_a_bursts_tags_tell_its_pass(tmp_path: Path) -> None:
    found = opera_rtc.read_properties(burst(tmp_path), OPERA)
    assert (found.platform, found.orbit_state, found.relative_orbit) == ("S1A", "A", 55)
    assert (found.absolute_orbit, found.datatake_id) == (58227, "0732F1")
    assert found.start_utc == datetime(2025, 3, 9, 10, 58, 3, 123456, tzinfo=UTC)
    assert opera_rtc.burst_of(OPERA) == "116871-IW2"
    unnamed = burst(tmp_path, INPUT_L1_SLC_GRANULES=None)
    for path in tmp_path.glob("*_VV.tif"):
        path.unlink()
    unnamed = burst(tmp_path, INPUT_L1_SLC_GRANULES=None)
    assert opera_rtc.read_properties(unnamed, OPERA).datatake_id == "058227"


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("TRACK_NUMBER", "128", "contradicts its name"),
        ("TRACK_NUMBER", None, "TRACK_NUMBER is missing"),
        ("ORBIT_PASS_DIRECTION", "sideways", "ORBIT_PASS_DIRECTION is unknown"),
        ("ABSOLUTE_ORBIT_NUMBER", "many", "no number"),
        ("ZERO_DOPPLER_START_TIME", "2025-03-10T10:58:03Z", "contradicts its name"),
        ("ZERO_DOPPLER_END_TIME", "soon", "no time"),
        ("ORBIT_PASS_DIRECTION", "descending", "does not see its place"),
    ],
)
def test_a_burst_that_contradicts_itself_is_refused(
    tmp_path: Path, tag: str, value: str | None, words: str
) -> None:
    with pytest.raises(GranuleError, match=words):
        opera_rtc.read_burst(burst(tmp_path, **{tag: value}), OPERA)


@pytest.mark.parametrize("track", ["000", "176"])
def test_a_burst_of_an_orbit_that_there_is_not_is_refused(tmp_path: Path, track: str) -> None:
    name = OPERA.replace("T055", f"T{track}")
    burst(tmp_path, TRACK_NUMBER=track)
    for path in list(tmp_path.glob(f"{OPERA}_*")):
        path.rename(tmp_path / path.name.replace(OPERA, name))
    with pytest.raises(GranuleError, match=f"{name}: relative orbit {int(track)} A is wrong"):
        opera_rtc.read_burst(tmp_path, name)


def test_other_masks_grids_and_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match="class 7"):
        opera_rtc.read_burst(burst(tmp_path, mask=np.full_like(MASK, 7)), OPERA)
    with pytest.raises(GranuleError, match="another grid"):
        opera_rtc.read_burst(burst(tmp_path, mask=MASK[:1]), OPERA)
    with pytest.raises(GranuleError, match="dB and not linear power"):
        opera_rtc.read_burst(burst(tmp_path, power=np.full((2, 4), -12, np.float32)), OPERA)
    (burst(tmp_path) / f"{OPERA}_mask.tif").unlink()
    with pytest.raises(GranuleError, match="_mask.tif: is missing"):
        opera_rtc.read_burst(tmp_path, OPERA)
    with pytest.raises(GranuleError, match="check its name"):
        opera_rtc.read_burst(tmp_path, FRAME)


def test_a_frame_of_the_planetary_computer(tmp_path: Path) -> None:
    power = POWER.copy()
    power[1, 3] = 0.3
    found = rtc_planetary_computer.read_scene(frame(tmp_path, power), FRAME)
    expected = 10 * np.log10(np.where(power > 0, power, np.nan))
    np.testing.assert_allclose(found.values["vv_db"], expected, rtol=1e-5)
    np.testing.assert_allclose(found.values["vh_db"], expected - 10, rtol=1e-5, atol=1e-5)
    assert np.array_equal(np.isnan(found.values["angle_deg"]), np.isnan(expected))
    told = rtc_planetary_computer.read_properties(tmp_path, FRAME)
    assert (told.platform, told.datatake_id, told.relative_orbit) == ("S1A", "0732F1", 55)
    assert told.start_utc == datetime(2025, 3, 9, 10, 57, 56, 498034, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sat:orbit_state", None, "sat:orbit_state"),
        ("sat:absolute_orbit", 1, "contradicts its name"),
        ("start_datetime", "2025-03-09T11:57:56Z", "contradicts its name"),
        ("end_datetime", None, "end_datetime is missing"),
        ("sat:relative_orbit", 91, "does not see its place"),
        ("sat:relative_orbit", 176, r"_rtc\.json: sat:relative_orbit is '176', not 1 to 175"),
        ("sat:relative_orbit", "fifty", r"_rtc\.json: sat:relative_orbit is 'fifty'"),
        ("sat:relative_orbit", [55], r"_rtc\.json: sat:relative_orbit is '\[55\]'"),
        ("sat:relative_orbit", True, r"_rtc\.json: sat:relative_orbit is 'True'"),
    ],
)
def test_a_frame_that_contradicts_itself_is_refused(
    tmp_path: Path, key: str, value: object, words: str
) -> None:
    with pytest.raises(GranuleError, match=words):
        rtc_planetary_computer.read_scene(frame(tmp_path, **{key: value}), FRAME)


def test_a_frame_without_a_relative_orbit_takes_it_from_the_formula(tmp_path: Path) -> None:
    folder = frame(tmp_path, **{"sat:relative_orbit": None})
    assert rtc_planetary_computer.read_properties(folder, FRAME).relative_orbit == 55


def test_another_nodata_or_anothers_item_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match="nodata is -9999"):
        rtc_planetary_computer.read_scene(frame(tmp_path, nodata=-9999), FRAME)
    frame(tmp_path)
    (tmp_path / f"{FRAME}.json").write_text('{"id": "other", "properties": {}}')
    with pytest.raises(GranuleError, match="no STAC item"):
        rtc_planetary_computer.read_scene(tmp_path, FRAME)
