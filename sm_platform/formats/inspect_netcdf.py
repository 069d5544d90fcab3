"""What a netCDF file holds, by the CF conventions (scale, fill and time decoded by xarray)."""

import tempfile
from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.inspect_axes import axes_of, cell_of, grid_of
from sm_platform.formats.inspected import (
    UNKNOWN,
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    shortest,
    unit_of,
)
from sm_platform.formats.magic import CLASSIC_NETCDF, first_bytes, is_zip
from sm_platform.formats.recognised import Recognised
from sm_platform.formats.safe_zip import Allowance, unpacked

CHUNK_CELLS = 8_000_000
"""Cells that are in memory at once."""
ERA5 = {"t2m", "tp", "d2m", "skt", "stl1", "stl2", "swvl1", "swvl2", "swvl3", "swvl4"}
LAND_STEP_DEG = 0.1
"""ERA5-Land's grid; ERA5 has 0.25 degrees and the same names."""
TIMES = ("valid_time", "time", "forecast_reference_time")
NO_DATA = ("metadata", "identification", "quality")
"""Groups that tell of the data instead of holding them."""
_DAMAGE = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    AssertionError,
    EOFError,
    MemoryError,
)


def inspect_netcdf(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    """The data variables of a file, or of all `.nc` members of a ZIP.

    Values at a place are those of the first time step.

    Raises:
        GranuleError: the file is damaged, or no netCDF that can be read.
    """
    try:
        with _opened(path) as sets:
            names = [(one, name) for one in sets for name in _data_names(one)]
            variables = tuple(_variable(one, name, place) for one, name in names)
            steps = max((one[time].size for one, time in _times(sets)), default=1)
            grid = next((found for found in map(grid_of, sets) if found), None)
            moment = min((found for found in map(_first_time, sets) if found), default=None)
    except _DAMAGE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise GranuleError(
            f"{path.name}: the file is damaged or cut off ({reason}): fetch it again."
        ) from error
    told = f"{steps} time steps; values at a place are those of the first."
    crs, affine, shape = grid or (None, None, (steps,) if steps > 1 else None)
    product = known.product if known else UNKNOWN
    if product == UNKNOWN and {one.name for one in variables} & ERA5:
        is_era5 = affine is not None and abs(affine[0] - LAND_STEP_DEG) > 1e-3
        product = "era5" if is_era5 else "era5_land"
    notes = (told,) if steps > 1 else ()
    moment = moment or (known.time_utc if known else None)
    return Inspection(product, moment, crs, affine, shape, variables, notes)


@contextmanager
def _opened(path: Path) -> Iterator[list[xr.Dataset]]:
    with ExitStack() as stack:
        files = [path]
        if is_zip(path):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            files = [one for one in unpacked(path, folder, Allowance()) if one.suffix == ".nc"]
        yield [stack.enter_context(one) for file in files for one in _datasets(file)]


def _datasets(path: Path) -> list[xr.Dataset]:
    """With times where they can be told, else with their numbers."""
    try:
        return _opened_one(path, {"decode_timedelta": False, "cache": False})
    except ValueError:
        return _opened_one(path, {"decode_times": False, "cache": False})


def _opened_one(path: Path, options: dict[str, Any]) -> list[xr.Dataset]:
    """The root of a file; its groups, too, where the root holds no numbers."""
    if first_bytes(path).startswith(CLASSIC_NETCDF):
        return [xr.open_dataset(path, engine="scipy", **options)]
    options |= {"engine": "h5netcdf", "phony_dims": "sort"}
    root = xr.open_dataset(path, **options)
    if _data_names(root):
        return [root]
    groups = xr.open_groups(path, **options).items()
    return [root, *(one for name, one in groups if not any(word in name for word in NO_DATA))]


def _data_names(one: xr.Dataset) -> list[Hashable]:
    """Numeric variables: over the grid where there is one; bounds of coordinates are none."""
    bounds = {found.attrs.get("bounds") for found in one.variables.values()}
    fewest = 2 if axes_of(one) else 1
    return [
        name
        for name, found in one.data_vars.items()
        if found.dtype.kind in "iuf" and name not in bounds and found.ndim >= fewest
    ]


def _variable(one: xr.Dataset, name: Hashable, place: Place | None) -> Variable:
    found = one[name]
    unit = unit_of(str(found.attrs.get("units", "")))
    n_valid = sum(int(np.count_nonzero(_valid(found, part))) for part in _parts(found))
    value = _at(one, found, place) if place else None
    return Variable(str(name), unit, share_of(n_valid, found.size), value)


def _parts(found: xr.DataArray) -> Iterator[NDArray[Any]]:
    """The values along the first axis, a bounded number at once."""
    step = CHUNK_CELLS * found.shape[0] // max(found.size, 1)
    if not step and found.ndim > 1:
        for one in found:
            yield from _parts(one)
        return
    for first in range(0, found.shape[0], max(step, 1)):
        yield found[first : first + max(step, 1)].to_numpy()


def _valid(found: xr.DataArray, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Not fill (NaN after decoding) and within the valid range."""
    low, high = _ends(found.attrs)
    if _is_of_stored_numbers(found):
        scale = float(found.encoding.get("scale_factor", 1.0))
        offset = float(found.encoding.get("add_offset", 0.0))
        low, high = sorted((low * scale + offset, high * scale + offset))
        # Unpacked numbers are rounded; whole ones lie a step apart.
        step = abs(scale) / 2 if "scale_factor" in found.encoding else 0.0
        low, high = low - step, high + step
    return np.asarray((values >= low) & (values <= high))


def _ends(attributes: Mapping[str, Any]) -> tuple[float, float]:
    """Ends of the valid range; infinite where the file tells none as numbers."""
    both = np.ravel(attributes.get("valid_range", ()))
    low, high = both if both.size == 2 and both.dtype.kind in "iuf" else (-np.inf, np.inf)
    ends = []
    for name, end in (("valid_min", low), ("valid_max", high)):
        one = np.ravel(attributes.get(name, end))
        ends.append(float(one[0] if one.size and one.dtype.kind in "iuf" else end))
    return ends[0], ends[1]


def _is_of_stored_numbers(found: xr.DataArray) -> bool:
    """Whether the valid range tells stored numbers: not where whole ones have a broken range.

    By the netCDF users' guide, a range in the type of the scale tells unpacked numbers.
    """
    stored = np.dtype(found.encoding.get("dtype", found.dtype))
    names = [name for name in ("valid_range", "valid_min", "valid_max") if name in found.attrs]
    kinds = {np.asarray(found.attrs[name]).dtype.kind for name in names}
    return stored.kind not in "iu" or "f" not in kinds


def _at(one: xr.Dataset, found: xr.DataArray, place: Place) -> float | int | None:
    """The value of the cell that holds the place, first of all other axes; None outside."""
    index = cell_of(one, found.dims, place)
    if index is None:
        return None
    value = np.asarray(found.isel({name: index.get(name, 0) for name in found.dims}).to_numpy())
    if not bool(np.all(_valid(found, value))):
        return None
    return number_of(shortest(float(value), value.dtype))


def _times(sets: list[xr.Dataset]) -> Iterator[tuple[xr.Dataset, str]]:
    for one in sets:
        name = next((name for name in TIMES if name in one.variables), None)
        if name is not None:
            yield one, name


def _first_time(one: xr.Dataset) -> datetime | None:
    for _, name in _times([one]):
        values = one[name].to_numpy().ravel()
        if values.dtype.kind == "M" and values.size:
            moment = values.min().astype("datetime64[us]").astype(object)
        elif values.dtype.kind == "O" and values.size:
            # Another calendar, as AppEEARS writes: its dates are ordinary ones.
            moment = datetime.fromisoformat(values.min().isoformat())
        else:
            return None
        return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None
    return None
