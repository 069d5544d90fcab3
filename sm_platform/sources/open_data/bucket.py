"""What the open archives of static drivers share: no account, nothing dated, excerpts of tiles."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sm_platform.errors import SmPlatformError
from sm_platform.sources.protocol import Finding
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import Limits, Wanted, fetch_file

IN_FLIGHT = 2
SMALL = Limits(connect_s=15.0, read_s=30.0, deadline_s=120.0, largest_bytes=64 << 20)
"""For lists and other small texts."""


def fetch_text(service: Service, href: str, name: str, magic: tuple[bytes, ...] = ()) -> str:
    """A small text behind a URL; `name` is what messages call it.

    Raises:
        PassingError, SourceError: as `transfer.fetch_file`.
    """
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / name
        fetch_file(service, Wanted(href, magic), path, limits=SMALL)
        return path.read_text(encoding="utf-8", errors="replace")


def probed(service: Service, licence: str, ask: Callable[[], str]) -> Iterator[Finding]:
    """What `doctor --live` says of an open archive; `ask` makes one small request."""
    yield Finding(True, f"{service.title}: needs no account; licence {licence}.")
    began = time.monotonic()
    try:
        told = ask()
    except SmPlatformError as error:
        yield Finding(False, str(error))
    else:
        yield Finding(True, f"{service.title}: answers ({told}, {time.monotonic() - began:.1f} s).")
