"""What `doctor --live` finds: each configured service asked for its smallest."""

from collections.abc import Iterator

from sm_platform.defs.budget import overspent
from sm_platform.defs.live_sources import needed_configuration, opened_sources
from sm_platform.defs.resources import settings, source_credentials
from sm_platform.defs.variables import CREDENTIALS
from sm_platform.errors import SmPlatformError
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import spent_in, total
from sm_platform.sources.configuration import Configuration
from sm_platform.sources.protocol import Finding, LiveSource, Source


def live_findings() -> Iterator[Finding]:
    """Configuration, credentials, then each service; a wrong one does not hide the others."""
    try:
        chosen = needed_configuration()
    except SmPlatformError as error:
        yield Finding(False, str(error))
        return
    yield from _chosen(chosen)
    for name in source_credentials():
        yield Finding(True, f"{name} is set ({CREDENTIALS[name]})")
    try:
        sources = opened_sources()
    except SmPlatformError as error:
        yield Finding(False, str(error))
        return
    for drivers, source in sources:
        yield from _asked(", ".join(drivers), source)
    yield from _spent(chosen)


def _chosen(chosen: Configuration) -> Iterator[Finding]:
    yield Finding(True, f"SM_SOURCES: {chosen.told}")
    if chosen.lacking:
        lacking = ", ".join(chosen.lacking)
        yield Finding(False, f"SM_SOURCES names nothing for {lacking}: no map without them")


def _asked(drivers: str, source: Source) -> Iterator[Finding]:
    if not isinstance(source, LiveSource):
        yield Finding(True, f"{drivers}: {source.name}, a folder")
        return
    try:
        for one in source.probe():
            yield Finding(one.is_good, f"{drivers}: {one.text}")
    except Exception as error:  # a fault of ours in one must not hide the others
        yield Finding(False, f"{drivers}: {type(error).__name__} (a fault of the platform)")


def _spent(chosen: Configuration) -> Iterator[Finding]:
    month = spent_in(Layout(settings().data_lake))
    for service, sums in sorted(month.items()):
        compute = f", {sums.eecu_s / 3600:.2f} EECU hours" if sums.eecu_s else ""
        megabytes = f"{sums.received_bytes / 1e6:.1f} MB"
        yield Finding(True, f"this month {service}: {sums.requests} requests, {megabytes}{compute}")
    over = overspent(chosen.budget, total(month.values()))
    if over is not None:
        yield Finding(False, f"the month's budget is used up: {over}")
