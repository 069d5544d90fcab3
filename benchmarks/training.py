"""One epoch of all 25 members: our engine against the published way, member by member.

The published way is stock layers with dropout .5, Adam on the mean squared error, batches of 1,024,
one member after the other; with every core or with one, whichever is faster, because beside busy
neighbours operators that share their work among cores wait for each other. Ours is `train` as users
get it (`ratio`), and with the published dropout, which is the same work (`ratio_same_dropout`).
Both judge the same rows after the epoch. Rows are made from a seed, each with a series of its own,
as samples of sites have. `python -m benchmarks.training` prints one JSON line.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks._memory import peak_mib
from benchmarks.prediction import PublishedNetwork
from sm_platform.densesm.network import ARCHITECTURES, DenseSM
from sm_platform.densesm.training import LabelledRows, TrainingSettings, train
from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform.schema.rows import FeatureRows, dense

N_LEARN, N_STEER = 5_400, 600
PUBLISHED_BATCH = 1_024
ONE_EPOCH = TrainingSettings(epochs=1)


def seeded_samples(seed: int, n: int) -> LabelledRows:
    """Complete rows with labels that follow the first input."""
    rng = np.random.default_rng(seed)
    rows = FeatureRows(
        scalars=rng.random((n, 15), dtype=np.float32),
        series=rng.random((n, 3, 46), dtype=np.float32),
        series_index=np.arange(n, dtype=np.int32),
        recipe_id=DEFAULT_RECIPE.recipe_id,
        recipe_fingerprint=DEFAULT_RECIPE.fingerprint,
    )
    return LabelledRows(rows, 0.1 + 0.3 * rows.scalars[:, 0])


def tensors(labelled: LabelledRows) -> tuple[Tensor, Tensor]:
    """Inputs (n, 153) and labels (n,)."""
    return torch.from_numpy(dense(labelled.rows)), torch.tensor(labelled.sm_m3m3)


def train_plainly(learn: LabelledRows, steer: LabelledRows) -> None:
    """One epoch of each member, then its error on the rows that steer."""
    (inputs, labels), (held_out, wanted) = tensors(learn), tensors(steer)
    for architecture in ARCHITECTURES:
        network = PublishedNetwork(architecture, DenseSM(architecture).state_dict()).train()
        optimiser = torch.optim.Adam(network.parameters(), lr=4e-4, weight_decay=1e-5)
        for rows in torch.split(torch.randperm(len(inputs)), PUBLISHED_BATCH):
            loss = nn.functional.mse_loss(network(inputs[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.inference_mode():
            nn.functional.mse_loss(network.eval()(held_out), wanted)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def plain_seconds(learn: LabelledRows, steer: LabelledRows, cores: int) -> float:
    """How long the published way takes with so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        return seconds(lambda: train_plainly(learn, steer))
    finally:
        torch.set_num_threads(before)


def run() -> dict[str, float | str]:
    """Row-members per second of both, their ratio with and without dropout, peak memory of ours."""
    learn, steer = seeded_samples(1, N_LEARN), seeded_samples(2, N_STEER)
    work = N_LEARN * len(ARCHITECTURES)
    published_dropout = replace(ONE_EPOCH, series_dropout=0.5)
    train(learn, steer, replace(ONE_EPOCH, members=((1, 8),)), device="cpu")  # warms up
    ours = seconds(lambda: train(learn, steer, ONE_EPOCH, device="cpu"))
    same = seconds(lambda: train(learn, steer, published_dropout, device="cpu"))
    peak = peak_mib()
    plain = min(plain_seconds(learn, steer, cores) for cores in {1, torch.get_num_threads()})
    return {
        "name": "training",
        "unit": "row-members/s",
        "ours": round(work / ours),
        "reference": round(work / plain),
        "ratio": round(plain / ours, 2),
        "ratio_same_dropout": round(plain / same, 2),
        "peak_mib": peak,
    }


if __name__ == "__main__":
    print(json.dumps(run()))
