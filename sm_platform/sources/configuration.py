"""Which service brings which driver: one typed configuration, from a TOML file or one line.

    [sources]                             # driver = "service" or "service:variant"
    sentinel1 = "earth_engine"
    ndvi = "earthdata:VJ113A1"
    weather = "climate_store"

    [earth_engine]                        # options of a service
    project = "my-project"

    [budget]                              # of a calendar month (UTC), all services together
    megabytes_per_month = 50000

The same as one line, without options: `sentinel1=earth_engine,weather=climate_store`. Credentials
never stand here: they are environment variables of the services.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

from sm_platform.errors import UsageError
from sm_platform.sources.protocol import Product

DRIVERS = {
    "sentinel1": Product.S1_GRD,
    "ndvi": Product.NDVI,
    "weather": Product.WEATHER,
    "late_rain": Product.LATE_RAIN,
    "soil": Product.SOIL,
    "elevation": Product.ELEVATION,
    "land_cover": Product.LAND_COVER,
    "planet_swc": Product.SWC,
    "nsidc_0779": Product.NSIDC_0779,
    "spl3smp_e": Product.SPL3SMP_E,
    "spl4smgp": Product.SPL4SMGP,
    "ismn": Product.ISMN,
}
"""Names of the drivers and labels in the configuration."""
NEEDED = ("sentinel1", "ndvi", "weather", "soil", "elevation", "land_cover")
"""Without these no map can be made."""
VIIRS = ("VJ113A1", "VJ213A1", "VNP13A1")
"""NOAA-20, NOAA-21, and Suomi NPP, which is reported to end about 2026-11-01."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A service, and which of its products where it has several of a driver."""

    service: str
    variant: str | None = None

    @property
    def told(self) -> str:
        """As it is written."""
        return self.service if self.variant is None else f"{self.service}:{self.variant}"


CHOICES: dict[str, tuple[str, ...]] = {
    "sentinel1": (
        "earth_engine",
        "sentinel_hub",
        "earthdata:OPERA_RTC",
        "planetary_computer:RTC",
        "archive",
    ),
    "ndvi": (
        "earth_engine",
        "earth_engine:VNP13A1",
        "earthdata",
        *(f"earthdata:{one}" for one in VIIRS),
        "planetary_computer",
        "archive",
        "archive:MODIS",
        "archive:VIIRS",
    ),
    "weather": ("earth_engine", "climate_store", "archive"),
    "late_rain": ("earthdata", "archive"),
    "soil": ("earth_engine", "isric", "archive"),
    "elevation": ("earth_engine", "copernicus_dem", "archive"),
    "land_cover": ("earth_engine", "worldcover", "archive"),
    "planet_swc": ("planet", "folder", "archive"),
    "nsidc_0779": ("earthdata", "folder", "archive"),
    "spl3smp_e": ("earthdata", "folder", "archive"),
    "spl4smgp": ("earthdata", "folder", "archive"),
    "ismn": ("folder", "archive"),
}
"""What each driver can come from; without a variant: MODIS for `ndvi`."""
RADAR_GEOMETRY = (
    "these files are in radar geometry, hundreds of metres off on hills: choose earth_engine or "
    "sentinel_hub (the same measurement, orthorectified), or earthdata:OPERA_RTC or "
    "planetary_computer:RTC (gamma0) with the recipe sm-100m-v1-rtc"
)
GRD_FILES = ("planetary_computer", "planetary_computer:GRD", "copernicus_stac", "asf")
EARTHDATA_GRD = ("earthdata", "earthdata:GRD")
REFUSED = {"sentinel1": dict.fromkeys((*GRD_FILES, *EARTHDATA_GRD), RADAR_GEOMETRY)}
"""What exists and must not be used, with the reason."""
OPTIONS: dict[str, dict[str, type]] = {
    "earth_engine": {
        "project": str,
        "high_volume": bool,
        "url": str,
        "in_flight": int,
        "profile": bool,
    },
    "earthdata": {
        "cmr_url": str,
        "login_host": str,
        "trusted_hosts": list,
        "download_hosts": list,
        "in_flight": int,
    },
    "planetary_computer": {"stac_url": str, "token_url": str, "in_flight": int},
    "isric": {"url": str},
    "copernicus_dem": {"url": str},
    "worldcover": {"url": str},
    "climate_store": {"url": str, "in_flight": int},
    "sentinel_hub": {"url": str, "token_url": str, "in_flight": int},
    "planet": {"url": str, "subscriptions": list, "in_flight": int},
    "folder": {"path": str},
    "archive": {"path": str},
}
"""Options of each service and their types; what they mean stands in the README."""


UNITS = ("requests", "megabytes", "Earth Engine compute unit hours")
"""What a budget limits, in its order."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in a calendar month (UTC); None: no limit."""

    requests_per_month: float | None = None
    megabytes_per_month: float | None = None
    eecu_hours_per_month: float | None = None
    """Earth Engine compute units: its pages bill and limit EECU hours."""

    @property
    def limits(self) -> tuple[float | None, float | None, float | None]:
        """Of requests, megabytes and EECU hours, as UNITS names them."""
        return self.requests_per_month, self.megabytes_per_month, self.eecu_hours_per_month

    @property
    def is_open(self) -> bool:
        """Whether nothing is limited."""
        return all(most is None for most in self.limits)

    @property
    def told(self) -> str:
        """The limits in words; empty when there are none."""
        named = zip(self.limits, UNITS, strict=True)
        return ", ".join(f"{most:.6g} {name}" for most, name in named if most is not None)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Services by driver, their options, and the budget."""

    choices: Mapping[Product, Choice]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By service."""
    budget: Budget = field(default_factory=Budget)

    def options_of(self, service: str) -> Mapping[str, Any]:
        """Options of a service; none said: its defaults."""
        return self.options.get(service, {})

    @property
    def told(self) -> str:
        """Each driver with its service, in words."""
        return ", ".join(f"{driver_of(p)} from {one.told}" for p, one in self.choices.items())

    @property
    def lacking(self) -> tuple[str, ...]:
        """Drivers that every map needs and that have no source."""
        return tuple(name for name in NEEDED if DRIVERS[name] not in self.choices)


def read_configuration(text: str) -> Configuration:
    """The configuration in a TOML file, or in the line itself.

    Raises:
        UsageError: naming the file, the entry and what can stand there.
    """
    path = configuration_file(text)
    if path is None:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        sources = {name.strip(): value.strip() for name, _, value in pairs}
        if len(sources) < len(pairs):
            raise UsageError("SM_SOURCES names a driver twice: leave one of them out.")
        return _configuration({"sources": sources}, "SM_SOURCES")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"SM_SOURCES names {path}, which cannot be read ({error.strerror}): write a TOML file "
            "there, or driver=service pairs with commas."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML ({error}): mend that line.") from error
    found = _configuration(content, str(path))
    options = {name: _placed(table, path.parent) for name, table in found.options.items()}
    return replace(found, options=options)


def _placed(options: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Options with their path made whole: as it is meant beside the file."""
    if "path" not in options:
        return options
    return {**options, "path": str((folder / Path(options["path"]).expanduser()).resolve())}


def configuration_file(text: str) -> Path | None:
    """The file that the text names; None when it is the line itself."""
    is_line = "=" in text and not text.endswith(".toml")
    return None if is_line else Path(text).expanduser()


def driver_of(product: Product) -> str:
    """Its name in the configuration."""
    return next((name for name, one in DRIVERS.items() if one is product), product.value)


def _configuration(content: Mapping[str, Any], place: str) -> Configuration:
    known = ("sources", "budget", *OPTIONS)
    _check_known(content, known, f"{place}: the table")
    tables = {name: _table(content.get(name, {}), f"{place} [{name}]") for name in content}
    sources = tables.pop("sources", {})
    if not sources:
        raise UsageError(f'{place} has no [sources]: write driver = "service" lines there.')
    _check_known(sources, tuple(DRIVERS), f"{place} [sources]: the driver")
    choices = {DRIVERS[name]: _choice(name, value, place) for name, value in sources.items()}
    budget = _budget(tables.pop("budget", {}), place)
    for service, options in tables.items():
        _check_options(service, options, place)
    return Configuration(choices, tables, budget)


def _table(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{place} is no table: write name = value lines below it.")
    return value


def _choice(driver: str, value: object, place: str) -> Choice:
    text = str(value)
    reason = REFUSED.get(driver, {}).get(text)
    if reason is not None:
        raise UsageError(f'{place}: {driver} = "{text}" is refused, {reason}.')
    if text not in CHOICES[driver]:
        raise UsageError(
            f'{place}: {driver} = "{text}" is not known: write one of {", ".join(CHOICES[driver])}.'
        )
    service, _, variant = text.partition(":")
    return Choice(service, variant or None)


def _budget(table: Mapping[str, Any], place: str) -> Budget:
    names = tuple(one.name for one in fields(Budget))
    _check_known(table, names, f"{place} [budget]: the entry")
    for name, value in table.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and isfinite(value) and value > 0):
            raise UsageError(f"{place} [budget]: {name} is {value!r}: write a number above 0.")
    return Budget(**{name: float(value) for name, value in table.items()})


def _check_options(service: str, options: Mapping[str, Any], place: str) -> None:
    types = OPTIONS[service]
    _check_known(options, tuple(types), f"{place} [{service}]: the option")
    for name, value in options.items():
        if not _fits(value, types[name]):
            kind = "1 to 100" if types[name] is int else types[name].__name__
            raise UsageError(f"{place} [{service}]: {name} is {value!r}: it has to be {kind}.")


def _fits(value: object, kind: type) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100
    return isinstance(value, kind)


def _check_known(found: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for name in found:
        if name not in known:
            raise UsageError(f"{what} '{name}' is not known: there are {', '.join(known)}.")
