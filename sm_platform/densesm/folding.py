"""A member made ready for prediction: every norm, constant and pooling factor inside its matrices.

A norm beside a linear map is part of that map, a mean is a sum with its divisor in the next map,
and a constant is the weight of an input that is always 1. A layer is then one matrix product and
one ReLU. Work is done in float64, results are float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from sm_platform.densesm.network import FILTERS, KERNEL, N_CODES, N_FEATURES, Architecture
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_SCALARS, N_SERIES

EPSILON = 1e-5
"""Added to a variance by torch's batch norm, and so by the published networks."""
POOLED = 2
LAST_POOLED = (4, 4, 3)
"""Steps under each of the three last means: 11 steps in fours, the ragged end kept."""

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class FoldedMember:
    """One member as matrices; each reads one input more than it has, a constant 1.

    The dense part reads, in this order: block outputs (newest first), 12 codes (step-major sums),
    15 scalars, 3 sums over a whole series, 1.
    """

    architecture: Architecture
    convolutions: tuple[Tensor, ...]
    """Three (n_out, 5 * (channels + 1)), tap-major, the 1 behind the channels of each tap."""
    blocks: tuple[tuple[Tensor, ...], ...]
    """Three a block: (width, n_in + 1); in the second and third the 1 comes first."""
    hidden: Tensor
    """(32, n_in + 1)"""
    out: Tensor
    """(1, 32)"""
    offset: float
    """m3/m3, added to the output."""


@dataclass(frozen=True, slots=True)
class _Affine:
    """scale * x + constant, per channel."""

    scale: Tensor
    constant: Tensor


def fold(architecture: Architecture, state: State, device: torch.device) -> FoldedMember:
    """The folded form of a member's state dict (names without prefixes), on `device`."""
    exact = {name: tensor.to("cpu", torch.float64) for name, tensor in state.items()}
    features = _feature_norm(exact)
    blocks = [_fold_block(exact, k, features) for k in range(architecture.blocks)]
    last = _norm(exact, "fc_layers.0.bn1")  # here ReLU comes first: the norm belongs to `out`
    offset = exact["out.bias"] + exact["out.weight"] @ last.constant

    def put(matrix: Tensor) -> Tensor:
        return matrix.to(device, torch.float32).contiguous()

    return FoldedMember(
        architecture=architecture,
        convolutions=tuple(put(_fold_convolution(exact, k)) for k in (1, 2, 3)),
        blocks=tuple(tuple(put(matrix) for matrix in block) for block in blocks),
        hidden=put(torch.cat(_read(exact, "fc_layers.0.linear1", features), dim=1)),
        out=put(exact["out.weight"] * last.scale),
        offset=float(offset),
    )


def _norm(state: State, name: str) -> _Affine:
    variance = state[f"{name}.running_var"]
    scale = state[f"{name}.weight"] / torch.sqrt(variance + EPSILON)
    return _Affine(scale, state[f"{name}.bias"] - scale * state[f"{name}.running_mean"])


def _fold_convolution(state: State, k: int) -> Tensor:
    norm = _norm(state, f"conv_block.bn{k}")
    weight = state[f"conv_block.conv{k}.weight"] * norm.scale[:, None, None]  # (out, channel, tap)
    constant = state[f"conv_block.conv{k}.bias"] * norm.scale + norm.constant
    if k > 1:
        weight = weight / POOLED
    ones = torch.zeros(len(weight), 1, KERNEL, dtype=weight.dtype)
    ones[:, 0, KERNEL // 2] = constant
    return torch.cat((weight, ones), dim=1).transpose(1, 2).reshape(len(weight), -1)


def _feature_norm(state: State) -> _Affine:
    """The norm over the 30 features in the order of `_columns`, reading sums instead of means."""
    norm, order = _norm(state, "norm"), _columns()
    divisor = torch.ones(N_FEATURES, dtype=torch.float64)
    divisor[:N_CODES] = torch.tensor(LAST_POOLED).repeat_interleave(FILTERS[-1])
    divisor[-N_SERIES:] = N_STEPS
    return _Affine(norm.scale[order] / divisor, norm.constant[order])


def _columns() -> Tensor:
    """Published position of each feature: codes step-major, then scalars and series means."""
    plain = torch.arange(N_FEATURES)
    codes = plain[N_SCALARS + N_SERIES :].reshape(FILTERS[-1], -1).T.reshape(-1)
    return torch.cat((codes, plain[: N_SCALARS + N_SERIES]))


def _fold_block(state: State, k: int, features: _Affine) -> list[Tensor]:
    name = f"dense_layers.{k}"
    matrices = []
    for j in (1, 2, 3):
        norm = _norm(state, f"{name}.bn{j}")
        if j == 1:
            weight, constant = _read(state, f"{name}.linear1", features)
        else:
            weight, constant = state[f"{name}.linear{j}.weight"], _bias(state, f"{name}.linear{j}")
        weight = weight * norm.scale[:, None]
        constant = constant * norm.scale[:, None] + norm.constant[:, None]
        matrices.append(torch.cat((weight, constant) if j == 1 else (constant, weight), dim=1))
    return matrices


def _bias(state: State, name: str) -> Tensor:
    return state[f"{name}.bias"][:, None]


def _read(state: State, name: str, features: _Affine) -> tuple[Tensor, Tensor]:
    """Weight and constant of a linear map that reads (block outputs, features)."""
    weight = state[f"{name}.weight"]
    front, rest = weight[:, :-N_FEATURES], weight[:, -N_FEATURES:][:, _columns()]
    constant = _bias(state, name) + (rest @ features.constant)[:, None]
    return torch.cat((front, rest * features.scale), dim=1), constant
