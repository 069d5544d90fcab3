"""What a netCDF file holds, by the CF conventions (scale, fill and time decoded by xarray)."""

import zipfile
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from sm_platform.errors import GranuleError
from sm_platform.formats.inspected import (
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    shortest,
    unit_of,
)
from sm_platform.formats.magic import CLASSIC_NETCDF, first_bytes, is_zip

CHUNK_CELLS = 16_000_000
"""Cells that are in memory at once."""
STEP_TOLERANCE = 1e-3
"""Share of a step by which steps of a regular axis may differ."""
LAT, LON = ("latitude", "lat", "y"), ("longitude", "lon", "x")
ERA5 = {"t2m", "tp"}
LAND_STEP_DEG = 0.1
"""ERA5-Land's grid; ERA5 has 0.25 degrees and the same names."""
TIMES = ("valid_time", "time", "forecast_reference_time")
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError)


def inspect_netcdf(path: Path, product: str, place: Place | None) -> Inspection:
    """The data variables of a file, or of all `.nc` members of a ZIP.

    Values at a place are those of the first time step.

    Raises:
        GranuleError: the file is damaged, or no netCDF that can be read.
    """
    try:
        with _opened(path) as sets:
            variables, steps, notes = [], 1, list[str]()
            for one in sets:
                variables += [_variable(one, name, place) for name in _data_names(one)]
                steps = max(steps, one[_time_name(one)].size if _time_name(one) else 1)
            grid = next((found for found in map(_grid, sets) if found), None)
            moment = min((found for found in map(_first_time, sets) if found), default=None)
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:160]
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({reason}): fetch it again."
        ) from error
    if steps > 1:
        notes.append(f"{steps} time steps; values at a place are those of the first.")
    crs, affine, shape = grid or (None, None, None)
    names = {one.name for one in variables}
    if names & ERA5:
        product = "era5_land" if affine and abs(affine[0] - LAND_STEP_DEG) < 1e-3 else "era5"
    return Inspection(product, moment, crs, affine, shape, tuple(variables), tuple(notes))


@contextmanager
def _opened(path: Path) -> Iterator[list[xr.Dataset]]:
    with ExitStack() as stack:
        contents: list[Path | IO[bytes]] = [path]
        if is_zip(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            members = [name for name in archive.namelist() if name.endswith(".nc")]
            contents = [stack.enter_context(archive.open(name)) for name in members]
        yield [stack.enter_context(_dataset(content)) for content in contents]


def _dataset(content: Path | IO[bytes]) -> xr.Dataset:
    is_classic = isinstance(content, Path) and first_bytes(content).startswith(CLASSIC_NETCDF)
    if is_classic:
        return xr.open_dataset(content, engine="scipy")
    return xr.open_dataset(content, engine="h5netcdf", phony_dims="sort")


def _data_names(one: xr.Dataset) -> list[Hashable]:
    """Numeric variables over a grid; bounds of coordinates are none."""
    bounds = {found.attrs.get("bounds") for found in one.variables.values()}
    return [
        name
        for name, found in one.data_vars.items()
        if found.dtype.kind in "iuf" and found.ndim >= 2 and name not in bounds
    ]


def _variable(one: xr.Dataset, name: Hashable, place: Place | None) -> Variable:
    found = one[name]
    unit = unit_of(str(found.attrs.get("units", "")))
    n_valid = sum(int(np.count_nonzero(_valid(found, part))) for part in _parts(found))
    value = _at(one, found, place) if place else None
    return Variable(str(name), unit, share_of(n_valid, found.size), value)


def _parts(found: xr.DataArray) -> Iterator[NDArray[Any]]:
    """The values along the first axis, a bounded number at once."""
    step = max(CHUNK_CELLS // max(found.size // max(found.shape[0], 1), 1), 1)
    for first in range(0, found.shape[0], step):
        yield found[first : first + step].to_numpy()


def _valid(found: xr.DataArray, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Not fill (NaN after decoding) and within the valid range, which is told in stored numbers."""
    low, high = found.attrs.get("valid_range", (-np.inf, np.inf))
    low, high = found.attrs.get("valid_min", low), found.attrs.get("valid_max", high)
    scale = float(found.encoding.get("scale_factor", 1.0))
    offset = float(found.encoding.get("add_offset", 0.0))
    ends = np.sort([float(low) * scale + offset, float(high) * scale + offset])
    slack = 1e-6 * abs(scale) if np.isfinite(ends).any() else 0.0
    return np.asarray((values >= ends[0] - slack) & (values <= ends[1] + slack))


def _at(one: xr.Dataset, found: xr.DataArray, place: Place) -> float | int | None:
    """The value of the cell that holds the place, first of all other axes; None outside."""
    index = _cell(one, found, place)
    if index is None:
        return None
    value = np.asarray(found.isel({name: index.get(name, 0) for name in found.dims}).to_numpy())
    if not bool(np.all(_valid(found, value))):
        return None
    return number_of(shortest(float(value), value.dtype))


def _cell(one: xr.Dataset, found: xr.DataArray, place: Place) -> dict[Hashable, int] | None:
    axes = _axes(one)
    if axes is None:
        return None
    x, y = _in_crs(one, place)
    (x_name, xs), (y_name, ys) = axes
    if not {x_name, y_name} <= set(found.dims):
        return None
    if _crs(one) == "EPSG:4326":
        x = xs.min() + (x - xs.min() + _half(xs)) % 360 - _half(xs)
    index = {}
    for name, values, wanted in ((x_name, xs, x), (y_name, ys, y)):
        near = int(np.argmin(np.abs(values - wanted)))
        if abs(values[near] - wanted) > _half(values) * (1 + 1e-9):
            return None
        index[name] = near
    return index


def _axes(
    one: xr.Dataset,
) -> tuple[tuple[Hashable, NDArray[np.float64]], tuple[Hashable, NDArray[np.float64]]] | None:
    """Names and values of the x and the y axis, where the file has both in one dimension."""
    found = []
    for names in (LON, LAT):
        name = next((n for n in names if n in one.variables and one[n].ndim == 1), None)
        if name is None or one[name].size == 0:
            return None
        found.append((one[name].dims[0], np.asarray(one[name].to_numpy(), np.float64)))
    return found[0], found[1]


def _half(values: NDArray[np.float64]) -> float:
    return float(np.abs(np.diff(values)).mean()) / 2 if values.size > 1 else 0.05


def _grid(one: xr.Dataset) -> tuple[str | None, tuple[float, ...] | None, tuple[int, int]] | None:
    """CRS, affine (None where the axes are irregular) and rows, columns; None without axes."""
    axes = _axes(one)
    if axes is None:
        return None
    (_, xs), (_, ys) = axes
    affine = None
    if xs.size > 1 and ys.size > 1 and _is_regular(xs) and _is_regular(ys):
        dx, dy = (float((v[-1] - v[0]) / (v.size - 1)) for v in (xs, ys))
        affine = (dx, 0.0, float(xs[0]) - dx / 2, 0.0, dy, float(ys[0]) - dy / 2)
    return _crs(one), affine, (ys.size, xs.size)


def _is_regular(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool(np.allclose(steps, steps.mean(), rtol=STEP_TOLERANCE, atol=0))


def _crs(one: xr.Dataset) -> str | None:
    """By a grid mapping, else by the names of the axes."""
    for found in one.variables.values():
        text = found.attrs.get("crs_wkt") or found.attrs.get("spatial_ref")
        try:
            if text or "grid_mapping_name" in found.attrs:
                crs = CRS.from_wkt(str(text)) if text else CRS.from_cf(found.attrs)
                code = crs.to_epsg()
                return f"EPSG:{code}" if code else str(crs.to_wkt())
        except (CRSError, KeyError):
            continue
    is_degrees = any(name in one.variables for name in LAT[:2])
    return "EPSG:4326" if is_degrees else None


def _in_crs(one: xr.Dataset, place: Place) -> tuple[float, float]:
    crs = _crs(one)
    if crs in (None, "EPSG:4326"):
        return place
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*place)
    return float(x), float(y)


def _time_name(one: xr.Dataset) -> str | None:
    return next((name for name in TIMES if name in one.variables), None)


def _first_time(one: xr.Dataset) -> datetime | None:
    name = _time_name(one)
    values = one[name].to_numpy().ravel() if name else np.array([])
    if not values.size or values.dtype.kind != "M":
        return None
    us = values.min().astype("datetime64[us]").astype(object)
    return us.replace(tzinfo=UTC) if isinstance(us, datetime) else None
