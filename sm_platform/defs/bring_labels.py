"""Labels that a person brings: checked by their reader first, then landed as granules."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sm_platform.defs.label_readers import FIELD_READERS, read_series
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.own_series import COLUMNS, FORMAT, OwnSeries
from sm_platform.defs.parcels import (
    Delivered,
    Parcel,
    as_zip,
    deliver,
    need,
    need_file,
    readable,
    safe_name,
)
from sm_platform.defs.series_told import told_of_series
from sm_platform.errors import DataError, GranuleError
from sm_platform.formats.recognise import recognise
from sm_platform.formats.recognised import Recognised
from sm_platform.lake.granules import LandedGranule
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_sources import LabelType
from sm_platform.schema.region import Region

DIGITS = 8
MOST_TOLD = 5
OTHER_COMMAND = {"ismn": "add-ismn", "planet_csv": "add-planet-csv"}
"""How series are brought that stand among fields, by their format."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of the files."""

    granules: tuple[LandedGranule, ...]
    n_new: int
    refused: tuple[str, ...] = ()
    """A sentence for each file that no label was found in."""
    told: tuple[str, ...] = ()
    """What else a person should know: counts, rejected readings, a clock that is wrong."""

    @property
    def days(self) -> list[date]:
        """The days that fields were brought for."""
        return sorted({one.day for one in self.granules if one.day})


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is said of a file of series."""

    product: str
    format: str
    series: str
    """Which series of the file it is about."""
    text: str
    """All that is said, as it lies beside the file."""
    is_simulated: bool = False


def bring_fields(layout: Layout, region: Region, paths: Sequence[Path]) -> Brought:
    """Land files of gridded products; folders are searched. A file that is none is named.

    Raises:
        DataError: no file of a gridded soil-moisture product is among them.
        UsageError: a path does not exist.
    """
    landed, refused = list[Delivered](), list[str]()
    for path in _files(paths):
        try:
            parcel = _field_parcel(path)
            if parcel is not None:
                landed.append(_deliver_field(layout, region, parcel))
        except GranuleError as error:
            refused.append(str(error))
    if not landed:
        more = len(refused) - MOST_TOLD
        why = [*refused[:MOST_TOLD], *([f"So are {more} more."] if more > 0 else [])]
        raise DataError(" ".join(["No label was brought.", *(why or ["There is no file."])]))
    granules = tuple(one.granule for one in landed)
    told = tuple(_replaced(one) for one in landed if one.is_replacing)
    return Brought(granules, sum(one.is_new for one in landed), tuple(refused), told)


def _field_parcel(path: Path) -> Parcel | None:
    """The granule of a file, None for one that belongs to another file."""
    with readable():
        known = recognise(path)
    if known is None or known.format not in FIELD_READERS:
        raise GranuleError(
            f"{path.name}: is no file of a gridded soil-moisture product{_but(known)}."
        )
    if known.day is None:
        raise GranuleError(
            f"{path.name}: holds {known.product}, but its name tells no time: give it the name "
            "that the provider gave it."
        )
    if known.is_companion:
        return None
    files = {one.name: one for one in known.files}
    return Parcel(known.product, known.format, known.granule_id, known.day, files)


def _but(known: Recognised | None) -> str:
    command = OTHER_COMMAND.get(known.format) if known else None
    return f", but a series: bring it with `labels {command}`" if command else ""


def _deliver_field(layout: Layout, region: Region, parcel: Parcel) -> Delivered:
    def read(granule: LandedGranule) -> None:
        FIELD_READERS[granule.format](granule, region.window)

    return deliver(layout, region.region_id, parcel, read)


def bring_ismn(layout: Layout, region: Region, path: Path) -> Brought:
    """Land an ISMN download: a zip or .stm file as it is, a folder as one zip of it.

    Raises:
        GranuleError: nothing in it is a series of soil moisture.
        UsageError: there is no such path.
    """
    need(path)
    with tempfile.TemporaryDirectory() as folder:
        source = as_zip(path, Path(folder)) if path.is_dir() else path
        name = safe_name(source.name)
        parcel = Parcel("ismn", "ismn", Path(name).stem, None, {name: source})
        return _deliver_series(layout, region, parcel)


def bring_csv(layout: Layout, region: Region, path: Path, said: OwnSeries) -> Brought:
    """Land a series of one's own with what was said of it.

    Brought again, the same column of a file of that name takes the place of the earlier one: a
    slip is put right so, in the file or in what is said of it.

    Raises:
        GranuleError: the file is no table, or none of its rows can be read.
        UsageError: there is no such file or column.
    """
    is_simulated = said.label_type is LabelType.SIMULATED
    beside = _Beside("user_csv", FORMAT, said.columns.value, said.as_json(), is_simulated)
    return _bring_series(layout, region, path, beside)


def bring_planet_csv(
    layout: Layout, region: Region, path: Path, place: Mapping[str, Any]
) -> Brought:
    """Land a Planet series with its place (`lon`, `lat`, `station_id`), which it does not tell.

    Raises:
        GranuleError: the file is no such series.
        UsageError: there is no such file, or the place is not on the globe.
    """
    text = json.dumps(dict(place), sort_keys=True, indent=1)
    beside = _Beside("planet_series", "planet_csv", str(place["station_id"]), text)
    return _bring_series(layout, region, path, beside)


def _bring_series(layout: Layout, region: Region, path: Path, beside: _Beside) -> Brought:
    need_file(path)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / COLUMNS
        said.write_text(beside.text)
        name = safe_name(path.name)
        files = {name: path, COLUMNS: said}
        # A file or what was said of it may be put right; another column is another granule.
        granule_id = f"{Path(name).stem}-{hash_of(path.name, beside.series)[:DIGITS]}"
        parcel = Parcel(beside.product, beside.format, granule_id, None, files, beside.is_simulated)
        return _deliver_series(layout, region, parcel)


def _deliver_series(layout: Layout, region: Region, parcel: Parcel) -> Brought:
    told = list[str]()

    def read(granule: LandedGranule) -> None:
        told.extend(told_of_series(granule, read_series(granule), region))

    done = deliver(layout, region.region_id, parcel, read)
    if done.is_replacing:
        told.append(_replaced(done))
    return Brought((done.granule,), int(done.is_new), (), tuple(told))


def _replaced(done: Delivered) -> str:
    return (
        f"{done.granule.files[0]} takes the place of what was brought under that name before: give "
        "it another name if both are to count."
    )


def _files(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        need(path)
    found = [
        one for path in paths for one in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    return [path for path in found if path.is_file()]
