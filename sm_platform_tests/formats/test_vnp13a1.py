"""VIIRS composites: decoding, the scale of MODIS for quality, days, the grid, damage by name."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.mod13q1 import SINUSOIDAL
from sm_platform.formats.vnp13a1 import composite_day, modis_reliability, read_composite
from sm_platform.grid.window import lonlat_bounds
from sm_platform_tests.formats.viirs_files import CELL_M, LEFT_M, TOP_M, metadata, write_viirs

NPP = "VNP13A1.A2025001.h27v06.002.2025018000000"
GOOD, MARGINAL, SNOW, CLOUD = 0, 1, 2, 3


def row(values: list[int], dtype: str = "int16") -> NDArray[Any]:
    return np.array([values], dtype=dtype)


def tile(folder: Path, layers: list[NDArray[Any]], name: str = NPP, **how: Any) -> Path:  # noqa: ANN401
    return write_viirs(folder / f"{name}.h5", layers, **how)


def good(n: int = 2) -> list[NDArray[Any]]:
    return [row([5000] * n), row([1] * n), row([0] * n, "int8")]


@pytest.mark.parametrize(
    ("granule_id", "day"),
    [
        (NPP, date(2025, 1, 1)),
        ("VJ113A1.A2025009.h27v06.002.2025026000000", date(2025, 1, 9)),
        ("VJ213A1.A2024361.h27v06.002.2025013000000", date(2024, 12, 26)),
        ("VNP13A1.A2025361.h28v07.002.2026013000000", date(2025, 12, 27)),
    ],
)
def test_a_composite_begins_every_eight_days(granule_id: str, day: date) -> None:
    assert composite_day(granule_id) == day


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("VNP13A1.A2025002.h27v06.002.2025018000000", "no composite begins on day 2: check"),
        ("VNP13A1.A2025000.h27v06.002.2025018000000", "no composite begins on day 0"),
        ("VNP13A1.A2025369.h27v06.002.2025018000000", "no composite begins on day 369"),
        ("VNP13A1.A0000001.h27v06.002.2025018000000", "no composite begins on day 1"),
        (
            "VNP13A1.A2023001.h27v06.001.2023018000000",
            r"collection 001, read is 002: fetch VNP13A1.002",
        ),
        ("VJ113A1.A2023001.h27v06.001.2023018000000", r"read is 002: fetch VJ113A1\.002"),
        ("VNP13A2.A2025001.h27v06.002.2025018000000", "is no VNP13A1, VJ113A1 or VJ213A1 id"),
        ("MOD13Q1.A2025001.h27v06.061.2025018000000", "is no VNP13A1"),
    ],
)
def test_other_ids_are_refused(wrong: str, why: str) -> None:
    with pytest.raises(GranuleError, match=why):
        composite_day(wrong)


def test_a_composite_by_hand(tmp_path: Path) -> None:
    layers = [
        row([-15000, -13000, -2001, -2000, 0, 7500, 10000, 10001]),
        row([-1, -1, 1, 1, 16, 17, 0, 5]),
        row([-1, -4, 9, 0, 2, 8, 7, 12], "int8"),
    ]
    found = read_composite(tile(tmp_path, layers), NPP)
    ndvi = np.array([[np.nan, np.nan, np.nan, -0.2, 0, 0.75, 1, np.nan]], np.float32)
    np.testing.assert_array_equal(found.values["ndvi"], ndvi)
    codes = found.values["ndvi_range_code"]
    np.testing.assert_array_equal(codes, [[-1, -1, -1, 0, 0, 0, 0, 1]])
    quality = [[-1, -1, CLOUD, GOOD, MARGINAL, SNOW, CLOUD, -1]]
    np.testing.assert_array_equal(found.values["reliability_code"], quality)
    first = date(2025, 1, 1).toordinal()
    days = [[-1, -1, first, first, first + 15, -1, -1, first + 4]]
    np.testing.assert_array_equal(found.values["observed_day"], days)
    assert {name: band.dtype.name for name, band in found.values.items()} == {
        "ndvi": "float32",
        "ndvi_range_code": "int8",
        "reliability_code": "int8",
        "observed_day": "int32",
    }
    assert found.window.crs == SINUSOIDAL
    corner = (found.window.affine.a, found.window.affine.c, found.window.affine.f)
    assert corner == pytest.approx((CELL_M, LEFT_M, TOP_M), abs=1e-5)


def test_every_class_has_its_place_on_the_scale_of_modis() -> None:
    """Excellent, good; acceptable to questionable; poor, shadow, snow, cloud, never seen; fill."""
    found = modis_reliability(np.arange(-4, 13, dtype=np.int8)).tolist()
    assert found[:4] == [-1] * 4
    assert found[4:10] == [GOOD, GOOD, MARGINAL, MARGINAL, MARGINAL, MARGINAL]
    assert found[10:16] == [CLOUD, CLOUD, SNOW, CLOUD, CLOUD, CLOUD]
    assert found[16] == -1


def test_quality_written_without_a_sign_is_read_the_same(tmp_path: Path) -> None:
    layers = [*good(3)[:2], row([255, 8, 0], "uint8")]
    found = read_composite(tile(tmp_path, layers), NPP).values["reliability_code"]
    np.testing.assert_array_equal(found, [[-1, SNOW, GOOD]])


@pytest.mark.parametrize("start", [date(2024, 12, 18), date(2025, 12, 19), date(2024, 12, 26)])
def test_the_last_composites_of_a_year_run_into_the_next(tmp_path: Path, start: date) -> None:
    name = f"VNP13A1.A{start:%Y%j}.h27v06.002.2026004000000"
    days = [start + timedelta(days=n) for n in range(17)]
    stored = row([day.timetuple().tm_yday for day in days])
    layers = [np.full_like(stored, 5000), stored, np.zeros_like(stored, dtype=np.int8)]
    found = read_composite(tile(tmp_path, layers, name), name).values["observed_day"]
    assert [date.fromordinal(number) for number in found[0, :16].tolist()] == days[:16]
    assert found[0, 16] == -1


def test_a_part_is_a_crop_of_all_fields(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    layers = [
        random.integers(-2000, 10001, (40, 50)).astype(np.int16),
        random.integers(1, 17, (40, 50)).astype(np.int16),
        random.integers(0, 12, (40, 50)).astype(np.int8),
    ]
    path = tile(tmp_path, layers)
    whole = read_composite(path, NPP)
    west, south, east, north = lonlat_bounds(whole.window)
    middle = ((west + east) / 2, (south + north) / 2)
    bounds = (middle[0] - 0.02, middle[1] - 0.02, middle[0] + 0.02, middle[1] + 0.02)
    part = read_composite(path, NPP, bounds_lonlat=bounds)
    left = round((part.window.affine.c - whole.window.affine.c) / CELL_M)
    top = round((whole.window.affine.f - part.window.affine.f) / CELL_M)
    rows, cols = part.window.shape
    assert part.window.size < whole.window.size / 2
    own = lonlat_bounds(part.window)
    assert own[0] <= bounds[0] < bounds[2] <= own[2]
    assert own[1] <= bounds[1] < bounds[3] <= own[3]
    for name, band in part.values.items():
        np.testing.assert_array_equal(
            band, whole.values[name][top : top + rows, left : left + cols]
        )


def test_a_place_outside_the_tile_is_refused(tmp_path: Path) -> None:
    path = tile(tmp_path, good())
    with pytest.raises(GranuleError, match=r"lies outside .*: fetch the tile of the region"):
        read_composite(path, NPP, bounds_lonlat=(10.0, 20.0, 10.1, 20.1))
    with pytest.raises(GranuleError, match="are not west, south, east, north"):
        read_composite(path, NPP, bounds_lonlat=(107.0, 20.0, 106.0, 20.1))


@pytest.mark.parametrize("scale", [None, 1e-4, 1e4])
def test_the_scale_is_the_products_however_it_is_written(
    tmp_path: Path, scale: float | None
) -> None:
    found = read_composite(tile(tmp_path, good(), scale=scale), NPP).values["ndvi"]
    np.testing.assert_array_equal(found, np.float32([[0.5, 0.5]]))


TEXT = metadata(1, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GROUP=GridStructure\nEND\n", "no grid VIIRS_Grid_16Day_VI_500m"),
        (TEXT.replace("VIIRS_Grid", "NPP_Grid"), "no grid VIIRS_Grid_16Day_VI_500m"),
        (TEXT.replace("HE5_GCTP_SNSOID", "HE5_GCTP_GEO"), "projection HE5_GCTP_GEO"),
        (TEXT.replace("6371007.181000", "6378137.0"), "projection parameters"),
        (TEXT.replace(",0,0,0)", ",0,1,0)"), "projection parameters"),
        (TEXT.replace("GD_UL", "GD_LL"), "origin HE5_HDFE_GD_LL"),
        (TEXT.replace("UpperLeftPointMtrs", "Upper"), "UpperLeftPointMtrs is missing"),
        (TEXT.replace("XDim=2", "XDim=0"), "0 x 1 cells"),
        (TEXT.replace("2300000.000000", "1.2.3"), "'1.2.3' is no number"),
        (TEXT.replace("2300000.000000", "1e999"), "'1e999' is no number"),
        (metadata(1, 2, cell_m=926.625433), r"cells of 926\.625433 x 926\.625433 m"),
    ],
)
def test_a_grid_that_is_not_the_products_is_refused_by_name(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tile(tmp_path, good(), text=text)
    with pytest.raises(GranuleError, match=rf"{NPP}\.h5: .*{why}"):
        read_composite(path, NPP)


@pytest.mark.parametrize(
    ("layers", "how", "why"),
    [
        ([row([0.5, 0.5], "float32"), *good()[1:]], {}, r"NDVI is float32 of shape \(1, 2\), not"),
        ([good()[0], row([1, 1], "int32"), good()[2]], {}, "composite day of the year is int32"),
        ([*good()[:2], row([0, 0, 0], "int8")], {}, r"reliability is int8 of shape \(1, 3\)"),
        (good(), {"scale": 1000.0}, r"NDVI has the scale \[1000\.0\], not 0\.0001"),
        (good(), {"names": ("NDVI", "day", "pixel reliability")}, "of the year is missing"),
    ],
)
def test_a_wrong_field_is_named(
    tmp_path: Path, layers: list[NDArray[Any]], how: dict[str, Any], why: str
) -> None:
    with pytest.raises(GranuleError, match=why):
        read_composite(tile(tmp_path, layers, **how), NPP)


def test_damage_and_other_formats_are_refused_by_name(tmp_path: Path) -> None:
    path = tile(tmp_path, good())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(GranuleError, match="damaged or cut off"):
        read_composite(path, NPP)
    path.write_text("<html><title>Earthdata Login</title></html>")
    with pytest.raises(GranuleError, match="not HDF5: fetch it again"):
        read_composite(path, NPP)
