"""The steps of the seed system as asset runs: download, extract, process, inference, visualize."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sm_platform.defs.choice import trained_until
from sm_platform.defs.estimators import read_card
from sm_platform.defs.landing import is_there
from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.launch import Launcher
from sm_platform.defs.map_chain import PASSES
from sm_platform.defs.partitions import LOOK_AHEAD_DAYS, LOOK_BACK_DAYS
from sm_platform.defs.pass_memory import MEMORY_DAYS
from sm_platform.defs.region_source import open_landing
from sm_platform.defs.resources import settings
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.driver_tables import LATE_RAIN, NDVI, WEATHER
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform.schema.tables import Table
from sm_platform.sources.protocol import Product


class Step(StrEnum):
    """What can be asked for, in order."""

    DOWNLOAD = "download"
    EXTRACT = "extract"
    PROCESS = "process"
    INFERENCE = "inference"
    VISUALIZE = "visualize"


@dataclass(frozen=True, slots=True)
class Request:
    """Which region and days, and with what."""

    region: Region
    start: date
    end: date
    recipe_id: str | None = None
    checkpoint_id: str | None = None

    @property
    def days(self) -> list[date]:
        """The days asked for."""
        return days_between(self.start, self.end)

    @property
    def driver_days(self) -> list[date]:
        """Days whose vegetation and weather these days look back (or ahead) to."""
        now = settings()
        today = datetime.now(UTC).date()
        first = max(self.start - timedelta(LOOK_BACK_DAYS), now.first_day)
        return days_between(first, min(self.end + timedelta(LOOK_AHEAD_DAYS), today))


def run_steps(
    launcher: Launcher, request: Request, steps: Sequence[Step], *, only_missing: bool = False
) -> None:
    """Run the steps in their order; failed days are in `launcher.failures` afterwards.

    With `only_missing` passes that were landed and extracted before are not looked at again.
    """
    recipe = {"recipe": request.recipe_id} if request.recipe_id else {}
    chosen = {"checkpoint": request.checkpoint_id} if request.checkpoint_id else {}
    drivers = stale_driver_days(launcher, request) if _lands(steps) else []
    days = launcher.pending(PASSES, request.days) if only_missing else request.days
    passes = [*remembered_days(launcher, request), *days] if _lands(steps) else []
    if Step.DOWNLOAD in steps:
        launcher.once(["static_granules"])
        granules = [f"{one.name}_granules" for one in driver_tables(request)]
        launcher.over(granules, drivers, is_driver=True)
        launcher.over(["s1_granules"], passes)
    if Step.EXTRACT in steps:
        launcher.once(["soil_cells", "static_drivers", "land_cover_cells"])
        tables = [one.name for one in driver_tables(request)]
        launcher.over(tables, drivers, is_driver=True)
        for asset in ("s1_scenes", "s1_backscatter"):  # in one run a failed day would stop the next
            launcher.over([asset], passes)
    if Step.PROCESS in steps:
        launcher.over(["scene_features"], request.days, {"scene_features": recipe})
    if Step.INFERENCE in steps:
        register_checkpoint(launcher, request)
        launcher.over(["sm_maps"], request.days, {"sm_maps": chosen})
    if Step.VISUALIZE in steps:
        launcher.over(["map_figures"], request.days)


def _lands(steps: Sequence[Step]) -> bool:
    return Step.DOWNLOAD in steps or Step.EXTRACT in steps


def remembered_days(launcher: Launcher, request: Request) -> list[date]:
    """Days before the first one whose passes tell flooded fields, as far as never extracted.

    None where passes have no track (a folder of the seed system).
    """
    first = max(request.start - timedelta(MEMORY_DAYS), settings().first_day)
    if request.region.source == "seed_layout" or first == request.start:
        return []
    return launcher.pending(PASSES, days_between(first, request.start - timedelta(1)))


def driver_tables(request: Request) -> tuple[Table, ...]:
    """Vegetation and weather, with late rain where the recipe of the features declares it."""
    is_late = takes_late_rain(request.region, request.recipe_id)
    return (NDVI, WEATHER, LATE_RAIN) if is_late else (NDVI, WEATHER)


def stale_driver_days(launcher: Launcher, request: Request) -> list[date]:
    """Look-back days to be run: never made, not in the lake, or with a granule not landed."""
    days = request.driver_days
    tables = driver_tables(request)
    assets = [name for one in tables for name in (f"{one.name}_granules", one.name)]
    unmade = launcher.pending(assets, days)
    layout, region = Layout(settings().data_lake), request.region
    landing = open_landing(layout, region, launcher.say)
    listed = [granule for one in tables for granule in landing.listed(Product(one.name), days)]
    new = {one.day for one in listed if not is_there(layout, region.region_id, one)}
    stored = [set(store.days_made(layout, one, region.region_id)) for one in tables]
    lost = [day for day in days if any(day not in made for made in stored)]
    return sorted({*unmade, *lost, *(day for day in new if day is not None)})


def register_checkpoint(launcher: Launcher, request: Request) -> None:
    """Materialize `checkpoints` of the region from the named one, once."""
    name = request.checkpoint_id or request.region.checkpoint_id
    if not name:
        return
    now = settings()
    checkpoint = read_card(ModelStore(now.models).folder(name))
    today = datetime.now(UTC).date()
    day = max(min(trained_until(checkpoint) or today, today), now.first_day)
    note = store.note_of(Layout(now.data_lake), CHECKPOINTS, request.region.region_id, day)
    if note is None or note["inputs"] != checkpoint.fingerprint:
        launcher.over(["checkpoints"], [day], {"checkpoints": {"source_checkpoint": name}})
