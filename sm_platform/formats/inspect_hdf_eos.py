"""What an HDF-EOS grid holds: MODIS (HDF 4) and VIIRS (HDF 5) vegetation tiles as NASA ships them.

The grid stands in the text `StructMetadata.0` (HDF-EOS library user's guide): outer corners in
metres of the sinusoidal projection, rows YDim and columns XDim.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import opened_hdf
from sm_platform.formats.inspected import (
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    unit_of,
)
from sm_platform.formats.layers import Layer, layers_of
from sm_platform.formats.magic import HDF4, first_bytes
from sm_platform.formats.mod13q1 import SINUSOIDAL
from sm_platform.formats.recognised import Recognised

METADATA = "StructMetadata.0"
H5_METADATA = "HDFEOS INFORMATION/StructMetadata.0"
H5_GRIDS = "HDFEOS/GRIDS"
_CORNER = r"=\(\s*(-?[\d.eE+]+)\s*,\s*(-?[\d.eE+]+)\s*\)"
_NUMBER = re.compile(r"\b(XDim|YDim)=(\d+)")


@dataclass(frozen=True, slots=True)
class _Field:
    """One array of the grid, as stored."""

    name: str
    values: NDArray[Any]
    attrs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Grid:
    affine: Affine
    shape: tuple[int, int]

    def cell(self, place: Place) -> tuple[int, int] | None:
        """Row and column of the cell that holds a place; None outside."""
        x, y = Transformer.from_crs("EPSG:4326", SINUSOIDAL, always_xy=True).transform(*place)
        if not (np.isfinite(x) and np.isfinite(y)):
            return None
        col, row = (int(np.floor(value)) for value in ~self.affine * (x, y))
        return (row, col) if 0 <= row < self.shape[0] and 0 <= col < self.shape[1] else None


def inspect_hdf_eos(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """The fields of the first grid.

    Raises:
        GranuleError: damaged, without such a grid, or in another projection.
    """
    with _opened(path) as (text, fields):
        grid = _grid_of(path, text)
        cell = grid.cell(place) if place else None
        found: dict[str, Variable] = {}
        for one in (field for field in fields if field.values.ndim == 2):
            variable = _variable(known.product, one, cell)
            name = one.name if variable.name in found else variable.name
            found[name] = replace(variable, name=name)
    notes = ("The place lies outside this file.",) if place and cell is None else ()
    affine = tuple(grid.affine)[:6]
    return Inspection(
        known.product, known.time_utc, SINUSOIDAL, affine, grid.shape, tuple(found.values()), notes
    )


def _variable(product: str, field: _Field, cell: tuple[int, int] | None) -> Variable:
    (layer,) = layers_of(product, field.name, [field.name])
    if layer is None:
        layer = _of_attributes(field)
    values = field.values
    valid = (values >= layer.low) & (values <= layer.high)
    at = None
    if cell is not None and valid[cell]:
        at = number_of(float(f"{float(values[cell]) * layer.scale:.12g}"))
    share = share_of(int(np.count_nonzero(valid)), values.size)
    return Variable(layer.name, layer.unit, share, at)


def _of_attributes(field: _Field) -> Layer:
    """By the field's own attributes: a scale above 1 is a divisor in these products."""
    low, high = (float(one) for one in np.ravel(field.attrs.get("valid_range", (-1e38, 1e38)))[:2])
    scale = float(np.ravel(field.attrs.get("scale_factor", 1.0))[0])
    unit = field.attrs.get("units", "")
    text = unit.decode() if isinstance(unit, bytes) else str(np.ravel(unit)[0] if unit else "")
    return Layer(field.name, unit_of(text), low, high, 1 / scale if scale > 1 else scale)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, list[_Field]]]:
    """The grid's description and its fields."""
    if first_bytes(path).startswith(HDF4):
        yield _hdf4(path)
        return
    with opened_hdf(path) as file:
        text = file[H5_METADATA][()]
        found: list[_Field] = []

        def visit(name: str, stored: object) -> None:
            if isinstance(stored, h5py.Dataset) and "Data Fields" in name:
                found.append(_Field(name.rsplit("/", 1)[-1], stored[()], dict(stored.attrs)))

        file[H5_GRIDS].visititems(visit)
        yield text.decode() if isinstance(text, bytes) else str(text), found


def _hdf4(path: Path) -> tuple[str, list[_Field]]:
    from pyhdf.error import HDF4Error
    from pyhdf.SD import SD, SDC

    try:
        file = SD(str(path), SDC.READ)
        try:
            fields = []
            for name in file.datasets():
                one = file.select(name)
                fields.append(_Field(name, np.asarray(one.get()), one.attributes()))
            return str(file.attributes().get(METADATA, "")), fields
        finally:
            file.end()
    except (HDF4Error, ValueError, TypeError) as error:
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({error}): fetch it again."
        ) from error


def _grid_of(path: Path, text: str) -> _Grid:
    sizes = dict(_NUMBER.findall(text))
    corners = [re.search(name + _CORNER, text) for name in ("UpperLeftPointMtrs", "LowerRightMtrs")]
    if len(sizes) < 2 or not all(corners) or "GCTP_SNSOID" not in text:
        raise GranuleError(
            f"{path.name}: {METADATA} tells no sinusoidal grid: bring a tile of the land grid."
        )
    left, top, right, bottom = (float(one) for found in corners if found for one in found.groups())
    cols, rows = int(sizes["XDim"]), int(sizes["YDim"])
    affine = Affine((right - left) / cols, 0, left, 0, (bottom - top) / rows, top)
    return _Grid(affine, (rows, cols))
