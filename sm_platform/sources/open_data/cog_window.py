"""A window of a GeoTIFF that lies behind a URL, at full resolution, as a GeoTIFF of our own.

GDAL's `/vsicurl/` reads the header and the blocks that the window touches: exact cells of the
file's own grid, never an overview, never resampled. Before it a few bytes are asked for by
ourselves: GDAL tells neither `Retry-After` nor a web page from data. GDAL does not tell what it
moved, so requests and bytes are counted from the blocks touched, as the file's own index tells
their sizes.
"""

import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import rasterio
from affine import AffineError
from pyproj.exceptions import ProjError
from rasterio.errors import CRSError, RasterioError

from sm_platform.errors import PassingError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds, pad
from sm_platform.sources.answers import MOVED, Ask, one_answer
from sm_platform.sources.metering import spend
from sm_platform.sources.open_data.raster_excerpt import Bounds, Cut, copy_excerpt
from sm_platform.sources.services import Service, bare, refusal
from sm_platform.sources.silence import silenced
from sm_platform.sources.transfer import BAD_REQUEST, TIFF, Limits

REGION_MARGIN = 30
"""Pixels around a region that its drivers are read for."""
MARGIN_CELLS = 4
"""Cells of the file around the bounds: readers take one more than they are asked for, and the
cells of some tiles lie half a cell beside whole degrees."""
START_BYTES = 1 << 14
"""What GDAL asks for at a time, the header first."""
OPENING_BYTES = 3 * START_BYTES
"""The index of a tile of WorldCover takes so much, smaller files less."""
OPENING_REQUESTS = 3
"""Two for the size, one for the header."""
WINDOW = Limits(deadline_s=900.0)
"""For one window; `read_s` is what one of GDAL's requests may take, its content included."""
LOOKED_AT = 256
"""Bytes that tell a GeoTIFF, or why there is none."""
DAMAGE = (RasterioError, CRSError, ProjError, AffineError, UnicodeDecodeError)
"""What rasterio and its relatives raise over answers and bytes that are not as they should be."""
_STATUS = re.compile(r"HTTP (?:response|error) code\s*: (\d{3})")


@dataclass(frozen=True, slots=True)
class Remote:
    """A raster at a service."""

    service: Service
    href: str
    """Of a GeoTIFF, without its signature."""
    signature: str = field(default="", repr=False)
    """Query that opens it, without `?`; never told."""
    local: Path | None = None
    """A list of such rasters at hand (`vrt_window`): read in the place of `href`."""

    @property
    def name(self) -> str:
        """Its file name."""
        return bare(self.href).rsplit("/", 1)[-1]

    @property
    def signed(self) -> str:
        """The address with its signature."""
        return f"{self.href}?{self.signature}" if self.signature else self.href


def region_bounds(window: GridWindow) -> Bounds:
    """What the drivers of a region are read for: the window and its margin, in degrees."""
    return lonlat_bounds(pad(window, REGION_MARGIN))


def excerpt_stamp(window: GridWindow) -> str:
    """Which part of its tile an excerpt holds: another region window wants another one."""
    return "excerpt " + " ".join(f"{edge:.5f}" for edge in region_bounds(window))


def write_window(
    remote: Remote,
    bounds_lonlat: Bounds,
    target: Path,
    *,
    margin_cells: int = MARGIN_CELLS,
    limits: Limits = WINDOW,
) -> None:
    """Write the cells of a remote raster that cover the bounds, and a margin, to `target`.

    Type, nodata, CRS, tags, scale and band descriptions are those of the file. One try.

    Raises:
        PassingError: no answer, too many requests, cut, slower than the deadline, a web page in
            the place of data.
        SourceError: denied, gone, led elsewhere, or the bounds lie outside.
    """
    title = f"{remote.service.title}: {remote.name}"
    cut = Cut(title, bounds_lonlat, margin_cells, time.monotonic() + limits.deadline_s)
    if remote.local is None:
        look(remote, limits)
    with silenced(remote.signature):
        said = _read(remote, cut, target, limits)
    if said is not None:  # raised out here: GDAL's own error names the signature
        raise _failure(remote, said, limits)


def look(remote: Remote, limits: Limits, magic: tuple[bytes, ...] = TIFF) -> None:
    """Ask for the first bytes; returns when they are those of a GeoTIFF, or as `magic` says.

    Raises:
        PassingError, SourceError: as `write_window`.
    """
    headers = {"Range": f"bytes=0-{LOOKED_AT - 1}"}
    ask = Ask(
        remote.service,
        remote.name,
        remote.signed,
        headers,
        secret=remote.signature,
        is_start_enough=True,
    )
    answer = one_answer(ask, replace(limits, deadline_s=limits.read_s, largest_bytes=LOOKED_AT))
    if answer.status in MOVED:
        raise SourceError(
            f"{remote.service.title}: {remote.name} leads to another address, which is not "
            f"followed ({answer.status}): see {remote.service.account or 'its page'}."
        )
    if not answer.content.startswith(magic):
        what = "a web page" if answer.content.lstrip()[:1] == b"<" else "something else"
        raise PassingError(
            f"{remote.service.title} sent {what} in the place of {remote.name}: see to the "
            "account or its terms, then try again."
        )


def _read(remote: Remote, cut: Cut, target: Path, limits: Limits) -> str | None:
    """Copy the excerpt; what GDAL said when it failed, None when it did not."""
    remote_path = f"/vsicurl/{remote.signed}", "GTiff"
    source, driver = remote_path if remote.local is None else (str(remote.local), "VRT")
    try:
        with rasterio.Env(**_options(limits)), rasterio.open(source, driver=driver) as file:
            spend(requests=OPENING_REQUESTS, received_bytes=OPENING_BYTES)
            copy_excerpt(file, cut, target)
    except DAMAGE as error:
        return _chain(error)
    return None


def _options(limits: Limits) -> dict[str, str]:
    """GDAL's settings for remote files: time-outs, one try, no side files, nothing remembered."""
    return {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff",
        "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/",  # else a failure is remembered for ever
        "GDAL_HTTP_CONNECTTIMEOUT": f"{limits.connect_s:.0f}",
        "GDAL_HTTP_TIMEOUT": f"{max(limits.read_s, 1):.0f}",
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_HTTP_NETRC": "NO",
        "VSI_CACHE": "NO",
    }


def _failure(remote: Remote, said: str, limits: Limits) -> SourceError:
    """What a failure of GDAL means: by the status it names, else by asking anew."""
    status = _STATUS.search(said)
    if status is not None and int(status[1]) >= BAD_REQUEST:
        return refusal(remote.service, int(status[1]), remote.name, secrets=[remote.signature])
    if remote.local is None:
        look(remote, limits)
    return PassingError(
        f"{remote.service.title}: reading {remote.name} broke off ({bare(remote.href)}): try "
        "again; when that stays so, its file is damaged at the source."
    )


def _chain(error: BaseException | None) -> str:
    """Everything that an error and its causes say."""
    said = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__
    return " ".join(said)
