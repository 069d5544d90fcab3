"""A plain merge of labels and inputs, the way the seed system goes about it.

Per site it opens the CSV of labels and the CSV of inputs, walks over the passes one by one, looks
each one's label up in a pandas frame, and joins the frames of all sites at the end. It stands for
that system's work on samples; none of its code is in here, and downloads and scaling are left out.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

N_INPUTS = 153
FIRST_DAY = date(2024, 1, 1)
MISSING_SHARE = 0.02
SITE_INFO, LABELS, INPUTS = "site_info.csv", "sm", "inputs"


def write_seed_inputs(folder: Path, n_sites: int, n_days: int, seed: int) -> None:
    """Write `site_info.csv`, `sm/<station>.csv` and `inputs/<network>_<station>.csv`.

    Each site has a label and a pass on each of `n_days` days; 2 % of the labels (m3/m3) and of
    the passes have a missing value. All numbers but the places are float32 values.
    """
    rng = np.random.default_rng(seed)
    (folder / LABELS).mkdir(parents=True)
    (folder / INPUTS).mkdir()
    days = [FIRST_DAY + timedelta(days=n) for n in range(n_days)]
    names = [f"p{number:05d}" for number in range(n_sites)]
    info = {
        "network": "VN",
        "station": names,
        "lat": 10 + 12 * rng.random(n_sites),
        "lon": 103 + 6 * rng.random(n_sites),
        "s_depth": 0.0,
        "e_depth": 0.05,
    }
    pd.DataFrame(info).to_csv(folder / SITE_INFO, index=False)
    for name in names:
        sm = (0.05 + 0.5 * rng.random(n_days)).astype(np.float32)
        sm[rng.random(n_days) < MISSING_SHARE] = np.nan
        inputs = rng.random((n_days, N_INPUTS), np.float32)
        inputs[rng.random(n_days) < MISSING_SHARE, 7] = np.nan
        labels = pd.DataFrame({"time": days, "sm": sm.astype(np.float64)})
        labels.to_csv(folder / LABELS / f"{name}.csv", index=False)
        table = pd.DataFrame(inputs.astype(np.float64), columns=[*map(str, range(N_INPUTS))])
        table.insert(0, "date", days)
        table.to_csv(folder / INPUTS / f"VN_{name}.csv", index=False)


def seed_merge(folder: Path) -> pd.DataFrame:
    """The merged table: `s_index`, network, station, date, sm and the inputs `0`..`152`.

    Rows without a label or with a missing input are left out. Numbers are float64 as pandas reads
    them; as float32 they are exactly those written.
    """
    sites = pd.read_csv(folder / SITE_INFO)
    parts = [_site(folder, sites.iloc[n]) for n in range(len(sites))]
    merged = pd.concat(parts, ignore_index=True)
    merged.insert(0, "s_index", range(1, len(merged) + 1))
    return merged


def _site(folder: Path, site: pd.Series) -> pd.DataFrame:
    name = f"{site['network']}_{site['station']}.csv"
    labels = pd.read_csv(folder / LABELS / f"{site['station']}.csv", parse_dates=["time"])
    inputs = pd.read_csv(folder / INPUTS / name, parse_dates=["date"])
    rows = []
    for n in range(len(inputs)):
        seen = inputs.loc[n]
        near = labels[labels["time"] == seen["date"]]
        if len(near) == 0:
            continue
        rows.append([seen["date"], near["sm"].iloc[0], *seen["0":]])
    columns = ["date", "sm", *map(str, range(N_INPUTS))]
    found = pd.DataFrame(rows, columns=columns).dropna()
    found.insert(0, "network", site["network"])
    found.insert(1, "station", site["station"])
    return found
