"""Sites and samples for tests of the seed system's files, and such files by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from sm_platform.samples.seed_rows import SAMPLES_SCHEMA
from sm_platform.schema.label_tables import SITE_CATALOG

N_INPUTS = 153


def sites(n: int, seed: int) -> pa.Table:
    """Cells, and every third site a station; some values null."""
    rng = np.random.default_rng(seed)
    ids = [f"100m-{16000 + k}-7" if k % 3 else f"st-VDS-{k}" for k in range(n)]
    columns = {
        "site_id": ids,
        "site_kind": ["cell" if k % 3 else "station" for k in range(n)],
        "level": ["100m"] * n,
        "cell_row": rng.integers(0, 146_160, n),
        "cell_col": rng.integers(0, 347_040, n),
        "cell_id": rng.integers(0, 2**31, n),
        "lon_deg": rng.uniform(-180, 180, n),
        "lat_deg": rng.uniform(-80, 80, n),
        "land_cover_code": rng.integers(0, 256, n),
        "purity": [None if k % 5 == 0 else rng.random() for k in range(n)],
        "texture_code": rng.integers(0, 4, n),
        "mean_sm_m3m3": [None if k % 2 else rng.random() for k in range(n)],
        "block_id": rng.integers(0, 2**31, n),
        "station_id": [None if k % 3 else f"VDS/station {k}" for k in range(n)],
    }
    return pa.table(columns, schema=SITE_CATALOG.arrow_schema)


def samples(of: pa.Table, n_passes: int, seed: int) -> pa.Table:
    """A sample of two sources at every site on every pass, in any order; some values null."""
    rng = np.random.default_rng(seed)
    grid = np.indices((of.num_rows, n_passes, 2)).reshape(3, -1)
    site, scene, source = grid[:, rng.permutation(grid.shape[1])]
    n = len(site)
    inputs = rng.random((n, N_INPUTS), np.float32)
    inputs[0, :4] = [0, 1, np.float32(1e-30), np.nextafter(np.float32(1), np.float32(0))]
    start = np.datetime64("2024-02-27T22:51:03.123457", "us")
    columns = {
        "site_id": of["site_id"].take(pa.array(site)),
        "scene_id": pa.array([f"S1A-D091-{k}" for k in scene]),
        "source": pa.array(np.array(["planet_swc", "nsidc_0779"])[source]),
        "block_id": of["block_id"].take(pa.array(site)),
        "sm_m3m3": pa.array(some_null(rng, n)),
        "sensed_utc": pa.array(start + scene * np.timedelta64(6, "D"), pa.timestamp("us", "UTC")),
        "time_difference_h": pa.array(some_null(rng, n, -12, 12)),
        "label_type": pa.array(["product"] * n),
        "is_simulated": pa.array(rng.random(n) < 0.5),
        "support_m": pa.array(some_null(rng, n, 0, 9000)),
        "station_id": of["station_id"].take(pa.array(site)),
        "footprint_share": pa.array(some_null(rng, n)),
        "qa": pa.array(rng.integers(0, 2**16, n), pa.uint16()),
        "inundated_share": pa.array(some_null(rng, n)),
        "inputs": pa.FixedSizeListArray.from_arrays(pa.array(inputs.ravel()), N_INPUTS),
        "sample_day": pa.array((start + scene * np.timedelta64(6, "D")).astype("datetime64[D]")),
    }
    return pa.table(columns, schema=SAMPLES_SCHEMA)


def some_null(rng: np.random.Generator, n: int, low: float = 0, high: float = 1) -> pa.Array:
    values = rng.uniform(low, high, n).astype(np.float32)
    return pa.array(values, mask=rng.random(n) < 0.2)


def seed_site_info() -> pd.DataFrame:
    """`site_info.csv` as the seed system has it."""
    return pd.DataFrame(
        {
            "network": ["VN", "VN", "CHINA_1km"],
            "station": [17, 18, "a/b"],
            "lat": [20.45, 20.5, 30.25],
            "lon": [106.43, 106.5, 110.75],
            "s_depth": 0.0,
            "e_depth": 0.05,
        }
    )


def seed_merged(n: int = 6, seed: int = 0) -> pd.DataFrame:
    """A merged table as the seed system has it, with float64 numbers."""
    rng = np.random.default_rng(seed)
    first = {
        "s_index": range(1, n + 1),
        "network": ["VN", "VN", "CHINA_1km"] * (n // 3),
        "station": ["VN_17", "VN_18", "CHINA_1km_a/b"] * (n // 3),
        "platform": "S1A",
        "orbit": 91,
        "date": [f"2024-03-{1 + k // 3:02d}" for k in range(n)],
        "VV": rng.uniform(-20, -5, n),
        "sm": rng.uniform(0.05, 0.6, n),
    }
    inputs = pd.DataFrame(rng.random((n, N_INPUTS)), columns=[str(k) for k in range(N_INPUTS)])
    return pd.concat([pd.DataFrame(first), inputs], axis=1)


def write_seed_folder(
    folder: Path, site_info: pd.DataFrame | None = None, merged: pd.DataFrame | None = None
) -> Path:
    """A folder as the seed system leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    info = seed_site_info() if site_info is None else site_info
    info.to_csv(folder / "site_info.csv", index=False)
    (seed_merged() if merged is None else merged).to_csv(folder / "fusion.csv", index=False)
    return folder
