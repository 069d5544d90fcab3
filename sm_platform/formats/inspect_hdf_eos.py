"""What an HDF-EOS grid holds: MODIS (HDF 4) and VIIRS (HDF 5) vegetation tiles as NASA ships them.

The grid stands in the text `StructMetadata.0` (HDF-EOS library user's guide): outer corners in
metres of the sinusoidal projection, rows YDim and columns XDim.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
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

    def numbers(self, name: str) -> list[float]:
        """An attribute as numbers; empty where it is none."""
        value = np.ravel(self.attrs.get(name, ()))
        return [float(one) for one in value] if value.dtype.kind in "iuf" else []


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
        for one in fields:
            if one.values.shape == grid.shape:
                variable = _variable(known.product, one, cell)
                name = one.name if variable.name in found else variable.name
                found[name] = replace(variable, name=name)
    notes = ("The place lies outside this file.",) if place and cell is None else ()
    affine = tuple(grid.affine)[:6]
    return Inspection(
        known.product, known.time_utc, SINUSOIDAL, affine, grid.shape, tuple(found.values()), notes
    )


def _variable(product: str, field: _Field, cell: tuple[int, int] | None) -> Variable:
    layer, values = _layer(product, field), field.values
    valid = (values >= layer.low) & (values <= layer.high)
    for fill in field.numbers("_FillValue"):
        valid &= values != fill
    at = None
    if cell is not None and valid[cell]:
        at = number_of(float(f"{float(values[cell]) * layer.scale:.12g}"))
    share = share_of(int(np.count_nonzero(valid)), values.size)
    return Variable(layer.name, layer.unit, share, at)


def _layer(product: str, field: _Field) -> Layer:
    """Name and unit by the product's contract; range and scale by the field's own attributes.

    They changed between collections for the angles. A scale above 1 is a divisor here.
    """
    (layer,) = layers_of(product, field.name, [field.name])
    if layer is None:
        text = np.ravel(np.asarray(field.attrs.get("units", ""), object))[:1].tolist()
        unit = "".join(one.decode() if isinstance(one, bytes) else str(one) for one in text)
        layer = Layer(field.name, unit_of(unit), -np.inf, np.inf)
    ends, scale = field.numbers("valid_range"), field.numbers("scale_factor")[:1]
    if len(ends) == 2:
        layer = replace(layer, low=ends[0], high=ends[1])
    if scale and scale[0] > 0:
        layer = replace(layer, scale=1 / scale[0] if scale[0] > 1 else scale[0])
    return layer


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, Iterator[_Field]]]:
    """The grid's description and its fields, one in memory at a time."""
    if first_bytes(path).startswith(HDF4):
        with _opened_hdf4(path) as opened:
            yield opened
        return
    with opened_hdf(path) as file:
        text = file[H5_METADATA][()]
        names = list[str]()
        file[H5_GRIDS].visit(names.append)
        yield text.decode() if isinstance(text, bytes) else str(text), _fields(file, names)


def _fields(file: h5py.File, names: Sequence[str]) -> Iterator[_Field]:
    for name in names:
        stored = file[H5_GRIDS][name]
        is_field = "Data Fields" in name and isinstance(stored, h5py.Dataset)
        if is_field and stored.dtype.kind in "iuf":
            yield _Field(name.rsplit("/", 1)[-1], stored[()], dict(stored.attrs))


@contextmanager
def _opened_hdf4(path: Path) -> Iterator[tuple[str, Iterator[_Field]]]:
    from pyhdf.error import HDF4Error
    from pyhdf.SD import SD, SDC

    try:
        file = SD(str(path), SDC.READ)
        try:
            names = list(file.datasets())
            stored = ((name, file.select(name)) for name in names)
            fields = (_Field(name, np.asarray(one.get()), one.attributes()) for name, one in stored)
            yield str(file.attributes().get(METADATA, "")), fields
        finally:
            file.end()
    except (HDF4Error, ValueError, TypeError, MemoryError, OverflowError) as error:
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
