"""Granules of SMAP that a notice speaks against: all readings flagged, unless replaced."""

from pathlib import Path

import numpy as np
import pytest

from sm_platform.formats.spl3smp_e import read_spl3
from sm_platform.formats.spl4sm import read_spl4
from sm_platform.observations.fields import SiteReader
from sm_platform_tests.formats.smap_files import CORNER, moisture, write_spl3, write_spl4

SHAPE = (4, 5)


@pytest.mark.parametrize(
    ("day", "version", "is_bad"),
    [
        ("20260513T223000", "Vv8011_001", False),
        ("20260514T013000", "Vv8011_001", True),
        ("20260728T223000", "Vv8011_001", True),
        ("20260729T013000", "Vv8011_001", False),
        ("20260601T223000", "Vv8011_002", False),
        ("20260601T223000", "Vv8012_001", False),
        ("20260601T223000", "Vv8010_001", True),
        ("20260601T223000", "Vv8011_001_subset", True),
    ],
)
def test_a_granule_of_bad_geolocation_is_flagged(
    tmp_path: Path, day: str, version: str, is_bad: bool
) -> None:
    values = moisture(1, SHAPE, gaps=0)
    path = write_spl4(tmp_path / f"SMAP_L4_SM_gph_{day}_{version}.h5", values, corner=CORNER)
    (found,) = read_spl4(path)
    np.testing.assert_array_equal(found.raster.values["is_flagged"], np.full(SHAPE, is_bad))
    np.testing.assert_array_equal(found.raster.values["sm_m3m3"], values)


@pytest.mark.parametrize(
    ("day", "version", "is_bad"),
    [
        ("20260513", "R19240_001", False),
        ("20260514", "R19240_001", True),
        ("20260728", "R19240_002", True),  # an ordinary second version is no replacement
        ("20260729", "R19240_001", False),
        ("20260601", "R19241_001", False),
    ],
)
def test_radiometer_passes_of_bad_geolocation_are_flagged(
    tmp_path: Path, day: str, version: str, is_bad: bool
) -> None:
    passes = {"am": moisture(2, SHAPE, gaps=0), "pm": moisture(3, SHAPE, gaps=0)}
    flags = {"am": np.where(np.arange(5) == 2, 1, 0).astype(np.uint16) + np.zeros(SHAPE, np.uint16)}
    path = tmp_path / f"SMAP_L3_SM_P_E_{day}_{version}.h5"
    am, pm = read_spl3(write_spl3(path, passes, quality=flags, corner=CORNER))
    np.testing.assert_array_equal(pm.raster.values["is_flagged"], np.full(SHAPE, is_bad))
    np.testing.assert_array_equal(
        am.raster.values["is_flagged"], np.full(SHAPE, is_bad) | (flags["am"] == 1)
    )


def test_a_flagged_reading_stays_with_its_value_and_reason(tmp_path: Path) -> None:
    values = np.full(SHAPE, 0.3, np.float32)
    name = "SMAP_L4_SM_gph_20260601T223000_Vv8011_001.h5"
    (field,) = read_spl4(write_spl4(tmp_path / name, values, corner=CORNER))
    rows = SiteReader(np.array([105.1]), np.array([20.5])).observe(field).to_pylist()
    assert [(round(one["sm_m3m3"], 3), one["reason"]) for one in rows] == [(0.3, "provider_flag")]
