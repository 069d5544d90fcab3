"""Averaged weights as a network that can be judged: norms taken anew, no dropout, no noise."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sm_platform.densesm.branch import branch_codes
from sm_platform.densesm.network import DenseSM
from sm_platform.densesm.training_data import Inputs, Scales

N_FOR_NORMS = 1024
"""Rows over which the norms of averaged weights are taken."""
AT_ONCE = 512
"""Rows evaluated at a time: more fall out of the cache."""


@torch.no_grad()
def take_norms(network: DenseSM, sources: Sequence[Inputs], scales: Scales) -> None:
    """Make the network's norms those of its weights, and it ready to be judged.

    The running statistics become those of rows spread evenly over each of the sources, whose series
    are standardised. Statistics gathered while training belong to weights that no longer exist.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
            module.momentum = None  # the running statistics are the mean over the passes below
    network.train()
    spread = [(source, _spread(source, N_FOR_NORMS // len(sources))) for source in sources]
    passes = N_FOR_NORMS // AT_ONCE
    for k in range(passes):
        picked = [source.pick(rows[k::passes]) for source, rows in spread]
        scalars, series = (torch.cat(parts) for parts in zip(*picked, strict=True))
        _estimate_part(network, scalars, series, scales)
    network.eval()


@torch.no_grad()
def estimate(network: DenseSM, inputs: Inputs, scales: Scales) -> Tensor:
    """Soil moisture (n,) in m3/m3 by a network that reads standardised series, as of `inputs`."""
    places = torch.arange(len(inputs), device=inputs.scalars.device)
    parts = [
        _estimate_part(network, *inputs.pick(rows), scales) for rows in torch.split(places, AT_ONCE)
    ]
    return torch.cat(parts) * scales.target_sd + scales.target_mean


def _estimate_part(network: DenseSM, scalars: Tensor, series: Tensor, scales: Scales) -> Tensor:
    codes = branch_codes(network.conv_block, series)
    return network.dense(network.features(scalars, scales.raw_means(series), codes))


def _spread(inputs: Inputs, at_most: int) -> Tensor:
    """Places of rows spread evenly from the first to the last."""
    n = len(inputs)
    device = inputs.scalars.device
    return torch.linspace(0, n - 1, min(at_most, n), dtype=torch.float64, device=device).long()
