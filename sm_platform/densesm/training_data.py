"""What a fit reads: rows as tensors, their standardisation, and the way back to raw inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sm_platform.densesm.network import DenseSM
from sm_platform.schema.rows import FeatureRows

NARROWEST = 1e-3
"""Of 0..1: a series that varies less is taken as constant and not blown up."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Rows of features with the soil moisture that was measured for them."""

    rows: FeatureRows
    """n rows."""
    sm_m3m3: NDArray[np.floating]
    """(n,)"""
    weight: NDArray[np.floating] | None = None
    """(n,), 0 or more; all alike where None."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Rows as tensors, on one device."""

    scalars: Tensor
    """(n, 15)"""
    series: Tensor
    """(m, 3, 46), as in the recipe."""
    series_index: Tensor
    """(n,)"""

    def __len__(self) -> int:
        return len(self.scalars)

    def pick(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Scalars (k, 15) and series (k, 3, 46) of the chosen rows."""
        return self.scalars[chosen], self.series[self.series_index[chosen]]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Labelled rows as tensors, on one device."""

    inputs: Inputs
    target: Tensor
    """(n,) m3/m3"""
    weight: Tensor
    """(n,) of mean 1"""

    def __len__(self) -> int:
        return len(self.inputs)


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
        sd, mean = torch.std_mean(table.inputs.series, dim=(0, 2), correction=0)
        target_mean = (table.weight * table.target).mean()
        variance = (table.weight * (table.target - target_mean).square()).mean()
        return Scales(
            series_mean=mean[:, None],
            series_sd=sd.clamp_min(NARROWEST)[:, None],
            target_mean=float(target_mean),
            target_sd=float(variance.sqrt()),
        )

    def standardised(self, inputs: Inputs) -> Inputs:
        """The same rows with standardised series."""
        return replace(inputs, series=(inputs.series - self.series_mean) / self.series_sd)

    def raw_means(self, series: Tensor) -> Tensor:
        """Means (n, 3) over the steps of standardised series (n, 3, 46), as the recipe has them."""
        means: Tensor = series.mean(dim=2) * self.series_sd[:, 0] + self.series_mean[:, 0]
        return means


def export(network: DenseSM, scales: Scales) -> dict[str, Tensor]:
    """The state, on the CPU, of the same function on raw series, giving m3/m3.

    Edges repeat, so the convolution of a standardised series is that of the raw one with a scaled
    kernel and another constant. The biases that training leaves out are 0 here.
    """
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    kernel = state["conv_block.conv1.weight"] / scales.series_sd
    state["conv_block.conv1.weight"] = kernel
    state["conv_block.conv1.bias"] = -(kernel * scales.series_mean).sum(dim=(1, 2))
    state["out.weight"] *= scales.target_sd
    state["out.bias"] = state["out.bias"] * scales.target_sd + scales.target_mean
    return {name: tensor.cpu() for name, tensor in state.items()}


def enter(state: Mapping[str, Tensor], scales: Scales) -> dict[str, Tensor]:
    """The way into `export`: the state of the same function on standardised series and labels.

    What a convolution adds moves into the running mean of the norm behind it, because the training
    branch leaves biases out. The result is on the device of `scales`.
    """
    entered = {
        name: tensor.to(scales.series_sd.device, copy=True) for name, tensor in state.items()
    }
    kernel = entered["conv_block.conv1.weight"]
    entered["conv_block.conv1.bias"] += (kernel * scales.series_mean).sum(dim=(1, 2))
    entered["conv_block.conv1.weight"] = kernel * scales.series_sd
    for k in (1, 2, 3):
        bias = entered[f"conv_block.conv{k}.bias"]
        entered[f"conv_block.bn{k}.running_mean"] -= bias
        entered[f"conv_block.conv{k}.bias"] = torch.zeros_like(bias)
    entered["out.weight"] /= scales.target_sd
    entered["out.bias"] = (entered["out.bias"] - scales.target_mean) / scales.target_sd
    return entered
