"""Series of the International Soil Moisture Network (.stm): one file, a folder or a zip of them.

The layouts of a file are told in `ismn_file`. Files of other variables are passed over.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from sm_platform.errors import GranuleError
from sm_platform.formats.ismn_file import read_stm
from sm_platform.formats.ismn_place import variable_of
from sm_platform.formats.safe_zip import Allowance, unpacked
from sm_platform.formats.series_file import SeriesFile

SUFFIX, SOIL_MOISTURE = ".stm", "sm"
MOST_NESTED = 3
"""Zips in each other: a folder packed for the lake, a download in it, a network in that."""
MOST_BYTES = 2 << 30
"""Unpacked from a zip and all zips in it."""
FORKS = "._"
"""What names of files begin with that macOS puts into zips beside the real ones."""


@dataclass(slots=True)
class _Found:
    """What was read so far, and what may still be unpacked."""

    allowance: Allowance
    parts: list[pa.Table] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def read_ismn(path: Path) -> SeriesFile:
    """Soil moisture of one file, of a folder with all below it, or of a zip.

    A damaged file or zip is named and the rest is read.

    Raises:
        GranuleError: no file of soil moisture can be read.
        DataError: there is no room to unpack a zip.
    """
    found = _Found(Allowance(bytes_left=MOST_BYTES))
    _read(path, found, MOST_NESTED)
    if not found.parts:
        raise _nothing(path, found.skipped)
    return SeriesFile(pa.concat_tables(found.parts), tuple(found.skipped))


def _read(path: Path, found: _Found, nested: int) -> None:
    """Put what the path holds to what was found; `nested` zips in each other may follow."""
    try:
        if path.is_dir():
            _read_folder(path, found, nested)
        elif path.suffix.lower() == ".zip":
            _read_zip(path, found, nested)
        elif path.suffix.lower() == SUFFIX and variable_of(path) in (None, SOIL_MOISTURE):
            table, n_broken = read_stm(path)
            found.parts.append(table)
            if n_broken:
                found.skipped.append((path.name, f"{n_broken} rows cannot be read"))
    except GranuleError as error:
        found.skipped.append((path.name, str(error)))


def _read_folder(folder: Path, found: _Found, nested: int) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith(FORKS):
            _read(file, found, nested)


def _read_zip(path: Path, found: _Found, nested: int) -> None:
    if not nested:
        raise GranuleError(
            f"{path.name}: lies in {MOST_NESTED} zips already: unpack it and bring its files."
        )
    with tempfile.TemporaryDirectory() as folder:
        unpacked(path, Path(folder), found.allowance)
        _read_folder(Path(folder), found, nested - 1)


def _nothing(path: Path, skipped: list[tuple[str, str]]) -> GranuleError:
    if len(skipped) == 1:
        return GranuleError(skipped[0][1])
    why = f" ({skipped[0][1]})" if skipped else ""
    return GranuleError(
        f"{path.name}: holds no series of soil moisture (*_sm_*{SUFFIX}){why}: bring an ISMN "
        "download with the variable soil moisture."
    )
