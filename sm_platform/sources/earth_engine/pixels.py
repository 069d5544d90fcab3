"""Pixels of an image on exactly one grid: cut into requests, several in flight, put together.

`image:computePixels`: at most 48 MiB uncompressed, 32,768 pixels a side and 1,024 bands a request
(reference of the method); more than that is refused.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import PassingError, SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.earth_engine.client import asking
from sm_platform.sources.earth_engine.grids import request_grid
from sm_platform.sources.earth_engine.images import Bands, filled
from sm_platform.sources.metering import Meter, metered, spend

MOST_BYTES = 48 << 20
MOST_SIDE = 32768
TILE_BYTES = 16 << 20
"""Of one request by default: several are in flight and in memory at once."""
BLOCK = 256
"""Side of a GeoTIFF block; requests are whole blocks where they are larger than one."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows and columns of a window, stop excluded."""

    rows: slice
    cols: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.rows.stop - self.rows.start, self.cols.stop - self.cols.start

    def of(self, window: GridWindow) -> GridWindow:
        """The tile as a window of its own."""
        corner = window.affine @ Affine.translation(self.cols.start, self.rows.start)
        return GridWindow(window.crs, corner, self.shape)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image to fetch: what, which bands, where."""

    image: Any
    """Graph, masked where there is nothing."""
    bands: Bands
    window: GridWindow
    crs_code: str | None = None
    """Earth Engine's name of the CRS where it is another than the window's."""
    asked: str = "an image"
    """In messages."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Written into the file."""


@dataclass(frozen=True, slots=True)
class Haste:
    """How pixels are fetched."""

    in_flight: int = 4
    tile_bytes: int = TILE_BYTES
    is_profiled: bool = False
    """Ask for the compute units of each granule: one more request."""


def tiles(window: GridWindow, bytes_per_pixel: int, tile_bytes: int = TILE_BYTES) -> list[Tile]:
    """The window cut into requests, row by row; each cell lies in exactly one.

    Raises:
        SourceError: `tile_bytes` is less than a pixel or more than the service sends.
    """
    if not bytes_per_pixel <= tile_bytes <= MOST_BYTES:
        raise SourceError(
            f"Tiles of {tile_bytes} bytes: at least a pixel ({bytes_per_pixel}) and at most "
            f"{MOST_BYTES} bytes go into a request: set tile_bytes between them."
        )
    rows, cols = window.shape
    most = tile_bytes // bytes_per_pixel
    width = min(cols, MOST_SIDE) if cols <= math.isqrt(most) else _whole(math.isqrt(most), cols)
    height = min(rows, _whole(most // width, rows))
    return [
        Tile(slice(row, min(row + height, rows)), slice(col, min(col + width, cols)))
        for row in range(0, rows, height)
        for col in range(0, cols, width)
    ]


def _whole(side: int, length: int) -> int:
    """At most `side` cells, whole blocks where that is more than one; no more than the length."""
    side = min(side, MOST_SIDE)
    return min(side if side < BLOCK else side - side % BLOCK, length)


def fetch_picture(ee: Any, picture: Picture, path: Path, haste: Haste) -> None:  # noqa: ANN401
    """Fetch an image into a GeoTIFF, tile by tile: what is in flight is in memory, no more.

    Raises:
        PassingError: the service did not answer as it should; the same may succeed later.
        SourceError: it refuses.
    """
    image = filled(picture.image, picture.bands)
    parts = tiles(picture.window, picture.bands.bytes_per_pixel, haste.tile_bytes)
    profiles: list[str] = []

    def compute(part: Tile) -> NDArray[Any]:
        with asking(picture.asked), ee.data.profiling(_hook(profiles, haste)):
            return _pixels(ee, image, picture, part)

    write_picture(path, picture, zip(parts, in_order(compute, parts, haste.in_flight), strict=True))
    if profiles:
        spend(eecu_s=_eecu_s(ee, profiles))


def _pixels(ee: Any, image: Any, picture: Picture, part: Tile) -> NDArray[Any]:  # noqa: ANN401
    pixels = ee.data.computePixels(
        {
            "expression": image,
            "fileFormat": "NUMPY_NDARRAY",
            "grid": request_grid(part.of(picture.window), picture.crs_code),
        }
    )
    bands = picture.bands
    expected = np.dtype([(name, np.dtype(bands.dtype)) for name in bands.names])
    if pixels.shape != part.shape or pixels.dtype != expected:
        raise PassingError(
            f"Google Earth Engine sent {pixels.dtype} of shape {pixels.shape} in the place of "
            f"{picture.asked} ({expected}, {part.shape}): try again."
        )
    values = np.stack([pixels[name] for name in bands.names])
    if values.dtype.kind == "f":
        values[(values == bands.nothing) | ~np.isfinite(values)] = np.nan
    return values


def write_picture(path: Path, picture: Picture, parts: Iterable[tuple[Tile, NDArray[Any]]]) -> None:
    """Write tiles, each (band, row, col), into a GeoTIFF with named bands as they come."""
    import rasterio
    from rasterio.windows import Window

    bands, window = picture.bands, picture.window
    is_float = bands.dtype.startswith("float")
    blocks = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=window.shape[0],
        width=window.shape[1],
        count=len(bands.names),
        dtype=bands.dtype,
        crs=window.crs,
        transform=window.affine,
        nodata=float("nan") if is_float else bands.nothing,
        compress="deflate",
        BIGTIFF="IF_SAFER",
        zlevel=1,
        **(blocks if min(window.shape) > BLOCK else {}),
    ) as file:
        for part, values in parts:
            file.write(values, window=Window.from_slices(part.rows, part.cols))
        file.descriptions = bands.names
        file.update_tags(**picture.tags)


def in_order(
    work: Callable[[Item], Answer], items: Sequence[Item], in_flight: int
) -> Iterator[Answer]:
    """Results of `work` in the order of the items; at most `in_flight` are under way or waiting.

    What the threads spend is added here, in the thread that waits, also when the work fails.
    """
    left = iter(items)
    with ThreadPoolExecutor(in_flight) as pool:
        under_way: deque[Future[tuple[Meter, Answer | Exception]]] = deque()
        try:
            for item in left:
                under_way.append(pool.submit(_metered, work, item))
                if len(under_way) == in_flight:
                    yield _taken(under_way.popleft())
            while under_way:
                yield _taken(under_way.popleft())
        finally:
            for future in under_way:
                future.cancel()
            for future in under_way:
                if not future.cancelled():
                    _count(future.result()[0])


def _metered(work: Callable[[Item], Answer], item: Item) -> tuple[Meter, Answer | Exception]:
    with metered() as meter:
        try:
            return meter, work(item)
        except Exception as error:  # raised again by the thread that waits
            return meter, error


def _taken(future: "Future[tuple[Meter, Answer | Exception]]") -> Answer:
    meter, found = future.result()
    _count(meter)
    if isinstance(found, Exception):
        raise found
    return found


def _count(meter: Meter) -> None:
    spend(requests=meter.requests, received_bytes=meter.received_bytes, eecu_s=meter.eecu_s)


def _hook(profiles: list[str], haste: Haste) -> Callable[[str], None] | None:
    return profiles.append if haste.is_profiled else None


def _eecu_s(ee: Any, profiles: Sequence[str]) -> float | None:  # noqa: ANN401
    """EECU seconds of the computations; None when the service does not tell them."""
    try:
        with asking("the compute units"):
            lookup = ee.ApiFunction.lookup("Profile.getProfiles")
            text = lookup.call(ids=list(profiles)).getInfo()
    except SourceError:  # what it cost is no reason to compute it again
        return None
    return eecu_seconds(str(text))


def eecu_seconds(profile: str) -> float | None:
    """Sum of the first column (EECU s) of a computation profile; None without such a column."""
    lines = profile.splitlines()
    if not lines or not lines[0].split() or not lines[0].split()[0].startswith("EECU"):
        return None
    told = [line.split()[0] for line in lines[1:] if line.split()]
    return sum(float(one) for one in told if one.replace(".", "", 1).isdecimal())
