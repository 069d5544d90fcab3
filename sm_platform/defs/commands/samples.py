"""`sm-platform samples`: a region's samples as the seed system's files, and back."""

import hashlib
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.imported_sites import with_new_sites
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region, hash_of, parts_of_days
from sm_platform.defs.resources import settings
from sm_platform.defs.sampling import read_sites
from sm_platform.defs.site_choice import IMPORTED
from sm_platform.defs.talk import Say
from sm_platform.errors import MissingInputError, RecipeError, UsageError
from sm_platform.grid.calendar import days_between, parse_day
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.seed_files import SeedSamples, read_seed_files, write_seed_files
from sm_platform.schema.label_sources import find_source
from sm_platform.schema.label_tables import SITE_CATALOG, TRAINING_SAMPLES
from sm_platform.schema.recipes import find_recipe

Period = tuple[str | None, str | None]


def export_command(name: str, out: Path, period: Period, format_name: str, say: Say) -> None:
    """Write the samples of a region's days into a folder."""
    _check_format(format_name)
    layout = Layout(settings().data_lake)
    region = find_region(layout, name)
    note, samples = _stored(layout, region.region_id, period)
    files = write_seed_files(
        out,
        read_sites(layout, name),
        samples,
        recipe_id=note["recipe_id"],
        recipe_fingerprint=note["recipe_fingerprint"],
    )
    say(f"{samples.num_rows} samples of {name} are in {out}, {len(files)} files.")


@home_explained()
def import_command(
    name: str, folder: Path, choice: tuple[str | None, str | None], format_name: str, say: Say
) -> None:
    """Store the samples of a folder as the region's, a partition a day.

    All of it is judged before anything is stored, so a file with a fault changes nothing.
    """
    _check_format(format_name)
    layout = Layout(settings().data_lake)
    region = find_region(layout, name)
    recipe_id, named = choice
    source = None if named is None else find_source(named).source_id
    found = read_seed_files(folder, recipe_id=recipe_id, source=source)
    _check_recipe(found)
    catalog, new = with_new_sites(layout, region, found.sites)
    rows = store.check(TRAINING_SAMPLES, found.samples)
    instance = open_instance()
    if new.num_rows:
        _write_sites(layout, name, catalog, new)
        _record(instance, "site_catalog", [name])
    days = _write_days(layout, name, found, rows)
    _record(instance, "training_samples", [f"{day.isoformat()}|{name}" for day in days])
    n_outside = int(pc.sum(pc.less(new["cell_id"], 0)).as_py() or 0)
    say(
        f"{name}: {rows.num_rows} samples of {len(days)} days are stored, {new.num_rows} sites "
        f"were new, {n_outside} of them outside the region's pixels."
    )
    _say_other_recipes(layout, name, found, say)
    say(f"Next: materialize `sample_splits` of a day after {max(days)} in the UI (`make up`).")


def _check_format(format_name: str) -> None:
    if format_name != "seed":
        raise UsageError(f"There is no format '{format_name}': use seed.")


def _stored(layout: Layout, name: str, period: Period) -> tuple[dict[str, str], pa.Table]:
    """The samples of the days that have any, with their one recipe."""
    first, last = (parse_day(day) if day else None for day in period)
    if first and last:
        days_between(first, last)  # refuses an end before the start
    days = [
        day
        for day in store.days_made(layout, TRAINING_SAMPLES, name)
        if (first or day) <= day <= (last or day)
    ]
    parts = parts_of_days(layout, TRAINING_SAMPLES, name, days)
    if not parts:
        raise MissingInputError(
            f"Region {name} has no training samples on these days: materialize "
            "`training_samples` first."
        )
    recipes = {(p.note["recipe_id"], p.note["recipe_fingerprint"]) for _, p in parts}
    if len(recipes) > 1:
        names = ", ".join(f"{one} {fingerprint}" for one, fingerprint in sorted(recipes))
        raise RecipeError(f"These days were built by several recipes ({names}): name fewer days.")
    tables = [
        part.rows.append_column("sample_day", pa.repeat(pa.scalar(day), part.rows.num_rows))
        for day, part in parts
    ]
    return dict(parts[0][1].note), pa.concat_tables(tables)


def _check_recipe(found: SeedSamples) -> None:
    """Rows of a recipe that has changed since would never be trained on nor scored."""
    known = find_recipe(found.recipe_id).fingerprint
    if found.recipe_fingerprint != known:
        raise RecipeError(
            f"The files hold rows of recipe {found.recipe_id} {found.recipe_fingerprint}, the "
            f"platform's {found.recipe_id} is {known}: build the rows anew."
        )


def _write_sites(layout: Layout, name: str, catalog: pa.Table, new: pa.Table) -> None:
    before = (store.note_of(layout, SITE_CATALOG, name) or {}).get(IMPORTED, [])
    hashed = hash_of("imported", catalog["site_id"].to_pylist(), catalog["cell_id"].to_pylist())
    note = {
        "inputs": hashed,
        "status": "made",
        "rows": catalog.num_rows,
        IMPORTED: sorted({*before, *new["site_id"].to_pylist()}),
    }
    store.write(layout, SITE_CATALOG, catalog, region=name, note=note)


def _write_days(layout: Layout, name: str, found: SeedSamples, rows: pa.Table) -> list[date]:
    days = sorted(set(found.samples["sample_day"].to_pylist()))
    for day in days:
        own = rows.filter(pc.equal(found.samples["sample_day"], pa.scalar(day)))
        note = {
            "inputs": hash_of("imported", str(day), _digest(own)),
            "status": "made",
            "rows": own.num_rows,
            "dropped": {},
            "recipe_id": found.recipe_id,
            "recipe_fingerprint": found.recipe_fingerprint,
        }
        store.write(layout, TRAINING_SAMPLES, own, region=name, day=day, note=note)
    return days


def _digest(rows: pa.Table) -> str:
    """A hash over every value."""
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows.combine_chunks())
        return hashlib.sha256(sink.getvalue()).hexdigest()


def _say_other_recipes(layout: Layout, name: str, found: SeedSamples, say: Say) -> None:
    days = store.days_made(layout, TRAINING_SAMPLES, name)
    notes = (store.note_of(layout, TRAINING_SAMPLES, name, day) or {} for day in days)
    others = {note["recipe_id"] for note in notes if note.get("rows")} - {found.recipe_id}
    if others:
        say(
            f"Other days of {name} hold samples of recipe {', '.join(sorted(others))}: networks "
            f"are trained on days of one recipe, so split and train on days of {found.recipe_id} "
            "alone, or import into a region of its own."
        )


def _record(instance: dg.DagsterInstance, asset: str, partitions: list[str]) -> None:
    for key in partitions:
        event = dg.AssetMaterialization(
            dg.AssetKey(asset), partition=key, metadata={"status": "imported"}
        )
        instance.report_runless_asset_event(event)
