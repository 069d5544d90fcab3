"""The series branch for training: `network.SeriesBranch` in the layout (step, channel, row).

Rows lie innermost, so a window of 5 steps x channels is a plain view and a convolution one batch of
matrix products in both directions, and every other pass runs over contiguous memory. The first
norm, over the largest layer, costs no pass at all: mean and variance of a linear map follow from
those of its input, so the norm becomes part of the taps.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from sm_platform.densesm.network import FILTERS, KERNEL, SeriesBranch
from sm_platform.densesm.passes import convolved, pair_sums, windows
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_SERIES

EDGE = KERNEL // 2
ONE = N_SERIES
"""Place of a channel that is 1 everywhere, behind the three series."""
ONE_TAP = EDGE * (N_SERIES + 1) + ONE
"""The tap of that channel that carries the constant of the first convolution."""
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
    high = convolved(x, _first_taps(branch, x, centre))  # (46, 32, n)
    for k in (2, 3):
        x = pair_sums(drop(high) if drop else high)  # (27, 32, n), (15, 16, n): ReLU, pooled
        convolution, norm = branch.get_submodule(f"conv{k}"), branch.get_submodule(f"bn{k}")
        high = norm(convolved(x, 0.5 * _taps(convolution)))  # (23, 16, n), (11, 4, n)
    last = torch.relu(drop(high) if drop else high)
    means = torch.mm(_last_pool(last), last.reshape(len(last), -1))  # (3, 4 n)
    return means.view(len(LAST_GROUPS), FILTERS[-1], -1).permute(2, 1, 0).flatten(1)


def _laid_out(series: Tensor, *, is_centred: bool) -> tuple[Tensor, Tensor]:
    """(n, 3, 46) to (50, 4, n) with edges repeated and ones, and the centre (3,) taken away.

    Centred, the variance of a convolution is no small difference of large numbers.
    """
    mean = series.mean(dim=(0, 2))
    centre = mean if is_centred else torch.zeros_like(mean)
    x = series.new_empty(N_STEPS + 2 * EDGE, N_SERIES + 1, len(series))
    torch.sub(series.permute(2, 1, 0), centre[:, None], out=x[EDGE:-EDGE, :ONE])
    x[:EDGE, :ONE] = x[EDGE, :ONE]
    x[-EDGE:, :ONE] = x[-EDGE - 1, :ONE]
    x[:, ONE] = 1
    return x, centre


def _taps(convolution: nn.Module) -> Tensor:
    """Its weight as (n_out, 5 channels), tap-major."""
    weight: Tensor = convolution.get_parameter("weight")
    return weight.transpose(1, 2).flatten(1)


def _first_taps(branch: SeriesBranch, x: Tensor, centre: Tensor) -> Tensor:
    """Taps (32, 20) of the first convolution with the norm behind it, its constant at `ONE_TAP`."""
    norm: Any = branch.get_submodule("bn1")
    weight = branch.get_parameter("conv1.weight")  # (32, 3, 5)
    taps = nnf.pad(weight, (0, 0, 0, 1)).transpose(1, 2).flatten(1)  # (32, 20)
    if norm.training:
        moments = _moments(x)  # (20, 20)
        mean = taps @ moments[:, ONE_TAP]
        variance = ((taps @ moments) * taps).sum(dim=1) - mean.square()
        if norm.running_mean is not None:
            raw_mean = mean.detach() + weight.detach().sum(dim=2) @ centre
            _update(norm, raw_mean, variance.detach(), n=N_STEPS * x.shape[-1])
    else:
        mean, variance = norm.running_mean, norm.running_var
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    constant = norm.bias - scale * mean
    at_one = torch.zeros_like(taps[0])
    at_one[ONE_TAP] = 1
    return torch.addcmul(constant[:, None] * at_one, scale[:, None], taps)


def _moments(x: Tensor) -> Tensor:
    """Mean product of any two taps' inputs, (20, 20), over steps and rows."""
    seen = windows(x)
    return torch.bmm(seen, seen.transpose(1, 2)).mean(dim=0) / x.shape[-1]


@torch.no_grad()
def _update(norm: Any, mean: Tensor, variance: Tensor, *, n: int) -> None:  # noqa: ANN401
    """Running statistics of `norm`, a batch norm, as torch takes them: the variance unbiased."""
    norm.num_batches_tracked += 1
    share = norm.momentum
    if share is None:
        share = 1.0 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance * (n / (n - 1)), share)


def _last_pool(like: Tensor) -> Tensor:
    """The matrix (3, 11) of the three last means."""
    matrix, first = like.new_zeros(len(LAST_GROUPS), sum(LAST_GROUPS)), 0
    for row, n in enumerate(LAST_GROUPS):
        matrix[row, first : first + n] = 1 / n
        first += n
    return matrix
