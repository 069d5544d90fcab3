"""Faults of a provider, planted in an archive by a person who wants to see them handled.

    <root>/faults.json   which kind, how often; gone: none
    <root>/.requests/    a file for each granule (or listing) asked for, a byte for each request

Whether a request fails depends on the seed, on what is asked for and on how often it was before:
the same requests meet the same faults, and asking again may succeed.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sm_platform.errors import PassingError, SourceError, UsageError
from sm_platform.sources.archive_folder import read_json
from sm_platform.sources.names import check_name
from sm_platform.sources.protocol import Product

FAULTS_NAME = "faults.json"
REQUESTS_NAME = ".requests"
LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>Log in.</body></html>\n"
)
FLIPPED_BYTES = 16


class FaultKind(StrEnum):
    """What goes wrong."""

    TIMEOUT = "timeout"
    TOO_MANY_REQUESTS = "too-many-requests"
    SERVER_ERROR = "server-error"
    HALF_FILE = "half-file"
    WRONG_CHECKSUM = "wrong-checksum"
    HTML = "html"
    """A page to log in on in the place of the data."""
    SILENT = "silent"
    """What came since the fault was switched on is not listed."""


REFUSALS = {
    FaultKind.TIMEOUT: "did not answer in time",
    FaultKind.TOO_MANY_REQUESTS: "answered 429 Too Many Requests",
    FaultKind.SERVER_ERROR: "answered 500 Internal Server Error",
}
"""Kinds that hand over nothing, in words."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is planted in an archive."""

    kind: FaultKind
    began_utc: datetime
    """The archive's moment when it was switched on."""
    share: float = 1.0
    """Of the requests that fail; of the new granules that are not listed where it is silent."""
    product: Product | None = None
    """Whose granules are struck; None: all."""
    first_requests: int | None = None
    """So many requests of each granule are in danger, later ones not; None: all."""
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UsageError(f"A share of {self.share} cannot fail: name one above 0, up to 1.")
        if self.first_requests is not None and self.first_requests < 1:
            raise UsageError(f"{self.first_requests} requests cannot fail: name 1 or more.")

    def concerns(self, product: Product) -> bool:
        """Whether requests for a product are in danger."""
        return self.product in (None, product)

    def hides(self, product: Product, granule_id: str, available_utc: datetime | None) -> bool:
        """Whether a granule is not listed."""
        if self.kind is not FaultKind.SILENT or not self.concerns(product):
            return False
        is_new = available_utc is not None and available_utc > self.began_utc
        return is_new and self._chance(granule_id, 1) < self.share

    def strikes(self, asked: str, number: int) -> bool:
        """Whether the n-th request (from 1) for something fails."""
        is_over = self.first_requests is not None and number > self.first_requests
        return not is_over and self._chance(asked, number) < self.share

    def _chance(self, asked: str, number: int) -> float:
        """The same number from 0 to 1 each time."""
        drawn = hashlib.sha256(f"{self.seed}/{asked}/{number}".encode()).digest()
        return int.from_bytes(drawn[:7]) / 2**56


def read_faults(root: Path) -> Faults | None:
    """The faults planted in an archive, None when there are none.

    Raises:
        SourceError: their file is damaged.
    """
    path = root / FAULTS_NAME
    if not path.exists():
        return None
    told = read_json(path)
    try:
        return Faults(
            kind=FaultKind(told["kind"]),
            began_utc=datetime.fromisoformat(told["began_utc"]).astimezone(UTC),
            share=told["share"],
            product=Product(told["product"]) if told["product"] else None,
            first_requests=told["first_requests"],
            seed=told["seed"],
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise SourceError(
            f"{path} is damaged ({error}): `sm-platform archive faults --off`."
        ) from error


def write_faults(root: Path, faults: Faults | None) -> None:
    """Plant faults, or take them away; requests are counted from the beginning.

    Raises:
        SourceError: the archive cannot be written.
    """
    path = root / FAULTS_NAME
    try:
        path.unlink(missing_ok=True)
        shutil.rmtree(root / REQUESTS_NAME, ignore_errors=True)
        if faults is not None:
            aside = root / f".{FAULTS_NAME}.{os.getpid()}"
            aside.write_text(json.dumps(_content(faults), indent=1) + "\n")
            aside.replace(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be changed: {error.strerror}.") from error


def _content(faults: Faults) -> dict[str, Any]:
    return {
        "kind": faults.kind.value,
        "began_utc": faults.began_utc.isoformat(),
        "share": faults.share,
        "product": faults.product.value if faults.product else None,
        "first_requests": faults.first_requests,
        "seed": faults.seed,
    }


def request(root: Path, product: Product, asked: str) -> FaultKind | None:
    """Count a request for a granule or a listing; the fault that it meets, None: it goes well.

    Raises:
        PassingError: nothing is handed over this time.
    """
    faults = read_faults(root)
    if faults is None or faults.kind is FaultKind.SILENT or not faults.concerns(product):
        return None
    number = _count(root / REQUESTS_NAME / product.value / check_name(asked, "granule id"))
    if not faults.strikes(f"{product.value}/{asked}", number):
        return None
    if faults.kind in REFUSALS:
        raise PassingError(
            f"{root} {REFUSALS[faults.kind]} when asked for {asked} (request {number}, a planted "
            "fault): ask again later."
        )
    return faults.kind


def _count(path: Path) -> int:
    """The number of this request; what several processes append at once stays apart."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(b".")
            return file.tell()
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror}.") from error


def spoil(kind: FaultKind, folder: Path, files: Sequence[str]) -> None:
    """Change the largest of the fetched files as the fault does."""
    path = max((folder / name for name in files), key=lambda one: (one.stat().st_size, one.name))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if kind is FaultKind.HALF_FILE:
        content = content[:middle]
    elif kind is FaultKind.HTML:
        content = bytearray(LOGIN_PAGE)
    else:
        flipped = bytes(byte ^ 0xFF for byte in content[middle : middle + FLIPPED_BYTES])
        content[middle : middle + FLIPPED_BYTES] = flipped
    path.write_bytes(content)
