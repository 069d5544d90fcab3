"""Grids of Earth Engine's collections, and which part of one covers a region."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

from affine import Affine
from pyproj import Transformer

from sm_platform.errors import GridError, SourceError
from sm_platform.grid.window import GridWindow, pad

WGS84 = "EPSG:4326"
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
SINUSOIDAL_CODE = "SR-ORG:6974"
"""Earth Engine's name for it; no other library knows that name."""
MARGIN_CELLS = 34
"""Cells of the region's grid around it that drivers are fetched for: neighbours for slopes and
filling (readers look 30 cells and a pixel beyond the region)."""
NATIVE_MARGIN = 2
"""Cells of the driver's own grid on top."""
DIGITS = 9
"""Corners are rounded so: a nanometre, or a hundred micrometres where units are degrees."""


@dataclass(frozen=True, slots=True)
class NativeGrid:
    """The whole grid of a collection."""

    crs: str
    """As pyproj and GeoTIFF know it."""
    affine: Affine
    code: str | None = None
    """Earth Engine's code where it is another than `crs`."""


def _modis(cell_m: float) -> NativeGrid:
    corner = Affine(cell_m, 0, -20015109.354, 0, -cell_m, 10007554.677)
    return NativeGrid(SINUSOIDAL, corner, SINUSOIDAL_CODE)


MODIS_250M = _modis(231.65635826395825)
"""Transform of MODIS/061/MOD13Q1 as its images tell it."""
VIIRS_500M = _modis(463.3127165279165)
ERA5_LAND = NativeGrid(WGS84, Affine(0.1, 0, -180.05, 0, -0.1, 90.05))
"""Cell centres on tenths of a degree."""
GLO30 = NativeGrid(WGS84, Affine(1 / 3600, 0, -180 - 0.5 / 3600, 0, -1 / 3600, 90 + 0.5 / 3600))
"""Cell centres on whole arc seconds."""
WORLDCOVER = NativeGrid(WGS84, Affine(1 / 12000, 0, -180, 0, -1 / 12000, 90))


def covering(grid: NativeGrid, window: GridWindow) -> GridWindow:
    """Whole cells of the grid that cover the window with the margins."""
    around = pad(window, MARGIN_CELLS)
    bounds = bounds_in(around, grid.crs)
    return snapped(grid, bounds, NATIVE_MARGIN)


def bounds_in(window: GridWindow, crs: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the window's densified outline in another CRS."""
    if crs == window.crs:
        return window.bounds
    turn = Transformer.from_crs(window.crs, crs, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*window.bounds)
    return float(left), float(bottom), float(right), float(top)


def snapped(
    grid: NativeGrid, bounds: tuple[float, float, float, float], margin_cells: int
) -> GridWindow:
    """The grid's whole cells that bounds (left, bottom, right, top) touch, grown on each side."""
    left, bottom, right, top = bounds
    inverse = ~grid.affine
    first_col, last_col = floor(inverse.a * left + inverse.c), ceil(inverse.a * right + inverse.c)
    first_row, last_row = floor(inverse.e * top + inverse.f), ceil(inverse.e * bottom + inverse.f)
    return cells(
        grid,
        (first_row - margin_cells, last_row + margin_cells),
        (first_col - margin_cells, last_col + margin_cells),
    )


def cells(grid: NativeGrid, rows: tuple[int, int], cols: tuple[int, int]) -> GridWindow:
    """Rows and columns (first, stop) of the grid as a window."""
    a, e = grid.affine.a, grid.affine.e
    west = round(grid.affine.c + cols[0] * a, DIGITS)
    north = round(grid.affine.f + rows[0] * e, DIGITS)
    return GridWindow(
        grid.crs, Affine(a, 0, west, 0, e, north), (rows[1] - rows[0], cols[1] - cols[0])
    )


def common(window: GridWindow, other: GridWindow) -> GridWindow | None:
    """The part of the window within another one of the same grid; None when they do not meet."""
    col = round((other.affine.c - window.affine.c) / window.affine.a)
    row = round((other.affine.f - window.affine.f) / window.affine.e)
    first_row, first_col = max(row, 0), max(col, 0)
    stop_row = min(row + other.shape[0], window.shape[0])
    stop_col = min(col + other.shape[1], window.shape[1])
    if stop_row <= first_row or stop_col <= first_col:
        return None
    corner = window.affine @ Affine.translation(first_col, first_row)
    return replace(window, affine=corner, shape=(stop_row - first_row, stop_col - first_col))


def grid_told(band: Mapping[str, Any], name: str) -> NativeGrid:
    """The grid of an image's band as its metadata tell it.

    Raises:
        SourceError: they do not, or the grid is turned.
    """
    told = band.get("grid", {})
    try:
        six = told["affineTransform"]
        code = told.get("crsCode") or told["crsWkt"]
        affine = Affine(
            six["scaleX"],
            six.get("shearX", 0),
            six.get("translateX", 0),
            six.get("shearY", 0),
            six["scaleY"],
            six.get("translateY", 0),
        )
        is_modis = code == SINUSOIDAL_CODE
        GridWindow(code, affine, (1, 1))  # refuses what is turned
    except (KeyError, TypeError, GridError) as error:
        raise SourceError(
            f"Google Earth Engine tells no usable grid of {name} ({error}): choose another service "
            "for this driver."
        ) from error
    return NativeGrid(
        SINUSOIDAL if is_modis else code, affine, SINUSOIDAL_CODE if is_modis else None
    )


def request_grid(window: GridWindow, code: str | None = None) -> dict[str, Any]:
    """The window as the service wants it; `code` names its CRS where `window.crs` does not."""
    named = code or window.crs
    is_code = named.upper().startswith(("EPSG:", "SR-ORG:"))
    is_proj = named.startswith("+proj")  # the service knows codes and WKT
    rows, cols = window.shape
    return {
        "dimensions": {"width": cols, "height": rows},
        "affineTransform": {
            "scaleX": window.affine.a,
            "shearX": 0,
            "translateX": window.affine.c,
            "shearY": 0,
            "scaleY": window.affine.e,
            "translateY": window.affine.f,
        },
        **({"crsCode": named} if is_code else {"crsWkt": _wkt(named) if is_proj else named}),
    }


def _wkt(crs: str) -> str:
    from pyproj import CRS

    return str(CRS.from_user_input(crs).to_wkt("WKT1_GDAL"))
