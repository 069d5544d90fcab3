"""Settings from the environment, and the resources that assets receive.

The only place besides the command line that reads environment variables.
"""

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import dagster as dg

from sm_platform.defs.alerting.addresses import AlertSettings, alert_addresses
from sm_platform.defs.variables import CREDENTIALS, POSTGRES, VARIABLES
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.sources.configuration import configuration_file, read_configuration

SECRET = ("SM_ALERT_WEBHOOK", "SM_SMTP_URL", POSTGRES)
"""Variables that hold a password or are one: only their host is told."""
SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIALS?)(?:_|$)|^SM_(?:ALERT|SMTP|POSTGRES)_"
)
"""Variables, of whatever program, whose value must not be told to anybody."""
CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
SENSOR_SECONDS = "1200"
"""Dagster ends a tick after a minute, else: services may be asked much by one, and be slow."""
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data lie and what the defaults are; every variable has a default."""

    data_lake: Path
    models: Path
    archive: Path
    dagster_home: Path
    first_day: date
    min_lookback_share: float


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How much runs at once, over all runs of the instance."""

    runs: int
    memory_steps: int
    """Steps that hold much memory."""
    provider_steps: int
    """Steps that fetch from one provider."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How the platform runs by itself."""

    is_on: bool
    """Whether sensors and schedules are running when they are first loaded."""
    days: int
    """Passes of so many last days are looked after; what is older is a backfill's."""
    frame_wait_hours: float
    """A pass with fewer frames than usual waits so long after its newest frame came."""
    silent_days: int
    """So many days without a new map of a region are told."""
    daily_at: str
    """HH:MM of the daily refresh, in `time_zone`."""
    time_zone: str


def settings() -> Settings:
    """The settings now; raises UsageError naming a variable that cannot be read."""
    return Settings(
        data_lake=_folder("SM_DATA_LAKE", "data_lake"),
        models=_folder("SM_MODELS", "models"),
        archive=_folder("SM_ARCHIVE", ".archive"),
        dagster_home=_folder("DAGSTER_HOME", ".dagster"),
        first_day=_day("SM_FIRST_DAY", "2015-01-01"),
        min_lookback_share=_share("SM_MIN_LOOKBACK_SHARE", 0.5),
    )


def watch_settings() -> WatchSettings:
    """The settings of what runs by itself; raises UsageError naming a variable that is wrong."""
    return WatchSettings(
        is_on=_choice("SM_AUTOMATION", "on", ("on", "off")) == "on",
        days=_whole("SM_WATCH_DAYS", 30, (1, 366)),
        frame_wait_hours=float(_whole("SM_FRAME_WAIT_HOURS", 6, (0, 240))),
        silent_days=_whole("SM_SILENT_DAYS", 8, (1, 366)),
        daily_at=_clock_time("SM_DAILY_AT", "02:00"),
        time_zone=_time_zone("SM_TIME_ZONE", "UTC"),
    )


def check_environment() -> None:
    """Read every setting once; raises UsageError naming the first variable that is wrong.

    The definitions read them too, but there a wrong one is a stack in the UI.
    """
    for read in (settings, watch_settings, run_limits, alert_settings):
        read()
    text = sources_text()
    if text is not None:
        read_configuration(text)


def run_limits() -> RunLimits:
    """How much runs at once; raises UsageError naming a variable that is wrong."""
    return RunLimits(
        runs=_whole("SM_MAX_RUNS", 3, (1, 100)),
        memory_steps=_whole("SM_MEMORY_STEPS", 1, (1, 100)),
        provider_steps=_whole("SM_PROVIDER_STEPS", 2, (1, 100)),
    )


def alert_settings() -> AlertSettings:
    """Where alerts are sent; raises UsageError naming a variable that is wrong."""
    names = ("SM_ALERT_WEBHOOK", "SM_ALERT_EMAIL", "SM_SMTP_URL")
    return alert_addresses(*(os.environ.get(name, "").strip() for name in names))


def secret_values() -> list[str]:
    """Values that may stand in no text that leaves the platform; short ones of others are words."""
    return [
        value
        for name, value in os.environ.items()
        if SECRET_NAME.search(name) and len(value) >= (1 if name.startswith("SM_") else 8)
    ]


def sources_text() -> str | None:
    """What SM_SOURCES says; None: no services."""
    return os.environ.get("SM_SOURCES", "").strip() or None


def source_credentials() -> dict[str, str]:
    """Those of the services' variables that are set and not empty."""
    return {name: os.environ[name] for name in CREDENTIALS if os.environ.get(name)}


def netrc_file() -> Path | None:
    """Where passwords of hosts may stand, as other programs have it; None: there is none."""
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    return path if path.is_file() else None


def unknown_variables() -> list[str]:
    """`SM_` variables that are set but mean nothing, in order."""
    return sorted(name for name in os.environ if name.startswith("SM_") and name not in VARIABLES)


def said(variable: str) -> str:
    """What a variable is set to, or that it is not; of a secret the host alone."""
    text = os.environ.get(variable)
    if text is None:
        return "(default)"
    return _host_of(text) if text and variable in SECRET else text


def environment() -> dict[str, str]:
    """The environment for processes that the platform starts in the checkout: whole paths.

    Started elsewhere they would load a folder named `sm_platform` that happens to lie there.
    """
    now = settings()
    places = {"SM_DATA_LAKE": now.data_lake, "SM_MODELS": now.models, "SM_ARCHIVE": now.archive}
    sources = configuration_file(sources_text() or "=")
    if sources is not None:
        places["SM_SOURCES"] = sources
    waits = {"DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": SENSOR_SECONDS}
    paths = {name: str(place.resolve()) for name, place in places.items()}
    return {**waits, **os.environ, **paths}


def point_dagster_at(home: Path) -> None:
    """Make this process and those it starts use a Dagster home."""
    os.environ["DAGSTER_HOME"] = str(home)


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The data lake: where it lies."""

    root: str

    @property
    def layout(self) -> Layout:
        """Paths of the lake."""
        return Layout(Path(self.root))


class ModelsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The model store: where it lies."""

    root: str

    @property
    def store(self) -> ModelStore:
        """The store of checkpoints."""
        return ModelStore(Path(self.root))


class FeatureSettings(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What features demand of their look-back."""

    min_lookback_share: float = 0.5


def resources() -> dict[str, object]:
    """The resources of the platform for the settings of now."""
    now = settings()
    return {
        "lake": LakeResource(root=str(now.data_lake)),
        "models": ModelsResource(root=str(now.models)),
        "feature_settings": FeatureSettings(min_lookback_share=now.min_lookback_share),
    }


def _folder(variable: str, default: str) -> Path:
    text = os.environ.get(variable)
    try:
        return Path(text).expanduser().resolve() if text else CHECKOUT / default
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a loop of links
        raise UsageError(f"{variable} is '{text}', no folder ({error}): write its path.") from error


def _day(variable: str, default: str) -> date:
    try:
        return parse_day(os.environ.get(variable) or default)
    except UsageError as error:
        raise UsageError(f"{variable}: {error}") from error


def _share(variable: str, default: float) -> float:
    text = os.environ.get(variable)
    try:
        share = float(text) if text else default
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{variable} is '{text}': write a share between 0 and 1.")
    return share


def _whole(variable: str, default: int, bounds: tuple[int, int]) -> int:
    text, (low, high) = os.environ.get(variable), bounds
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise UsageError(f"{variable} is '{text}': write a whole number from {low} to {high}.")
    return int(text)


def _choice(variable: str, default: str, known: tuple[str, ...]) -> str:
    text = os.environ.get(variable) or default
    if text not in known:
        raise UsageError(f"{variable} is '{text}': write {' or '.join(known)}.")
    return text


def _clock_time(variable: str, default: str) -> str:
    text = os.environ.get(variable) or default
    if not CLOCK_TIME.fullmatch(text):
        raise UsageError(f"{variable} is '{text}': write a time of day as HH:MM, 00:00 to 23:59.")
    return text


def _time_zone(variable: str, default: str) -> str:
    text = os.environ.get(variable) or default
    if text not in available_timezones():
        raise UsageError(
            f"{variable} is '{text}', no time zone: write its IANA name, for example "
            "Asia/Ho_Chi_Minh or UTC."
        )
    return text


def _host_of(address: str) -> str:
    try:
        host = urlsplit(address).hostname
    except ValueError:  # not an address
        host = None
    return f"(set, host {host})" if host else "(set)"
