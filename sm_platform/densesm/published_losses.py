"""The losses of the published fine-tuning (Zhu et al. 2024, RSE 301:113944, equations 3 and 4).

Soil-moisture losses compare estimates with labels, domain losses compare the 32 features before the
last layer of labelled (source) and unlabelled (target) rows. Each is a scalar that carries its
gradient and keeps the precision of its inputs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

KERNELS = 5
KERNEL_STEP = 2
"""Each of the five kernels is twice as wide as the one before; the third has the mean width."""


def mape(estimate: Tensor, label: Tensor) -> Tensor:
    """Mean of |estimate - label| / label, both (n,) in m3/m3, labels above 0.

    A fraction, not a percentage. It weighs dry labels most and is smallest below the median.
    """
    return ((estimate - label) / label).abs().mean()


def mse(estimate: Tensor, label: Tensor) -> Tensor:
    """Mean of (estimate - label)^2 in (m3/m3)^2, both (n,) in m3/m3."""
    return (estimate - label).square().mean()


SoilMoistureLoss = Callable[[Tensor, Tensor], Tensor]
"""Of estimates (n,) and labels (n,), both in m3/m3."""
SOIL_MOISTURE_LOSSES: Mapping[str, SoilMoistureLoss] = MappingProxyType({"mape": mape, "mse": mse})
"""By the name a user gives."""


def coral(source: Tensor, target: Tensor) -> Tensor:
    """Distance of the covariances: sqrt(|C_s - C_t|^2 / (4 d^2)), |.| the Frobenius norm.

    C_s and C_t are the sample covariances (divisor n - 1) of (n, d) and (m, d) features with
    n, m >= 2; d is 32 in DenseSM. Deep CORAL (Sun & Saenko 2016, doi:10.1007/978-3-319-49409-8_35)
    has no root; the published fine-tuning takes it.
    """
    d = source.shape[1]
    apart = _covariance(source) - _covariance(target)
    return (apart.square().sum() / (4 * d * d)).sqrt()


def mmd(source: Tensor, target: Tensor) -> Tensor:
    """Squared maximum mean discrepancy of (n, d) and (m, d) features under five Gaussian kernels.

    mean k(s, s') + mean k(t, t') - 2 mean k(s, t) over all pairs, a feature with itself included,
    where k(x, y) = sum over i = 0..4 of exp(-|x - y|^2 / (w 2^(i - 2))). The width w is the mean of
    |x - y|^2 over the N^2 - N pairs of the N = n + m rows, taken as a constant for the
    gradient (Long et al. 2015, Learning transferable features with deep adaptation networks,
    ICML 37:97-105).
    """
    n = len(source)
    kernels = _kernels(torch.cat((source, target)))
    same = kernels[:n, :n].mean() + kernels[n:, n:].mean()
    return same - 2 * kernels[:n, n:].mean()  # symmetric: both mixed corners are alike


def _covariance(features: Tensor) -> Tensor:
    """(d, d) of (n, d)."""
    centred = features - features.mean(dim=0)
    return centred.T @ centred / (len(features) - 1)


def _kernels(features: Tensor) -> Tensor:
    """Sum of the five kernels between all rows, (N, N) of (N, d)."""
    centred = features - features.mean(dim=0).detach()  # the differences of squares lose less
    squares = centred.square().sum(dim=1)
    distances = (squares[:, None] + squares - 2 * centred @ centred.T).clamp_min(0)
    pairs = len(features) * (len(features) - 1)
    width = distances.detach().sum() / pairs
    kernel = torch.exp(distances / (-width * KERNEL_STEP ** (KERNELS // 2)))  # the widest
    total = kernel
    for _ in range(KERNELS - 1):
        kernel = kernel.square()  # half as wide
        total = total + kernel
    return total
