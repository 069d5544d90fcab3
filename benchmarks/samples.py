"""Training samples from the lake against the merge of the seed system, row by row.

Both have their features ready: ours in the lake's `site_features`, the reference in a CSV a site,
with the very same labels and inputs. Building the features, which the reference leaves out, is
timed beside it.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks._memory import peak_in_subprocess, peak_mib
from benchmarks._sample_lake import (
    label_rows,
    site_rows,
    write_drivers,
    write_labels,
    write_passes,
    write_sites,
)
from benchmarks._seed_merge import INPUT_NAMES, N_INPUTS, seed_merge, write_seed_inputs
from benchmarks.extraction import PASS_UTC, synthetic
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.sampling import SampleMaker, SampleRules, read_sites
from sm_platform.defs.site_features import open_sites
from sm_platform.features.drivers import ScenePass
from sm_platform.grid import ease2
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SITE_FEATURES, SM_OBSERVATIONS, TRAINING_SAMPLES
from sm_platform.schema.recipes import SM_100M_V1
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table

SIZE = 150
N_SITES, N_DAYS = 1000, 103
"""More than 100,000 pairs, so that 100,000 samples are left of them."""
LARGE_DAYS = 206
REFERENCE_SITES = 30
MISSING_SHARE = 0.01
"""Of the labels, and of the pixels that a pass measured."""
FIRST = date(2025, 3, 7)
REGION = "bench"


def run() -> dict[str, object]:
    """Samples per second of both, their ratio, and the peak memory at twice the days."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as seed_folder:
        layout, region = _lake(Path(folder), N_DAYS)
        began = time.perf_counter()
        _build(layout, region, N_DAYS)
        build_s = time.perf_counter() - began
        began = time.perf_counter()
        n = _pair(layout, N_DAYS)
        pair_s = time.perf_counter() - began
        _write_reference(layout, Path(seed_folder))
        began = time.perf_counter()
        merged = seed_merge(Path(seed_folder))
        reference = len(merged) / (time.perf_counter() - began)
        _assert_equal(_frame(layout, TRAINING_SAMPLES, merged["station"].unique()), merged)
    return {
        "name": "samples",
        "unit": "samples/s",
        "ours": round(n / pair_s),
        "reference": round(reference),
        "ratio": round(n / pair_s / reference, 1),
        "ratio_with_features_built": round(n / (build_s + pair_s) / reference, 1),
        "samples": n,
        "pair_s": round(pair_s, 2),
        "build_s": round(build_s, 2),
        "peak_mib": peak_in_subprocess("samples", str(N_DAYS)),
        "peak_mib_twice_the_days": peak_in_subprocess("samples", str(LARGE_DAYS)),
        "how": f"ours: labels and features of {N_SITES} sites and {N_DAYS} passes read from a "
        "lake, paired, written as partitions; with_features_built: the features built from "
        "drivers and passes as well; reference: a plain merge, row by row, of the same labels and "
        f"features, ready in CSV files, timed on {REFERENCE_SITES} of the sites ({len(merged)} "
        "rows, equal to ours to the bit); peaks: features built, too",
    }


def _pair(layout: Layout, n_days: int) -> int:
    """Pair labels and stored features, as the asset does; returns the number of samples."""
    sites = read_sites(layout, REGION)
    maker = SampleMaker(layout, REGION, sites, SampleRules(12.0, 0.1, 0.5))
    return sum(maker.write_day(day).rows for day in _days(n_days))


def _build(layout: Layout, region: Region, n_days: int) -> int:
    """Build the rows at the sites a month at a time, as the asset does; returns their number."""
    made, days = 0, _days(n_days)
    for first in range(0, n_days, 31):
        month = days[first : first + 31]
        inputs = open_inputs(layout, region, month, SM_100M_V1)
        maker = open_sites(inputs, read_sites(layout, REGION), 0.5)
        made += sum(maker.write_day(day).rows for day in month)
    return made


def _days(n_days: int) -> list[date]:
    return days_between(FIRST, FIRST + timedelta(n_days - 1))


# --- the same labels and inputs for the reference -------------------------------------------------


def _write_reference(layout: Layout, folder: Path) -> None:
    sites = read_sites(layout, REGION)["site_id"].to_pylist()
    chosen = sites[:: N_SITES // REFERENCE_SITES][:REFERENCE_SITES]
    labels = _frame(layout, SM_OBSERVATIONS, chosen)
    labels = labels.rename(columns={"date": "time"})
    write_seed_inputs(folder, labels, _frame(layout, SITE_FEATURES, chosen))


def _frame(layout: Layout, table: Table, sites: list[str]) -> pd.DataFrame:
    """Rows at those sites: station, date (of the partition), sm and `0`..`152` where they are."""
    parts = []
    for day in store.days_made(layout, table, REGION):
        made = store.read(layout, table, REGION, day)
        assert made is not None
        rows = made.rows.filter(pc.is_in(made.rows["site_id"], value_set=pa.array(sites)))
        columns = {"station": rows["site_id"].to_numpy(), "date": str(day)}
        if "sm_m3m3" in rows.column_names:
            columns["sm"] = rows["sm_m3m3"].to_numpy()
        part = pd.DataFrame(columns)
        if "inputs" in rows.column_names:
            flat = rows["inputs"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            inputs = pd.DataFrame(flat.reshape(-1, N_INPUTS), columns=INPUT_NAMES)
            part = pd.concat([part, inputs], axis=1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _assert_equal(ours: pd.DataFrame, merged: pd.DataFrame) -> None:
    order = ["station", "date"]
    plain = merged.assign(date=merged["date"].dt.strftime("%Y-%m-%d")).sort_values(order)
    made = ours.sort_values(order)
    assert len(made) < 0.999 * REFERENCE_SITES * N_DAYS, "some rows have something missing"
    assert made[order].to_numpy().tolist() == plain[order].to_numpy().tolist()
    names = ["sm", *INPUT_NAMES]
    np.testing.assert_array_equal(made[names].to_numpy("float32"), plain[names].to_numpy("float32"))


# --- a synthetic lake -----------------------------------------------------------------------------


def _lake(root: Path, n_days: int) -> tuple[Layout, Region]:
    """A lake with all that samples of `n_days` passes, one a day, are made from."""
    layout = Layout(root)
    drivers, scene = synthetic(SIZE, seed=1)
    write_drivers(layout, REGION, drivers, more_days=n_days + 9)
    corner = ease2.corner_cell(ease2.LEVEL_100M, drivers.window)
    assert corner is not None
    cells = np.sort(np.random.default_rng(3).choice(drivers.window.size, N_SITES, replace=False))
    place = np.stack(np.divmod(cells, drivers.window.shape[1]), axis=1) + corner
    sites = site_rows(drivers.window, ease2.LEVEL_100M, place)
    write_sites(layout, REGION, sites)
    for n, day in enumerate(_days(n_days)):
        rng = np.random.default_rng(n)
        name, start = f"S1A_{n:06d}", PASS_UTC + timedelta(days=n)
        seen = _seen(scene, start, rng)
        write_passes(layout, REGION, day, [(name, seen)], relative_orbit=1 + n % 12)
        sm = rng.uniform(0.1, 0.5, N_SITES).astype(np.float32)
        has_label = rng.random(N_SITES) >= MISSING_SHARE
        site_id = sites["site_id"].filter(pa.array(has_label))
        sensed = start - timedelta(hours=4)
        labels = label_rows(site_id, sm[has_label], sensed, (name, start))
        write_labels(layout, REGION, day, labels)
    return layout, Region(REGION, drivers.window, "archive", str(root))


def _seen(scene: ScenePass, start: datetime, rng: np.random.Generator) -> ScenePass:
    """The pass on another day, with gaps of its own."""
    raster = scene.backscatter
    is_gap = rng.random(raster.window.shape) < MISSING_SHARE
    bands = {name: np.where(is_gap, np.nan, band) for name, band in raster.values.items()}
    floats = {name: band.astype(np.float32) for name, band in bands.items()}
    return replace(scene, start_utc=start, backscatter=Raster(raster.window, floats))


# --- memory ---------------------------------------------------------------------------------------


def _peak_mib(n_days: int) -> int:
    """Peak memory of this process after making the samples of so many passes."""
    with tempfile.TemporaryDirectory() as folder:
        layout, region = _lake(Path(folder), n_days)
        assert _build(layout, region, n_days) and _pair(layout, n_days)
    return peak_mib()


def main() -> None:
    """Print the result as one JSON line; with --peak only the memory at so many passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", type=int, default=0, help="peak MiB at so many passes")
    n_days = parser.parse_args().peak
    print(_peak_mib(n_days) if n_days else json.dumps(run()))


if __name__ == "__main__":
    main()
