"""What a folder written by the seed system does not say, derived or left null."""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.errors import DataError, UsageError
from sm_platform.grid import ease2
from sm_platform.samples.seed_checks import (
    check_blocks,
    check_labels,
    check_places,
    refuse_null,
    refuse_twice,
    refuse_unknown,
)
from sm_platform.schema.label_sources import LabelSource, find_source
from sm_platform.schema.label_tables import SITE_CATALOG, TRAINING_SAMPLES

SAMPLES_SCHEMA = TRAINING_SAMPLES.arrow_schema.append(pa.field("sample_day", pa.date32()))
"""training_samples with the day of the partition that each row belongs to."""
_BUT_INPUTS = pa.schema([field for field in SAMPLES_SCHEMA if field.name != "inputs"])
SourceOf = str | Mapping[str, str]
"""Label source of all rows, or of those of each network."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TEXTURE_NOT_KNOWN = 0


def complete_sites(rows: pa.Table, source: SourceOf | None, told: str) -> pa.Table:
    """Rows of `site_info.csv` with all columns of site_catalog, in the order of the file.

    Derived where they are absent: the site's id, its cell (of the source's level, 100m for a
    point), block and station from network, station and place; texture is not known (0). Null
    stays what only the region can tell: pixel, land cover, purity, mean label.

    Raises:
        DataError: a place is missing or not on the globe, a level or kind is not known, or a site
            is there twice.
    """
    rows = rows.rename_columns({"lon": "lon_deg", "lat": "lat_deg"})
    check_places(rows, told)
    n, columns = rows.num_rows, _columns(rows)
    if "cell_row" not in rows.column_names or "block_id" not in rows.column_names:
        x, y = ease2.project(rows["lon_deg"].to_numpy(), rows["lat_deg"].to_numpy())
        row, col = ease2.cells(ease2.LEVEL_3KM, x, y)
        columns.setdefault("block_id", row * ease2.LEVEL_3KM.shape[1] + col)
        levels = [one.level or "100m" for one in _sources(rows, source)]
        cells = _cells(levels, x, y)
        columns.setdefault("level", levels)
        columns.setdefault("cell_row", cells[0])
        columns.setdefault("cell_col", cells[1])
    columns.setdefault("site_id", _site_ids(rows))
    columns.setdefault("site_kind", ["station"] * n)
    columns.setdefault("station_id", _station_ids(rows))
    columns.setdefault("texture_code", [_TEXTURE_NOT_KNOWN] * n)
    found = _table(columns, SITE_CATALOG.arrow_schema, n)
    refuse_null(found, told, but=("cell_id", "land_cover_code"))
    refuse_unknown(found, told)
    refuse_twice(found, SITE_CATALOG.keys, told)
    return found


def complete_samples(
    rows: pa.Table, sites: pa.Table, source: SourceOf | None, told: str
) -> pa.Table:
    """Rows of a merged table with all columns of training_samples but `inputs`, and the day.

    `sites` has the columns network and station beside those of site_catalog. Derived where they
    are absent: the site by network and station; the pass from the date (and orbit); the time of
    sensing, midnight UTC of the date, since the seed system keeps no more; type and support from
    the source; nothing is known against a row (qa 0). The rest stays null.

    Raises:
        UsageError: the source has to be named.
        DataError: a site, a date or an id is missing, a source or type is not known, a block is
            not that of the site, or a row is there twice.
    """
    n, columns = rows.num_rows, _columns(rows)
    day = _days(rows, told)
    columns.setdefault("sample_day", day)
    columns.setdefault("sensed_utc", pc.cast(day, pa.timestamp("us", "UTC")))
    columns.setdefault("scene_id", _scene_ids(rows, day))
    place = _site_rows(rows, sites, told)
    for name in ("site_id", "block_id", "station_id"):
        columns.setdefault(name, sites[name].take(place))
    if not {"source", "label_type", "support_m"} <= set(rows.column_names):
        named = _sources(rows, source)
        columns.setdefault("source", [one.source_id for one in named])
        columns.setdefault("label_type", [one.label_type.value for one in named])
        columns.setdefault("support_m", [one.support_m for one in named])
    columns.setdefault("is_simulated", [False] * n)
    columns.setdefault("qa", [0] * n)
    columns.setdefault("sm_m3m3", rows["sm"])
    found = _table(columns, _BUT_INPUTS, n)
    check_labels(found, told)
    refuse_null(found, told)
    refuse_unknown(found, told)
    check_blocks(found, sites["block_id"].take(place), told)
    refuse_twice(found, TRAINING_SAMPLES.keys, told)
    return found


def _columns(rows: pa.Table) -> dict[str, object]:
    """The columns that a file has, to which others are added."""
    return {name: rows[name] for name in rows.column_names}


def _table(columns: Mapping[str, object], schema: pa.Schema, n_rows: int) -> pa.Table:
    """The columns of the schema in its order; one that nobody gave is null."""
    found = [
        _typed(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(n_rows, field.type)
        for field in schema
    ]
    return pa.table(found, schema=schema)


def _typed(values: object, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(kind)
    return pa.array(values, kind)


def _sources(rows: pa.Table, source: SourceOf | None) -> list[LabelSource]:
    """The label source of each row, by its network."""
    networks = rows["network"].to_pylist()
    if source is None:
        raise UsageError(
            "These files do not say where their labels come from: name the source, for example "
            "planet_swc, or one for each network."
        )
    if isinstance(source, str):
        return [find_source(source)] * len(networks)
    absent = sorted({str(name) for name in networks} - set(source))
    if absent:
        raise UsageError(f"No source is named for network {', '.join(absent)}.")
    known = {name: find_source(one) for name, one in source.items()}
    return [known[name] for name in networks]


def _cells(levels: list[str], x: np.ndarray, y: np.ndarray) -> tuple[list[int], list[int]]:
    grid = {level.name: level for level in ease2.LEVELS}
    found = {name: ease2.cells(grid[name], x, y) for name in set(levels)}
    rows = [int(found[name][0][place]) for place, name in enumerate(levels)]
    return rows, [int(found[name][1][place]) for place, name in enumerate(levels)]


def _site_ids(rows: pa.Table) -> list[str]:
    pairs = zip(rows["network"].to_pylist(), rows["station"].to_pylist(), strict=True)
    return [_UNSAFE.sub("-", f"st-{network}-{station}") for network, station in pairs]


def _station_ids(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(rows["network"], rows["station"], " ")


def _days(rows: pa.Table, told: str) -> pa.ChunkedArray:
    texts = pc.utf8_slice_codeunits(rows["date"], 0, 10)
    try:
        return texts.cast(pa.date32())
    except pa.ArrowInvalid as error:
        raise DataError(f"{told}: column date must hold days as YYYY-MM-DD: {error}") from error


def _scene_ids(rows: pa.Table, day: pa.ChunkedArray) -> pa.ChunkedArray:
    parts = [pa.scalar("seed"), day.cast(pa.string())]
    if "orbit" in rows.column_names:
        parts.append(pc.fill_null(rows["orbit"], "unknown"))
    return pc.binary_join_element_wise(*parts, "-")


def _site_rows(rows: pa.Table, sites: pa.Table, told: str) -> pa.Array:
    """Row of each sample's site; the seed system's merge writes `network_station` for a station."""
    if "site_id" in rows.column_names:
        place = pc.index_in(rows["site_id"].combine_chunks(), value_set=_whole(sites["site_id"]))
        named = rows["site_id"]
    else:
        join = pc.binary_join_element_wise
        named = join(rows["network"], rows["station"], "\n").combine_chunks()
        known = join(sites["network"], sites["station"], "\n")
        stem = join(sites["network"], join(sites["network"], sites["station"], "_"), "\n")
        place = pc.coalesce(
            pc.index_in(named, value_set=_whole(known)), pc.index_in(named, value_set=_whole(stem))
        )
    if place.null_count:
        row = int(np.flatnonzero(place.is_null().to_numpy(zero_copy_only=False))[0])
        name = str(named[row]).replace("\n", " ")
        raise DataError(f"{told}: row {row + 1} is of site {name}, which site_info.csv has not.")
    return place


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
