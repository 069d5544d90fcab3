"""Small lakes of samples for tests: sites in a delta, their inputs and their samples, by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from benchmarks._sample_lake import site_rows, write_sites
from sm_platform.defs.lake_access import save_region
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SITE_FEATURES, TRAINING_SAMPLES
from sm_platform.schema.recipes import N_INPUTS, SM_100M_V1, Recipe
from sm_platform.schema.region import Region

NAME = "delta"
ROW, COL = 45_000, 310_050
"""A 100 m cell in the upper left corner of a 9 km one."""
DAY = date(2025, 3, 7)
DESCENDING = datetime(2025, 3, 7, 22, 51, tzinfo=UTC)
ASCENDING = datetime(2025, 3, 7, 11, 2, tzinfo=UTC)

Row = tuple[str, str, float, float]
"""Site, pass, share of its footprint seen, and what all its inputs are."""


def window(rows: int = 180, cols: int = 180) -> GridWindow:
    return ease2.window(ease2.LEVEL_100M, ROW, COL, (rows, cols))


def store_region(layout: Layout, grid: GridWindow) -> Region:
    region = Region(NAME, grid, "archive", "somewhere")
    save_region(layout, region)
    return region


def spread_sites(layout: Layout, n: int, *, every: int = 15, name: str = NAME) -> pa.Table:
    """Sites of 100 m, `every` pixels apart, in rows of twelve."""
    place = np.stack(np.divmod(np.arange(n), 12), axis=1) * every + (ROW, COL)
    sites = site_rows(window(), ease2.LEVEL_100M, place)
    write_sites(layout, name, sites)
    return sites


def write_inputs(
    layout: Layout, day: date, rows: Sequence[Row], recipe: Recipe = SM_100M_V1
) -> None:
    """Store features at sites by hand; NaN is a missing input."""
    n = len(rows)
    inputs = np.repeat(np.array([row[3] for row in rows], np.float32), N_INPUTS)
    columns = {
        "site_id": pa.array([row[0] for row in rows], pa.string()),
        "scene_id": pa.array([row[1] for row in rows], pa.string()),
        "footprint_share": pa.array([row[2] for row in rows], pa.float32()),
        "qa": pa.array([0] * n, pa.uint16()),
        "inundated_share": pa.nulls(n, pa.float32()),
        "inputs": pa.FixedSizeListArray.from_arrays(
            pa.array(inputs, mask=np.isnan(inputs)), N_INPUTS
        ),
    }
    note = {
        "inputs": [*map(str, rows), recipe.fingerprint],
        "status": "made" if n else "no_pass",
        "rows": n,
        "recipe_id": recipe.recipe_id,
        "recipe_fingerprint": recipe.fingerprint,
    }
    store.write(layout, SITE_FEATURES, pa.table(columns), region=NAME, day=day, note=note)


def sample_rows(
    sites: pa.Table, day: date, *, seed: int, sources: Sequence[str] = ("planet_swc",)
) -> pa.Table:
    """A sample of each source at each site on the day's pass, in the evening."""
    n, rng = sites.num_rows * len(sources), np.random.default_rng((seed, day.toordinal()))
    of = pa.concat_tables([sites] * len(sources))
    sensed = datetime(day.year, day.month, day.day, 18, 25, tzinfo=UTC)
    inputs = rng.random((n, N_INPUTS), np.float32)
    columns = {
        "site_id": of["site_id"],
        "scene_id": [f"S1A_{day:%Y%m%d}"] * n,
        "source": np.repeat(sources, sites.num_rows),
        "block_id": of["block_id"],
        "sm_m3m3": rng.uniform(0.05, 0.65, n).astype(np.float32),
        "sensed_utc": pa.array([sensed] * n, pa.timestamp("us", "UTC")),
        "time_difference_h": pa.array([-4.5] * n, pa.float32()),
        "label_type": ["product"] * n,
        "is_simulated": [True] * n,
        "support_m": pa.array([100.0] * n, pa.float32()),
        "station_id": pa.nulls(n, pa.string()),
        "footprint_share": pa.array([1.0] * n, pa.float32()),
        "qa": pa.array([0] * n, pa.uint16()),
        "inundated_share": pa.nulls(n, pa.float32()),
        "inputs": pa.FixedSizeListArray.from_arrays(pa.array(inputs.ravel()), N_INPUTS),
    }
    return pa.table(columns).cast(TRAINING_SAMPLES.arrow_schema)


def write_samples(
    layout: Layout, day: date, rows: pa.Table, recipe: Recipe = SM_100M_V1, name: str = NAME
) -> None:
    note = {
        "inputs": [str(day), rows["sm_m3m3"].to_pylist()],
        "status": "made",
        "rows": rows.num_rows,
        "dropped": {},
        "recipe_id": recipe.recipe_id,
        "recipe_fingerprint": recipe.fingerprint,
    }
    store.write(layout, TRAINING_SAMPLES, rows, region=name, day=day, note=note)


def a_year_of_samples(
    layout: Layout, sites: pa.Table, *, n_passes: int = 30, sources: Sequence[str] = ("planet_swc",)
) -> list[date]:
    """Samples of passes every 12 days, the first of them DAY."""
    days = [DAY + timedelta(12 * n) for n in range(n_passes)]
    for day in days:
        write_samples(layout, day, sample_rows(sites, day, seed=1, sources=sources))
    return days


def with_column(table: pa.Table, name: str, values: object) -> pa.Table:
    place = table.column_names.index(name)
    field = table.schema.field(name)
    return table.set_column(place, field, pa.array(values, field.type))
