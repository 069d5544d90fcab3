"""The services that SM_SOURCES names, as sources: the only place that knows them all."""

from functools import lru_cache
from pathlib import Path

from sm_platform.defs.open_services import OPENERS, Opening, earth_engine
from sm_platform.defs.resources import settings, source_credentials, sources_text
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.sources.configuration import (
    Budget,
    Choice,
    Configuration,
    configuration_file,
    read_configuration,
)
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Product, Source


def configuration() -> Configuration | None:
    """What SM_SOURCES says; None when it is not set.

    Raises:
        UsageError: naming the entry that is wrong.
    """
    text = sources_text()
    return None if text is None else _read(text, _version(text))


def live_budget() -> Budget:
    """The month's budget; without a configuration there is no limit."""
    chosen = configuration()
    return Budget() if chosen is None else chosen.budget


def needed_configuration() -> Configuration:
    """What SM_SOURCES says; raises UsageError when it is not set, or an entry is wrong."""
    chosen = configuration()
    if chosen is None:
        raise UsageError(
            "SM_SOURCES is not set, so nothing says which service brings what: write a TOML file "
            "(see the README, live sources) and set SM_SOURCES to its path."
        )
    return chosen


def live_source() -> MixedSource:
    """The sources of regions whose granules come from services.

    Raises:
        UsageError: SM_SOURCES is not set, or an entry is wrong.
    """
    needed_configuration()
    credentials = tuple(sorted(source_credentials().items()))
    text = str(sources_text())
    return _opened(text, _version(text), credentials, _work())


def opened_sources() -> list[tuple[list[Product], Source]]:
    """Each source once, with the products that it brings; raises UsageError."""
    by_source: dict[int, tuple[list[Product], Source]] = {}
    for product, source in live_source().by_product.items():
        by_source.setdefault(id(source), ([], source))[0].append(product)
    return list(by_source.values())


def open_earth_engine() -> EarthEngineSource:
    """Earth Engine by its options and credentials, whatever brings the drivers."""
    chosen = configuration()
    options = {} if chosen is None else chosen.options_of("earth_engine")
    return earth_engine(Opening(None, options, source_credentials(), _work()))


def open_service(chosen: Configuration, product: Product, work: Path) -> Source:
    """The source of one product of a configuration."""
    choice = chosen.choices[product]
    opening = Opening(choice.variant, chosen.options_of(choice.service), source_credentials(), work)
    return OPENERS[choice.service](opening)


@lru_cache(4)
def _opened(
    text: str, version: int, credentials: tuple[tuple[str, str], ...], work: Path
) -> MixedSource:
    """One set of sources for as long as nothing of it changes: they keep their log-ins."""
    chosen, by_choice = _read(text, version), dict[Choice, Source]()
    for product, choice in chosen.choices.items():
        if choice not in by_choice:
            by_choice[choice] = open_service(chosen, product, work)
    return MixedSource({product: by_choice[one] for product, one in chosen.choices.items()})


@lru_cache(4)
def _read(text: str, _: int) -> Configuration:
    return read_configuration(text)


def _work() -> Path:
    return Layout(settings().data_lake).aside / "sources"


def _version(text: str) -> int:
    path = configuration_file(text)
    return path.stat().st_mtime_ns if path and path.is_file() else 0
