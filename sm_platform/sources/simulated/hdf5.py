"""Small HDF5 files whose bytes repeat: no times of change inside."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

FILL = np.float32(-9999)
Attributes = Mapping[str, str | float]


def write_hdf5(
    path: Path,
    fields: Mapping[str, NDArray[np.generic]],
    attributes: Mapping[str, Attributes],
) -> None:
    """Write fields by their path in the file; `attributes` by field, numbers in its type.

    A field of floats has `_FillValue` -9999.
    """
    with h5py.File(path, "w", libver="latest", track_order=False) as file:
        for name, values in fields.items():
            stored = file.create_dataset(name, data=values, track_times=False)
            if np.issubdtype(values.dtype, np.floating):
                stored.attrs["_FillValue"] = values.dtype.type(FILL)
            for key, value in attributes.get(name, {}).items():
                is_text = isinstance(value, str)
                stored.attrs[key] = np.bytes_(value) if is_text else values.dtype.type(value)
