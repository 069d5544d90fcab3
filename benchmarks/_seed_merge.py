"""A plain merge of labels and inputs, the way the seed system goes about it.

Per site it opens the CSV of labels and the CSV of inputs, walks over the passes one by one, looks
each one's label up in a pandas frame, and joins the frames of all sites at the end. It stands for
that system's work on samples; none of its code is in here, and downloads and scaling are left out.
"""

from pathlib import Path

import pandas as pd

N_INPUTS = 153
INPUT_NAMES = [*map(str, range(N_INPUTS))]
NETWORK = "VN"
SITE_INFO, LABELS, INPUTS = "site_info.csv", "sm", "inputs"


def write_seed_inputs(folder: Path, labels: pd.DataFrame, inputs: pd.DataFrame) -> None:
    """Write `site_info.csv`, `sm/<station>.csv` and `inputs/<network>_<station>.csv`.

    `labels` has the columns station, time (the day of the pass) and sm; `inputs` has station,
    date and `0`..`152`.
    """
    (folder / LABELS).mkdir(parents=True)
    (folder / INPUTS).mkdir()
    names = sorted(set(labels["station"]) | set(inputs["station"]))
    info = pd.DataFrame({"network": NETWORK, "station": names})
    info.to_csv(folder / SITE_INFO, index=False)
    for name in names:
        own = labels.loc[labels["station"] == name, ["time", "sm"]]
        own.to_csv(folder / LABELS / f"{name}.csv", index=False)
        rows = inputs.loc[inputs["station"] == name, ["date", *INPUT_NAMES]]
        rows.to_csv(folder / INPUTS / f"{NETWORK}_{name}.csv", index=False)


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
    columns = ["date", "sm", *INPUT_NAMES]
    found = pd.DataFrame(rows, columns=columns).dropna()
    found.insert(0, "network", site["network"])
    found.insert(1, "station", site["station"])
    return found
