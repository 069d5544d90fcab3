"""Parcels: files that a person brings as one granule, read where they lie and only then landed."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sm_platform.errors import UsageError
from sm_platform.lake.granules import LandedGranule, digest_of, land, landed
from sm_platform.lake.layout import Layout
from sm_platform.sources.names import SAFE_NAME

LICENCE = "brought by the user"
SOURCE = "user"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST = 150


@dataclass(frozen=True, slots=True)
class Parcel:
    """One granule to be landed: its files by the name they will have."""

    product: str
    format: str
    granule_id: str
    day: date | None
    files: Mapping[str, Path]
    is_simulated: bool = False
    """No real place was measured: said in the granule's licence, as by simulated archives."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A parcel in the lake."""

    granule: LandedGranule
    is_new: bool
    is_replacing: bool
    """Another content stood there under the same id; it was put aside as superseded."""


def deliver(
    layout: Layout, region: str, parcel: Parcel, read: Callable[[LandedGranule], object]
) -> Delivered:
    """Land a parcel after `read` has read it; the same content twice is one granule.

    Raises:
        UsageError: a file cannot be read by the system.
        SmPlatformError: whatever `read` raises; nothing is landed then.
    """

    def copy(folder: Path) -> None:
        for name, source in parcel.files.items():
            shutil.copyfile(source, folder / name)

    before = {
        one.granule_id: one.sha256 for one in landed(layout, parcel.product, region, parcel.day)
    }
    with tempfile.TemporaryDirectory() as folder:
        with readable():
            copy(Path(folder))
            stamp, _ = digest_of([parcel.files[name] for name in sorted(parcel.files)])
        read(_trial(parcel, Path(folder)))
    granule, is_new = land(layout, region, _sidecar(parcel, stamp), copy)
    return Delivered(granule, is_new, before.get(parcel.granule_id, stamp) != stamp)


@contextmanager
def readable() -> Iterator[None]:
    """Turns what the system says of a file of a person's into a UsageError."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}): check the path."
        ) from error


def need(path: Path) -> None:
    """Raise UsageError when there is no such path."""
    if not path.exists():
        raise UsageError(f"{path} does not exist: check the path.")


def need_file(path: Path) -> None:
    """Raise UsageError when there is no such file."""
    need(path)
    if not path.is_file():
        raise UsageError(f"{path} is a folder: name one file.")


def as_zip(folder: Path, beside: Path) -> Path:
    """A zip of all files of a folder; the same files give the same bytes."""
    target = beside / (safe_name(folder.resolve().name) + ".zip")
    with readable(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                member.compress_type = zipfile.ZIP_DEFLATED
                with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as out:
                    shutil.copyfileobj(source, out)
    return target


def safe_name(name: str) -> str:
    """A file name that can be part of a path of the lake."""
    plain = UNSAFE.sub("-", name).lstrip("-._") or "series"
    return plain if SAFE_NAME.fullmatch(plain) else plain[-LONGEST:].lstrip("-._") or "series"


def _trial(parcel: Parcel, folder: Path) -> LandedGranule:
    return LandedGranule(
        folder=folder,
        product=parcel.product,
        granule_id=parcel.granule_id,
        day=parcel.day,
        format=parcel.format,
        files=tuple(parcel.files),
        sha256="",
        size_bytes=0,
        available_utc=None,
        source=SOURCE,
    )


def _sidecar(parcel: Parcel, stamp: str) -> dict[str, Any]:
    return {
        "product": parcel.product,
        "granule_id": parcel.granule_id,
        "day": parcel.day.isoformat() if parcel.day else None,
        "format": parcel.format,
        "files": list(parcel.files),
        "available_utc": None,
        "licence": LICENCE + " (simulated)" * parcel.is_simulated,
        "source": SOURCE,
        "stamp": stamp,
    }
