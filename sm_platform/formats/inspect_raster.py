"""What a GeoTIFF or JPEG 2000 holds: bands by the product's contract, else by their own tags.

Valid cells are counted strip by strip on the stored numbers: a tile of 36,000 x 36,000 needs no
more memory than a small one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.errors import CRSError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.geotiff import code_of, opened
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
from sm_platform.formats.layers import Layer, layers_of
from sm_platform.formats.recognised import Recognised
from sm_platform.grid import ease2

STRIP_CELLS = 16_000_000
"""Cells of a band that are in memory at once."""
CACHE_MIB = 256
"""Of GDAL for decoded blocks, which by itself takes a share of the machine's memory."""
ZERO_IS_MISSING = "seed_layout"
"""Format whose radar files write masked cells as exactly 0.0."""


@dataclass(frozen=True, slots=True)
class Band:
    """A band of an open file, and how its numbers are to be taken."""

    name: str
    unit: str
    scale: float
    offset: float
    low: float
    high: float
    nodata: float | None
    is_zero_missing: bool = False

    def is_valid(self, stored: NDArray[Any]) -> NDArray[np.bool_]:
        """Which stored numbers are values; of the array's shape."""
        valid = np.asarray(np.isfinite(stored) & (stored >= self.low) & (stored <= self.high))
        if self.nodata is not None and not np.isnan(self.nodata):
            valid &= stored != self.nodata
        return valid & (stored != 0) if self.is_zero_missing else valid


def inspect_raster(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    """The bands of a raster.

    Raises:
        GranuleError: the file is damaged, or its numbers are complex.
        UsageError: a place is asked of a file without a CRS.
    """
    product = known.product if known else UNKNOWN
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MIB), opened(path) as file:
        if any(dtype.startswith("complex") for dtype in file.dtypes):
            raise GranuleError(f"{path.name}: holds complex numbers: bring detected power.")
        notes: list[str] = []
        bands = _bands(file, path, known, notes)
        crs = ease2.CRS if product == "nsidc_0779" else _crs(file)
        cell = _cell(file, path, crs, place) if place else None
        if place and cell is None:
            notes.append(f"{place[0]:g} E, {place[1]:g} N lies outside this file.")
        counted = _count(file, bands)
        found = [
            Variable(band.name, band.unit, share_of(n, file.height * file.width), value)
            for band, n, value in zip(bands, counted, _values(file, bands, cell), strict=True)
        ]
        _tell_power(file, product, found, bands, notes)
        affine, shape = tuple(file.transform)[:6], file.shape
    moment = known.time_utc if known else None
    return Inspection(product, moment, crs, affine, shape, tuple(found), tuple(notes))


def _bands(
    file: DatasetReader, path: Path, known: Recognised | None, notes: list[str]
) -> list[Band]:
    product = known.product if known else UNKNOWN
    flags = product == "planet_swc" and "_swc-qf" in path.name
    contract = f"{product} flags" if flags else product
    layers = layers_of(contract, path.name, file.descriptions)
    is_zero_missing = bool(known and known.format == ZERO_IS_MISSING and product == "s1_grd")
    names = _names(layers, file.descriptions)
    found = []
    for number, (layer, name) in enumerate(zip(layers, names, strict=True), start=1):
        kind = "f" if file.dtypes[number - 1].startswith("float") else "i"
        if layer is not None and layer.stored not in ("", kind):
            notes.append(
                f"Band {number} is {file.dtypes[number - 1]}, not whole numbers as the product "
                f"stores {layer.name}: read as it stands."
            )
            layer = None
        found.append(
            _by_contract(file, number, replace(layer, name=name), is_zero_missing)
            if layer
            else _as_tagged(file, number, name, product)
        )
    return found


def _names(layers: Sequence[Layer | None], texts: Sequence[str | None]) -> list[str]:
    """By the contract, else as described; equal ones as described, else with their number."""
    told = [text or f"band_{number}" for number, text in enumerate(texts, start=1)]
    names = [layer.name if layer else text for layer, text in zip(layers, told, strict=True)]
    for other in (told, [f"{name}_{number}" for number, name in enumerate(names, start=1)]):
        names = [
            name if names.count(name) == 1 else instead
            for name, instead in zip(names, other, strict=True)
        ]
    return names


def _by_contract(file: DatasetReader, number: int, layer: Layer, is_zero_missing: bool) -> Band:
    nodata = file.nodatavals[number - 1] if layer.has_nodata else None
    return Band(
        layer.name, layer.unit, layer.scale, 0.0, layer.low, layer.high, nodata, is_zero_missing
    )


def _as_tagged(file: DatasetReader, number: int, name: str, product: str) -> Band:
    """By the file's own scale, offset, nodata and unit."""
    scale = file.scales[number - 1]
    if product.startswith(("mod13", "myd13")) and scale > 1:
        scale = 1 / scale  # these products write the divisor
    tags = file.tags(number)
    told = file.units[number - 1] or tags.get("units") or tags.get("unit") or ""
    unit = unit_of(told) if told else ""
    ends = -np.inf, np.inf
    offset, nodata = file.offsets[number - 1], file.nodatavals[number - 1]
    return Band(name, unit, scale, offset, *ends, nodata)


def _crs(file: DatasetReader) -> str | None:
    try:
        return code_of(file.crs.to_wkt()) if file.crs is not None and file.crs.wkt else None
    except CRSError:
        return None


def _cell(file: DatasetReader, path: Path, crs: str | None, place: Place) -> tuple[int, int] | None:
    """Row and column of the cell that holds the place; None outside the file."""
    if crs is None:
        raise UsageError(f"{path.name} has no CRS: a place in degrees cannot be found in it.")
    try:
        x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*place)
    except ProjError as error:
        raise GranuleError(f"{path.name}: CRS cannot be used: {error}.") from error
    turns = (0, 360, -360) if file.crs is not None and file.crs.is_geographic else (0,)
    for turn in turns:
        col, row = ~file.transform * (x + turn, y)
        if 0 <= row < file.height and 0 <= col < file.width:  # infinite where CRS has no place
            return int(row), int(col)
    return None


def _strips(file: DatasetReader) -> Iterator[Window]:
    """Whole rows of blocks, at most about `STRIP_CELLS` at once."""
    block = file.block_shapes[0][0]
    rows = max(STRIP_CELLS // max(file.width, 1) // block, 1) * block
    for first in range(0, file.height, rows):
        yield Window(0, first, file.width, min(rows, file.height - first))


def _count(file: DatasetReader, bands: Sequence[Band]) -> list[int]:
    """Valid cells of each band."""
    counted = [0] * len(bands)
    for window in _strips(file):
        for number, valid in enumerate(_valid(file, bands, window)):
            counted[number] += int(np.count_nonzero(valid))
    return counted


def _valid(
    file: DatasetReader, bands: Sequence[Band], window: Window
) -> Iterator[NDArray[np.bool_]]:
    """Valid cells of a part, band by band; a radar band is none where the angle is none."""
    seen = _seen(file, bands, window)
    for number, band in enumerate(bands, start=1):
        valid = band.is_valid(file.read(number, window=window)) & _unmasked(file, number, window)
        yield valid if seen is None else valid & seen


def _seen(file: DatasetReader, bands: Sequence[Band], window: Window) -> NDArray[np.bool_] | None:
    names = [band.name for band in bands]
    if "angle" not in names or "VV" not in names:
        return None
    number = names.index("angle")
    return bands[number].is_valid(file.read(number + 1, window=window))


def _unmasked(file: DatasetReader, number: int, window: Window) -> NDArray[np.bool_] | np.bool_:
    """Cells that no mask band or alpha covers (nodata is judged by the band)."""
    flags = {flag.name for flag in file.mask_flag_enums[number - 1]}
    if not flags & {"per_dataset", "alpha"}:
        return np.True_
    return np.asarray(file.read_masks(number, window=window) > 0)


def _values(
    file: DatasetReader, bands: Sequence[Band], cell: tuple[int, int] | None
) -> list[float | int | None]:
    """Values at a cell after scale and offset; None where missing."""
    if cell is None:
        return [None] * len(bands)
    window = Window(cell[1], cell[0], 1, 1)
    valid = [bool(one[0, 0]) for one in _valid(file, bands, window)]
    stored = [file.read(number, window=window)[0, 0] for number in range(1, len(bands) + 1)]
    return [
        number_of(_scaled(band, value)) if is_valid else None
        for band, value, is_valid in zip(bands, stored, valid, strict=True)
    ]


def _scaled(band: Band, value: np.number[Any]) -> float:
    if band.scale == 1 and band.offset == 0:
        return shortest(float(value), value.dtype)
    # 0.0001 is a little more than 1/10000: the shortest decimal is what the provider means.
    return float(f"{float(value) * band.scale + band.offset:.12g}")


def _tell_power(
    file: DatasetReader,
    product: str,
    found: list[Variable],
    bands: Sequence[Band],
    notes: list[str],
) -> None:
    """Radar that is nowhere below 0 is power, not dB: its unit is changed and it is told."""
    radar = [n for n, band in enumerate(bands) if band.unit == "dB"]
    if product != "s1_grd" or not radar:
        return
    if _is_power(file, [(n + 1, bands[n]) for n in radar]):
        for n in radar:
            found[n] = replace(found[n], unit="1")
        notes.append(
            "VV and VH are positive everywhere, so linear power and not dB: the platform refuses "
            "such a file; export COPERNICUS/S1_GRD, not S1_GRD_FLOAT."
        )


def _is_power(file: DatasetReader, radar: Sequence[tuple[int, Band]]) -> bool:
    """Whether the bands (number, band) have values and all lie above 0; the first below ends it."""
    has_value = False
    for number, band in radar:
        for window in _strips(file):
            stored = file.read(number, window=window)
            kept = stored[band.is_valid(stored)]
            if kept.size and kept.min() <= 0:
                return False
            has_value |= kept.size > 0
    return has_value
