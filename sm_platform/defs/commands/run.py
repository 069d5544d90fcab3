"""`sm-platform run`: the steps of the seed system through the platform's assets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sm_platform.defs.asked_days import check_clock, check_days
from sm_platform.defs.choice import choose_recipe
from sm_platform.defs.estimators import read_card
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region, save_region, stored_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.local_time import found_zone, pass_told, utc_span, zone_of
from sm_platform.defs.map_index import read_index
from sm_platform.defs.radar_quantity import check_source
from sm_platform.defs.reasons_told import causes_of
from sm_platform.defs.region_source import open_source
from sm_platform.defs.regions import take_up_kept_data
from sm_platform.defs.resources import settings
from sm_platform.defs.steps import Request, Step, run_steps
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError, LakeError, RecipeError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import find_recipe
from sm_platform.schema.region import ARCHIVE, SEED_LAYOUT, Region, check_region_name
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.archive_folder import INDEX_NAME
from sm_platform.sources.seed_layout import region_window

Choice = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person typed: a region, its first and last day, and by whose clocks these go."""

    region_id: str
    start: str
    end: str
    is_local: bool = False
    """Days of the region's time zone; else UTC days."""


@home_explained()
def run_command(
    what: Asked,
    steps: Sequence[str],
    archive: Path | None,
    choice: Choice,
    say: Say,
) -> None:
    """Run the steps for the days asked for with the chosen (recipe, checkpoint).

    Raises:
        DataError: some days failed, after all others were finished.
    """
    name, start, end = check_region_name(what.region_id), parse_day(what.start), parse_day(what.end)
    check_days(start, end, is_local=what.is_local)
    layout = Layout(settings().data_lake)
    recipe_id = _fitting_recipe(*choice)
    archive = archive or _embedded(layout, name)
    region = _region(layout, name, archive, choice)
    if recipe_id and Step.INFERENCE in steps:
        _fitting_recipe(recipe_id, region.checkpoint_id)
    if {Step.DOWNLOAD, Step.PROCESS} <= {*steps}:
        check_source(region, choose_recipe(region, recipe_id, ModelStore(settings().models)))
    if what.is_local:
        start, end = utc_span(region, start, end, open_source(region).now())
        say(f"{name}: local days of {zone_of(region)} lie in the UTC days {start}..{end}")
    request = Request(region, start, end, recipe_id, choice[1])
    launcher = Launcher(open_instance(), name, say)
    if archive is not None:
        save_region(layout, region)
    launcher.instance.add_dynamic_partitions("regions", [name])
    check_clock(region, end)
    run_steps(launcher, request, [Step(step) for step in steps])
    _tell_maps(layout, request, launcher)
    failed = [*launcher.driver_failures.items(), *launcher.failures.items()]
    if failed:
        lines = [cause.told for cause in causes_of(failed)]
        n_days = len(dict(failed))
        said = "1 day" if n_days == 1 else f"{n_days} days"
        raise DataError(f"{said} failed; the others are done.\n" + "\n".join(lines))


def _fitting_recipe(recipe_id: str | None, checkpoint_id: str | None) -> str | None:
    """The recipe said, else that of the checkpoint said.

    A recipe and a checkpoint that do not fit are refused before anything is read.
    """
    recipe = find_recipe(recipe_id) if recipe_id else None
    if not checkpoint_id:
        return recipe_id
    checkpoint = read_card(ModelStore(settings().models).folder(checkpoint_id))
    if recipe and checkpoint.recipe_fingerprint != recipe.fingerprint:
        raise RecipeError(
            f"Checkpoint {checkpoint_id} is of recipe {checkpoint.recipe_id}, not {recipe_id}: "
            f"leave --recipe out or say --recipe {checkpoint.recipe_id}."
        )
    return checkpoint.recipe_id


def _embedded(layout: Layout, name: str) -> Path | None:
    """The embedded archive, when it has the region and the lake does not yet."""
    folder = settings().archive
    is_new = stored_region(layout, name) is None and (folder / INDEX_NAME).is_file()
    return folder if is_new and name in archive_regions(folder) else None


def _region(layout: Layout, name: str, archive: Path | None, choice: Choice) -> Region:
    recipe_id, checkpoint_id = choice
    if archive is None:
        stored = find_region(layout, name)
        return (
            stored
            if not checkpoint_id
            else replace(stored, checkpoint_id=checkpoint_id, recipe_id=recipe_id)
        )
    region = _found(name, archive.resolve())
    before = stored_region(layout, name)
    zone = before and before.time_zone
    region = replace(region, time_zone=zone or found_zone(region).name)
    if before is not None and before.window != region.window:
        raise UsageError(
            f"Region {name} is stored with another pixel grid: give this folder another name."
        )
    if before is None:
        take_up_kept_data(layout, name, region.window)
    if before is not None and choice == (None, None):
        recipe_id, checkpoint_id = before.recipe_id, before.checkpoint_id
    return replace(region, recipe_id=recipe_id, checkpoint_id=checkpoint_id)


def _found(name: str, folder: Path) -> Region:
    """The region as the folder has it; raises UsageError when it is no such folder."""
    if (folder / name / "data").is_dir():
        return Region(name, region_window(folder, name), SEED_LAYOUT, str(folder))
    if (folder / INDEX_NAME).is_file():
        windows = archive_regions(folder)
        if name not in windows:
            known = ", ".join(sorted(windows))
            raise UsageError(f"The archive {folder} has no region '{name}': it has {known}.")
        return Region(name, windows[name], ARCHIVE, str(folder))
    raise UsageError(
        f"{folder} is neither an archive ({INDEX_NAME}) nor a folder with {name}/data: "
        "name the folder that holds the region's folder."
    )


def _tell_maps(layout: Layout, request: Request, launcher: Launcher) -> None:
    """Print the maps of the days, their time, mean and folder; and passes without one."""
    zone = zone_of(request.region)
    for day in request.days:
        try:
            rows = read_index(layout, request.region.region_id, day)
        except LakeError as error:
            launcher.failures.setdefault(day, str(error))
            continue
        for row in rows:
            if row["is_latest"]:
                folder = layout.root / row["path"]
                print(f"{pass_told(row, zone)}  {row['sm_mean_m3m3']:.4f} m3/m3  {folder}")
            elif row["status"] == "no_data":
                print(f"{pass_told(row, zone)}  no_data  {row['status_reason']}")
