"""Sentinel-1 items of STAC catalogues as one value, however each catalogue writes them.

Known are `sentinel-1-rtc` and `sentinel-1-grd` of the Planetary Computer, `sentinel-1-grd` of the
Copernicus Data Space and of Earth Search. They differ in the id (with or without the product's
unique end, `_rtc`, `_COG`; some without a datatake), in the platform (`SENTINEL-1A`,
`sentinel-1a`, an international designator, nothing), in the datatake (`s1:datatake_id` or
`eopf:datatake_id`, decimal) and in the place of the orbit. What name and properties both tell must
agree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sm_platform.errors import SourceError, UsageError
from sm_platform.sources.sentinel1_names import FrameName, relative_orbit

_NAME = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>IW|EW|S[1-6])_GRD[FHM]_1S(?P<pol>SH|SV|DH|DV)_"
    r"(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})_(?P<orbit>\d{6})(?:_(?P<datatake>[0-9A-F]{6}))?"
    r"(?:_(?P<unique>[0-9A-F]{4}))?(?:_COG)?(?:\.SAFE)?(?:_rtc)?",
    re.ASCII,
)
_IN_HREF = re.compile(r"S1[A-D]_[A-Z0-9]{2}_GRD[FHM]_1S[A-Z]{2}(?:_[0-9T]{15}){2}_\d{6}(?:_\w+)?")
POLARISATIONS = {"SV": ("VV",), "SH": ("HH",), "DV": ("VV", "VH"), "DH": ("HH", "HV")}
DATATAKES = ("s1:datatake_id", "eopf:datatake_id")
RTC_COLLECTIONS = frozenset({"sentinel-1-rtc"})
GRD_COLLECTIONS = frozenset({"sentinel-1-grd", "sentinel1-grd", "sentinel-1-grd-cog"})


class Quantity(StrEnum):
    """What the numbers of an item are."""

    GAMMA0_RTC = "gamma0_rtc"
    """Linear gamma0, radiometrically terrain-corrected, on a map grid."""
    GRD_DIGITS = "grd_digits"
    """Detected amplitude, not calibrated, in radar geometry."""


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One frame of a radar pass."""

    item_id: str
    product_id: str
    """Of the GRD product that it is or was made of, as far as the item names it."""
    platform: str
    """`S1A` to `S1D`."""
    mode: str
    """`IW`, `EW`, ..."""
    start_utc: datetime
    end_utc: datetime
    orbit_state: str | None
    """`ascending` or `descending`; None where the item does not say."""
    absolute_orbit: int
    relative_orbit: int | None
    """1 to 175; None where neither the item nor a formula tells."""
    datatake_id: str
    """Six capital hexadecimal digits, the same for all frames of one pass."""
    polarisations: tuple[str, ...]
    quantity: Quantity
    hrefs: Mapping[str, str] = field(default_factory=dict)
    """Of its images, by polarisation in capitals."""

    @property
    def frame(self) -> FrameName:
        """What the id of a GRD frame says, of any item; its scene id is that of `s1_scenes`."""
        return FrameName(
            self.platform,
            self.start_utc,
            self.end_utc,
            self.absolute_orbit,
            self.relative_orbit,
            self.datatake_id,
        )

    @property
    def day(self) -> date:
        """UTC day of its start."""
        return self.start_utc.date()


def scene_of(item: Mapping[str, Any]) -> SceneItem:
    """A Sentinel-1 item of any of the known catalogues.

    Raises:
        SourceError: it is no such item, lacks a datatake, or contradicts its own name.
    """
    item_id, told = str(item.get("id", "")), item.get("properties") or {}
    hrefs = _hrefs(item)
    name = _NAME.fullmatch(item_id)
    if name is None:
        raise SourceError(f"{item_id[:100]!r} is no Sentinel-1 GRD or RTC item: see its catalogue.")
    product_id = _product_id(item_id, hrefs)
    full = _NAME.fullmatch(product_id) or name
    orbit, start = int(name["orbit"]), _moment(told.get("start_datetime"), name["start"])
    _check_same(item_id, "sat:absolute_orbit", told.get("sat:absolute_orbit"), orbit)
    known = told.get("sat:relative_orbit")
    return SceneItem(
        item_id=item_id,
        product_id=product_id,
        platform=name["platform"],
        mode=name["mode"],
        start_utc=start,
        end_utc=_moment(told.get("end_datetime"), name["stop"]),
        orbit_state=told.get("sat:orbit_state"),
        absolute_orbit=orbit,
        relative_orbit=int(known)
        if known
        else relative_orbit(name["platform"], orbit, start.date()),
        datatake_id=_datatake(item_id, told, full["datatake"]),
        polarisations=_polarisations(told, name["pol"]),
        quantity=quantity_of(str(item.get("collection", "")), item_id),
        hrefs=hrefs,
    )


def quantity_of(collection: str, item_id: str = "") -> Quantity:
    """What a collection's numbers are.

    Raises:
        SourceError: the collection is not known: its numbers cannot be told.
    """
    if collection in RTC_COLLECTIONS or (not collection and item_id.endswith("_rtc")):
        return Quantity.GAMMA0_RTC
    if collection in GRD_COLLECTIONS:
        return Quantity.GRD_DIGITS
    raise SourceError(
        f"{item_id or 'The item'}: what the collection {collection!r} measures is not known; known "
        f"are {', '.join(sorted(RTC_COLLECTIONS | GRD_COLLECTIONS))}."
    )


def refuse_radar_geometry(collection: str) -> None:
    """Raise unless a collection of Sentinel-1 lies on a map grid.

    Raises:
        UsageError: GRD as ESA delivers it is in radar geometry, hundreds of metres off on hills.
        SourceError: the collection is not known.
    """
    if quantity_of(collection) is Quantity.GRD_DIGITS:
        raise UsageError(
            f"The collection {collection} is in radar geometry: on hills it lies hundreds of "
            "metres off, and it is not calibrated. Choose earth_engine or sentinel_hub (the same "
            "measurement, orthorectified), or planetary_computer:RTC or earthdata:OPERA_RTC "
            "(gamma0) with a recipe of their own."
        )


def _hrefs(item: Mapping[str, Any]) -> dict[str, str]:
    """Addresses of the images, by polarisation; other assets are left out."""
    found = {}
    for key, asset in (item.get("assets") or {}).items():
        name = key.upper().removesuffix("-RTC")
        if name in ("VV", "VH", "HH", "HV") and asset.get("href"):
            found[name] = str(asset["href"])
    return found


def _product_id(item_id: str, hrefs: Mapping[str, str]) -> str:
    """The longest name of the product that id and addresses give."""
    own = item_id.removesuffix("_rtc")
    named = [
        match[0].removesuffix("_COG")
        for href in hrefs.values()
        for match in _IN_HREF.finditer(href.rsplit("/", 1)[0])
        if _NAME.fullmatch(match[0])
    ]
    start = "_".join(own.split("_")[:7])
    return max(
        [own.removesuffix("_COG"), *(one for one in named if one.startswith(start))], key=len
    )


def _datatake(item_id: str, told: Mapping[str, Any], named: str | None) -> str:
    """From the name, else from the properties, where it stands as a decimal number."""
    values = [str(told[key]) for key in DATATAKES if told.get(key) is not None]
    numbers = [f"{int(one):06X}" for one in values if one.isdecimal()]
    for value, number in zip(values, numbers, strict=False):
        if named is not None and value.upper().zfill(6) != named:
            _check_same(item_id, "datatake", number, named)
    if named is None and not numbers:
        raise SourceError(f"{item_id}: neither its name nor its properties tell the datatake.")
    return named if named is not None else numbers[0]


def _check_same(item_id: str, what: str, told: object, named: object) -> None:
    if told is not None and str(told) != str(named):
        raise SourceError(
            f"{item_id}: {what} is {told}, its name says {named}: the catalogue's entry is wrong."
        )


def _polarisations(told: Mapping[str, Any], code: str) -> tuple[str, ...]:
    return tuple(told.get("sar:polarizations") or POLARISATIONS[code])


def _moment(told: object, named: str) -> datetime:
    """A property's moment (UTC), else the one in the name; both lack a zone when it is UTC."""
    if isinstance(told, str):
        try:
            moment = datetime.fromisoformat(told)
        except ValueError as error:
            raise SourceError(f"{told!r} is no date and time: the item is damaged.") from error
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return datetime.strptime(named, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
