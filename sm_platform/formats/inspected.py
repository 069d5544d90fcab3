"""What a provider's file is as the platform reads it: values that `inspect_file` hands over."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

UNKNOWN = "unknown"
"""Product of a file that can be read and is none of those that the platform knows."""
Place = tuple[float, float]
"""Longitude and latitude, degrees (WGS 84)."""
_UNITS = {
    "m3/m3": ("m3/m3", "m3m-3", "cm3/cm3", "cm3cm-3", "m**3/m**3", "m**3m**-3", "cm**3/cm**3"),
    "K": ("k", "kelvin", "kelvins", "degreesk", "degk"),
    "deg": ("deg", "degree", "degrees", "degree(s)"),
    "dB": ("db", "decibel"),
    "m": ("m", "meter", "meters", "metre", "metres"),
    "1": (
        "",
        "1",
        "dimensionless",
        "unitless",
        "none",
        "n/a",
        "na",
        "-",
        "rank",
        "bitfield",
        "ndvi",
        "evi",
        "reflectance",
    ),
}
"""How units are written here, and how providers write them (blanks and letters' case aside)."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One quantity of a file; coordinates and grid indices are none."""

    name: str
    """As the provider calls it."""
    unit: str
    """`1` for numbers without one; empty where a raster of no known product tells none."""
    valid_share: float | None
    """Of all its cells, those that hold a value; None when there are no cells."""
    at: float | int | None = None
    """The value at the asked place, after scale and fill; None where missing or not asked."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file."""

    product: str
    time_utc: datetime | None
    """Of sensing, or the begin of its period."""
    crs: str | None
    """Authority code, else WKT; None when the file has no grid."""
    affine: tuple[float, ...] | None
    """a, b, c, d, e, f: a corner (col, row) to (x, y); None when the file has no regular grid."""
    shape: tuple[int, ...] | None
    """Rows, columns of a grid; readings of a series."""
    variables: tuple[Variable, ...]
    notes: tuple[str, ...] = ()
    """What a person should know beside: a sentence each."""


def unit_of(written: str) -> str:
    """The unit as this project writes it; the provider's text when it is none of the known."""
    plain = written.strip().lower().replace(" ", "").replace("^", "")
    for unit, ways in _UNITS.items():
        if plain in ways:
            return unit
    return written.strip()


def number_of(value: float) -> float | int | None:
    """A finite number, whole ones as int; None for NaN and infinities."""
    if not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def shortest(value: float, dtype: np.dtype[Any]) -> float:
    """The shortest decimal of a number of that type: 0.2163 of a float32, not 0.21629999."""
    return float(str(np.float32(value))) if dtype == np.float32 else float(value)


def share_of(n_valid: int, n_all: int) -> float | None:
    """Valid cells of all cells."""
    return n_valid / n_all if n_all else None


def unique_names(paths: Sequence[str]) -> list[str]:
    """The last part of each `group/name`; the whole where two would be called the same."""
    last = [path.rsplit("/", 1)[-1] for path in paths]
    return [name if last.count(name) == 1 else path for name, path in zip(last, paths, strict=True)]
