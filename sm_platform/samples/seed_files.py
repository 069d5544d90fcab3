"""The seed system's folder of samples: `site_info.csv`, a CSV per site, and one merged CSV.

Columns of ours stand beside those that its scripts use, which pass over them; so what is written
comes back without a loss. Folders that the seed system wrote itself are read as well.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sm_platform.errors import DataError, RecipeError, UsageError
from sm_platform.samples.seed_csv import column_names, read_csv
from sm_platform.samples.seed_export import MERGED_FILE, SITES_FILE, write_seed_files
from sm_platform.samples.seed_inputs import INPUT_NAMES, inputs_from
from sm_platform.samples.seed_rows import (
    SAMPLES_SCHEMA,
    SourceOf,
    complete_samples,
    complete_sites,
)
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.schema.recipes import find_recipe

__all__ = ["SeedSamples", "SourceOf", "read_seed_files", "write_seed_files"]

_TEXT, _DEGREES = pa.string(), pa.float64()
_SITE_NEEDS = ("network", "station", "lat", "lon")
_SITE_TYPES = {"network": _TEXT, "station": _TEXT, "lat": _DEGREES, "lon": _DEGREES} | {
    field.name: field.type
    for field in SITE_CATALOG.arrow_schema
    if field.name not in ("lon_deg", "lat_deg")  # they are `lon` and `lat` there
}
_MERGED_NEEDS = ("network", "station", "date", "sm", *INPUT_NAMES)
_MERGED_TYPES = (
    {
        field.name: field.type
        for field in SAMPLES_SCHEMA
        if field.name not in ("sm_m3m3", "sample_day", "inputs")  # `sm`, `date`, `0`..`152` there
    }
    | dict.fromkeys(("network", "station", "date", "orbit"), _TEXT)
    | dict.fromkeys(("recipe_id", "recipe_fingerprint"), _TEXT)
    | dict.fromkeys(("sm", *INPUT_NAMES), pa.float32())
)


@dataclass(frozen=True, slots=True)
class SeedSamples:
    """Sites and samples of one folder, all of one recipe."""

    sites: pa.Table
    """Columns of site_catalog; null where only the region can tell."""
    samples: pa.Table
    """Columns of training_samples, and `sample_day`."""
    recipe_id: str
    recipe_fingerprint: str


def read_seed_files(
    folder: Path, *, recipe_id: str | None = None, source: SourceOf | None = None
) -> SeedSamples:
    """Sites and samples of a folder that the platform or the seed system wrote.

    Files of the seed system do not say their recipe nor where their labels come from: name them
    (`eov-2025` for what it makes itself; one source, or one for each network). What else they do
    not say is derived or null: see `complete_sites` and `complete_samples`.

    Raises:
        UsageError: there is no such folder; the recipe or the source has to be named.
        RecipeError: the recipe is not known, or not that of the files.
        DataError: a file or column is absent, a cell is wrong (by row and column), a row is twice.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    site_rows = read_csv(folder / SITES_FILE, _SITE_TYPES, _SITE_NEEDS)
    path = _merged_file(folder)
    rows = read_csv(path, _MERGED_TYPES, _MERGED_NEEDS)
    told_id, told_fingerprint = _recipe(rows, recipe_id, path.name)
    sites = complete_sites(site_rows, source, SITES_FILE)
    samples = complete_samples(
        rows,
        sites.append_column("network", site_rows["network"]).append_column(
            "station", site_rows["station"]
        ),
        source,
        path.name,
    )
    inputs = inputs_from(rows, path.name)
    whole = samples.append_column(SAMPLES_SCHEMA.field("inputs"), inputs)
    return SeedSamples(sites, whole.select(SAMPLES_SCHEMA.names), told_id, told_fingerprint)


def _merged_file(folder: Path) -> Path:
    """`merged.csv`, else the one CSV of the folder that has the columns of a merged table."""
    if (folder / MERGED_FILE).is_file():
        return folder / MERGED_FILE
    others = sorted(path for path in folder.glob("*.csv") if path.name != SITES_FILE)
    found = [path for path in others if {"0", "152"} <= set(column_names(path))]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.name for path in found)
        raise DataError(f"{folder} has several merged tables: {names}; leave one of them there.")
    raise DataError(
        f"{folder} has no merged table, a CSV with the columns network, station, date, sm and "
        "0..152: merge the sites' files first."
    )


def _recipe(rows: pa.Table, recipe_id: str | None, told: str) -> tuple[str, str]:
    """Id and fingerprint, of the file where it names them, else of the recipe named."""
    if not {"recipe_id", "recipe_fingerprint"} <= set(rows.column_names):
        if recipe_id is None:
            raise UsageError(
                f"{told} does not say by which recipe its inputs were made: name it "
                "(eov-2025 for files of the seed system)."
            )
        return recipe_id, find_recipe(recipe_id).fingerprint
    found = (
        rows.select(["recipe_id", "recipe_fingerprint"])
        .group_by(["recipe_id", "recipe_fingerprint"])
        .aggregate([])
    )
    pairs = [(row["recipe_id"], row["recipe_fingerprint"]) for row in found.to_pylist()]
    if len(pairs) != 1 or None in pairs[0]:
        raise RecipeError(f"{told} holds rows of {len(pairs)} recipes: keep the rows of one.")
    if recipe_id not in (None, pairs[0][0]):
        raise RecipeError(f"{told} is of recipe {pairs[0][0]}, not of {recipe_id}.")
    return pairs[0]
