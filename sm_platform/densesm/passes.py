"""Differentiable passes over series in the layout (step, channel, row), without copies."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nnf

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
    steps, channels, n = x.shape
    return x.as_strided((steps - 2 * EDGE, KERNEL * channels, n), (channels * n, n, 1))


class _Convolution(torch.autograd.Function):
    """See `convolved`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:  # noqa: ANN401  torch's context
        """One batch of matrix products."""
        ctx.save_for_backward(x, kernel)
        seen, taps = windows(x), kernel.transpose(1, 2).flatten(1)  # (n_out, 5 channels)
        return torch.bmm(taps.expand(seen.shape[0], -1, -1), seen)

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
        wide = nnf.pad(grad, (0, 0, 0, 0, KERNEL - 1, KERNEL - 1))
        turned = kernel.flip(2).permute(1, 2, 0).reshape(channels, -1)  # (channels, 5 n_out)
        return torch.bmm(turned.expand(x.shape[0], -1, -1), windows(wide)), for_kernel


class _PairSums(torch.autograd.Function):
    """See `pair_sums`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ANN401  torch's context
        """The sums."""
        ctx.save_for_backward(x)
        steps, channels, n = x.shape
        half = steps // 2
        high = torch.relu(x[: 2 * half])
        sums = x.new_empty(half + 2 * EDGE, channels, n)
        torch.add(high[0::2], high[1::2], out=sums[EDGE:-EDGE])
        sums[:EDGE] = sums[EDGE]
        sums[-EDGE:] = sums[-EDGE - 1]
        return sums

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:  # noqa: ANN401
        """Each positive step gets its sum's gradient, the outer ones those of the edges too."""
        (x,) = ctx.saved_tensors
        steps, channels, n = x.shape
        half, grad = steps // 2, grads[0]
        inner = grad[EDGE:-EDGE].clone()
        inner[0] += grad[:EDGE].sum(dim=0)
        inner[-1] += grad[-EDGE:].sum(dim=0)
        found = torch.empty_like(x)
        pairs = half, 2, channels, n
        torch.ops.aten.threshold_backward.grad_input(
            inner[:, None].expand(pairs),
            x[: 2 * half].view(pairs),
            0,
            grad_input=found[: 2 * half].view(pairs),
        )
        if steps % 2:
            found[-1] = 0
        return found
