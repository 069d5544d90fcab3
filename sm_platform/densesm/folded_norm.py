"""The first convolution of the series branch with the norm behind it folded into its kernel.

Mean and variance of a linear map follow from the moments of its input, so the norm of the largest
layer needs no pass over that layer, neither forward nor backward. The backward pass is written out:
as a graph of twenty small operations it would take as long as the convolution.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nnf

from sm_platform.densesm.network import KERNEL
from sm_platform.densesm.passes import EDGE, windows
from sm_platform.schema.recipes import N_SERIES

ONE = N_SERIES
"""Place of a channel that is 1 everywhere, behind the three series."""
N_CHANNELS = N_SERIES + 1
ONE_TAP = EDGE * N_CHANNELS + ONE
"""The tap of that channel that carries the constant."""


def folded_kernel(x: Tensor, centre: Tensor, weight: Tensor, norm: Any) -> Tensor:  # noqa: ANN401
    """Kernel (32, 4, 5) over three series and a 1, whose output is normed already.

    Args:
        x: (50, 4, n), the fourth channel 1; centred, for precision, where the norm is in training
            mode. It gets no gradient.
        centre: (3,), what was taken from the series.
        weight: (32, 3, 5) of the convolution.
        norm: the batch norm over its 32 channels. Its running statistics, if it has any, are
            brought up to date in training mode and used otherwise.
    """
    gain, shift = norm.weight, norm.bias
    if not norm.training:
        scale = gain * torch.rsqrt(norm.running_var + norm.eps)
        kernel: Tensor = nnf.pad(scale[:, None, None] * weight, (0, 0, 0, 1))
        kernel[:, ONE, EDGE] = shift - scale * norm.running_mean
        return kernel
    kernel, mean, variance = _Folded.apply(weight, gain, shift, _moments(x), norm.eps)  # type: ignore[no-untyped-call]
    if norm.running_mean is not None:
        raw_mean = mean + weight.detach().sum(dim=2) @ centre
        _update(norm, raw_mean, variance, n=(x.shape[0] - 2 * EDGE) * x.shape[2])
    return kernel


class _Folded(torch.autograd.Function):
    """Weight W, gain g, shift b and moments M to the kernel g (W x - mean) / sd + b."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  torch's context
        weight: Tensor,
        gain: Tensor,
        shift: Tensor,
        moments: Tensor,
        epsilon: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The kernel (32, 4, 5), and mean and variance (32,) of what W gives."""
        taps = nnf.pad(weight, (0, 0, 0, 1)).transpose(1, 2).flatten(1)  # (32, 20)
        spread, mean = taps @ moments, taps @ moments[ONE_TAP]
        variance = (spread * taps).sum(dim=1) - mean.square()
        inverse = torch.rsqrt(variance + epsilon)
        folded = (gain * inverse)[:, None] * taps
        folded[:, ONE_TAP] = shift - gain * inverse * mean
        ctx.save_for_backward(taps, spread, mean, inverse, gain, moments)
        ctx.mark_non_differentiable(mean, variance)
        return folded.view(-1, KERNEL, N_CHANNELS).transpose(1, 2), mean, variance

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        """The chain rule from the kernel to weight, gain and shift, moments being constant."""
        taps, spread, mean, inverse, gain, moments = ctx.saved_tensors
        grad = grads[0].transpose(1, 2).flatten(1)  # (32, 20)
        for_shift = grad[:, ONE_TAP]
        for_scale = (grad * taps).sum(dim=1) - for_shift * mean  # taps are 0 at ONE_TAP
        for_variance = -0.5 * for_scale * gain * inverse.pow(3)
        for_mean = -(for_shift * gain * inverse + 2 * for_variance * mean)
        for_taps = (gain * inverse)[:, None] * grad + 2 * for_variance[:, None] * spread
        for_taps += for_mean[:, None] * moments[ONE_TAP]
        for_weight = for_taps.view(-1, KERNEL, N_CHANNELS)[:, :, :ONE].transpose(1, 2)
        return for_weight, for_scale * inverse, for_shift, None, None


def _moments(x: Tensor) -> Tensor:
    """Mean product of any two taps' inputs, (20, 20), over steps and rows."""
    seen = windows(x)
    return torch.bmm(seen, seen.transpose(1, 2)).mean(dim=0) / x.shape[2]


@torch.no_grad()
def _update(norm: Any, mean: Tensor, variance: Tensor, *, n: int) -> None:  # noqa: ANN401
    """Running statistics of `norm`, a batch norm, as torch takes them: the variance unbiased."""
    norm.num_batches_tracked += 1
    share = norm.momentum
    if share is None:
        share = 1.0 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance * (n / (n - 1)), share)
