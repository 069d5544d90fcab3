"""Writers of small SMAP files in their documented layouts: seeded, lossless, no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.grid import ease2
from sm_platform_tests.formats.provider_files import write_tiff

SPL4 = "SMAP_L4_SM_gph_20250110T223000_Vv8011_001.h5"
SPL4_ANALYSIS = "SMAP_L4_SM_aup_20250110T210000_Vv8011_001.h5"
SPL3 = "SMAP_L3_SM_P_E_20250110_R19240_001.h5"
NSIDC = "NSIDC-0779_EASE2_G1km_SMAP_SM_DS_20250110.tif"
L4_ATTRIBUTES = {"units": "m3 m-3", "valid_min": 0.0, "valid_max": 0.9}
L3_ATTRIBUTES = {"units": "cm**3/cm**3", "valid_min": 0.02, "valid_max": 0.5}
CORNER = (526, 3051)
"""Global 9 km row and column of 20.6 N, 104.9 E, in northern Vietnam."""
GROUPS = {"am": "Soil_Moisture_Retrieval_Data_AM", "pm": "Soil_Moisture_Retrieval_Data_PM"}


def moisture(seed: int, shape: tuple[int, int], *, gaps: float = 0.2) -> NDArray[np.float32]:
    """Soil moisture between 0.05 and 0.45 m3/m3, a share of it fill."""
    random = np.random.default_rng(seed)
    values = random.uniform(0.05, 0.45, shape).astype(np.float32)
    values[random.random(shape) < gaps] = -9999
    return values


def put(
    file: h5py.File, field: str, values: NDArray[Any], attributes: Mapping[str, Any] | None = None
) -> None:
    """A compressed field whose attributes are text as bytes and numbers of its own type."""
    stored = file.create_dataset(field, data=values, chunks=True, compression="gzip")
    fill = {"f": -9999, "u": np.iinfo(values.dtype).max - 1 if values.dtype.kind == "u" else 0}
    for name, value in ({"_FillValue": fill[values.dtype.kind]} | dict(attributes or {})).items():
        is_text = isinstance(value, str)
        stored.attrs[name] = np.bytes_(value) if is_text else values.dtype.type(value)


def put_indexes(
    file: h5py.File, names: tuple[str, str], shape: tuple[int, int], corner: tuple[int, int]
) -> None:
    """Arrays of global rows and columns of a subset."""
    for axis, name in enumerate(names):
        index = np.indices(shape)[axis] + corner[axis]
        put(file, name, index.astype(np.uint16))


def write_spl4(
    path: Path,
    values: NDArray[np.float32],
    *,
    field: str = "Geophysical_Data/sm_surface",
    corner: tuple[int, int] | None = None,
    attributes: Mapping[str, Any] = L4_ATTRIBUTES,
) -> Path:
    """SPL4SMGP: the whole grid, or a subset with its rows and columns."""
    with h5py.File(path, "w") as file:
        put(file, field, values, attributes)
        if corner is not None:
            put_indexes(file, ("cell_row", "cell_column"), values.shape, corner)
    return path


def write_spl3(
    path: Path,
    passes: Mapping[str, NDArray[np.float32]],
    *,
    quality: Mapping[str, NDArray[np.uint16]] | None = None,
    seconds: Mapping[str, NDArray[np.float64]] | None = None,
    corner: tuple[int, int] | None = None,
    attributes: Mapping[str, Any] = L3_ATTRIBUTES,
) -> Path:
    """SPL3SMP_E with the `am` or `pm` fields given; the quality is good unless given."""
    with h5py.File(path, "w") as file:
        for name, values in passes.items():
            group, end = GROUPS[name], "_pm" if name == "pm" else ""
            flags = (quality or {}).get(name, np.zeros(values.shape, np.uint16))
            put(file, f"{group}/soil_moisture{end}", values, attributes)
            put(file, f"{group}/retrieval_qual_flag{end}", flags)
            put(file, f"{group}/latitude{end}", np.where(values < 0, -9999, 20).astype("f4"))
            if seconds and name in seconds:
                put(file, f"{group}/tb_time_seconds{end}", seconds[name], {"units": "seconds"})
            if corner is not None:
                names = f"{group}/EASE_row_index{end}", f"{group}/EASE_column_index{end}"
                put_indexes(file, names, values.shape, corner)
    return path


def write_nsidc(
    path: Path,
    bands: Sequence[NDArray[Any]],
    *,
    row: int,
    col: int,
    crs: str | None = "EPSG:6933",
    affine: Affine | None = None,
) -> Path:
    """NSIDC-0779 with its north-west cell at a row and column of the 1 km grid."""
    window = ease2.window(ease2.LEVEL_1KM, row, col, bands[0].shape)
    return write_tiff(path, bands, affine=affine or window.affine, crs=crs, nodata=-9999)
