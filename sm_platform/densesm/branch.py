"""The series branch for training: `network.SeriesBranch` in the layout (step, channel, row).

Rows lie innermost, so a window of 5 steps x channels is a plain view and a convolution one batch of
matrix products in both directions, and every other pass runs over contiguous memory.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from sm_platform.densesm.folded_norm import ONE, folded_kernel
from sm_platform.densesm.network import FILTERS, SeriesBranch
from sm_platform.densesm.passes import EDGE, convolved, pair_sums
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_SERIES

LAST_GROUPS = (4, 4, 3)
"""Steps under each of the three last means: 11 steps in fours, the ragged end kept."""
Drop = Callable[[Tensor], Tensor]
"""Dropout with its own random numbers: each element times 0 or more, so ReLU may come after it."""


def branch_codes(branch: SeriesBranch, series: Tensor, drop: Drop | None = None) -> Tensor:
    """Codes (n, 12) of `series` (n, 3, 46), with the branch's own weights and norms.

    Norms use the batch when `branch` is in training mode. Biases of the convolutions are left out:
    the norm behind each takes them away; see `training_data.export`. The series get no gradient.
    """
    x, centre = _laid_out(series, is_centred=branch.training)  # (50, 4, n)
    weight, norm = branch.get_parameter("conv1.weight"), branch.get_submodule("bn1")
    high = convolved(x, folded_kernel(x, centre, weight, norm))  # (46, 32, n)
    for k in (2, 3):
        x = pair_sums(drop(high) if drop else high)  # (27, 32, n), (15, 16, n): ReLU and pooling
        kernel = 0.5 * branch.get_parameter(f"conv{k}.weight")  # sums of two instead of means
        high = branch.get_submodule(f"bn{k}")(convolved(x, kernel))  # (23, 16, n), (11, 4, n)
    last = torch.relu(drop(high) if drop else high)
    means = torch.mm(_last_pool(last), last.flatten(1))  # (3, 4 n)
    return means.view(len(LAST_GROUPS), FILTERS[-1], -1).permute(2, 1, 0).flatten(1)


def _laid_out(series: Tensor, *, is_centred: bool) -> tuple[Tensor, Tensor]:
    """(n, 3, 46) to (50, 4, n) with edges repeated and ones, and the centre (3,) taken away.

    Centred, the variance of a convolution is no small difference of large numbers.
    """
    mean = series.mean(dim=(0, 2))
    centre = mean if is_centred else torch.zeros_like(mean)
    x = series.new_empty(N_STEPS + 2 * EDGE, N_SERIES + 1, series.shape[0])
    torch.sub(series.permute(2, 1, 0), centre[:, None], out=x[EDGE:-EDGE, :ONE])
    x[:EDGE, :ONE] = x[EDGE, :ONE]
    x[-EDGE:, :ONE] = x[-EDGE - 1, :ONE]
    x[:, ONE] = 1
    return x, centre


def _last_pool(like: Tensor) -> Tensor:
    """The matrix (3, 11) of the three last means."""
    matrix, first = like.new_zeros(len(LAST_GROUPS), sum(LAST_GROUPS)), 0
    for row, n in enumerate(LAST_GROUPS):
        matrix[row, first : first + n] = 1 / n
        first += n
    return matrix
