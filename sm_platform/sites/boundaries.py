"""Outlines of countries and, from them, of land: Natural Earth 1:10 million, on this machine.

Source: Natural Earth, admin 0 countries (public domain), as the package geo-intel-offline ships
it: 258 outlines of 367,000 vertices, simplified to about 0.005 degrees. A coast or border may
lie 1 to 2 km beside its place and islets below about 1 km2 are absent: enough to choose a region
or to tell land from sea, too little to judge a field. Borders are those of fact as Natural Earth
sees them, not a statement of law.
"""

import difflib
import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from sm_platform.errors import DataError, UsageError
from sm_platform.sites.areas import Area, Outline, check_range, only_areas, slug

PACKAGE = "geo-intel-offline"
FOLDER = "geo_intel_offline/data"
NO_CODE = "-99"
OTHER_NAMES = {
    "FR": "France", "FRA": "France",
    "NO": "Norway", "NOR": "Norway",
    "XK": "Kosovo", "XKX": "Kosovo",
    "Bosnia and Herzegovina": "Bosnia and Herz.",
    "Burma": "Myanmar",
    "Central African Republic": "Central African Rep.",
    "Czech Republic": "Czechia",
    "Democratic Republic of the Congo": "Dem. Rep. Congo",
    "Dominican Republic": "Dominican Rep.",
    "East Timor": "Timor-Leste",
    "Equatorial Guinea": "Eq. Guinea",
    "Great Britain": "United Kingdom",
    "Ivory Coast": "C\u00f4te d'Ivoire",
    "Lao PDR": "Laos",
    "Solomon Islands": "Solomon Is.",
    "South Sudan": "S. Sudan",
    "Swaziland": "eSwatini",
    "T\u00fcrkiye": "Turkey",
    "UK": "United Kingdom",
    "United States": "United States of America",
    "Western Sahara": "W. Sahara",
}  # fmt: skip
"""Names and codes that Natural Earth abbreviates or leaves out."""


@dataclass(frozen=True, slots=True)
class Country:
    """One country of the package; `outline_of` gives its outline."""

    number: str
    """Its key in the package."""
    name: str
    codes: tuple[str, ...]
    """ISO 3166 codes of 2 and 3 letters; none for disputed places."""
    bounds: tuple[float, float, float, float]
    """West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Closed rings of a country, each of shape (n, 2): lon, lat in degrees."""

    outer: tuple[NDArray[np.float64], ...]
    holes: tuple[NDArray[np.float64], ...]


def area_from_country(name: str) -> Area:
    """The area of a country, by English name or ISO code of 2 or 3 letters, in any case.

    Raises:
        UsageError: there is no such country (the nearest are named), or it crosses 180 degrees.
        DataError: the package with the outlines is not installed.
    """
    known = {_plain(country.name): country for country in countries()}
    codes = {_plain(code): country for country in countries() for code in country.codes}
    others = {_plain(other): known[_plain(real)] for other, real in OTHER_NAMES.items()}
    found = (codes | others | known).get(_plain(name))
    if found is None:
        titles = {_plain(country.name): country.name for country in countries()} | {
            _plain(other): other for other in OTHER_NAMES
        }
        near = difflib.get_close_matches(_plain(name), titles, n=4, cutoff=0.5)
        hint = f": nearest are {', '.join(titles[key] for key in near)}" if near else ""
        raise UsageError(f"There is no country '{name}'{hint}; or give its outline with --file.")
    outline = check_range(outline_of(found.number), found.name)
    origin = f"{found.name}, outline of Natural Earth 1:10 million ({PACKAGE})"
    return Area(outline, origin)


def land_within(outline: Outline, *, margin_deg: float = 0.0) -> Outline:
    """The part of the outline, widened by a margin, that is land; empty at sea. Lakes are land."""
    wide = shapely.buffer(outline, margin_deg) if margin_deg else outline
    west, south, east, north = shapely.bounds(wide)
    near = [
        outline_of(country.number)
        for country in countries()
        if country.bounds[0] <= east
        and country.bounds[2] >= west
        and country.bounds[1] <= north
        and country.bounds[3] >= south
    ]
    shapely.prepare(wide)
    return only_areas(shapely.intersection(np.array(near, object), wide))


@cache
def countries() -> tuple[Country, ...]:
    """All countries; raises DataError when their package is not installed."""
    titles = _table("metadata.json.gz")
    return tuple(_country(number, titles[number], rings) for number, rings in _shapes().items())


@cache
def outline_of(number: str) -> Outline:
    """The outline of a country, repaired where its simplification crossed itself."""
    shape = _shapes()[number]
    outline = only_areas(np.array([shapely.Polygon(ring) for ring in shape.outer], object))
    holes = only_areas(np.array([shapely.Polygon(ring) for ring in shape.holes], object))
    return only_areas(np.array([shapely.difference(outline, holes)], object))


def _table(name: str) -> dict[str, Any]:
    """One table of the package, by the country's number."""
    try:
        path = distribution(PACKAGE).locate_file(f"{FOLDER}/{name}")
        with gzip.open(str(path), "rt", encoding="utf-8") as file:
            table: dict[str, Any] = json.load(file)
    except (PackageNotFoundError, OSError, ValueError) as error:
        raise DataError(
            f"The outlines of countries cannot be read ({error}): install {PACKAGE} again."
        ) from None
    return table


@cache
def _shapes() -> dict[str, Rings]:
    """Rings of every country, by its number."""
    return {number: _rings(shape) for number, shape in _table("polygons.json.gz").items()}


def _rings(shape: dict[str, Any]) -> Rings:
    """Rings of lon, lat from the package's rings of lat, lon."""
    outer = shape.get("exteriors") or [shape["exterior"]]
    turned = [
        [np.asarray(ring, float)[:, ::-1] for ring in part] for part in (outer, shape["holes"])
    ]
    return Rings(tuple(turned[0]), tuple(turned[1]))


def _country(number: str, title: dict[str, str], rings: Rings) -> Country:
    """What is known of a country beside its outline."""
    points = np.concatenate(rings.outer)
    (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    codes = tuple(code for code in (title["iso2"], title["iso3"]) if code != NO_CODE)
    return Country(number, title["name"], codes, (west, south, east, north))


def _plain(name: str) -> str:
    """A name without case, accents, blanks and marks."""
    return slug(name).replace("-", "")
