"""Where and by what an ISMN series was taken: from a file's header, its rows and its name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sm_platform.errors import GranuleError

NAME = re.compile(r"_([a-z][a-z0-9]*)_(-?\d+\.\d+)_(-?\d+\.\d+)_(.+)_\d{8}_\d{8}$")
"""In a file name: variable, layer and sensor."""
DATE = re.compile(r"\d{4}/\d{2}/\d{2}")
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
DEEPEST_M = 100.0
"""What a depth can be, so that a station called `Site 12` is told from a place."""


@dataclass(frozen=True, slots=True)
class Place:
    """What all readings of one series share; its fields are columns of `READINGS`."""

    station_id: str
    lon_deg: float
    lat_deg: float
    depth_from_m: float
    depth_to_m: float
    sensor: str | None

    @property
    def is_known(self) -> bool:
        """Whether place and layer are numbers."""
        told = (self.lon_deg, self.lat_deg, self.depth_from_m, self.depth_to_m)
        return bool(np.isfinite(told).all())


def variable_of(file: Path) -> str | None:
    """The variable in the name of a file, None when it tells none."""
    found = NAME.search(file.stem)
    return found.group(1) if found else None


def is_number(text: str) -> bool:
    """Whether a text is a plain number: `1_000`, `inf` and `Nan` are names."""
    return NUMBER.fullmatch(text) is not None


def place_of_header(file: Path, fields: Sequence[str]) -> Place:
    """Names may hold blanks and numbers: what the file's name tells too decides, then what can be.

    Raises:
        GranuleError: there are no five numbers of a place and a layer.
    """
    found = [n for n in range(3, len(fields) - 4) if _has_numbers(fields[n : n + 5])]
    if not found:
        raise GranuleError(f"{file.name}: its first line tells no place and layer: fetch it again.")
    n = max(found, key=lambda n: (_is_named(file, fields[n : n + 5]), _can_be(fields[n : n + 5])))
    names, sensor = [fields[1], *fields[2:n]], " ".join(fields[n + 5 :])
    lat, lon, _, upper, lower = fields[n : n + 5]
    place = place_of_row(file, names, (lat, lon, upper, lower))
    return replace(place, sensor=sensor or place.sensor)


def place_of_row(file: Path, names: Sequence[str], numbers: Sequence[str]) -> Place:
    """Of network and station, latitude, longitude, and one or two ends of the layer (m).

    What is no number is NaN.
    """
    lat, lon, upper, *rest = (float(text) if is_number(text) else np.nan for text in numbers)
    lower = rest[0] if rest else upper
    named = NAME.search(file.stem)
    station = f"{names[0]}/{' '.join(names[1:])}"
    return Place(station, lon, lat, upper, lower, named.group(4) if named else None)


def _has_numbers(fields: Sequence[str]) -> bool:
    """Whether texts are latitude, longitude, elevation (or none) and two ends of a layer."""
    return all(is_number(text) for text in (*fields[:2], *fields[3:]))


def _is_named(file: Path, fields: Sequence[str]) -> bool:
    """Whether the file's name tells the same layer."""
    named = NAME.search(file.stem)
    return named is not None and [*map(float, named.group(2, 3))] == [*map(float, fields[3:])]


def _can_be(fields: Sequence[str]) -> bool:
    """Whether the numbers can be a place on the globe and a layer."""
    lat, lon, upper, lower = (float(text) for text in (*fields[:2], *fields[3:]))
    is_place = abs(lat) <= 90 and abs(lon) <= 180
    return is_place and upper <= lower and max(abs(upper), abs(lower)) <= DEEPEST_M
