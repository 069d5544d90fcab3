"""What `doctor --live` finds: each configured service asked for its smallest."""

from collections.abc import Iterator, Sequence

from sm_platform.defs.budget import used_up_in
from sm_platform.defs.live_sources import needed_configuration, opened_sources
from sm_platform.defs.resources import settings, source_credentials
from sm_platform.defs.talk import counted
from sm_platform.defs.variables import CREDENTIALS
from sm_platform.errors import LakeError, SmPlatformError
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import spent_in
from sm_platform.sources.configuration import Configuration, driver_of
from sm_platform.sources.protocol import Finding, LiveSource, Product, Source

WORDS = {
    Product.S1_GRD: "Sentinel-1 radar",
    Product.NDVI: "NDVI",
    Product.WEATHER: "temperature, precipitation",
    Product.LATE_RAIN: "late rain",
    Product.LAND_COVER: "land cover",
    Product.SWC: "Planet soil water content",
    Product.NSIDC_0779: "SMAP 1 km soil moisture",
    Product.SPL3SMP_E: "SMAP 9 km soil moisture",
    Product.SPL4SMGP: "SMAP level 4 soil moisture",
    Product.ISMN: "station soil moisture",
}
"""What is asked of a service, where the name of the driver does not tell it."""


def live_findings() -> Iterator[Finding]:
    """Configuration, budget, credentials, then each service; no wrong one hides the others."""
    try:
        chosen = needed_configuration()
    except SmPlatformError as error:
        yield Finding(False, str(error))
        return
    yield from _chosen(chosen)
    yield from _spent(chosen)
    for name in source_credentials():
        yield Finding(True, f"{name} is set ({CREDENTIALS[name]})")
    try:
        sources = opened_sources()
    except SmPlatformError as error:
        yield Finding(False, str(error))
        return
    for products, source in sources:
        yield from _asked(products, source)


def _chosen(chosen: Configuration) -> Iterator[Finding]:
    yield Finding(True, f"SM_SOURCES: {chosen.told}")
    if chosen.lacking:
        lacking = ", ".join(chosen.lacking)
        yield Finding(False, f"SM_SOURCES names nothing for {lacking}: no map without them")


def _asked(products: Sequence[Product], source: Source) -> Iterator[Finding]:
    if not isinstance(source, LiveSource):
        yield Finding(True, f"{_in_words(products)}: {source.name}, a folder")
        return
    try:
        for one in source.probe(products):
            yield Finding(one.is_good, f"{_in_words(one.products or products)}: {one.text}")
    except Exception as error:  # a fault of ours in one must not hide the others
        said = f"{source.name}: {type(error).__name__} (a fault of the platform)"
        yield Finding(False, f"{_in_words(products)}: {said}")


def _in_words(products: Sequence[Product]) -> str:
    return ", ".join(WORDS.get(one, driver_of(one)) for one in products)


def _spent(chosen: Configuration) -> Iterator[Finding]:
    """What the books of the month tell; first, because a used-up budget stops everything else."""
    layout = Layout(settings().data_lake)
    try:
        month, told = spent_in(layout), used_up_in(layout, chosen.budget)
    except LakeError as error:
        yield Finding(False, str(error))
        return
    if told is not None:
        yield Finding(False, told)
    elif not chosen.budget.is_open:
        yield Finding(True, f"the month's budget is not used up: {chosen.budget.told}")
    for service, sums in sorted(month.items()):
        compute = f", {sums.eecu_s / 3600:.2f} EECU hours" if sums.eecu_s else ""
        megabytes = f"{sums.received_bytes / 1e6:.1f} MB"
        requests = counted(sums.requests, "request")
        yield Finding(True, f"this month {service}: {requests}, {megabytes}{compute}")
