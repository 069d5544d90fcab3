"""What an HDF-EOS grid holds: MODIS (HDF 4) and VIIRS (HDF 5) vegetation tiles as NASA ships them.

The grid is what the readers take it for (formats/hdf_eos.py): the first one of the file.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import opened_hdf
from sm_platform.formats.hdf_eos import HE5, first_grid, metadata_of, window_of
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
from sm_platform.formats.recognised import Recognised
from sm_platform.grid.window import GridWindow, cell_index, reproject_points

METADATA = "StructMetadata.0"
"""Where HDF-EOS 2 keeps the text of the grids, an attribute of the file."""
H5_GRIDS = "HDFEOS/GRIDS"
NUMBERS = "iuf"
"""Kinds of numpy's types that are numbers."""
_Opened = tuple[GridWindow, Iterator["_Field"]]


@dataclass(frozen=True, slots=True)
class _Field:
    """One array of the grid, as stored."""

    name: str
    values: NDArray[Any]
    attrs: Mapping[str, Any]

    def numbers(self, name: str) -> list[float]:
        """An attribute as numbers; empty where it is none."""
        value = np.ravel(self.attrs.get(name, ()))
        return [float(one) for one in value] if value.dtype.kind in NUMBERS else []


def inspect_hdf_eos(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """The fields of the first grid.

    Raises:
        GranuleError: damaged, or its grid is not one that `hdf_eos.window_of` takes.
    """
    with _opened(path) as (grid, fields):
        cell = _cell(grid, place) if place else None
        found: dict[str, Variable] = {}
        for one in fields:
            variable = _variable(known.product, one, cell)
            name = one.name if variable.name in found else variable.name
            found[name] = replace(variable, name=name)
    notes = ("The place lies outside this file.",) if place and cell is None else ()
    affine = tuple(grid.affine)[:6]
    return Inspection(
        known.product, known.time_utc, grid.crs, affine, grid.shape, tuple(found.values()), notes
    )


def _cell(grid: GridWindow, place: Place) -> tuple[int, int] | None:
    """Row and column of the cell that holds a place; None outside."""
    lon, lat = (np.array([side], float) for side in place)
    x, y = reproject_points(lon, lat, "EPSG:4326", grid.crs)
    (index,) = cell_index(grid, x, y).tolist()
    return divmod(index, grid.shape[1]) if index >= 0 else None


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
def _opened(path: Path) -> Iterator[_Opened]:
    """The first grid and its fields, one in memory at a time."""
    if first_bytes(path).startswith(HDF4):
        with _opened_hdf4(path) as opened:
            yield opened
        return
    with opened_hdf(path) as file:
        text = metadata_of(file, path)
        name = first_grid(text, path)
        fields = file.get(f"{H5_GRIDS}/{name}/Data Fields")
        if not isinstance(fields, h5py.Group):
            raise GranuleError(f"{path.name}: grid {name} has no fields: fetch it again.")
        grid = window_of(text, path, name, prefix=HE5)
        yield grid, _fields(fields, grid.shape)


def _fields(group: h5py.Group, shape: tuple[int, int]) -> Iterator[_Field]:
    for name in group:
        stored = group[name]
        is_field = isinstance(stored, h5py.Dataset) and stored.shape == shape
        if is_field and stored.dtype.kind in NUMBERS:
            yield _Field(name, stored[()], dict(stored.attrs))


@contextmanager
def _opened_hdf4(path: Path) -> Iterator[_Opened]:
    from pyhdf.error import HDF4Error
    from pyhdf.SD import SD, SDC

    try:
        file = SD(str(path), SDC.READ)
        try:
            text = str(file.attributes().get(METADATA, ""))
            grid = window_of(text, path, first_grid(text, path), prefix="")
            yield grid, _fields_hdf4(file, grid.shape)
        finally:
            file.end()
    except (HDF4Error, ValueError, TypeError, MemoryError, OverflowError) as error:
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({error}): fetch it again."
        ) from error


def _fields_hdf4(file: Any, shape: tuple[int, int]) -> Iterator[_Field]:  # noqa: ANN401 - untyped
    for name, told in file.datasets().items():
        if tuple(told[1]) == shape:
            stored = file.select(name)
            values = np.asarray(stored.get())
            if values.dtype.kind in NUMBERS:
                yield _Field(name, values, stored.attributes())
