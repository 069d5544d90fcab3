"""SoilGrids 2.0: mean sand, clay (g/kg) and bulk density (cg/cm3) of 0-5 cm, 250 m.

ISRIC's files are int16 with nodata -32768 in the Interrupted Goode Homolosine projection; exports
come as uint16 with nodata 65535 in EPSG:4326. Type, nodata and CRS are therefore the file's own.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Bounds, Stored, read_first
from sm_platform.grid.window import Raster

DTYPES = ("int16", "uint16", "int32", "float32", "float64")
VALID = {
    "sand": ("sand_g_kg", 0, 1000),
    "clay": ("clay_g_kg", 0, 1000),
    "bdod": ("bulk_density_cg_cm3", 1, 265),
}
"""Band and valid range of each property; 265 cg/cm3 is rock without pores."""


def read_soil(folder: Path, bounds_lonlat: Bounds) -> Raster:
    """`sand_g_kg`, `clay_g_kg`, `bulk_density_cg_cm3` float32 on the files' own grid.

    NaN where nodata or outside the valid range (which catches fill values without a tag); 0 g/kg
    is a value.

    Raises:
        GranuleError: one of the three files is missing or damaged, or they lie on different grids.
    """
    layers = {
        name: read_first(
            folder / f"{name}_0-5cm_mean.tif", name, dtypes=DTYPES, bounds_lonlat=bounds_lonlat
        )
        for name in VALID
    }
    window = layers["sand"].window
    for name, layer in layers.items():
        if layer.window != window:
            raise GranuleError(
                f"{name}_0-5cm_mean.tif: lies on another grid than sand: fetch all three again."
            )
    return Raster(window, {VALID[name][0]: _decode(layers[name], name) for name in VALID})


def _decode(layer: Stored, name: str) -> NDArray[np.float32]:
    _, lowest, highest = VALID[name]
    values, nodata = layer.bands[0].astype(np.float64), layer.nodata
    valid = (values >= lowest) & (values <= highest)
    if nodata is not None:
        valid &= values != nodata
    return np.where(valid, values, np.nan).astype(np.float32)
