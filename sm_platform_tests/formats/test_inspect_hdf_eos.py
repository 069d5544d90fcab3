"""What is shown of HDF-EOS grids: their fields, and no grid that the readers do not take."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pyhdf.SD import SD, SDC
from pyproj import Transformer

from sm_platform.errors import GranuleError
from sm_platform.formats.inspect_apart import inspect_apart
from sm_platform.formats.inspected import Inspection
from sm_platform.formats.inspection import inspect_file
from sm_platform.formats.mod13q1 import SINUSOIDAL
from sm_platform.formats.recognised import Recognised
from sm_platform.formats.vnp13a1 import read_composite
from sm_platform_tests.formats.viirs_files import GRID, metadata, write_viirs

TILE = (11119505.196667, 3335851.559)
"""Upper left corner of MODIS tile h28v06, metres of the sinusoidal grid."""
STRUCT = """GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="MODIS_Grid_16DAY_250m_500m_VI"
\t\tXDim={cols}
\t\tYDim={rows}
\t\tUpperLeftPointMtrs=({left:.6f},{top:.6f})
\t\tLowerRightMtrs=({right:.6f},{bottom:.6f})
\t\tProjection={he5}GCTP_SNSOID
\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)
\t\tGridOrigin={he5}HDFE_GD_UL
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
"""


def told(found: Inspection) -> dict[str, tuple[str, float | None, float | int | None]]:
    return {one.name: (one.unit, one.valid_share, one.at) for one in found.variables}


def tile_text(rows: int, cols: int, he5: str = "") -> str:
    side = 231.656358264
    left, top = TILE
    right, bottom = left + cols * side, top - rows * side
    corners = {"left": left, "top": top, "right": right, "bottom": bottom}
    return STRUCT.format(rows=rows, cols=cols, he5=he5, **corners)


def write_hdf4(path: Path, fields: dict[str, tuple[np.ndarray, dict[str, Any]]]) -> Path:
    file = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    kinds = {"int16": SDC.INT16, "int8": SDC.INT8, "uint16": SDC.UINT16}
    shape = next(iter(fields.values()))[0].shape
    file.attr("StructMetadata.0").set(SDC.CHAR, tile_text(*shape))
    for name, (values, attributes) in fields.items():
        one = file.create(name, kinds[values.dtype.name], values.shape)
        for key, value in attributes.items():
            setattr(one, key, value)
        one[:] = values
        one.endaccess()
    file.end()
    return path


def tile_place(row: int, col: int) -> tuple[float, float]:
    side, (left, top) = 231.656358264, TILE
    turn = Transformer.from_crs(SINUSOIDAL, "EPSG:4326", always_xy=True)
    lon, lat = turn.transform(left + (col + 0.5) * side, top - (row + 0.5) * side)
    return float(lon), float(lat)


def test_a_vegetation_tile_as_nasa_ships_it(tmp_path: Path) -> None:
    """HDF 4, whose scale factor is a divisor."""
    ndvi = np.array([[-3000, 4500, 8000], [10000, 10001, -2000]], "int16")
    quality = np.array([[-1, 0, 1], [2, 3, 4]], "int8")
    azimuth = np.array([[-18000, 0, 100], [1, 2, 30000]], "int16")
    path = write_hdf4(
        tmp_path / "MOD13Q1.A2025001.h28v06.061.2025018000000.hdf",
        {
            "250m 16 days NDVI": (ndvi, {"scale_factor": 10000.0}),
            "250m 16 days pixel reliability": (quality, {}),
            "250m 16 days relative azimuth angle": (azimuth, {}),
        },
    )
    found = inspect_file(path, tile_place(0, 1))
    assert (found.product, found.time_utc) == ("mod13q1", datetime(2025, 1, 1, tzinfo=UTC))
    assert (found.shape, found.crs) == ((2, 3), SINUSOIDAL)
    assert told(found) == {
        "NDVI": ("1", pytest.approx(4 / 6), 0.45),
        "pixel_reliability": ("1", pytest.approx(4 / 6), 0),
        "relative_azimuth_angle": ("deg", pytest.approx(5 / 6), 0),
    }
    assert [one.at for one in inspect_file(path, tile_place(5, 5)).variables] == [None] * 3


def test_a_tile_s_own_fill_range_and_scale_count(tmp_path: Path) -> None:
    """The angles' changed between collections; their fill -4000 lies within their range."""
    azimuth = np.array([[-4000, -1800, 3601]], "int16")
    attributes = {"scale_factor": 10.0, "valid_range": [-3600, 3600], "_FillValue": -4000}
    path = write_hdf4(
        tmp_path / "MYD13A2.A2025009.h28v06.006.2025018000000.hdf",
        {"1 km 16 days relative azimuth angle": (azimuth, attributes)},
    )
    found = inspect_file(path, tile_place(0, 1))
    assert (found.product, found.time_utc) == ("myd13a2", datetime(2025, 1, 9, tzinfo=UTC))
    assert told(found) == {"relative_azimuth_angle": ("deg", pytest.approx(1 / 3), -180)}


def dying(*_: object) -> Inspection:
    os.abort()


def test_a_file_that_ends_the_library_is_refused_by_name(tmp_path: Path) -> None:
    known = Recognised("mod13q1", "mod13q1", "a", None, ())
    with pytest.raises(GranuleError, match=r"a\.hdf: the file is damaged or cut off"):
        inspect_apart(dying, tmp_path / "a.hdf", known, None)


def test_its_successor_in_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "VNP13A1.A2025001.h28v06.002.2025018000000.h5"
    with h5py.File(path, "w") as file:
        text = tile_text(1, 3, "HE5_").replace("MODIS_Grid_16DAY_250m_500m_VI", GRID)
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(text)
        fields = f"HDFEOS/GRIDS/{GRID}/Data Fields"
        file[f"{fields}/500 m 16 days NDVI"] = np.array([[-15000, -3000, 5000]], "int16")
        file[f"{fields}/500 m 16 days EVI"] = np.array([[-15000, -3000, 4000]], "int16")
        evi2 = file.create_dataset(f"{fields}/500 m 16 days EVI2", data=[[0, 200, 20001]])
        evi2.attrs["scale_factor"], evi2.attrs["valid_range"] = 10000.0, [-10000, 10000]
    found = inspect_file(path, tile_place(0, 1))
    assert found.product == "vnp13a1"
    assert told(found) == {
        "NDVI": ("1", pytest.approx(2 / 3), -0.3),
        "EVI": ("1", pytest.approx(2 / 3), -0.3),
        "500 m 16 days EVI2": ("1", pytest.approx(2 / 3), 0.02),
    }


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("HE5_GCTP_SNSOID", "HE5_GCTP_GEO"),
        ("HE5_GCTP_SNSOID", "GCTP_SNSOID"),
        ("6371007.181000", "6378137.0"),
        (",0,0,0)", ",0,1,0)"),
        ("GD_UL", "GD_LL"),
        ("\tProjParams", "\tParams"),
        ("UpperLeftPointMtrs", "Upper"),
        ("XDim=3", "XDim=0"),
        ("2300000.000000", "1.2.3"),
        ("2300000.000000", "1e999"),
        ("2300000.000000", "0.0"),
    ],
)
def test_a_grid_that_no_reader_takes_is_not_shown(tmp_path: Path, right: str, wrong: str) -> None:
    """A look and the reader say the same of it."""
    name = "VNP13A1.A2025001.h27v06.002.2025018000000"
    layers = [np.array([[3, 1, 2]], kind) for kind in ("int16", "int16", "int8")]
    path = write_viirs(tmp_path / f"{name}.h5", layers)
    assert inspect_file(path, None).shape == read_composite(path, name).window.shape == (1, 3)
    assert right in metadata(1, 3)
    write_viirs(path, layers, text=metadata(1, 3).replace(right, wrong))
    said = []
    for look in (lambda: read_composite(path, name), lambda: inspect_file(path, None)):
        with pytest.raises(GranuleError, match=rf"{name}\.h5: StructMetadata\.0: ") as caught:
            look()
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_only_the_first_of_two_grids_is_shown(tmp_path: Path) -> None:
    """Its own size and fields, not those of the grid that follows."""
    path = tmp_path / "VNP13A1.A2025001.h27v06.002.2025018000000.h5"
    write_viirs(path, [np.array([[3, 1, 2]], kind) for kind in ("int16", "int16", "int8")])
    other = metadata(7, 9).replace(GRID, "Another").replace("GRID_1", "GRID_2")
    second = other.partition("GROUP=GridStructure\n")[2]
    text = metadata(1, 3).partition("END_GROUP=GridStructure")[0] + second
    with h5py.File(path, "a") as file:
        del file["HDFEOS INFORMATION/StructMetadata.0"]
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(text)
        file["HDFEOS/GRIDS/Another/Data Fields/500 m 16 days EVI"] = np.ones((1, 3), "int16")
    found = inspect_file(path, None)
    assert found.shape == (1, 3)
    assert sorted(told(found)) == ["NDVI", "composite_day_of_the_year", "pixel_reliability"]


def test_a_grid_that_no_reader_takes_is_not_shown_from_hdf4_either(tmp_path: Path) -> None:
    name = "MOD13Q1.A2025001.h28v06.061.2025018000000.hdf"
    path = write_hdf4(tmp_path / name, {"250m 16 days NDVI": (np.ones((2, 3), "int16"), {})})
    file = SD(str(path), SDC.WRITE)
    text = tile_text(2, 3).replace("HDFE_GD_UL", "HDFE_GD_LL")
    file.attr("StructMetadata.0").set(SDC.CHAR, text)
    file.end()
    with pytest.raises(GranuleError, match=rf"{name}: .* origin HDFE_GD_LL, not the north-west"):
        inspect_file(path, None)


def test_a_damaged_tile_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "MOD13Q1.A2025001.h28v06.061.2025018000000.hdf"
    write_hdf4(path, {"250m 16 days NDVI": (np.ones((2, 3), "int16"), {})})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(GranuleError, match=f"{path.name}: "):
        inspect_file(path)
