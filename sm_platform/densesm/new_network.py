"""A network before its first step."""

import math

import torch
from torch import nn

from sm_platform.densesm.network import Architecture, DenseSM


def blank(architecture: Architecture) -> DenseSM:
    """A network on the CPU that holds nothing yet; torch's global generator is not touched."""
    with torch.device("meta"):
        network = DenseSM(architecture)
    return network.to_empty(device="cpu")


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Torch's usual start from this generator; biases are 0, norms are neutral."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_parameters()


def without_statistics(network: DenseSM) -> DenseSM:
    """The network with norms that know their batch alone, so that running ones cost nothing."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean = module.running_var = module.num_batches_tracked = None
    return network
