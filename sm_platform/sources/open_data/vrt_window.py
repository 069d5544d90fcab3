"""A window of a VRT that lies behind a URL: a list of GeoTIFF tiles beside it.

The list is fetched whole and read from a copy whose tiles are named by their full address. Only
tiles below the list's own folder are taken: a list could name any file of this machine.
"""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from sm_platform.errors import SourceError
from sm_platform.sources.open_data.cog_window import WINDOW, Remote, write_window
from sm_platform.sources.open_data.raster_excerpt import Bounds
from sm_platform.sources.transfer import Limits, Wanted, fetch_file

MAGIC = (b"<VRTDataset", b"<?xml")
LARGEST_BYTES = 256 << 20
_TILE = re.compile(r"<SourceFilename([^>]*)>([^<]*)</SourceFilename>")
_RELATIVE = re.compile(r"relativeToVRT\s*=\s*[\"']1[\"']")
_NAME = re.compile(r"(?:\./)?(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*\.tiff?")
STRANGE = ("<SourceDataset", "PixelFunction", "VRTWarpedDataset", "VRTPansharpenedDataset", "<!")
"""Parts of a VRT that lead elsewhere or compute."""


def write_vrt_window(
    remote: Remote,
    bounds_lonlat: Bounds,
    target: Path,
    *,
    limits: Limits = WINDOW,
) -> None:
    """As `write_window`, of the list at `remote.href`.

    Raises:
        PassingError, SourceError: as `write_window`, and for a list that names other things than
            tiles below it.
    """
    listed = replace(limits, largest_bytes=LARGEST_BYTES)
    with tempfile.TemporaryDirectory() as aside:
        local = Path(aside) / remote.name
        fetch_file(remote.service, Wanted(remote.href, MAGIC), local, limits=listed)
        text = local.read_text(encoding="utf-8", errors="replace")
        local.write_text(with_addresses(remote, text), encoding="utf-8")
        write_window(replace(remote, local=local), bounds_lonlat, target, limits=limits)


def with_addresses(remote: Remote, text: str) -> str:
    """The list with full addresses in the place of relative names.

    Raises:
        SourceError: it names something else than GeoTIFFs below its folder, or computes.
    """
    base = remote.href.rsplit("/", 1)[0]

    def addressed(found: re.Match[str]) -> str:
        name = unescape(found[2]).strip()
        if not _RELATIVE.search(found[1]) or not _NAME.fullmatch(name):
            raise _strange(remote, name)
        address = f"/vsicurl/{base}/{name.removeprefix('./')}"
        return f'<SourceFilename relativeToVRT="0">{escape(address)}</SourceFilename>'

    for word in STRANGE:
        if word in text:
            raise _strange(remote, word)
    if text.count("<SourceFilename") != len(_TILE.findall(text)):
        raise _strange(remote, "a tile without a name")
    return _TILE.sub(addressed, text)


def _strange(remote: Remote, what: str) -> SourceError:
    return SourceError(
        f"{remote.service.title}: {remote.name} names {what[:100]!r}, which is no tile below it: "
        "refused; see the page of the service for its new layout."
    )
