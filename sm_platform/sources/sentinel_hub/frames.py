"""A frame of Sentinel Hub: the grid it is asked on, its tiles, and the files that are landed.

The process API takes WGS 84, Web Mercator and the UTM zones of WGS 84, not EPSG:6933; at most
2,500 x 2,500 pixels a request.
"""

import io
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from sm_platform.errors import PassingError, SourceError
from sm_platform.grid.ellipsoid_angle import angle_on
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.sentinel1_names import FrameName

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
Floats = NDArray[np.float32]

PIXEL_M = 20
MARGIN_CELLS = 10
"""Around the region, so that its outermost pixels are whole."""
MOST_PIXELS = 2500
LEAST_POWER = 1e-8
"""-80 dB; below it there is nothing but what the removal of noise has left."""
START_S = 10
"""A frame lasts 25 s. The moments from its start to this exclude the start of the next one, and the
one before has ended by then."""
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
N_BANDS = 3
EVALSCRIPT = """//VERSION=3
function setup() {
  return {
    input: ["VV", "VH", "dataMask"],
    output: {id: "default", bands: 3, sampleType: "FLOAT32"}
  };
}
function evaluatePixel(sample) {
  return [sample.VV, sample.VH, sample.dataMask];
}
"""
PROCESSING = {
    "backCoeff": "SIGMA0_ELLIPSOID",
    "orthorectify": True,
    "demInstance": "COPERNICUS",
    "upsampling": "BILINEAR",
    "downsampling": "BILINEAR",
}
"""Bilinear, in power, of the product's pixels of 10 m or of the service's own multilooked ones (it
chooses by resolution; documentation.dataspace.copernicus.eu, Sentinel-1 GRD, processing chain)."""
STATES = {"A": "ASCENDING", "D": "DESCENDING"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the catalogue says of one frame."""

    granule_id: str
    name: FrameName
    orbit_state: str
    """`A` or `D`."""
    relative_orbit: int
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Power:
    """Backscatter of a window in linear power, NaN where there is none; float32."""

    window: GridWindow
    vv: Floats
    vh: Floats


def frame_window(region: GridWindow, bounds: Bounds) -> GridWindow | None:
    """The region on UTM at 20 m, whole multiples of it, as far as the frame's bounds reach.

    None where they do not meet.
    """
    crs = utm_of(lonlat_bounds(region))
    inner = _snapped(_bounds_in(region.bounds, region.crs, crs), MARGIN_CELLS)
    outer = _snapped(_bounds_in(bounds, "EPSG:4326", crs), 0)
    left, bottom = max(inner[0], outer[0]), max(inner[1], outer[1])
    right, top = min(inner[2], outer[2]), min(inner[3], outer[3])
    if left >= right or bottom >= top:
        return None
    return GridWindow(
        crs,
        Affine(PIXEL_M, 0.0, left * PIXEL_M, 0.0, -PIXEL_M, top * PIXEL_M),
        (top - bottom, right - left),
    )


def utm_of(bounds: Bounds) -> str:
    """The UTM zone (WGS 84) of the middle of bounds in degrees."""
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    zone = min(int((lon + 180) // 6), 59) + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def tiles(window: GridWindow) -> list[GridWindow]:
    """The window in parts of at most 2,500 x 2,500 pixels, each pixel in one of them."""
    rows, cols = window.shape
    return [
        GridWindow(
            window.crs,
            window.affine @ Affine.translation(col, row),
            (min(MOST_PIXELS, rows - row), min(MOST_PIXELS, cols - col)),
        )
        for row in range(0, rows, MOST_PIXELS)
        for col in range(0, cols, MOST_PIXELS)
    ]


def input_data(frame: Frame) -> dict[str, Any]:
    """Which measurements a request is about, and how they are processed: this frame's alone."""
    start = frame.name.start_utc
    last = start + timedelta(seconds=START_S)
    return {
        "type": "sentinel-1-grd",
        "dataFilter": {
            "timeRange": {
                "from": f"{start:%Y-%m-%dT%H:%M:%SZ}",
                "to": f"{last:%Y-%m-%dT%H:%M:%SZ}",
            },
            "acquisitionMode": "IW",
            "polarization": "DV",
            "resolution": "HIGH",
            "orbitDirection": STATES[frame.orbit_state],
        },
        "processing": PROCESSING,
    }


def power_of(content: bytes, tile: GridWindow, asked: str) -> Power:
    """A tile as the process API sends it: VV, VH, dataMask, FLOAT32.

    Raises:
        PassingError: it is no TIFF, or of another size or type than asked for.
    """
    what = "a web page" if content.lstrip()[:1] == b"<" else "something that is no image"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(io.BytesIO(content), driver="GTiff") as file:
                bands, dtype = file.read(), file.dtypes[0]
    except rasterio.errors.RasterioError as error:
        raise PassingError(
            f"Sentinel Hub sent {what} in the place of {asked}: try again."
        ) from error
    if bands.shape != (N_BANDS, *tile.shape) or dtype != "float32":
        raise PassingError(
            f"Sentinel Hub sent {bands.shape} of {dtype} in the place of {asked}, asked were "
            f"{(N_BANDS, *tile.shape)} of float32: try again."
        )
    is_there = bands[2] >= 1
    vv, vh = (
        np.where(is_there & (one > LEAST_POWER), one, np.float32(np.nan)) for one in bands[:2]
    )
    return Power(tile, vv, vh)


def joined(window: GridWindow, parts: Sequence[Power]) -> Power:
    """The tiles of a window side by side."""
    whole = {name: np.full(window.shape, np.nan, np.float32) for name in ("vv", "vh")}
    for part in parts:
        col = round((part.window.affine.c - window.affine.c) / window.affine.a)
        row = round((part.window.affine.f - window.affine.f) / window.affine.e)
        at = np.s_[row : row + part.window.shape[0], col : col + part.window.shape[1]]
        whole["vv"][at], whole["vh"][at] = part.vv, part.vh
    return Power(window, whole["vv"], whole["vh"])


def write_frame(folder: Path, frame: Frame, power: Power) -> None:
    """Write `{id}.tif` (VV, VH in dB, angle in degrees) and `{id}.json`, as Earth Engine has them.

    Raises:
        SourceError: the frame's orbit does not see the place.
    """
    angle = angle_on(power.window, frame.relative_orbit, frame.orbit_state)
    is_there = ~(np.isnan(power.vv) & np.isnan(power.vh))
    if np.isnan(angle[is_there]).any():
        raise SourceError(
            f"{frame.granule_id}: relative orbit {frame.relative_orbit} {frame.orbit_state} does "
            "not see the region under the angles of its swath: its catalogue entry is wrong, leave "
            "it out."
        )
    bands = {"VV": _decibels(power.vv), "VH": _decibels(power.vh)}
    bands["angle"] = np.where(is_there, angle, np.float32(np.nan))
    _write_tiff(folder / f"{frame.granule_id}.tif", power.window, bands)
    text = json.dumps(_properties(frame), indent=1)
    (folder / f"{frame.granule_id}.json").write_text(text + "\n", encoding="utf-8")


def _properties(frame: Frame) -> dict[str, object]:
    name = frame.name
    return {
        "system:index": frame.granule_id,
        "system:time_start": round(name.start_utc.timestamp() * 1000),
        "system:time_end": round(name.stop_utc.timestamp() * 1000),
        "instrumentMode": "IW",
        "orbitProperties_pass": STATES[frame.orbit_state],
        "platform_number": name.platform[-1],
        "orbitNumber_start": name.absolute_orbit,
        "relativeOrbitNumber_start": frame.relative_orbit,
        "transmitterReceiverPolarisation": ["VV", "VH"],
        "processing": {"service": "sentinel_hub", **PROCESSING},
        "angle": "ellipsoid, from the reference orbit",
    }


def _decibels(power: Floats) -> Floats:
    return (10 * np.log10(power)).astype(np.float32)


def _write_tiff(path: Path, window: GridWindow, bands: Mapping[str, Floats]) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=window.shape[0],
        width=window.shape[1],
        count=len(bands),
        dtype="float32",
        crs=window.crs,
        transform=window.affine,
        nodata=float("nan"),
        compress="deflate",
        zlevel=1,
    ) as file:
        file.write(np.stack(list(bands.values())))
        file.descriptions = tuple(bands)


def _bounds_in(bounds: Bounds, source: str, target: str) -> Bounds:
    turn = Transformer.from_crs(source, target, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*bounds)
    return float(left), float(bottom), float(right), float(top)


def _snapped(bounds: Bounds, margin: int) -> tuple[int, int, int, int]:
    """Left, bottom, right, top in whole pixels of the zone's own grid, outwards."""
    left, bottom, right, top = bounds
    return (
        math.floor(left / PIXEL_M) - margin,
        math.floor(bottom / PIXEL_M) - margin,
        math.ceil(right / PIXEL_M) + margin,
        math.ceil(top / PIXEL_M) + margin,
    )
