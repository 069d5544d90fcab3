"""Planet Soil Water Content: values, flags and local solar times."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sm_platform.errors import GranuleError
from sm_platform.formats.planet_swc import (
    REJECT_MASK,
    read_swc,
    read_swc_field,
    sensing_time,
)
from sm_platform_tests.formats.provider_files import write_tiff

NAME = "SWC-SMAP-L_V2.0_100-20250110T0130"


def pair(folder: Path) -> tuple[Path, Path]:
    return folder / f"{NAME}_swc.tiff", folder / f"{NAME}_swc-qf.tiff"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planet")


@given(
    digits=arrays.arrays(np.uint16, (3, 4)),
    flags=arrays.arrays(np.uint16, (3, 4)),
    has_second=st.booleans(),
)
def test_values_are_thousandths_and_flags_are_kept(
    folder: Path, digits: np.ndarray, flags: np.ndarray, has_second: bool
) -> None:
    swc, qf = pair(folder)
    write_tiff(swc, [digits, 65535 - digits] if has_second else [digits], nodata=65535)
    write_tiff(qf, [flags])
    found = read_swc(swc, qf).values
    valid = digits <= 1000
    np.testing.assert_array_equal(np.isnan(found["sm_m3m3"]), ~valid)
    np.testing.assert_array_equal(np.rint(found["sm_m3m3"][valid] * 1000), digits[valid])
    assert found["sm_m3m3"].dtype == np.float32
    np.testing.assert_array_equal(found["swc_flags"], flags)


def test_the_highest_value_is_one(tmp_path: Path) -> None:
    swc, qf = pair(tmp_path)
    write_tiff(swc, [np.array([[0, 999, 1000, 1001, 65535]], dtype=np.uint16)])
    write_tiff(qf, [np.zeros((1, 5), dtype=np.uint16)])
    expected = np.array([[0, 0.999, 1, np.nan, np.nan]], dtype=np.float32)
    np.testing.assert_array_equal(read_swc(swc, qf).values["sm_m3m3"], expected)


def test_the_mask_leaves_the_five_low_bits_and_bit_6() -> None:
    assert [bit for bit in range(16) if not REJECT_MASK & 1 << bit] == [0, 1, 2, 3, 4, 6]


def test_a_pair_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    swc, qf = pair(tmp_path)
    write_tiff(swc, [np.zeros((3, 4), dtype=np.uint16)])
    with pytest.raises(GranuleError, match=r"swc-qf\.tiff: cannot be opened"):
        read_swc(swc, qf)
    write_tiff(qf, [np.zeros((3, 5), dtype=np.uint16)])
    with pytest.raises(GranuleError, match=r"swc-qf\.tiff: lies on another grid than the value"):
        read_swc(swc, qf)
    write_tiff(swc, [np.zeros((3, 5), dtype=np.float32)])
    with pytest.raises(GranuleError, match=r"_swc\.tiff: swc is float32, not uint16"):
        read_swc(swc, qf)


@pytest.mark.parametrize(
    ("name", "lon", "utc"),
    [
        (f"{NAME}_swc.tiff", 106.4, datetime(2025, 1, 9, 18, 24, 24, tzinfo=UTC)),
        ("item_2022-11-15T0130", -120.0, datetime(2022, 11, 15, 9, 30, tzinfo=UTC)),
        ("x-20250110T1330_swc.tiff", 0.0, datetime(2025, 1, 10, 13, 30, tzinfo=UTC)),
    ],
)
def test_local_solar_time_becomes_utc(name: str, lon: float, utc: datetime) -> None:
    assert sensing_time(name, lon) == utc


@given(lon=st.floats(-180, 180), minutes=st.integers(0, 1439))
def test_the_sun_is_where_the_name_says(lon: float, minutes: int) -> None:
    local = datetime(2025, 1, 10, tzinfo=UTC) + timedelta(minutes=minutes)
    utc = sensing_time(f"a-{local:%Y%m%dT%H%M}_swc.tiff", lon)
    assert abs((local - utc).total_seconds() - lon * 240) <= 0.5


@pytest.mark.parametrize("name", ["", "SWC_2025-01-10", "a-20251310T0130", "a-20250110T2561"])
def test_a_name_without_time_is_refused(name: str) -> None:
    with pytest.raises(GranuleError, match="holds no time"):
        sensing_time(name, 106.0)


@given(flags=arrays.arrays(np.uint16, (2, 3)), mask=st.integers(0, 0xFFFF))
def test_a_field_is_flagged_where_a_bit_of_the_mask_is_set(
    folder: Path, flags: np.ndarray, mask: int
) -> None:
    swc, qf = pair(folder)
    write_tiff(swc, [np.full((2, 3), 250, np.uint16)], nodata=65535)
    write_tiff(qf, [flags])
    moment = datetime(2025, 1, 9, 18, 24, 24, tzinfo=UTC)
    (found,) = read_swc_field(swc, qf, sensed_utc=moment, reject_mask=mask)
    expected = [[bool(one & mask) for one in row] for row in flags.tolist()]
    assert found.raster.values["is_flagged"].tolist() == expected
    assert np.unique(found.raster.values["sm_m3m3"]).tolist() == [np.float32(0.25)]
    assert found.sensed_utc == moment


@pytest.mark.parametrize(
    ("bit", "is_flagged"), [(0, False), (4, False), (5, True), (6, False), (7, True), (15, True)]
)
def test_the_default_mask_rejects_these_bits(tmp_path: Path, bit: int, is_flagged: bool) -> None:
    swc, qf = pair(tmp_path)
    write_tiff(swc, [np.array([[250]], np.uint16)])
    write_tiff(qf, [np.array([[1 << bit]], np.uint16)])
    (found,) = read_swc_field(swc, qf, sensed_utc=datetime(2025, 1, 9, tzinfo=UTC))
    assert found.raster.values["is_flagged"].tolist() == [[is_flagged]]
