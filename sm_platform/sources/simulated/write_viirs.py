"""VNP13A1: a 16-day NDVI composite of VIIRS every 8 days, a whole sinusoidal tile in HDF-EOS 5.

Each 500 m pixel is the mean of 5 x 5 true pixels on one day of the sixteen, with noise and clouds
of its own (the afternoon's, not the morning's). It reads NDVI a little higher than MODIS: 0.010 to
0.020 in near-coincident pairs over the globe (Miura and others 2018, 10.1117/1.JRS.12.045004), the
middle of which is taken. Digits as in the VNP13 user guide: NDVI x 10000 in -10000..10000, fill
-15000 and -13000; reliability 0 excellent to 11; composite day of the year. Of the tile only the
blocks around the place are written, the rest is the file's own fill value.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from sm_platform.grid.window import GridWindow
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_modis import (
    LAST_OFFSET,
    LICENCE,
    TILE_M,
    Look,
    Optics,
    Tile,
    composite_days,
    look,
    tile_of,
)

CELLS = 2400
CELL_M = TILE_M / CELLS
"""463.31 m."""
FOOTPRINT = 5
"""True pixels along the side of one of VIIRS."""
GRID = "VIIRS_Grid_16Day_VI_500m"
ABOVE_MODIS = 0.015
NDVI_DIGITS = (-10000, 10000)
NDVI_FILLS = (-15000, -13000)
DAY_FILL, RELIABILITY_FILL = -1, -1
CLOUD, POOR, MARGINAL, GOOD = 9, 6, 3, 1
VIIRS = Optics(
    "vnp13a1", 0.020, ABOVE_MODIS, ((CLOUD, 0.65), (POOR, 0.10), (MARGINAL, 0.20), (GOOD, 0.05))
)
BLOCK = 120
"""Side of the blocks that are written or left out."""
NAMES = ("NDVI", "composite day of the year", "pixel reliability")

_METADATA = """GROUP=SwathStructure
END_GROUP=SwathStructure
GROUP=GridStructure
\tGROUP=GRID_1
\t\tGridName="{grid}"
\t\tXDim={cells}
\t\tYDim={cells}
\t\tUpperLeftPointMtrs=({left:.6f},{top:.6f})
\t\tLowerRightMtrs=({right:.6f},{bottom:.6f})
\t\tProjection=HE5_GCTP_SNSOID
\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)
\t\tSphereCode=-1
\t\tGridOrigin=HE5_HDFE_GD_UL
\t\tGROUP=Dimension
\t\tEND_GROUP=Dimension
\t\tGROUP=DataField
{fields}\t\tEND_GROUP=DataField
\t\tGROUP=MergedFields
\t\tEND_GROUP=MergedFields
\tEND_GROUP=GRID_1
END_GROUP=GridStructure
GROUP=PointStructure
END_GROUP=PointStructure
END
"""
_FIELD = """\t\t\tOBJECT=DataField_{number}
\t\t\t\tDataFieldName="{name}"
\t\t\t\tDataType={kind}
\t\t\t\tDimList=("YDim","XDim")
\t\t\tEND_OBJECT=DataField_{number}
"""
_KINDS = {"int16": "H5T_NATIVE_SHORT", "int8": "H5T_NATIVE_SCHAR"}

Stored = Mapping[str, NDArray[np.signedinteger]]
"""The bands of the part, by name, as stored."""


def write_viirs(root: Path, world: World, period: Period, first: date) -> list[Entry]:
    """Write every composite that begins on `first` or later and ends within the period."""
    tile = tile_of(world.window, CELL_M)
    smooth = uniform_filter(world.ndvi, (1, FOOTPRINT, FOOTPRINT), mode="nearest")
    return [
        _write(root, world, tile, (day, _stored(look(world, smooth, (tile, day), VIIRS))))
        for day in composite_days(period)
        if day >= first
    ]


def granule_id(start: date, tile: str, produced_utc: datetime) -> str:
    """Of Suomi NPP; the stamp is the making."""
    return f"VNP13A1.A{start:%Y%j}.{tile}.002.{produced_utc:%Y%j%H%M%S}"


def _stored(seen: Look) -> Stored:
    digits = np.clip(np.round(seen.ndvi * 10000), *NDVI_DIGITS)
    bands = (
        np.where(seen.is_fill, NDVI_FILLS[0], digits).astype(np.int16),
        np.where(seen.is_fill, DAY_FILL, seen.day_of_year).astype(np.int16),
        np.where(seen.is_fill, RELIABILITY_FILL, seen.reliability).astype(np.int8),
    )
    return dict(zip(NAMES, bands, strict=True))


def _write(root: Path, world: World, tile: Tile, dated: tuple[date, Stored]) -> Entry:
    start, bands = dated
    rng = Streams(world.seed, world.place.index).rng(f"vnp13a1_late_{start}")
    available = after(start + LAST_OFFSET, rng.uniform(8, 10))
    name = granule_id(start, tile.name, available - timedelta(seconds=rng.uniform(3600, 6 * 3600)))
    folder = granule_folder(root, Product.NDVI, world.place.region_id, name)
    _write_tile(folder / f"{name}.h5", tile, bands)
    return Entry(
        product=Product.NDVI,
        region_id=world.place.region_id,
        granule_id=name,
        day=start,
        files=(f"{name}.h5",),
        format="vnp13a1",
        available_utc=available,
        licence=LICENCE,
        bounds=tile.bounds,
    )


def _write_tile(path: Path, tile: Tile, bands: Stored) -> None:
    """A file whose bytes repeat: no times of change inside."""
    left, top = _corner(tile.name)
    target, source = _inside(tile.window, left, top)
    with h5py.File(path, "w", libver="latest", track_order=False) as file:
        text = np.bytes_(_metadata(left, top, bands))
        file.create_dataset("HDFEOS INFORMATION/StructMetadata.0", data=text, track_times=False)
        file["HDFEOS INFORMATION"].attrs["HDFEOSVersion"] = np.bytes_("HDFEOS_5.1.15")
        for name, values in bands.items():
            fills = NDVI_FILLS if name == "NDVI" else (-1,)
            field = file.create_dataset(
                f"HDFEOS/GRIDS/{GRID}/Data Fields/500 m 16 days {name}",
                (CELLS, CELLS),
                values.dtype,
                chunks=(BLOCK, BLOCK),
                compression="gzip",
                fillvalue=fills[0],
                track_times=False,
            )
            field[target] = values[source]
            field.attrs["_FillValue"] = np.array(fills, values.dtype)
            if name == "NDVI":
                field.attrs["scale_factor"] = 10000.0
                field.attrs["valid_range"] = np.array(NDVI_DIGITS, values.dtype)


def _corner(tile: str) -> tuple[float, float]:
    """Left and top of a tile, metres, from its name: `h27v06`."""
    return (int(tile[1:3]) - 18) * TILE_M, (9 - int(tile[4:6])) * TILE_M


def _inside(
    window: GridWindow, left: float, top: float
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the part lies in the tile, and which of its own rows and columns do."""
    first_row = round((top - window.affine.f) / CELL_M)
    first_col = round((window.affine.c - left) / CELL_M)
    rows, cols = (
        (max(first, 0), min(first + count, CELLS))
        for first, count in ((first_row, window.shape[0]), (first_col, window.shape[1]))
    )
    return (slice(*rows), slice(*cols)), (
        slice(rows[0] - first_row, rows[1] - first_row),
        slice(cols[0] - first_col, cols[1] - first_col),
    )


def _metadata(left: float, top: float, bands: Stored) -> str:
    fields = "".join(
        _FIELD.format(number=n, name=f"500 m 16 days {name}", kind=_KINDS[values.dtype.name])
        for n, (name, values) in enumerate(bands.items(), start=1)
    )
    return _METADATA.format(
        grid=GRID,
        cells=CELLS,
        left=left,
        top=top,
        right=left + TILE_M,
        bottom=top - TILE_M,
        fields=fields,
    )
