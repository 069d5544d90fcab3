"""An independent evaluation of a member: float64, one formula after the other, no torch."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def evaluate(state: dict[str, Array], inputs: Array) -> Array:
    """(n, 153) scaled inputs to (n,) m3/m3."""
    series = inputs[:, 15:].reshape(-1, 3, 46)
    x = np.concatenate([inputs[:, :15], series.mean(axis=2), _branch(state, series)], axis=1)
    x = _norm(state, "norm", x)
    k = 0
    while f"dense_layers.{k}.linear1.weight" in state:
        y = x
        for j in (1, 2, 3):
            y = _linear(state, f"dense_layers.{k}.linear{j}", y)
            y = np.maximum(_norm(state, f"dense_layers.{k}.bn{j}", y), 0)
        x = np.concatenate([y, x], axis=1)
        k += 1
    hidden = np.maximum(_linear(state, "fc_layers.0.linear1", x), 0)
    return _linear(state, "out", _norm(state, "fc_layers.0.bn1", hidden))[:, 0]


def _branch(state: dict[str, Array], x: Array) -> Array:
    for k, pool in ((1, 2), (2, 2), (3, 4)):
        weight, bias = (state[f"conv_block.conv{k}.{part}"] for part in ("weight", "bias"))
        padded = np.pad(x, ((0, 0), (0, 0), (2, 2)), mode="edge")
        steps = range(x.shape[2])
        z = np.stack(
            [np.einsum("nct,oct->no", padded[:, :, t : t + 5], weight) + bias for t in steps],
            axis=2,
        )
        z = _norm(state, f"conv_block.bn{k}", z.transpose(0, 2, 1)).transpose(0, 2, 1)
        z = np.maximum(z, 0)
        last = z.shape[2] if k == 3 else z.shape[2] // pool * pool
        x = np.stack([z[:, :, t : t + pool].mean(axis=2) for t in range(0, last, pool)], axis=2)
    return x.reshape(len(x), 12)


def _linear(state: dict[str, Array], name: str, x: Array) -> Array:
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def _norm(state: dict[str, Array], name: str, x: Array) -> Array:
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return (x - mean) / np.sqrt(var + 1e-5) * state[f"{name}.weight"] + state[f"{name}.bias"]
