"""`sm-platform samples`: a region's samples as the seed system's files, and back."""

from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region, hash_of, parts_of_days
from sm_platform.defs.resources import settings
from sm_platform.defs.sampling import read_sites
from sm_platform.defs.talk import Say
from sm_platform.errors import MissingInputError, RecipeError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.grid.window import cell_index, reproject_points
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.seed_files import SeedSamples, read_seed_files, write_seed_files
from sm_platform.schema.label_tables import SITE_CATALOG, TRAINING_SAMPLES
from sm_platform.schema.region import Region

Period = tuple[str | None, str | None]


def export_command(name: str, out: Path, period: Period, format_name: str, say: Say) -> None:
    """Write the samples of a region's days into a folder."""
    _check_format(format_name)
    layout = Layout(settings().data_lake)
    region = find_region(layout, name)
    made = _stored(layout, region.region_id, period)
    note, samples = made
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
    """Store the samples of a folder as the region's, a partition a day."""
    _check_format(format_name)
    layout = Layout(settings().data_lake)
    region = find_region(layout, name)
    recipe_id, source = choice
    found = read_seed_files(folder, recipe_id=recipe_id, source=source)
    n_sites, n_outside = _add_sites(layout, region, found.sites)
    days = _write_days(layout, region, found)
    _record(open_instance(), name, days)
    say(
        f"{name}: {found.samples.num_rows} samples of {len(days)} days are stored, {n_sites} sites "
        f"were new, {n_outside} of them outside the region's pixels."
    )
    say(f"Next: materialize `sample_splits` of a day after {max(days)} in the UI (`make up`).")


def _check_format(format_name: str) -> None:
    if format_name != "seed":
        raise UsageError(f"There is no format '{format_name}': use seed.")


def _stored(layout: Layout, name: str, period: Period) -> tuple[dict[str, str], pa.Table]:
    """The samples of the days that have any, with their one recipe."""
    first, last = (parse_day(day) if day else None for day in period)
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
        names = ", ".join(sorted(one for one, _ in recipes))
        raise RecipeError(f"These days were built by several recipes ({names}): name fewer days.")
    tables = [
        part.rows.append_column("sample_day", pa.repeat(pa.scalar(day), part.rows.num_rows))
        for day, part in parts
    ]
    return dict(parts[0][1].note), pa.concat_tables(tables)


def _add_sites(layout: Layout, region: Region, sites: pa.Table) -> tuple[int, int]:
    """Add sites that the catalog lacks; those outside the region's pixels have no pixel (-1)."""
    stored = store.read(layout, SITE_CATALOG, region.region_id)
    known = stored.rows if stored else SITE_CATALOG.arrow_schema.empty_table()
    is_known = pc.is_in(sites["site_id"], value_set=known["site_id"].combine_chunks())
    new = sites.filter(pc.invert(is_known))
    lon, lat = (new[name].to_numpy() for name in ("lon_deg", "lat_deg"))
    cell = cell_index(region.window, *reproject_points(lon, lat, "EPSG:4326", region.window.crs))
    filled = {"cell_id": pa.array(cell, pa.int32()), "land_cover_code": pa.scalar(0, pa.uint8())}
    for column in ("cell_id", "land_cover_code"):
        place = new.column_names.index(column)
        new = new.set_column(place, column, pc.fill_null(new[column], filled[column]))
    rows = pa.concat_tables([known, new.cast(SITE_CATALOG.arrow_schema)])
    note = {
        "inputs": hash_of("imported", rows["site_id"].to_pylist()),
        "status": "made",
        "rows": rows.num_rows,
    }
    if new.num_rows:
        store.write(layout, SITE_CATALOG, rows, region=region.region_id, note=note)
    return new.num_rows, int((cell < 0).sum())


def _write_days(layout: Layout, region: Region, found: SeedSamples) -> list[date]:
    days = sorted(set(found.samples["sample_day"].to_pylist()))
    for day in days:
        own = found.samples.filter(pc.equal(found.samples["sample_day"], pa.scalar(day)))
        rows = own.drop_columns(["sample_day"])
        note = {
            "inputs": hash_of("imported", str(day), rows["sm_m3m3"].to_pylist()),
            "status": "made",
            "rows": rows.num_rows,
            "dropped": {},
            "recipe_id": found.recipe_id,
            "recipe_fingerprint": found.recipe_fingerprint,
        }
        store.write(layout, TRAINING_SAMPLES, rows, region=region.region_id, day=day, note=note)
    return days


def _record(instance: dg.DagsterInstance, region: str, days: list[date]) -> None:
    for day in days:
        event = dg.AssetMaterialization(
            dg.AssetKey("training_samples"),
            partition=f"{day.isoformat()}|{region}",
            metadata={"status": "imported"},
        )
        instance.report_runless_asset_event(event)
