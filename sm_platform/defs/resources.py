"""Settings from the environment, and the resources that assets receive.

The only place besides the command line that reads environment variables.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from sm_platform.errors import UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore

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


VARIABLES = {
    "SM_DATA_LAKE": "folder of the data lake (default: data_lake/ in the checkout)",
    "SM_MODELS": "folder of the checkpoints (default: models/ in the checkout)",
    "SM_ARCHIVE": "folder of the embedded archive (default: .archive/ in the checkout)",
    "SM_FIRST_DAY": "first daily partition (default: 2015-01-01)",
    "SM_MIN_LOOKBACK_SHARE": "least share of look-back steps that must exist (default: 0.5)",
    "DAGSTER_HOME": "folder of the Dagster instance (default: .dagster/ in the checkout)",
}


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


def unknown_variables() -> list[str]:
    """`SM_` variables that are set but mean nothing, in order."""
    return sorted(name for name in os.environ if name.startswith("SM_") and name not in VARIABLES)


def said(variable: str) -> str:
    """What a variable is set to, or that it is not."""
    return os.environ.get(variable, "(default)")


def environment() -> dict[str, str]:
    """The environment for processes that the platform starts in the checkout: whole paths.

    Started elsewhere they would load a folder named `sm_platform` that happens to lie there.
    """
    now = settings()
    folders = {"SM_DATA_LAKE": now.data_lake, "SM_MODELS": now.models, "SM_ARCHIVE": now.archive}
    return {**os.environ, **{name: str(folder.resolve()) for name, folder in folders.items()}}


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
