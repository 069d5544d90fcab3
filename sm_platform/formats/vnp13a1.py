"""VNP13A1, VJ113A1 and VJ213A1, collection 2: VIIRS vegetation composites, 500 m, sinusoidal.

Each satellite (Suomi NPP, NOAA-20, NOAA-21) gives a composite of 16 days every 8 days of the MODIS
calendar; that of Suomi NPP is reported to end about 2026-11-01, VJ113A1 goes on. The tile is one
HDF-EOS 5 file of 2400 x 2400 cells of 463.312716 m. VNP13 user guide and ATBD 2.1.2 (Didan and
others, 2018) and file specification: NDVI int16, scale 0.0001, valid -10000 to 10000, fill -15000
(-13000 where there is no data); composite day of the year int16, 1 to 366; pixel reliability int8
with the classes below. As in MOD13, `scale_factor` is the divisor 10000.

Read as formats/mod13q1.py reads MODIS, so that either can follow the other in a series:

- NDVI below -0.2 (the valid range of MOD13, over which the recipes scale) is out of range here too,
  code -1. Only water, cloud and damage give it.
- Reliability on the scale of MOD13: excellent and good are good; acceptable, marginal, pass and
  questionable are marginal; snow or ice is snow. Cloud, cloud shadow and poor are cloud: the ground
  was not seen. So are estimated and long-term average: nothing was seen at all.
"""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import need_field, opened_hdf
from sm_platform.formats.geotiff import Bounds
from sm_platform.formats.hdf_eos import Part, part_of, tile_window
from sm_platform.formats.mod13q1 import decode_ndvi, decode_observed_day
from sm_platform.grid.calendar import is_composite
from sm_platform.grid.window import GridWindow, Raster

GRID = "VIIRS_Grid_16Day_VI_500m"
FIELDS = f"HDFEOS/GRIDS/{GRID}/Data Fields"
NDVI, DAY, RELIABILITY = (
    f"500 m 16 days {name}" for name in ("NDVI", "composite day of the year", "pixel reliability")
)
CELL_M = 463.312716569
"""Side of a cell: a tile of 1111950.52 m holds 2400."""
COLLECTION = "002"
SCALES = (1e-4, 1e4)
"""Ways to write the scale: as a factor, and as the divisor that the files hold."""
GOOD, MARGINAL, SNOW, CLOUD = 0, 1, 2, 3
MODIS_RELIABILITY = {
    0: GOOD,  # excellent
    1: GOOD,  # good
    2: MARGINAL,  # acceptable
    3: MARGINAL,  # marginal
    4: MARGINAL,  # pass
    5: MARGINAL,  # questionable
    6: CLOUD,  # poor
    7: CLOUD,  # cloud shadow
    8: SNOW,  # snow or ice
    9: CLOUD,  # cloud
    10: CLOUD,  # estimated
    11: CLOUD,  # long-term average
}
"""Class of the VNP13 user guide, table of pixel reliability, to that of MOD13."""

_ID = re.compile(r"(?:VNP|VJ1|VJ2)13A1\.A(\d{4})(\d{3})\.h\d{2}v\d{2}\.(\d{3})\.\d{13}", re.ASCII)


def composite_day(granule_id: str) -> date:
    """First day of the 16 of a composite, from `VNP13A1.A2025001.h27v06.002.2025018000000`.

    Raises:
        GranuleError: not such an id, another collection, or a day on which no composite begins.
    """
    parts = _ID.fullmatch(granule_id)
    if parts is None:
        raise GranuleError(
            f"{granule_id}: is no VNP13A1, VJ113A1 or VJ213A1 id: check the file's name."
        )
    if parts[3] != COLLECTION:
        raise GranuleError(
            f"{granule_id}: is of collection {parts[3]}, read is {COLLECTION}: fetch "
            f"{granule_id.partition('.')[0]}.{COLLECTION}."
        )
    year, number = int(parts[1]), int(parts[2])
    day = date(max(year, 1), 1, 1) + timedelta(days=number - 1)
    if number < 1 or day.year != year or not is_composite(day):
        raise GranuleError(f"{granule_id}: no composite begins on day {number}: check its name.")
    return day


def read_composite(path: Path, granule_id: str, *, bounds_lonlat: Bounds | None = None) -> Raster:
    """NDVI and its quality of one composite, on the sinusoidal grid of the file.

    `ndvi` float32 (unit 1, NaN missing); `ndvi_range_code` int8 (-1 below -0.2 and at fill values,
    1 above 1, else 0); `reliability_code` int8 (0 good, 1 marginal, 2 snow, 3 cloud, -1 unknown);
    `observed_day` int32 (proleptic ordinal, -1 unknown). Only the cells of `bounds_lonlat` with a
    margin of one are read.

    Raises:
        GranuleError: a field is missing, damaged, of another type, scale or shape; the grid is not
            that of the product; the bounds lie outside the tile.
    """
    start = composite_day(granule_id)
    with opened_hdf(path) as file:
        grid = tile_window(file, path, GRID)
        _check_cell(grid, path)
        part = part_of(grid, path, bounds_lonlat)
        stored, day, quality = (
            _numbers(file, path, field, (grid.shape, part))
            for field in ((NDVI, "int16"), (DAY, "int16"), (RELIABILITY, "int8", "uint8"))
        )
    values, code = decode_ndvi(stored)
    return Raster(
        part.window,
        {
            "ndvi": values,
            "ndvi_range_code": code,
            "reliability_code": modis_reliability(quality),
            "observed_day": decode_observed_day(day, start),
        },
    )


def modis_reliability(stored: NDArray[Any]) -> NDArray[np.int8]:
    """Reliability on the scale of MOD13 from that of VNP13; -1 for whatever is no class of it."""
    found = np.full(stored.shape, -1, np.int8)
    for viirs, modis in MODIS_RELIABILITY.items():
        found[stored == viirs] = modis
    return found


def _numbers(
    file: h5py.File, path: Path, field: tuple[str, ...], where: tuple[tuple[int, int], Part]
) -> NDArray[Any]:
    """The wanted part of a field (name, then allowed types), as stored."""
    (name, *dtypes), (shape, part) = field, where
    stored = need_field(file, path, f"{FIELDS}/{name}")
    if str(stored.dtype) not in dtypes or stored.shape != shape:
        raise GranuleError(
            f"{path.name}: {name} is {stored.dtype} of shape {stored.shape}, not "
            f"{' or '.join(dtypes)} of {shape}: fetch the original."
        )
    if name == NDVI:
        _check_scale(stored, path)
    return np.asarray(stored[part.rows, part.cols])


def _check_scale(stored: h5py.Dataset, path: Path) -> None:
    """Raises GranuleError when the file states another scale than the product's."""
    stated = np.ravel(stored.attrs.get("scale_factor", SCALES[0]))
    if stated.size != 1 or not np.isclose(float(stated[0]), SCALES, rtol=1e-6).any():
        raise GranuleError(
            f"{path.name}: {NDVI} has the scale {stated.tolist()}, not {SCALES[0]}: fetch the "
            "original."
        )


def _check_cell(grid: GridWindow, path: Path) -> None:
    """Corners are written to a millionth of a metre: the cell is that of the product or not."""
    width, height = grid.affine.a, -grid.affine.e
    if max(abs(width - CELL_M), abs(height - CELL_M)) > 1e-3:
        raise GranuleError(
            f"{path.name}: cells of {width:.6f} x {height:.6f} m, not {CELL_M:.6f}: fetch the "
            "original."
        )
