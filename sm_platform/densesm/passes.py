"""Differentiable passes over series in the layout (step, channel, row), without copies."""

from typing import Any

import torch
from torch import Tensor

from sm_platform.densesm.network import KERNEL

EDGE = KERNEL // 2


def convolved(x: Tensor, kernel: Tensor) -> Tensor:
    """Convolution of x (steps + 4, channels, n) by a kernel (n_out, channels, 5).

    Gives (steps, n_out, n).
    """
    found: Tensor = _Convolution.apply(x, kernel)  # type: ignore[no-untyped-call]
    return found


def pair_sums(x: Tensor) -> Tensor:
    """ReLU, sums of two steps (an odd last step is dropped), edges repeated.

    (steps, channels, n) to (steps // 2 + 4, channels, n). Twice the published means, because the
    factor costs less in the taps that read them.
    """
    found: Tensor = _PairSums.apply(x)  # type: ignore[no-untyped-call]
    return found


def windows(x: Tensor) -> Tensor:
    """(steps + 4, channels, n) seen as (steps, 5 channels, n), tap-major; nothing is copied."""
    x = x.contiguous()
    steps, (channels, n) = len(x) - 2 * EDGE, x.shape[1:]
    return x.as_strided((steps, KERNEL * channels, n), (channels * n, n, 1))


class _Convolution(torch.autograd.Function):
    """See `convolved`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:  # noqa: ANN401  torch's context
        """One batch of matrix products."""
        ctx.save_for_backward(x, kernel)
        seen, taps = windows(x), kernel.transpose(1, 2).flatten(1)  # (n_out, 5 channels)
        return torch.bmm(taps.expand(len(seen), -1, -1), seen)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor]:  # noqa: ANN401
        """Gradients of x, if wanted, and of the kernel."""
        x, kernel = ctx.saved_tensors
        grad, (n_out, channels, _) = grads[0].contiguous(), kernel.shape
        # this way round the product takes two thirds of the time of its transpose
        for_taps = torch.bmm(windows(x), grad.transpose(1, 2)).sum(dim=0)  # (5 channels, n_out)
        for_kernel = for_taps.view(KERNEL, channels, n_out).permute(2, 1, 0)
        if not ctx.needs_input_grad[0]:
            return None, for_kernel
        wide = grad.new_zeros(len(grad) + 2 * (KERNEL - 1), *grad.shape[1:])
        wide[KERNEL - 1 : 1 - KERNEL] = grad
        turned = kernel.flip(2).permute(1, 2, 0).reshape(channels, -1)  # (channels, 5 n_out)
        return torch.bmm(turned.expand(len(x), -1, -1), windows(wide)), for_kernel


class _PairSums(torch.autograd.Function):
    """See `pair_sums`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401  torch's context
        """The sums."""
        ctx.save_for_backward(x)
        half = len(x) // 2
        high = torch.relu(x[: 2 * half])
        sums = x.new_empty(half + 2 * EDGE, *x.shape[1:])
        torch.add(high[0::2], high[1::2], out=sums[EDGE:-EDGE])
        sums[:EDGE] = sums[EDGE]
        sums[-EDGE:] = sums[-EDGE - 1]
        return sums

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        """Each step gets its sum's gradient where it was positive."""
        (x,) = ctx.saved_tensors
        grad, half = grads[0], len(x) // 2
        found, end = torch.empty_like(x), 2 * half
        _pass_on(grad[EDGE:-EDGE], x[:end], found[:end])
        for edge, steps in (
            (grad[: EDGE + 1], slice(0, 2)),
            (grad[-EDGE - 1 :], slice(end - 2, end)),
        ):
            _pass_on(edge.sum(dim=0, keepdim=True), x[steps], found[steps])
        found[end:] = 0
        return found


def _pass_on(grad: Tensor, x: Tensor, found: Tensor) -> None:
    """Fill `found` (2 k, channels, n) with the gradient (k, channels, n) of the sums of pairs."""
    k, channels, n = grad.shape
    pairs = x.view(k, 2, channels, n)
    each = grad[:, None].expand(k, 2, channels, n)
    torch.ops.aten.threshold_backward.grad_input(
        each, pairs, 0, grad_input=found.view(k, 2, channels, n)
    )
