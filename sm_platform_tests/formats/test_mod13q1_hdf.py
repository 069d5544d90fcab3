"""MODIS composites in HDF-EOS 2: the same numbers as in GeoTIFF, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from pyhdf.SD import SD, SDC

from sm_platform.errors import GranuleError
from sm_platform.formats import mod13q1, mod13q1_hdf
from sm_platform.formats.mod13q1_hdf import CELL_M, FIELDS, read_composite
from sm_platform.grid.window import lonlat_bounds
from sm_platform_tests.formats.provider_files import write_tiff

ID = "MYD13Q1.A2024361.h28v06.061.2025013000000"
SUFFIXES = ("NDVI", "pixel_reliability", "composite_day_of_the_year")
ROWS, COLS = 30, 40
LEFT, TOP = 11119505.196667, 3335851.559
TYPES = {"int8": SDC.INT8, "int16": SDC.INT16, "float32": SDC.FLOAT32}
STRUCTURE = """GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="{grid}"
\t\tXDim={cols}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({left:.6f},{top:.6f})
\t\tLowerRightMtrs=({right:.6f},{bottom:.6f})
\t\tProjection={projection}
\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)
\t\tSphereCode=-1
\t\tGridOrigin=HDFE_GD_UL
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
END
"""


def numbers() -> list[NDArray[Any]]:
    """Every stored value that matters: fill, both ends, all classes, days over New Year."""
    random = np.random.default_rng(5)
    ndvi = random.integers(-2000, 10001, (ROWS, COLS)).astype(np.int16)
    ndvi[0, :4] = -3000, -2001, 10001, 10000
    days = random.choice([361, 366, 1, 10, -1, 200], (ROWS, COLS)).astype(np.int16)
    return [ndvi, random.integers(-1, 4, (ROWS, COLS)).astype(np.int8), days]


def write_hdf(
    path: Path,
    layers: list[NDArray[Any]],
    *,
    grid: str = "MODIS_Grid_16DAY_250m_500m_VI",
    projection: str = "GCTP_SNSOID",
    cell: float = CELL_M,
    names: tuple[str, ...] = tuple(FIELDS),
) -> Path:
    """A part of a tile in the layout of LP DAAC: compressed SDS and the structure's text."""
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    rows, cols = layers[0].shape
    corners = {"right": LEFT + cols * cell, "bottom": TOP - rows * cell}
    place = {"left": LEFT, "top": TOP, "rows": rows, "cols": cols, **corners}
    text = STRUCTURE.format(grid=grid, projection=projection, **place)
    file.attr("StructMetadata.0").set(SDC.CHAR, text)
    for name, layer in zip(names, layers, strict=True):
        field = file.create(name, TYPES[str(layer.dtype)], layer.shape)
        field.setcompress(SDC.COMP_DEFLATE, 5)
        field[:] = layer
        field.endaccess()
    file.end()
    return path


def test_it_reads_what_the_geotiffs_hold(tmp_path: Path) -> None:
    layers = numbers()
    affine = Affine(CELL_M, 0, LEFT, 0, -CELL_M, TOP)
    for suffix, layer in zip(SUFFIXES, layers, strict=True):
        path = tmp_path / f"{ID}_250m_16_days_{suffix}.tif"
        write_tiff(path, [layer], affine=affine, crs=mod13q1.SINUSOIDAL)
    expected = mod13q1.read_composite(tmp_path, ID)
    found = read_composite(write_hdf(tmp_path / f"{ID}.hdf", layers), ID)
    assert found.window.crs == expected.window.crs
    assert found.window.affine.almost_equals(expected.window.affine, 1e-5)
    assert found.values.keys() == expected.values.keys()
    for name, band in expected.values.items():
        assert found.values[name].dtype == band.dtype
        np.testing.assert_array_equal(found.values[name], band)
    assert np.isnan(found.values["ndvi"][0, :3]).all()
    assert found.values["ndvi"][0, 3] == 1


def test_bounds_give_the_same_crop(tmp_path: Path) -> None:
    path = write_hdf(tmp_path / f"{ID}.hdf", numbers())
    whole = read_composite(path, ID)
    west, south, east, north = lonlat_bounds(whole.window)
    x, y = (west + east) / 2, (south + north) / 2
    part = read_composite(path, ID, bounds_lonlat=(x - 0.005, y - 0.005, x + 0.005, y + 0.005))
    col, row = (
        round(one) for one in ~whole.window.affine * (part.window.affine.c, part.window.affine.f)
    )
    rows, cols = part.window.shape
    assert part.window.size < whole.window.size / 2
    for name, band in part.values.items():
        np.testing.assert_array_equal(band, whole.values[name][row : row + rows, col : col + cols])
    with pytest.raises(GranuleError, match="lies outside"):
        read_composite(path, ID, bounds_lonlat=(0, 0, 1, 1))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"grid": "MOD_Grid_MOD15A2H"}, "no grid MODIS_Grid_16DAY_250m_500m_VI"),
        ({"projection": "GCTP_GEO"}, "projection"),
        ({"cell": CELL_M * 2}, r"cells of 463\.3127"),
        ({"names": ("250m 16 days EVI", *list(FIELDS)[1:])}, "field 250m 16 days NDVI is missing"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    path = write_hdf(tmp_path / f"{ID}.hdf", numbers(), **changes)
    with pytest.raises(GranuleError, match=text):
        read_composite(path, ID)


def test_another_type_a_cut_file_and_a_web_page_are_refused(tmp_path: Path) -> None:
    layers = numbers()
    path = write_hdf(tmp_path / f"{ID}.hdf", [layers[0].astype(np.float32), *layers[1:]])
    with pytest.raises(GranuleError, match="NDVI is float32, not int16"):
        read_composite(path, ID)
    content = write_hdf(path, layers).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(GranuleError, match=r"\.hdf: .*fetch"):
        read_composite(path, ID)
    path.write_bytes(b"<!DOCTYPE html><html>log in</html>")
    with pytest.raises(GranuleError, match="is a web page"):
        read_composite(path, ID)


@pytest.mark.parametrize("kind", [ValueError, TypeError, OverflowError])
@pytest.mark.parametrize("where", ["_grid", "part_of", "decode_ndvi"])
def test_a_fault_of_this_reader_is_not_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], where: str
) -> None:
    def fail(*_: object) -> None:
        raise kind("a fault of ours")

    path = write_hdf(tmp_path / f"{ID}.hdf", numbers())
    monkeypatch.setattr(mod13q1_hdf, where, fail)
    with pytest.raises(kind, match="a fault of ours"):
        read_composite(path, ID)
