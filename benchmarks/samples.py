"""Training samples from the lake against the merge of the seed system, row by row.

Both have their features ready: ours in the lake's `site_features`, the reference in a CSV a site.
Building them, which the reference leaves out, is timed beside it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks._seed_merge import seed_merge, write_seed_inputs
from benchmarks.extraction import PASS_UTC, synthetic
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.sampling import SampleMaker, SampleRules, read_sites
from sm_platform.defs.site_features import open_sites
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.grid import ease2
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import GridWindow, Raster, lonlat
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema import driver_tables as drivers_of
from sm_platform.schema import label_tables as labels_of
from sm_platform.schema.recipes import SM_100M_V1
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table

SIZE = 150
N_SITES, N_DAYS = 1000, 100
LARGE_DAYS = 200
REFERENCE_SITES, REFERENCE_DAYS = 20, 300
FIRST = date(2025, 3, 7)
REGION = "bench"


def run() -> dict[str, object]:
    """Samples per second of both, their ratio, and the peak memory at twice the days."""
    with tempfile.TemporaryDirectory() as folder:
        layout, region = _lake(Path(folder), N_DAYS)
        began = time.perf_counter()
        _build(layout, region, N_DAYS)
        build_s = time.perf_counter() - began
        began = time.perf_counter()
        n = _pair(layout, N_DAYS)
        pair_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        write_seed_inputs(Path(folder), REFERENCE_SITES, REFERENCE_DAYS, seed=1)
        began = time.perf_counter()
        merged = seed_merge(Path(folder))
        reference = len(merged) / (time.perf_counter() - began)
    return {
        "name": "samples",
        "unit": "samples/s",
        "ours": round(n / pair_s),
        "reference": round(reference),
        "ratio": round(n / pair_s / reference, 1),
        "ratio_with_features_built": round(n / (build_s + pair_s) / reference, 1),
        "samples": n,
        "peak_mib": _peak_in_subprocess(N_DAYS),
        "peak_mib_twice_the_days": _peak_in_subprocess(LARGE_DAYS),
        "how": f"ours: labels and features of {N_SITES} sites and {N_DAYS} passes read from a "
        "lake, paired, written as partitions; with_features_built: the features built from "
        "drivers and passes as well; reference: a plain merge, row by row, of labels with "
        f"features that are ready in CSV files ({len(merged)} rows); peaks: features built, too",
    }


def _pair(layout: Layout, n_days: int) -> int:
    """Pair labels and stored features, as the asset does; returns the number of samples."""
    sites = read_sites(layout, REGION)
    maker = SampleMaker(layout, REGION, sites, SampleRules(12.0, 0.1, 0.5))
    days = days_between(FIRST, FIRST + timedelta(n_days - 1))
    return sum(maker.write_day(day).rows for day in days)


def _build(layout: Layout, region: Region, n_days: int) -> int:
    """Build the rows at the sites a month at a time, as the asset does; returns their number."""
    days, made = days_between(FIRST, FIRST + timedelta(n_days - 1)), 0
    for first in range(0, n_days, 31):
        month = days[first : first + 31]
        inputs = open_inputs(layout, region, month, SM_100M_V1)
        sites = read_sites(layout, REGION)
        maker = open_sites(inputs, sites, 0.5)
        made += sum(maker.write_day(day).rows for day in month)
    return made


def _lake(root: Path, n_days: int) -> tuple[Layout, Region]:
    """A lake with all that samples of `n_days` passes, one a day, are made from."""
    layout = Layout(root)
    drivers, scene = synthetic(SIZE, seed=1)
    region = Region(REGION, drivers.window, "archive", str(root))
    _write_static(layout, drivers)
    _write_dated(layout, drivers, n_days)
    sites = _write_sites(layout, drivers.window)
    for n in range(n_days):
        _write_pass(layout, scene, n)
        _write_labels(layout, sites, n)
    return layout, region


def _write_static(layout: Layout, drivers: Drivers) -> None:
    cover = drivers_of.LAND_COVER_CELLS
    for table, raster in (
        (drivers_of.SOIL, drivers.soil),
        (drivers_of.STATIC_DRIVERS, drivers.terrain),
    ):
        note = {"inputs": table.name, "grid": window_note(raster.window)}
        rows = _filled(raster_rows(raster), table.arrow_schema)
        store.write(layout, table, rows, region=REGION, note=note)
    note = {"inputs": "none", "grid": window_note(drivers.window)}
    store.write(layout, cover, cover.arrow_schema.empty_table(), region=REGION, note=note)


def _write_dated(layout: Layout, drivers: Drivers, n_days: int) -> None:
    """Drivers of the year before the first pass, the last of each again until the last pass."""
    for table, dated in ((drivers_of.NDVI, drivers.ndvi), (drivers_of.WEATHER, drivers.weather)):
        for one in dated:
            _write_day(layout, table, one.day, one.raster)
    for table, dated, step in (
        (drivers_of.NDVI, drivers.ndvi, 8),
        (drivers_of.WEATHER, drivers.weather, 1),
    ):
        for n in range(step, n_days + 9, step):
            _write_day(layout, table, dated[-1].day + timedelta(n), dated[-1].raster)


def _write_day(layout: Layout, table: Table, day: date, raster: Raster) -> None:
    note = {"inputs": str(day), "grid": window_note(raster.window), "status": "made"}
    rows = _filled(raster_rows(raster), table.arrow_schema)
    store.write(layout, table, rows, region=REGION, day=day, note=note)


def _filled(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with columns that the synthetic drivers lack, as nothing known against them."""
    for field in schema:
        if field.name not in rows.column_names:
            zeros = np.zeros(rows.num_rows, field.type.to_pandas_dtype())
            rows = rows.append_column(field.name, pa.array(zeros, field.type))
    return rows


def _write_sites(layout: Layout, window: GridWindow) -> pa.Table:
    cells = np.sort(np.random.default_rng(3).choice(window.size, N_SITES, replace=False))
    lon, lat = (part.ravel()[cells] for part in lonlat(window))
    row, col = ease2.cells(ease2.LEVEL_100M, *ease2.project(lon, lat))
    block = ease2.cells(ease2.LEVEL_3KM, *ease2.project(lon, lat))
    n = len(cells)
    rows = pa.table(
        {
            "site_id": [f"100m-{r}-{c}" for r, c in zip(row, col, strict=True)],
            "site_kind": ["cell"] * n,
            "level": ["100m"] * n,
            "cell_row": row.astype(np.int32),
            "cell_col": col.astype(np.int32),
            "cell_id": cells.astype(np.int32),
            "lon_deg": lon,
            "lat_deg": lat,
            "land_cover_code": np.full(n, 40, np.uint8),
            "purity": np.ones(n, np.float32),
            "texture_code": np.zeros(n, np.int8),
            "mean_sm_m3m3": np.full(n, 0.3, np.float32),
            "block_id": (block[0] * ease2.LEVEL_3KM.shape[1] + block[1]).astype(np.int32),
            "station_id": pa.nulls(n, pa.string()),
        }
    )
    store.write(layout, labels_of.SITE_CATALOG, rows, region=REGION, note={"inputs": "sites"})
    return rows


def _start(n: int) -> datetime:
    return PASS_UTC + timedelta(days=n)


def _write_pass(layout: Layout, scene: ScenePass, n: int) -> None:
    start, day = _start(n), FIRST + timedelta(n)
    row = {
        "scene_id": f"S1A_{n:06d}",
        "start_utc": start,
        "end_utc": start + timedelta(seconds=25),
        "platform": "S1A",
        "orbit_state": "D",
        "relative_orbit": 1 + n % 12,
        "absolute_orbit": None,
        "datatake_id": f"{n:06d}",
        "is_day_only": False,
        "available_utc": start,
        "granule_ids": [f"g{n}"],
        "granule_sha256s": [f"h{n}"],
    }
    scenes = pa.Table.from_pylist([row], schema=drivers_of.S1_SCENES.arrow_schema)
    store.write(
        layout,
        drivers_of.S1_SCENES,
        scenes,
        region=REGION,
        day=day,
        note={"inputs": str(n), "rows": 1},
    )
    table = drivers_of.S1_BACKSCATTER
    rows = raster_rows(scene.backscatter)
    rows = rows.append_column("scene_id", pa.array([row["scene_id"]] * rows.num_rows))
    note = {"inputs": str(n), "grid": window_note(scene.backscatter.window), "rows": rows.num_rows}
    store.write(layout, table, rows, region=REGION, day=day, note=note)


def _write_labels(layout: Layout, sites: pa.Table, n: int) -> None:
    count, rng = sites.num_rows, np.random.default_rng(n)
    texts = {
        "granule_id": f"swc-{n}",
        "source": "planet_swc",
        "label_type": "product",
        "pass_name": "",
    }
    rows = pa.table(
        {name: pa.array([value] * count) for name, value in texts.items()}
        | {
            "site_id": sites["site_id"],
            "reading_no": np.zeros(count, np.int32),
            "is_simulated": np.ones(count, bool),
            "sensed_utc": pa.array(
                [_start(n) - timedelta(hours=4)] * count, pa.timestamp("us", "UTC")
            ),
            "sm_m3m3": rng.uniform(0.1, 0.5, count).astype(np.float32),
            "support_m": np.full(count, 100, np.float32),
            "depth_from_m": np.zeros(count, np.float32),
            "depth_to_m": np.full(count, 0.05, np.float32),
            "station_id": pa.nulls(count, pa.string()),
            "sensor": pa.nulls(count, pa.string()),
            "scene_id": [f"S1A_{n:06d}"] * count,
            "time_difference_h": np.full(count, -4, np.float32),
            "reason": pa.nulls(count, pa.string()),
        }
    )
    day = FIRST + timedelta(n)
    store.write(
        layout, labels_of.SM_OBSERVATIONS, rows, region=REGION, day=day, note={"inputs": str(n)}
    )


def _peak_in_subprocess(n_days: int) -> int:
    command = [sys.executable, "-m", "benchmarks.samples", "--peak", str(n_days)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return int(done.stdout)


def _peak_mib(n_days: int) -> int:
    """Peak memory of this process after making the samples of so many passes."""
    with tempfile.TemporaryDirectory() as folder:
        layout, region = _lake(Path(folder), n_days)
        assert _build(layout, region, n_days) and _pair(layout, n_days)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print the result as one JSON line; with --peak only the memory at so many passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", type=int, default=0, help="peak MiB at so many passes")
    n_days = parser.parse_args().peak
    print(_peak_mib(n_days) if n_days else json.dumps(run()))


if __name__ == "__main__":
    main()
