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
    """What is trained in a network; its parameters and their gradients are views of these."""

    matrices: Tensor
    """(k,): kernels and matrices, which decay."""
    vectors: Tensor
    """(m,): norms and biases, which do not. Biases of convolutions are left out: they stay 0."""

    @staticmethod
    def of(network: DenseSM) -> "Weights":
        """Take the network's weights over into flat tensors, and set convolution biases to 0."""
        left_out = {id(bias) for bias in _convolution_biases(network)}
        for bias in _convolution_biases(network):
            nn.init.zeros_(bias).requires_grad_(False)
        trained = [w for w in network.parameters() if id(w) not in left_out]
        matrices, vectors = ([w for w in trained if (w.ndim > 1) is m] for m in (True, False))
        return Weights(_taken_over(matrices), _taken_over(vectors))

    @property
    def parts(self) -> tuple[Tensor, Tensor]:
        """Both flat tensors."""
        return self.matrices, self.vectors

    def take_gradient(self, loss: Tensor) -> None:
        """Set both flat gradients to those of `loss`; torch adds into views of them."""
        for part in self.parts:
            if part.grad is not None:
                part.grad.zero_()
        loss.backward()  # type: ignore[no-untyped-call]


def _convolution_biases(network: DenseSM) -> list[nn.Parameter]:
    branch = network.conv_block
    return [branch.get_parameter(f"conv{k}.bias") for k in range(1, len(FILTERS) + 1)]


@torch.no_grad()
def _taken_over(weights: Sequence[nn.Parameter]) -> Tensor:
    """Their values in one flat tensor; each becomes a view of it, and so do the gradients."""
    flat, sizes = torch.cat([weight.flatten() for weight in weights]), [w.numel() for w in weights]
    flat.grad = torch.zeros_like(flat)
    parts = zip(weights, torch.split(flat, sizes), torch.split(flat.grad, sizes), strict=True)
    for weight, values, gradient in parts:
        weight.data, weight.grad = values.view(weight.shape), gradient.view(weight.shape)
    return flat
