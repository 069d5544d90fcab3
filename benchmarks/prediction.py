"""Prediction of map rows: our engine against the published network, member by member.

Weights and rows are made from a seed, so nothing has to be at hand. Six rows share a series, as
100 m pixels share a 250 m vegetation cell. `python -m benchmarks.prediction` prints one JSON line.
"""

import json
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks._memory import peak_mib
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.network import ARCHITECTURES, Architecture, DenseSM
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform.schema.rows import FeatureRows, dense

N_ROWS = 24_576
N_REFERENCE_ROWS = 4_096
"""The reference's time grows with its rows alone, so a sixth of them is enough."""
ROWS_PER_SERIES = 6
REFERENCE_BATCH = 4096
REPEATS = 3


class PublishedSeriesBranch(nn.Module):
    """The series branch as the paper builds it, from stock layers."""

    def __init__(self) -> None:
        super().__init__()
        for k, n_in, n_out in ((1, 3, 32), (2, 32, 16), (3, 16, 4)):
            convolution = nn.Conv1d(n_in, n_out, 5, padding=2, padding_mode="replicate")
            self.add_module(f"conv{k}", convolution)
            self.add_module(f"bn{k}", nn.BatchNorm1d(n_out))
        pools = (nn.AvgPool1d(2), nn.AvgPool1d(2), nn.AvgPool1d(4, ceil_mode=True))
        self.pools, self.dropout = nn.ModuleList(pools), nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, 46) to (n, 12)."""
        for k, pool in enumerate(self.pools, start=1):
            x = self.get_submodule(f"bn{k}")(self.get_submodule(f"conv{k}")(x))
            x = pool(self.dropout(torch.relu(x)))
        return x.reshape(len(x), -1)


class PublishedNetwork(nn.Module):
    """A member evaluated plainly: (n, 153) to (n,)."""

    def __init__(self, architecture: Architecture, state: dict[str, Tensor]) -> None:
        super().__init__()
        plain = DenseSM(architecture)
        self.conv_block = PublishedSeriesBranch()
        self.norm, self.dense_layers = plain.norm, plain.dense_layers
        self.fc_layers, self.out = plain.fc_layers, plain.out
        self.load_state_dict(state)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, 153) to (n,)."""
        series = inputs[:, 15:].reshape(-1, 3, 46)
        x = torch.cat((inputs[:, :15], series.mean(2), self.conv_block(series)), 1)
        x = self.norm(x)
        for block in self.dense_layers:
            y = x
            for k in (1, 2, 3):
                linear, norm = block.get_submodule(f"linear{k}"), block.get_submodule(f"bn{k}")
                y = torch.relu(norm(linear(y)))
            x = torch.cat((y, x), 1)
        linear, norm = (self.get_submodule(f"fc_layers.0.{name}") for name in ("linear1", "bn1"))
        moisture: Tensor = self.out(norm(torch.relu(linear(x))))[:, 0]
        return moisture


def seeded_checkpoint(seed: int) -> Checkpoint:
    """All 25 members with random weights; norms have statistics and factors of their own."""
    generator = torch.Generator().manual_seed(seed)
    members = []
    for architecture in ARCHITECTURES:
        state = DenseSM(architecture).state_dict()
        for name, tensor in state.items():
            if name.endswith("num_batches_tracked"):
                continue
            noise = torch.rand(tensor.shape, generator=generator)
            centred = tensor.ndim > 1 or name.endswith(("bias", "mean"))
            spread = 2 / np.sqrt(tensor[0].numel()) if tensor.ndim > 1 else 0.5
            state[name] = (noise - 0.5) * spread if centred else noise + 0.5
        members.append(Member(architecture.name, architecture, state))
    recipe = DEFAULT_RECIPE
    return Checkpoint("benchmark", recipe.recipe_id, recipe.fingerprint, tuple(members), {})


def seeded_rows(seed: int, n: int) -> FeatureRows:
    """Complete rows of a map; neighbours share a series."""
    rng = np.random.default_rng(seed)
    index = np.arange(n) // ROWS_PER_SERIES
    return FeatureRows(
        scalars=rng.random((n, 15), dtype=np.float32),
        series=rng.random((index[-1] + 1, 3, 46), dtype=np.float32),
        series_index=index.astype(np.int32),
        recipe_id=DEFAULT_RECIPE.recipe_id,
        recipe_fingerprint=DEFAULT_RECIPE.fingerprint,
    )


@torch.inference_mode()
def evaluate_plainly(checkpoint: Checkpoint, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k): each member by itself, in batches of 4096."""
    columns = []
    for member in checkpoint.members:
        network = PublishedNetwork(member.architecture, dict(member.state))
        batches = torch.split(torch.from_numpy(inputs), REFERENCE_BATCH)
        columns.append(torch.cat([network(batch) for batch in batches]))
    return torch.stack(columns, dim=1).numpy()


def shortest(
    work: Callable[[], NDArray[np.float32]], repeats: int
) -> tuple[float, NDArray[np.float32]]:
    """Seconds of the quickest of some runs, the one least disturbed, and what it gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def run() -> dict[str, float | str]:
    """Rows per second of both, their ratio, largest difference, peak memory with our engine."""
    checkpoint, rows = seeded_checkpoint(1), seeded_rows(2, N_ROWS)
    ensemble = prepare(checkpoint, device="cpu")

    def predict_members() -> NDArray[np.float32]:
        found = predict(ensemble, rows, members=True).members
        assert found is not None
        return found

    seconds, ours = shortest(predict_members, 1 + REPEATS)  # the first one warms up
    peak = peak_mib()
    inputs = dense(rows)[:N_REFERENCE_ROWS]
    plain_seconds, plain = shortest(lambda: evaluate_plainly(checkpoint, inputs), 2)
    speed, plain_speed = N_ROWS / seconds, N_REFERENCE_ROWS / plain_seconds
    return {
        "name": "prediction",
        "unit": "rows/s",
        "ours": round(speed),
        "reference": round(plain_speed),
        "ratio": round(speed / plain_speed, 2),
        "peak_mib": peak,
        "max_abs_difference": float(np.abs(ours[:N_REFERENCE_ROWS] - plain).max()),
    }


if __name__ == "__main__":
    print(json.dumps(run()))
