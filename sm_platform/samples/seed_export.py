"""Writing the seed system's folder of samples: the columns that its scripts use, then ours."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.errors import DataError, UsageError
from sm_platform.samples.seed_checks import refuse_twice
from sm_platform.samples.seed_csv import write_csv
from sm_platform.samples.seed_inputs import input_columns
from sm_platform.samples.seed_rows import SAMPLES_SCHEMA
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform.schema.label_tables import SITE_CATALOG, TRAINING_SAMPLES

SITES_FILE = "site_info.csv"
MERGED_FILE = "merged.csv"
SERIES_FOLDER = "sm"
"""`sm/<network>/<station>.csv`: the folder of one network is what the seed scripts ask for."""
CELL_NETWORK = "cell"
"""Network of the sites that are cells; their station is the site's id."""
_TEXT = pa.string()
_NETWORK_AND_STATION = re.compile(r"([^\s/]+)[\s/]+(.+)", re.DOTALL)
_UNNAMED_NETWORK = "station"


def write_seed_files(
    folder: Path, sites: pa.Table, samples: pa.Table, *, recipe_id: str, recipe_fingerprint: str
) -> list[Path]:
    """Write the folder whole or not at all; returns its files, sites and merged table first.

    `samples` has the columns of training_samples and `sample_day`, `sites` those of site_catalog.
    The depths in `site_info.csv` are those of the layer that the site's source is named for.

    Raises:
        UsageError: something lies in the folder already, it cannot be written, or there are no
            samples.
        DataError: columns are absent, a sample's site is not among the sites, a row is there
            twice, or an input lies outside 0..1.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty: name a folder that does not exist yet.")
    if not samples.num_rows:
        raise UsageError("There are no samples to write: build some first.")
    kept_sites = _columns_of(sites, SITE_CATALOG.arrow_schema, "The sites")
    kept = _columns_of(samples, SAMPLES_SCHEMA, "The samples")
    refuse_twice(kept_sites, SITE_CATALOG.keys, "The sites")
    refuse_twice(kept, TRAINING_SAMPLES.keys, "The samples")
    site_info = _site_info(kept_sites, kept)
    merged = _merged(kept, site_info, recipe_id, recipe_fingerprint)
    place = folder.resolve()  # `.` has no name to write beside
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        names = _write_all(aside, site_info, merged)
        aside.replace(place)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error}. Name another folder.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return [folder / name for name in names]


def _columns_of(table: pa.Table, schema: pa.Schema, told: str) -> pa.Table:
    absent = [name for name in schema.names if name not in table.column_names]
    if absent:
        raise DataError(f"{told} have no column {', '.join(absent)}: read them from the lake.")
    return pa.table([table[field.name].cast(field.type) for field in schema], schema=schema)


def _site_info(sites: pa.Table, samples: pa.Table) -> pa.Table:
    """A row for each site, in their order."""
    network, station = _names(sites)
    source_of = dict(
        zip(samples["site_id"].to_pylist(), samples["source"].to_pylist(), strict=True)
    )
    layers = [_layer(source_of.get(site)) for site in sites["site_id"].to_pylist()]
    seed = {
        "network": pa.array(network, _TEXT),
        "station": pa.array(station, _TEXT),
        "lat": sites["lat_deg"],
        "lon": sites["lon_deg"],
        "s_depth": pa.array([layer[0] for layer in layers], pa.float32()),
        "e_depth": pa.array([layer[1] for layer in layers], pa.float32()),
    }
    ours = sites.drop_columns(["lon_deg", "lat_deg"])
    return pa.table(seed | {name: ours[name] for name in ours.column_names})


def _names(sites: pa.Table) -> tuple[list[str], list[str]]:
    """Network and station of each site; no two sites share both."""
    names: list[tuple[str, str]] = []
    taken: set[tuple[str, str]] = set()
    ids = zip(sites["site_id"].to_pylist(), sites["station_id"].to_pylist(), strict=True)
    for site, station in ids:
        found = _NETWORK_AND_STATION.fullmatch(station or "")
        name = (found[1], found[2]) if found else (_UNNAMED_NETWORK, station or site)
        name = (CELL_NETWORK, site) if station is None else name
        name = (name[0], site) if name in taken else name
        taken.add(name)
        names.append(name)
    return [network for network, _ in names], [station for _, station in names]


def _layer(source: str | None) -> tuple[float | None, float | None]:
    known = LABEL_SOURCES.get(source or "")
    return (known.depth_from_m, known.depth_to_m) if known else (None, None)


def _merged(
    samples: pa.Table, site_info: pa.Table, recipe_id: str, recipe_fingerprint: str
) -> pa.Table:
    """`s_index`, network, station, date, what is ours, `sm`, and the inputs `0`..`152`."""
    n = samples.num_rows
    row = pc.index_in(samples["site_id"], value_set=site_info["site_id"].combine_chunks())
    if row.null_count:
        absent = samples["site_id"].filter(row.is_null())[0]
        raise DataError(f"Site {absent} has samples but is not among the sites: give its row, too.")
    first = {
        "s_index": pa.array(np.arange(1, n + 1)),
        "network": site_info["network"].take(row),
        "station": site_info["station"].take(row),
        "date": samples["sample_day"],
    }
    ours = samples.drop_columns(["sample_day", "sm_m3m3", "inputs"])
    recipe = {
        "recipe_id": pa.array([recipe_id] * n, _TEXT),
        "recipe_fingerprint": pa.array([recipe_fingerprint] * n, _TEXT),
        "sm": samples["sm_m3m3"],
    }
    inputs = input_columns(samples["inputs"], "The samples")
    return pa.table(first | {name: ours[name] for name in ours.column_names} | recipe | inputs)


def _write_all(folder: Path, site_info: pa.Table, merged: pa.Table) -> list[Path]:
    """Write every file below the folder; their paths relative to it."""
    folder.mkdir(parents=True)
    write_csv(site_info, folder / SITES_FILE)
    write_csv(merged, folder / MERGED_FILE)
    order = pc.sort_indices(
        merged, sort_keys=[("site_id", "ascending"), ("sensed_utc", "ascending")]
    )
    series = merged.select(["sensed_utc", "sm", "source", "scene_id", "site_id"]).take(order)
    series = series.rename_columns({"sensed_utc": "time"}).combine_chunks()
    sites = series["site_id"].to_numpy()
    names = [Path(SITES_FILE), Path(MERGED_FILE)]
    for network, station, site in zip(
        *(site_info[name].to_pylist() for name in ("network", "station", "site_id")), strict=True
    ):
        start, end = (int(np.searchsorted(sites, site, side)) for side in ("left", "right"))
        name = Path(SERIES_FOLDER, _safe(network), f"{_safe(station)}.csv")
        (folder / name.parent).mkdir(parents=True, exist_ok=True)
        write_csv(series.slice(start, end - start), folder / name)
        names.append(name)
    return names


def _safe(name: str) -> str:
    """The name as part of a path on every system: `%2F` for a slash, `%2E` for a leading dot."""
    quoted = quote(name, safe=" ()+,=@")
    return quoted.replace(".", "%2E", 1) if quoted.startswith(".") else quoted
