"""SoilGrids: type, nodata and CRS of the file's own, in its projection or exported."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from sm_platform.errors import GranuleError
from sm_platform.formats.soilgrids import read_soil
from sm_platform.grid.window import lonlat, lonlat_bounds
from sm_platform_tests.formats.provider_files import write_tiff

HOMOLOSINE = "+proj=igh +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
PROVIDER = {"crs": HOMOLOSINE, "affine": Affine(250, 0, 11_300_000, 0, -250, 2_282_000)}
EXPORT = {"crs": "EPSG:4326", "affine": Affine(0.0022, 0, 106.3, 0, -0.0022, 20.6)}
EVERYWHERE = (106.0, 20.0, 107.0, 21.0)
NAMES = ("sand_g_kg", "clay_g_kg", "bulk_density_cg_cm3")


def write_soil(folder: Path, numbers: dict[str, list[int]], dtype: str, **grid: object) -> None:
    for name, row in numbers.items():
        band = np.array([row, row], dtype=dtype)
        write_tiff(folder / f"{name}_0-5cm_mean.tif", [band], **grid)


@pytest.mark.parametrize(
    ("dtype", "nodata", "grid"),
    [
        ("int16", -32768, PROVIDER),
        ("uint16", 65535, EXPORT),
        ("int16", None, PROVIDER),
        ("uint16", None, EXPORT),
        ("float32", -9999, EXPORT),
    ],
)
def test_each_file_says_itself_what_is_missing(
    tmp_path: Path, dtype: str, nodata: int | None, grid: dict[str, Any]
) -> None:
    fill = {"int16": -32768, "uint16": 65535, "float32": -9999}[dtype]
    numbers = {
        "sand": [250, 0, 1000, 1001, fill],
        "clay": [330, 0, 420, 500, fill],
        "bdod": [131, 99, 0, 266, fill],
    }
    write_soil(tmp_path, numbers, dtype, nodata=nodata, **grid)
    found = read_soil(tmp_path, EVERYWHERE)
    nan = np.nan
    expected = [[250, 0, 1000, nan, nan], [330, 0, 420, 500, nan], [131, 99, nan, nan, nan]]
    for name, row in zip(NAMES, expected, strict=True):
        assert found.values[name].dtype == np.float32
        np.testing.assert_array_equal(found.values[name], [row, row])
    assert found.window.affine == grid["affine"]


def test_a_nodata_tag_within_the_valid_range_counts(tmp_path: Path) -> None:
    numbers = {"sand": [0, 100], "clay": [0, 100], "bdod": [120, 120]}
    write_soil(tmp_path, numbers, "uint16", nodata=0, **EXPORT)
    found = read_soil(tmp_path, EVERYWHERE).values["sand_g_kg"]
    np.testing.assert_array_equal(found[0], [np.nan, 100])


def test_the_projection_puts_the_cells_where_they_are(tmp_path: Path) -> None:
    cells = np.arange(1, 1001, dtype=np.int16).reshape(25, 40)
    for name in ("sand", "clay"):
        write_tiff(tmp_path / f"{name}_0-5cm_mean.tif", [cells], nodata=-32768, **PROVIDER)
    write_tiff(tmp_path / "bdod_0-5cm_mean.tif", [cells // 5 + 1], nodata=-32768, **PROVIDER)
    whole = read_soil(tmp_path, EVERYWHERE)
    west, south, east, north = lonlat_bounds(whole.window)
    assert 106.2 < west < east < 106.6
    assert 20.2 < south < north < 20.6
    bounds = (west + 0.04, south + 0.02, west + 0.05, south + 0.03)
    part = read_soil(tmp_path, bounds)
    assert part.window.size < whole.window.size / 4
    lon, lat = lonlat(whole.window)
    inside = (lon > bounds[0]) & (lon < bounds[2]) & (lat > bounds[1]) & (lat < bounds[3])
    wanted = whole.values["sand_g_kg"][inside]
    assert wanted.size > 10
    assert np.isin(wanted, part.values["sand_g_kg"]).all()


def test_a_missing_or_strange_layer_is_named(tmp_path: Path) -> None:
    write_soil(tmp_path, {"sand": [1, 2], "clay": [1, 2]}, "int16", **PROVIDER)
    with pytest.raises(GranuleError, match=r"bdod_0-5cm_mean\.tif: cannot be opened"):
        read_soil(tmp_path, EVERYWHERE)
    write_soil(tmp_path, {"bdod": [1, 2]}, "uint16", **EXPORT)
    with pytest.raises(GranuleError, match=r"bdod_0-5cm_mean\.tif: lies on another grid than sand"):
        read_soil(tmp_path, EVERYWHERE)
    write_soil(tmp_path, {"clay": [1, 2]}, "uint8", **PROVIDER)
    with pytest.raises(GranuleError, match=r"clay_0-5cm_mean\.tif: clay is uint8"):
        read_soil(tmp_path, EVERYWHERE)
    write_soil(tmp_path, {"sand": [1, 2]}, "int16", affine=PROVIDER["affine"], crs=None)
    with pytest.raises(GranuleError, match=r"sand_0-5cm_mean\.tif: CRS or position is missing"):
        read_soil(tmp_path, EVERYWHERE)
