"""A network's weights as two flat tensors, so that a step over all of them is a few operations.

The optimiser, the average and a snapshot see two tensors however many layers there are: in small
members the time of a step is otherwise that of hundreds of tiny calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sm_platform.densesm.network import FILTERS, DenseSM


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What is trained in a network; its own parameters are views of these tensors."""

    matrices: Tensor
    """(k,): kernels and matrices, which decay."""
    vectors: Tensor
    """(m,): norms and biases, which do not. Biases of convolutions are left out: they stay 0."""
    parameters: tuple[nn.Parameter, ...]
    """Those of the network in the order of the flat tensors, matrices first."""

    @staticmethod
    def of(network: DenseSM) -> "Weights":
        """Take the network's weights over into flat tensors, and set convolution biases to 0."""
        left_out = {id(bias) for bias in _convolution_biases(network)}
        for bias in _convolution_biases(network):
            nn.init.zeros_(bias).requires_grad_(False)
        trained = [w for w in network.parameters() if id(w) not in left_out]
        matrices, vectors = ([w for w in trained if (w.ndim > 1) is m] for m in (True, False))
        return Weights(_taken_over(matrices), _taken_over(vectors), (*matrices, *vectors))

    @property
    def parts(self) -> tuple[Tensor, Tensor]:
        """Both flat tensors."""
        return self.matrices, self.vectors

    def take_gradient(self, loss: Tensor) -> None:
        """Set the gradient of both flat tensors to that of `loss`."""
        grads = [grad.flatten() for grad in torch.autograd.grad(loss, self.parameters)]
        n = sum(weight.ndim > 1 for weight in self.parameters)
        self.matrices.grad, self.vectors.grad = torch.cat(grads[:n]), torch.cat(grads[n:])


def _convolution_biases(network: DenseSM) -> list[nn.Parameter]:
    branch = network.conv_block
    return [branch.get_parameter(f"conv{k}.bias") for k in range(1, len(FILTERS) + 1)]


@torch.no_grad()
def _taken_over(weights: Sequence[nn.Parameter]) -> Tensor:
    """Their values in one flat tensor, of which each becomes a view."""
    flat, parts = torch.cat([w.flatten() for w in weights]), [w.numel() for w in weights]
    for weight, part in zip(weights, torch.split(flat, parts), strict=True):
        weight.data = part.view(weight.shape)
    return flat
