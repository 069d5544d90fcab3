"""`sm-platform doctor`: what is configured, reachable and missing."""

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from sm_platform.defs.budget import used_up_in
from sm_platform.defs.live_findings import live_findings
from sm_platform.defs.live_sources import configuration
from sm_platform.defs.resources import (
    alert_settings,
    run_limits,
    said,
    settings,
    unknown_variables,
    watch_settings,
)
from sm_platform.defs.serving.state import Finding, serving_findings
from sm_platform.defs.variables import VARIABLES
from sm_platform.errors import SmPlatformError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.sources.archive import read_clock

PACKAGES = ("dagster", "dagster-webserver", "torch", "rasterio", "duckdb", "earthengine-api")
LEAST_FREE_GB = 2.0


def doctor_command(*, is_live: bool = False) -> int:
    """Print the findings; 0 when nothing needs a hand, else 1.

    With `is_live` the services are asked, each finding is printed as it comes.
    """
    print("packages: " + ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    findings = _live() if is_live else chain(_folders(), _contents(), _running(), _variables())
    is_well = True
    for is_good, text in findings:
        print(f"{'ok     ' if is_good else 'MISSING'} {text}", flush=True)
        is_well = is_well and is_good
    return 0 if is_well else 1


def _live() -> Iterator[Finding]:
    yield from ((one.is_good, one.text) for one in live_findings())


def _folders() -> Iterator[Finding]:
    now = settings()
    places = (now.data_lake, now.models, now.dagster_home)
    for name, path in zip(("SM_DATA_LAKE", "SM_MODELS", "DAGSTER_HOME"), places, strict=True):
        there = _nearest(path)
        can_write = there.is_dir() and os.access(there, os.W_OK)
        free = shutil.disk_usage(there).free / 1e9
        yield can_write, f"{name} {path} {'can' if can_write else 'cannot'} be written"
        yield free > LEAST_FREE_GB, f"{name} has {free:.1f} GB free"


def _nearest(path: Path) -> Path:
    return path if path.exists() else _nearest(path.parent)


def _contents() -> Iterator[Finding]:
    now = settings()
    try:
        clock = read_clock(now.archive)
        yield True, f"embedded archive {now.archive}, its day is {clock.today}"
    except SmPlatformError:
        yield False, f"no embedded archive in {now.archive}: `sm-platform archive simulate`"
    regions = store.regions_made(Layout(now.data_lake), REGIONS)
    yield bool(regions), f"regions: {', '.join(regions) or 'none; `sm-platform demo` adds two'}"
    names = ModelStore(now.models).names()
    yield bool(names), f"checkpoints: {', '.join(names) or 'none; `sm-platform models import`'}"
    yield from _services()


def _services() -> Iterator[Finding]:
    try:
        chosen = configuration()
        told = chosen and used_up_in(Layout(settings().data_lake), chosen.budget)
    except SmPlatformError as error:
        yield False, str(error)
        return
    if chosen is None:
        yield True, "no services are configured (SM_SOURCES): granules come from folders"
        return
    yield True, f"services: {chosen.told}; `sm-platform doctor --live` asks them"
    if told:
        yield False, told


def _running() -> Iterator[Finding]:
    """What runs by itself: its settings, then what the instance tells of it."""
    wrong = [*_wrong_settings()]
    yield from ((False, text) for text in wrong)
    if wrong:
        return
    watch = watch_settings()
    state = "on" if watch.is_on else "off (SM_AUTOMATION)"
    yield True, f"automation: {state}, daily refresh at {watch.daily_at} {watch.time_zone}"
    channels = ", ".join(alert_settings().channels)
    yield True, f"alerts: {channels or 'in the log only; set SM_ALERT_WEBHOOK or SM_ALERT_EMAIL'}"
    yield from serving_findings(settings().dagster_home)


def _wrong_settings() -> Iterator[str]:
    for read in (watch_settings, run_limits, alert_settings):
        try:
            read()
        except UsageError as error:
            yield str(error)


def _variables() -> Iterator[Finding]:
    for name, meaning in VARIABLES.items():
        yield True, f"{name}={said(name)}: {meaning}"
    for name in unknown_variables():
        yield False, f"{name} is set but means nothing: see the names above"
