"""What a fit reads: rows as tensors, their standardisation, and the way back to raw inputs."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sm_platform.densesm.network import DenseSM

NARROWEST = 1e-3
"""Of 0..1: a series that varies less is taken as constant and not blown up."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows as tensors: inputs of a fit."""

    scalars: Tensor
    """(n, 15)"""
    series: Tensor
    """(m, 3, 46), as in the recipe."""
    series_index: Tensor
    """(n,)"""
    target: Tensor
    """(n,) m3/m3"""
    weight: Tensor
    """(n,) of mean 1"""

    def __len__(self) -> int:
        return len(self.scalars)


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """Standardisation of series and target, taken from the training rows."""

    series_mean: Tensor
    """(3, 1)"""
    series_sd: Tensor
    """(3, 1)"""
    target_mean: float
    target_sd: float

    @staticmethod
    def of(table: Table) -> "Scales":
        """Over all distinct series, and over the rows by their weight."""
        sd, mean = torch.std_mean(table.series, dim=(0, 2), correction=0)
        target_mean = (table.weight * table.target).mean()
        variance = (table.weight * (table.target - target_mean).square()).mean()
        return Scales(
            series_mean=mean[:, None],
            series_sd=sd.clamp_min(NARROWEST)[:, None],
            target_mean=float(target_mean),
            target_sd=float(variance.sqrt()),
        )


def export(network: DenseSM, scales: Scales) -> dict[str, Tensor]:
    """The state of the same function on raw series, giving m3/m3.

    Edges repeat, so the convolution of a standardised series is that of the raw one with a scaled
    kernel and another constant. The biases that training leaves out are 0 here.
    """
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    kernel = state["conv_block.conv1.weight"] / scales.series_sd
    state["conv_block.conv1.weight"] = kernel
    state["conv_block.conv1.bias"] = -(kernel * scales.series_mean).sum(dim=(1, 2))
    state["out.weight"] *= scales.target_sd
    state["out.bias"] = state["out.bias"] * scales.target_sd + scales.target_mean
    return state
