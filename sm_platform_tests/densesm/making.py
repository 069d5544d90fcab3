"""Seeded members, checkpoints and rows for the tests of this room."""

import numpy as np
import torch
from torch import Tensor

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.schema.recipes import DEFAULT_RECIPE, Recipe
from sm_platform.schema.rows import FeatureRows, from_dense

FEW = (Architecture(1, 8), Architecture(2, 16), Architecture(3, 8))


def random_state(architecture: Architecture, seed: int = 0) -> dict[str, Tensor]:
    """Weights, and norms that all do something."""
    generator = torch.Generator().manual_seed(seed)
    state = DenseSM(architecture).state_dict()
    for name, tensor in state.items():
        noise = torch.rand(tensor.shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif tensor.ndim > 1:
            state[name] = (noise - 0.5) * 3 / tensor[0].numel() ** 0.5
        elif name.endswith(("bias", "running_mean")):
            state[name] = noise - 0.5
        else:
            state[name] = noise + 0.5
    return state


def random_member(architecture: Architecture, seed: int = 0) -> Member:
    return Member(architecture.name, architecture, random_state(architecture, seed))


def random_checkpoint(
    *architectures: Architecture, recipe: Recipe = DEFAULT_RECIPE, seed: int = 0
) -> Checkpoint:
    members = tuple(random_member(a, seed + k) for k, a in enumerate(architectures or FEW))
    metadata = {"trained_until": "2025-10-31", "loss": [0.5, 0.25], "parent": None}
    return Checkpoint("test-1", recipe.recipe_id, recipe.fingerprint, members, metadata)


def random_rows(n: int, n_series: int, seed: int = 0) -> FeatureRows:
    rng = np.random.default_rng(seed)
    return FeatureRows(
        scalars=rng.random((n, 15), dtype=np.float32),
        series=rng.random((n_series, 3, 46), dtype=np.float32),
        series_index=rng.integers(0, n_series, n).astype(np.int32),
        recipe_id=DEFAULT_RECIPE.recipe_id,
        recipe_fingerprint=DEFAULT_RECIPE.fingerprint,
    )


def rows_of(inputs: np.ndarray, recipe: Recipe = DEFAULT_RECIPE) -> FeatureRows:
    return from_dense(inputs, recipe.recipe_id, recipe.fingerprint)
