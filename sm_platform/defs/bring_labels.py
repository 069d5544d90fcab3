"""Labels that a person brings: checked by their reader first, then landed as granules."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sm_platform.defs.label_readers import COLUMNS, FIELD_READERS, SERIES_READERS
from sm_platform.errors import DataError, GranuleError, UsageError
from sm_platform.formats.recognise import recognise
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.lake.granules import LandedGranule, digest_of, land
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.names import SAFE_NAME, stamp_of

LICENCE = "brought by the user"
SOURCE = "user"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of the files."""

    granules: tuple[LandedGranule, ...]
    n_new: int
    refused: tuple[str, ...]
    """A sentence for each file that no label was found in."""

    @property
    def days(self) -> list[date]:
        """The days that fields were brought for."""
        return sorted({one.day for one in self.granules if one.day})


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One granule to be landed: its files by the name they will have."""

    product: str
    format: str
    granule_id: str
    day: date | None
    files: Mapping[str, Path]


def bring_fields(layout: Layout, region: Region, paths: Sequence[Path]) -> Brought:
    """Land files of gridded products; folders are searched. A file that is none is named.

    Raises:
        DataError: no file of a gridded soil-moisture product is among them.
    """
    landed, refused, n_new = [], [], 0
    for path in _files(paths):
        known = recognise(path)
        if known is None or known.format not in FIELD_READERS or known.day is None:
            refused.append(f"{path.name}: is no file of a gridded soil-moisture product.")
            continue
        if known.is_companion:
            continue
        files = {one.name: one for one in known.files}
        parcel = _Parcel(known.product, known.format, known.granule_id, known.day, files)
        try:
            granule, is_new = _land(layout, region, parcel)
        except GranuleError as error:
            refused.append(str(error))
            continue
        landed.append(granule)
        n_new += is_new
    if not landed:
        raise DataError(" ".join(["No label was brought.", *refused[:5]]))
    return Brought(tuple(landed), n_new, tuple(refused))


def bring_ismn(layout: Layout, region: Region, path: Path) -> Brought:
    """Land an ISMN download: a zip or .stm file as it is, a folder as one zip of it.

    Raises:
        GranuleError: nothing in it is a series of soil moisture.
        UsageError: there is no such path.
    """
    _need(path)
    with tempfile.TemporaryDirectory() as folder:
        source = _as_zip(path, Path(folder)) if path.is_dir() else path
        name = _safe(source.name)
        parcel = _Parcel("ismn", "ismn", Path(name).stem, None, {name: source})
        granule, is_new = _land(layout, region, parcel)
    return Brought((granule,), int(is_new), ())


def bring_csv(layout: Layout, region: Region, path: Path, columns: SeriesColumns) -> Brought:
    """Land a series of one's own with what its columns are called."""
    return _bring_series(layout, region, path, ("user_csv", "series_csv", asdict(columns)))


def bring_planet_csv(
    layout: Layout, region: Region, path: Path, place: Mapping[str, Any]
) -> Brought:
    """Land a Planet series with its place (`lon`, `lat`, `station_id`), which it does not tell."""
    return _bring_series(layout, region, path, ("planet_series", "planet_csv", dict(place)))


def _bring_series(
    layout: Layout, region: Region, path: Path, what: tuple[str, str, Mapping[str, Any]]
) -> Brought:
    _need(path)
    product, format_name, said = what
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / COLUMNS
        beside.write_text(json.dumps(said, sort_keys=True, indent=1))
        name = _safe(path.name)
        # The same file told in another way is another granule: its readings differ.
        digest, _ = digest_of([path, beside])
        files = {name: path, COLUMNS: beside}
        parcel = _Parcel(product, format_name, f"{Path(name).stem}-{digest[:8]}", None, files)
        granule, is_new = _land(layout, region, parcel)
    return Brought((granule,), int(is_new), ())


def _land(layout: Layout, region: Region, parcel: _Parcel) -> tuple[LandedGranule, bool]:
    """Read the granule where it lies; only what can be read is landed."""

    def copy(folder: Path) -> None:
        for name, source in parcel.files.items():
            shutil.copyfile(source, folder / name)

    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder))
        trial = _trial(parcel, Path(folder))
        if parcel.format in FIELD_READERS:
            FIELD_READERS[parcel.format](trial, region.window)
        else:
            SERIES_READERS[parcel.format](trial)
    return land(layout, region.region_id, _sidecar(parcel), copy)


def _trial(parcel: _Parcel, folder: Path) -> LandedGranule:
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


def _sidecar(parcel: _Parcel) -> dict[str, Any]:
    return {
        "product": parcel.product,
        "granule_id": parcel.granule_id,
        "day": parcel.day.isoformat() if parcel.day else None,
        "format": parcel.format,
        "files": list(parcel.files),
        "available_utc": None,
        "licence": LICENCE,
        "source": SOURCE,
        "stamp": stamp_of(list(parcel.files.values())),
    }


def _files(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        _need(path)
    found = [
        one for path in paths for one in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    return [path for path in found if path.is_file()]


def _need(path: Path) -> None:
    if not path.exists():
        raise UsageError(f"{path} does not exist: check the path.")


def _as_zip(folder: Path, beside: Path) -> Path:
    name = _safe(folder.resolve().name)
    return Path(shutil.make_archive(str(beside / name), "zip", folder))


def _safe(name: str) -> str:
    """A file name that can be part of a path of the lake."""
    plain = UNSAFE.sub("-", name).lstrip("-._") or "series"
    return plain if SAFE_NAME.fullmatch(plain) else plain[:150]
