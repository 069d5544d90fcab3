"""The series branch for training: `network.SeriesBranch` in the layout (step, channel, row).

Rows lie innermost, so a window of 5 steps x channels is a plain view and a convolution one batch of
matrix products in both directions, and every other pass runs over contiguous memory.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from sm_platform.densesm.network import FILTERS, KERNEL, N_CODES, SeriesBranch

EDGE = KERNEL // 2
Drop = Callable[[Tensor], Tensor]
"""Dropout with its own random numbers."""


class _Convolution(torch.autograd.Function):
    """x (steps + 4, channels, n) and weight (n_out, channels, 5) to (steps, n_out, n)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:  # noqa: ANN401  torch's context
        ctx.save_for_backward(x, weight)
        windows = _windows(x)
        taps = weight.transpose(1, 2).reshape(len(weight), -1)  # (n_out, 5 channels)
        return torch.bmm(taps.expand(len(windows), -1, -1), windows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        grad, (n_out, channels, _) = grads[0].contiguous(), weight.shape
        by_step = torch.bmm(grad, _windows(x).transpose(1, 2))  # (steps, n_out, 5 channels)
        for_weight = by_step.sum(dim=0).view(n_out, KERNEL, channels).transpose(1, 2)
        if not ctx.needs_input_grad[0]:
            return None, for_weight
        wide = nnf.pad(grad, (0, 0, 0, 0, KERNEL - 1, KERNEL - 1))
        turned = weight.flip(2).permute(1, 2, 0).reshape(channels, -1)  # (channels, 5 n_out)
        return torch.bmm(turned.expand(len(x), -1, -1), _windows(wide)), for_weight


def branch_codes(branch: SeriesBranch, series: Tensor, drop: Drop | None = None) -> Tensor:
    """Codes (n, 12) of `series` (n, 3, 46), with the branch's own weights and norms.

    Norms use the batch when `branch` is in training mode. Biases of the convolutions are left out:
    the norm behind each takes them away; see `training_data.export`.
    """
    x = series.permute(2, 1, 0)  # (46, 3, n)
    for k, filters in enumerate(FILTERS, start=1):
        high = _step(branch, k, x, drop)  # (46, 32, n), (23, 16, n), (11, 4, n)
        half = len(high) // 2
        if k < len(FILTERS):
            x = high[: 2 * half].view(half, 2, filters, -1).mean(dim=1)
    groups = [group.mean(dim=0) for group in torch.split(high, 4)]  # 3 of (4, n)
    return torch.stack(groups, dim=1).view(N_CODES, -1).T


def _step(branch: SeriesBranch, k: int, x: Tensor, drop: Drop | None) -> Tensor:
    convolution, norm = branch.get_submodule(f"conv{k}"), branch.get_submodule(f"bn{k}")
    padded = torch.cat((x[:1], x[:1], x, x[-1:], x[-1:]))
    high = _Convolution.apply(padded, convolution.weight)  # type: ignore[no-untyped-call]
    high = torch.relu_(norm(high))  # the channel is the second axis here too
    return drop(high) if drop else high


def _windows(x: Tensor) -> Tensor:
    """(steps + 4, channels, n) seen as (steps, 5 channels, n), tap-major; nothing is copied."""
    x = x.contiguous()
    steps, (channels, n) = len(x) - 2 * EDGE, x.shape[1:]
    return x.as_strided((steps, KERNEL * channels, n), (channels * n, n, 1))
