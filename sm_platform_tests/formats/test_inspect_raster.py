from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats import inspect_raster
from sm_platform.formats.inspected import Inspection, Variable
from sm_platform.formats.inspection import inspect_file
from sm_platform_tests.formats.provider_files import write_tiff
from sm_platform_tests.formats.smap_files import CORNER, NSIDC, write_nsidc

WEST, NORTH, CELL = 106.0, 21.0, 0.1
AFFINE = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
S1 = "S1A_IW_GRDH_1SDV_20250110T225118_20250110T225143_057391_07101D_A1B2.tif"
HERE, THERE = (106.05, 20.95), (106.15, 20.95)
"""Centres of row 0, columns 0 and 1."""


def raster(path: Path, *bands: list[float], dtype: str = "float32", **more: object) -> Path:
    """One row of cells a band, the first at `HERE`."""
    arrays = [np.array([band], dtype) for band in bands]
    return write_tiff(path, arrays, affine=AFFINE, **more)  # type: ignore[arg-type]


def told(found: Inspection) -> dict[str, tuple[str, float | None, float | int | None]]:
    return {one.name: (one.unit, one.valid_share, one.at) for one in found.variables}


def test_an_unknown_raster_has_its_own_scale_offset_nodata_and_unit(tmp_path: Path) -> None:
    path = raster(tmp_path / "thing.tif", [4, -1, 7, 0], dtype="int16", nodata=-1)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets, file.units = (0.5,), (10.0,), ("degrees",)
    found = inspect_file(path, HERE)
    assert (found.product, found.time_utc, found.crs) == ("unknown", None, "EPSG:4326")
    assert found.affine == pytest.approx(tuple(AFFINE)[:6])
    assert found.shape == (1, 4)
    assert told(found) == {"band_1": ("deg", 0.75, 12)}
    assert told(inspect_file(path, THERE))["band_1"] == ("deg", 0.75, None), "nodata"


def test_radar_is_in_db_and_missing_where_the_angle_is(tmp_path: Path) -> None:
    bands = [-11.5, 0.0, np.nan, -9.0], [-18.0, 0.0, -17.0, -16.0], [38.5, 0.0, 38.0, 37.0]
    path = raster(tmp_path / S1, *bands, names=("VV", "VH", "angle"))
    found = inspect_file(path, HERE)
    assert (found.product, found.time_utc) == (
        "s1_grd",
        datetime(2025, 1, 10, 22, 51, 18, tzinfo=UTC),
    )
    assert told(found) == {
        "VV": ("dB", 0.5, -11.5),
        "VH": ("dB", 0.75, -18),
        "angle": ("deg", 0.75, 38.5),
    }
    assert [one.at for one in inspect_file(path, THERE).variables] == [None, None, None]


def test_an_export_of_radar_under_any_name_is_known_by_its_bands(tmp_path: Path) -> None:
    path = raster(tmp_path / "x.tif", [-11.5], [-18.0], [38.5], names=("VV", "VH", "angle"))
    assert inspect_file(path).product == "s1_grd"
    bare = raster(tmp_path / "y.tif", [-11.5], [-18.0], names=("VV", "VH"))
    assert inspect_file(bare).product == "unknown", "gamma0 has these bands, too"


def test_linear_power_is_told_and_not_called_db(tmp_path: Path) -> None:
    bands = [0.1, 0.2], [0.01, 0.02], [38.5, 38.0]
    found = inspect_file(raster(tmp_path / S1, *bands, names=("VV", "VH", "angle")), HERE)
    assert [one.unit for one in found.variables] == ["1", "1", "deg"]
    assert "linear power" in found.notes[0]


def test_terrain_corrected_power_is_another_product(tmp_path: Path) -> None:
    name = "OPERA_L2_RTC-S1_T018-038602-IW2_20250110T225118Z_20250111T000000Z_S1A_30_v1.0_VV.tif"
    found = inspect_file(raster(tmp_path / name, [0.125, np.nan, 0.0], nodata=np.nan), HERE)
    assert (found.product, found.time_utc) == (
        "s1_rtc",
        datetime(2025, 1, 10, 22, 51, 18, tzinfo=UTC),
    )
    assert told(found) == {"VV": ("1", pytest.approx(1 / 3), 0.125)}


@pytest.mark.parametrize(
    ("layer", "stored", "variable"),
    [
        ("NDVI", [-3000, 5012, 10000, 10001], Variable("NDVI", "1", 0.5, 0.5012)),
        ("pixel_reliability", [-1, 3, 0, 255], Variable("pixel_reliability", "1", 0.5, 3)),
        (
            "composite_day_of_the_year",
            [-1, 17, 366, 367],
            Variable("composite_day_of_the_year", "day", 0.5, 17),
        ),
    ],
)
def test_vegetation_is_scaled_by_the_products_contract_not_by_its_tag(
    tmp_path: Path, layer: str, stored: list[float], variable: Variable
) -> None:
    path = tmp_path / f"MOD13Q1.A2025001.h27v06.061.2025018000000_250m_16_days_{layer}.tif"
    with rasterio.open(raster(path, stored, dtype="int16"), "r+") as file:
        file.scales = (10000.0,)
    found = inspect_file(path, THERE)
    assert (found.product, found.time_utc) == ("mod13q1", datetime(2025, 1, 1, tzinfo=UTC))
    assert found.variables == (variable,)


def test_a_scaled_float_copy_is_read_as_it_stands_and_told(tmp_path: Path) -> None:
    path = tmp_path / "MOD13Q1.A2025001.h27v06.061.2025018000000_250m_16_days_NDVI.tif"
    found = inspect_file(raster(path, [0.5, 0.25]), HERE)
    assert found.variables[0].at == 0.5
    assert "float32" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "dtype", "words", "expected"),
    [
        (
            "SWC-SMAP-L_V2.0_100-20250110T0130_swc.tiff",
            "uint16",
            ("swc", "swc_before_flags"),
            {"swc": ("m3/m3", 1, 0.3), "swc_before_flags": ("m3/m3", 1, 0.3)},
        ),
        (
            "ESA_WorldCover_10m_2021_v200_N18E105_Map.tif",
            "uint8",
            ("Map",),
            {"land_cover": ("1", 1, 30)},
        ),
        (
            "Copernicus_DSM_COG_10_N20_00_E106_00_DEM.tif",
            "float32",
            ("height",),
            {"elevation": ("m", 1, 30)},
        ),
    ],
)
def test_the_contract_counts_whatever_the_bands_are_called(
    tmp_path: Path, name: str, dtype: str, words: tuple[str, ...], expected: dict[str, object]
) -> None:
    stored = [[300.0 if dtype == "uint16" else 30.0]] * len(words)
    found = inspect_file(raster(tmp_path / name, *stored, dtype=dtype, names=words), HERE)
    assert told(found) == expected


def test_nsidc_bands_called_by_their_pass_are_soil_moisture(tmp_path: Path) -> None:
    bands = [np.array([[0.25, 0]], "f4"), np.array([[0.3, 0.4]], "f4")]
    path = write_nsidc(tmp_path / NSIDC, bands, row=CORNER[0] * 9, col=CORNER[1] * 9)
    with rasterio.open(path, "r+") as file:
        file.descriptions = ("AM", "PM")
    assert told(inspect_file(path)) == {
        "soil_moisture_am": ("m3/m3", 0.5, None),
        "soil_moisture_pm": ("m3/m3", 1, None),
    }


def test_bands_of_one_layer_keep_their_own_names(tmp_path: Path) -> None:
    words = ("sand_0-5cm_mean", "sand_5-15cm_mean")
    path = raster(tmp_path / "sand_mean.tif", [431.0], [420.0], dtype="int16", names=words)
    assert {name: at for name, (_, _, at) in told(inspect_file(path, HERE)).items()} == {
        "sand_0-5cm_mean": 431,
        "sand_5-15cm_mean": 420,
    }
    same = raster(tmp_path / "a.tif", [1.0], [2.0], names=("a", "a"))
    assert list(told(inspect_file(same))) == ["a_1", "a_2"]


@pytest.mark.parametrize(
    ("name", "dtype", "product", "moment", "variable"),
    [
        (
            "MOD13Q1.061__250m_16_days_NDVI_doy2025009_aid0001.tif",
            "int16",
            "mod13q1",
            datetime(2025, 1, 9, tzinfo=UTC),
            Variable("NDVI", "1", 1, 0.003),
        ),
        (
            "SPL4SMGP.008_Geophysical_Data_sm_surface_doy2025134013000_aid0001.tif",
            "float32",
            "spl4smgp",
            datetime(2025, 5, 14, 1, 30, tzinfo=UTC),
            Variable("sm_surface", "m3/m3", 0, None),
        ),
        (
            "SRTMGL1_NC.003_SRTMGL1_DEM_doy2000042_aid0001.tif",
            "int16",
            "unknown",
            None,
            Variable("band_1", "", 1, 30),
        ),
        ("clay_5-15cm_mean_1000.tif", "int16", "soilgrids", None, Variable("clay", "g/kg", 1, 30)),
        ("bdod_0-5cm_Q0.5.tif", "int16", "soilgrids", None, Variable("bdod", "cg/cm3", 1, 30)),
    ],
)
def test_names_that_services_give(
    tmp_path: Path,
    name: str,
    dtype: str,
    product: str,
    moment: datetime | None,
    variable: Variable,
) -> None:
    found = inspect_file(raster(tmp_path / name, [30.0], dtype=dtype), HERE)
    assert (found.product, found.time_utc, found.variables) == (product, moment, (variable,))


def test_dynamic_world_is_known_by_its_bands(tmp_path: Path) -> None:
    words = ("flooded_vegetation", "shrub_and_scrub", "label")
    found = inspect_file(raster(tmp_path / "x.tif", [0.25], [0.5], [3.0], names=words), HERE)
    assert found.product == "dynamic_world"
    assert told(found)["label"] == ("1", 1, 3)
    assert told(found)["flooded_vegetation"] == ("1", 1, 0.25)


def test_longitudes_to_360_hold_places_of_the_west(tmp_path: Path) -> None:
    globe = Affine(180, 0, 0, 0, -0.1, NORTH)
    path = write_tiff(tmp_path / "a.tif", [np.array([[1, 2]], "f4")], affine=globe)
    assert inspect_file(path, (-70.5, 20.95)).variables[0].at == 2


def test_infinite_numbers_are_no_values(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.tif", [np.inf, 1.0])
    assert told(inspect_file(path, HERE)) == {"band_1": ("", 0.5, None)}


def test_planet_value_and_flags(tmp_path: Path) -> None:
    stem = "SWC-SMAP-L_V2.0_100-20250110T0130_swc"
    value = raster(tmp_path / f"{stem}.tiff", [310, 65535, 1001], dtype="uint16", nodata=65535)
    flags = raster(tmp_path / f"{stem}-qf.tiff", [32, 65535, 0], dtype="uint16")
    found = inspect_file(value, HERE)
    assert found.product == "planet_swc"
    assert found.time_utc == datetime(2025, 1, 9, 18, 25, 24, tzinfo=UTC), "of 106.15 E"
    assert told(found) == {"swc": ("m3/m3", pytest.approx(1 / 3), 0.31)}
    assert told(inspect_file(flags, HERE)) == {"swc_qf": ("1", 1.0, 32)}


@pytest.mark.parametrize("crs", ["EPSG:6933", "EPSG:3410", None])
def test_nsidc_lies_where_its_cells_say_whatever_its_crs(tmp_path: Path, crs: str | None) -> None:
    bands = [np.array([[0.25, -9999]], "f4"), np.array([[np.nan, 1.5]], "f4")]
    row, col = CORNER[0] * 9, CORNER[1] * 9
    path = write_nsidc(tmp_path / NSIDC, bands, row=row, col=col, crs=crs)
    with rasterio.open(path) as file:
        x, y = file.transform * (0.5, 0.5)
    place = Transformer.from_crs("EPSG:6933", "EPSG:4326", always_xy=True).transform(x, y)
    found = inspect_file(path, place)
    assert (found.product, found.crs) == ("nsidc_0779", "EPSG:6933")
    assert told(found) == {
        "soil_moisture_am": ("m3/m3", 0.5, 0.25),
        "soil_moisture_pm": ("m3/m3", 0.0, None),
    }


def test_a_file_that_no_label_is_read_from_says_why(tmp_path: Path) -> None:
    bands = [np.array([[25.0, 31.0]], "f4"), np.array([[-9999, 28.0]], "f4")]
    path = write_nsidc(tmp_path / NSIDC, bands, row=CORNER[0] * 9, col=CORNER[1] * 9)
    found = inspect_file(path)
    assert [one.valid_share for one in found.variables] == [0, 0]
    assert "like percent, not m3/m3" in found.notes[-1]


@pytest.mark.parametrize(
    ("name", "dtype", "bands", "expected"),
    [
        ("sand_0-5cm_mean.tif", "int16", [[-32768, 431, 1001]], {"sand": ("g/kg", 1 / 3, 431)}),
        ("bdod_0-5cm_mean.tif", "int16", [[-32768, 131, 0]], {"bdod": ("cg/cm3", 1 / 3, 131)}),
        (
            "Copernicus_DSM_COG_10_N20_00_E106_00_DEM.tif",
            "float32",
            [[np.nan, 2.5, -9999]],
            {"elevation": ("m", 1 / 3, 2.5)},
        ),
        (
            "ESA_WorldCover_10m_2021_v200_N18E105_Map.tif",
            "uint8",
            [[0, 40, 90]],
            {"land_cover": ("1", 2 / 3, 40)},
        ),
        (
            "Weather_2025-01-08.tif",
            "float32",
            [[np.nan, 290.5, 291], [0, 0.004, -1]],
            {
                "temperature_2m": ("K", 2 / 3, 290.5),
                "total_precipitation_sum": ("m", 2 / 3, pytest.approx(0.004)),
            },
        ),
        (
            "SoilGrid_sand_clay_bdod.tif",
            "float32",
            [[0, 431, 5], [0, 210, 5], [0, 131, 5]],
            {
                "sand": ("g/kg", 1.0, 431),
                "clay": ("g/kg", 1.0, 210),
                "bdod": ("cg/cm3", 2 / 3, 131),
            },
        ),
        (
            "S1_2025-01-08.tif",
            "float32",
            [[0, -8.0, -9], [0, -14.0, -15], [0, 38.0, 38]],
            {
                "VV": ("dB", pytest.approx(2 / 3), -8),
                "VH": ("dB", pytest.approx(2 / 3), -14),
                "angle": ("deg", pytest.approx(2 / 3), 38),
            },
        ),
    ],
)
def test_products_by_name(
    tmp_path: Path, name: str, dtype: str, bands: list[list[float]], expected: dict[str, object]
) -> None:
    found = inspect_file(raster(tmp_path / name, *bands, dtype=dtype), THERE)
    assert told(found) == expected
    assert found.product != "unknown"


def test_eo_browser_export_is_doubled(tmp_path: Path) -> None:
    bands = [0.0, 0.0], [0.125, 0.2], [1.0, 0.0]
    found = inspect_file(raster(tmp_path / "2025-01-10_swc.tif", *bands), HERE)
    assert found.product == "planet_swc"
    assert told(found)["swc"] == ("m3/m3", 0.5, 0.25)


def test_masks_count_as_missing(tmp_path: Path) -> None:
    path = raster(tmp_path / "a.tif", [5, 6, 7, 8], dtype="uint8")
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "r+") as file,
    ):
        file.write_mask(np.array([[0, 255, 255, 255]], "uint8"))
    assert told(inspect_file(path, HERE)) == {"band_1": ("", 0.75, None)}


def test_a_large_file_is_counted_strip_by_strip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(64 * 50, dtype="int16").reshape(64, 50)
    path = write_tiff(tmp_path / "a.tif", [values], affine=AFFINE, nodata=3199, blockysize=3)
    whole = inspect_file(path)
    monkeypatch.setattr(inspect_raster, "STRIP_CELLS", 200)
    assert inspect_file(path) == whole
    assert whole.variables[0].valid_share == pytest.approx(1 - 1 / 3200)


def test_a_grid_that_is_not_north_up_is_shown_as_it_is(tmp_path: Path) -> None:
    south_up = Affine(CELL, 0, WEST, 0, CELL, NORTH - 2 * CELL)
    path = write_tiff(tmp_path / "a.tif", [np.array([[1], [2]], "int16")], affine=south_up)
    found = inspect_file(path, HERE)
    assert found.affine == pytest.approx(tuple(south_up)[:6])
    assert found.variables[0].at == 2


def test_outside_is_missing_and_told(tmp_path: Path) -> None:
    found = inspect_file(raster(tmp_path / "a.tif", [1.0]), (-106.0, 20.95))
    assert found.variables[0].at is None
    assert "outside" in found.notes[0]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_without_a_crs_no_place_can_be_found(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [np.ones((2, 2), "f4")], affine=None, crs=None)
    assert inspect_file(path).crs is None
    with pytest.raises(UsageError, match="a.tif has no CRS"):
        inspect_file(path, HERE)


def test_a_cut_file_is_refused_by_name(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", [np.arange(1e4, dtype="f4").reshape(100, 100)])
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(GranuleError, match="a.tif: the image is damaged or cut off"):
        inspect_file(path, HERE)


def test_a_real_vegetation_file_is_read_as_plain_numpy_reads_it(
    shared: Callable[..., Path],
) -> None:
    path = shared("realdata", "modis", "MYD13A1.A2020153.h30v10.006.2020170024036_NDVI_B01.TIF")
    with rasterio.open(path) as file:
        stored, transform, crs = file.read(1), file.transform, file.crs
    valid = (stored >= -2000) & (stored <= 10000)
    row, col = np.argwhere(valid)[1000]
    x, y = transform * (col + 0.5, row + 0.5)
    place = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    found = inspect_file(path, place)
    assert (found.product, found.time_utc) == ("myd13a1", datetime(2020, 6, 1, tzinfo=UTC))
    assert found.variables == (
        Variable("NDVI", "1", valid.mean(), pytest.approx(stored[row, col] / 10000)),
    )


@pytest.mark.parametrize(
    ("end", "name", "highest"),
    [("VIQ_B03", "VI_Quality", 65534), ("PR_B12", "pixel_reliability", 3)],
)
def test_the_quality_of_a_real_vegetation_file(
    shared: Callable[..., Path], end: str, name: str, highest: int
) -> None:
    tile = "MYD13A1.A2020153.h30v10.006.2020170024036"
    path = shared("realdata", "modis", f"{tile}_{end}.TIF")
    with rasterio.open(path) as file:
        share = float((file.read(1) <= highest).mean())
    assert 0.5 < share < 1
    assert inspect_file(path).variables == (Variable(name, "1", share, None),)


def test_a_real_elevation_tile(shared: Callable[..., Path]) -> None:
    path = shared("realdata", "dem_landcover", "Copernicus_DSM_COG_10_N00_00_E006_00_DEM.tif")
    with rasterio.open(path) as file:
        (value,) = next(file.sample([(6.6, 0.25)]))
    found = inspect_file(path, (6.6, 0.25))
    assert told(found) == {"elevation": ("m", 1.0, pytest.approx(float(value)))}
    assert (found.crs, found.shape) == ("EPSG:4326", (3600, 3600))
