"""A lake with what training samples are made from: drivers, passes, sites and labels of a region.

Tests of features at sites and of samples write their small lakes with it, too.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.grid import ease2
from sm_platform.grid.window import DatedRaster, GridWindow, Raster, cell_index, reproject_points
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema import driver_tables, label_tables
from sm_platform.schema.label_sources import find_source
from sm_platform.schema.tables import Table

Cells = Sequence[tuple[int, int]] | NDArray[np.integer]
"""Row and column of cells on the globe, (n, 2)."""


def write_drivers(layout: Layout, region: str, drivers: Drivers, *, more_days: int = 0) -> None:
    """Store the drivers; the last NDVI and weather again for so many days after them."""
    cover = drivers.land_cover
    for table, raster in (
        (driver_tables.SOIL, drivers.soil),
        (driver_tables.STATIC_DRIVERS, drivers.terrain),
        (driver_tables.LAND_COVER_CELLS, cover or Raster(drivers.window, {})),
    ):
        rows = raster_rows(raster) if raster.values else table.arrow_schema.empty_table()
        note = {"inputs": table.name, "grid": window_note(raster.window)}
        store.write(layout, table, _filled(rows, table), region=region, note=note)
    for table, dated, step in (
        (driver_tables.NDVI, drivers.ndvi, 8),
        (driver_tables.WEATHER, drivers.weather, 1),
    ):
        last = dated[-1]
        again = [
            DatedRaster(last.day + timedelta(n), None, last.raster)
            for n in range(step, more_days + step, step)
        ]
        for one in (*dated, *again):
            write_dated(layout, region, table, one)


def write_dated(layout: Layout, region: str, table: Table, dated: DatedRaster) -> None:
    """Store NDVI or weather of a day."""
    available = dated.available_utc
    note = {
        "inputs": f"{table.name} {dated.day}",
        "grid": window_note(dated.raster.window),
        "status": "made",
        "available_utc": available.isoformat() if available else None,
    }
    rows = _filled(raster_rows(dated.raster), table)
    store.write(layout, table, rows, region=region, day=dated.day, note=note)


def _filled(rows: pa.Table, table: Table) -> pa.Table:
    """The rows with columns that synthetic drivers lack, as nothing known against them."""
    for field in table.arrow_schema:
        if field.name not in rows.column_names:
            zeros = np.zeros(rows.num_rows, field.type.to_pandas_dtype())
            rows = rows.append_column(field.name, pa.array(zeros, field.type))
    return rows


def write_passes(
    layout: Layout,
    region: str,
    day: date,
    passes: Sequence[tuple[str, ScenePass]],
    *,
    relative_orbit: int = 91,
) -> None:
    """Store the passes of a day, each with its id."""
    scenes = [_scene(name, seen, relative_orbit) for name, seen in passes]
    table = driver_tables.S1_SCENES
    rows = pa.Table.from_pylist(scenes, schema=table.arrow_schema)
    note: dict[str, object] = {"inputs": [name for name, _ in passes], "rows": len(passes)}
    store.write(layout, table, rows, region=region, day=day, note=note)
    table = driver_tables.S1_BACKSCATTER
    parts = [table.arrow_schema.empty_table()]
    for name, seen in passes:
        cells = raster_rows(seen.backscatter)
        named = cells.append_column("scene_id", pa.array([name] * cells.num_rows))
        parts.append(named.select(table.arrow_schema.names).cast(table.arrow_schema))
        note |= {"grid": window_note(seen.backscatter.window)}
    measured = pa.concat_tables(parts)
    note |= {"rows": measured.num_rows}
    store.write(layout, table, measured, region=region, day=day, note=note)


def _scene(name: str, seen: ScenePass, relative_orbit: int) -> dict[str, object]:
    return {
        "scene_id": name,
        "start_utc": seen.start_utc,
        "end_utc": seen.start_utc + timedelta(seconds=25),
        "platform": "S1A",
        "orbit_state": seen.orbit_state,
        "relative_orbit": relative_orbit,
        "absolute_orbit": None,
        "datatake_id": name,
        "is_day_only": False,
        "available_utc": seen.start_utc,
        "granule_ids": [f"granule {name}"],
        "granule_sha256s": [f"hash {name}"],
    }


def site_rows(window: GridWindow, level: ease2.Level, cells: Cells) -> pa.Table:
    """Sites that are cells of the level, as rows of the catalog."""
    row, col = np.asarray(cells, np.int64).T
    lon, lat = ease2.centre_lonlat(level, row, col)
    x = ease2.LEFT_M + (col + 0.5) * level.cell_m + 1e-3  # of four pixels at a corner
    y = ease2.TOP_M - (row + 0.5) * level.cell_m - 1e-3  # the south-eastern one
    pixel = cell_index(window, *reproject_points(x, y, ease2.CRS, window.crs))
    block = ease2.cells(ease2.LEVEL_3KM, x, y)
    n = len(row)
    columns = {
        "site_id": [f"{level.name}-{r}-{c}" for r, c in zip(row, col, strict=True)],
        "site_kind": ["cell"] * n,
        "level": [level.name] * n,
        "cell_row": row,
        "cell_col": col,
        "cell_id": pixel,
        "lon_deg": lon,
        "lat_deg": lat,
        "land_cover_code": [40] * n,
        "purity": [1.0] * n,
        "texture_code": [0] * n,
        "mean_sm_m3m3": [0.3] * n,
        "block_id": block[0] * ease2.LEVEL_3KM.shape[1] + block[1],
        "station_id": [None] * n,
    }
    return pa.table(columns, schema=label_tables.SITE_CATALOG.arrow_schema)


def write_sites(layout: Layout, region: str, sites: pa.Table) -> None:
    """Store the catalog."""
    note = {"inputs": sites["site_id"].to_pylist(), "status": "made", "rows": sites.num_rows}
    store.write(layout, label_tables.SITE_CATALOG, sites, region=region, note=note)


def label_rows(
    site_id: Sequence[str] | pa.ChunkedArray,
    sm_m3m3: Sequence[float] | NDArray[np.floating],
    sensed_utc: datetime,
    passes: tuple[str, datetime],
    *,
    source: str = "planet_swc",
) -> pa.Table:
    """Good readings of one granule near a pass (id, start), as rows of sm_observations."""
    known, n = find_source(source), len(site_id)
    scene_id, start = passes
    columns = {
        "site_id": site_id,
        "granule_id": [f"{source}-{sensed_utc:%Y%m%dT%H%M%S}"] * n,
        "reading_no": [0] * n,
        "source": [source] * n,
        "label_type": [known.label_type.value] * n,
        "is_simulated": [True] * n,
        "pass_name": [""] * n,
        "sensed_utc": pa.array([sensed_utc] * n, pa.timestamp("us", "UTC")),
        "sm_m3m3": np.asarray(sm_m3m3, np.float32),
        "support_m": [known.support_m] * n,
        "depth_from_m": [known.depth_from_m] * n,
        "depth_to_m": [known.depth_to_m] * n,
        "station_id": [None] * n,
        "sensor": [None] * n,
        "scene_id": [scene_id] * n,
        "time_difference_h": [(sensed_utc - start).total_seconds() / 3600] * n,
        "provider_reason": [None] * n,
        "reason": [None] * n,
    }
    schema = label_tables.SM_OBSERVATIONS.arrow_schema
    return pa.table(columns).select(schema.names).cast(schema)


def write_labels(layout: Layout, region: str, day: date, *parts: pa.Table) -> None:
    """Store the observations of a day."""
    table = label_tables.SM_OBSERVATIONS
    rows = pa.concat_tables([table.arrow_schema.empty_table(), *parts])
    note = {"inputs": repr(rows.select(["site_id", "sm_m3m3", "sensed_utc"]).to_pydict())}
    store.write(layout, table, rows, region=region, day=day, note=note | {"rows": rows.num_rows})
