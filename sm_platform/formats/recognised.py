"""A provider's file that is known, and how names of files tell product and time."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

TIME = "%Y%m%dT%H%M%S%z"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
SENTINEL1 = re.compile(r"S1[ABCD]_(?:IW|EW|S\d)_([A-Z]{3})._\w{4}_(\d{8}T\d{6})")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file that is known."""

    product: str
    """Short name of the product, as labels and granules of the lake are called."""
    format: str
    """Module of this room that reads it; empty where none does."""
    granule_id: str
    """Safe as a folder name."""
    time_utc: datetime | None
    """Of sensing, or the begin of its period, as far as the name or content tells."""
    files: tuple[Path, ...]
    """All files of its granule."""
    is_companion: bool = False
    """Whether another file of the granule is the one to be read."""

    @property
    def day(self) -> date | None:
        """UTC day of the granule."""
        return self.time_utc.date() if self.time_utc else None


def known_file(path: Path, product: str, reader: str, moment: datetime | None) -> Recognised:
    """A file that is a granule of its own."""
    name = UNSAFE.sub("-", path.name.rsplit(".", 1)[0]).lstrip("-._") or "file"
    return Recognised(product, reader, name, moment, (path,))


def s1_time(name: str) -> datetime | None:
    """Start of a Sentinel-1 frame from a name that holds its id; None when it holds none."""
    found = SENTINEL1.search(name)
    return moment_of(found[2]) if found else None


def s1_product(name: str) -> str:
    """`s1_grd`, or `s1_slc` and the like, from a name that holds the id of a frame."""
    found = SENTINEL1.search(name)
    return f"s1_{found[1].lower()}" if found else "s1_grd"


def moment_of(digits: str) -> datetime | None:
    """`20250110T225118`, or a day as `20250110` or `2025-01-10`; None when it is no time."""
    plain = digits.replace("-", "")
    try:
        return datetime.strptime(f"{plain}{'' if 'T' in plain else 'T000000'}+0000", TIME)
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    """00 UTC of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
