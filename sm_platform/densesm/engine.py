"""The prediction engine on tensors: every member on one batch, data lying as (features, rows).

So a member's growing input is one buffer that its blocks extend upwards, never copied, and a window
of 5 time steps x channels is a plain view: convolutions are matrix products without unfolding. The
series branch runs once per distinct series, whatever the number of rows that share it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sm_platform.densesm.folding import LAST_POOLED, POOLED, FoldedMember
from sm_platform.densesm.network import KERNEL, N_CODES, N_FEATURES
from sm_platform.grid.calendar import N_STEPS
from sm_platform.schema.recipes import N_SCALARS, N_SERIES

SERIES_CPU = 256
"""Series through the branch at a time: the widest layer, 46 x 32 x 256 floats, fits the cache."""
SERIES_GPU = 1 << 14
EDGE = KERNEL // 2
N_READ = N_FEATURES + 1
"""What the dense part reads of a row: 30 features and a constant 1."""
N_SHARED = N_SCALARS + N_SERIES + 1
"""Those of them that are the same for all members."""


def evaluate(
    members: Sequence[FoldedMember], scalars: Tensor, series: Tensor, series_index: Tensor
) -> Tensor:
    """Soil moisture (k, n) in m3/m3 of k members; all tensors on the members' device.

    Args:
        members: k folded members.
        scalars: (n, 15).
        series: (m, 3, 46), each distinct series once.
        series_index: (n,), which series each row has.
    """
    codes = _codes(members, series)  # (k, 12, m)
    space = _Space.of(members, len(scalars), scalars.device)
    own, shared = space.inputs[-N_READ:-N_SHARED], space.inputs[-N_SHARED:]
    shared[:N_SCALARS] = scalars.T
    shared[N_SCALARS:-1] = series.sum(dim=2).T[:, series_index]
    values = scalars.new_empty(len(members), len(scalars))
    for k, member in enumerate(members):
        torch.index_select(codes[k], 1, series_index, out=own)
        values[k] = _dense(member, space)
    return values


def _codes(members: Sequence[FoldedMember], series: Tensor) -> Tensor:
    """Last sums of the series branch, (members, 12, m), of `series` (m, 3, 46)."""
    at_once = SERIES_CPU if series.device.type == "cpu" else SERIES_GPU
    codes = series.new_empty(len(members), N_CODES, len(series))
    for start in range(0, len(series), at_once):
        part = series[start : start + at_once]
        first = part.new_ones(N_STEPS + 2 * EDGE, N_SERIES + 1, len(part))
        first[EDGE:-EDGE, :-1] = part.permute(2, 1, 0)
        _repeat_edges(first)
        for k, member in enumerate(members):
            codes[k, :, start : start + at_once] = _branch(member.convolutions, first)
    return codes


def _branch(convolutions: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """(50, 3 + 1, m) padded series to (12, m) step-major sums."""
    for weight in convolutions[:-1]:
        high = _convolved(weight, x)  # (steps, channels, m)
        half, channels, m = len(high) // POOLED, *high.shape[1:]
        x = high.new_ones(half + 2 * EDGE, channels + 1, m)
        pairs = high[: POOLED * half]
        torch.add(pairs[0::POOLED], pairs[1::POOLED], out=x[EDGE:-EDGE, :-1])
        _repeat_edges(x)
    high = _convolved(convolutions[-1], x)  # (11, 4, m)
    return torch.cat([group.sum(dim=0) for group in torch.split(high, list(LAST_POOLED))])


def _convolved(weight: Tensor, x: Tensor) -> Tensor:
    """ReLU of the convolution at each step: (steps + 4, channels, m) to (steps, n_out, m)."""
    steps, (channels, m) = len(x) - 2 * EDGE, x.shape[1:]
    windows = x.as_strided((steps, KERNEL * channels, m), (channels * m, m, 1))  # no copy
    return torch.bmm(weight.expand(steps, -1, -1), windows).relu_()


def _repeat_edges(x: Tensor) -> None:
    x[:EDGE] = x[EDGE]
    x[-EDGE:] = x[-EDGE - 1]


@dataclass(frozen=True, slots=True)
class _Space:
    """Buffers of the dense part for one batch, the same for all members."""

    inputs: Tensor
    """(deepest + 31, rows): the 30 features and a 1 at the end, blocks stack up above them."""
    layers: tuple[Tensor, Tensor]
    """(1 + width, rows) each: a 1, then what the first and second layer of a block gave."""

    @staticmethod
    def of(members: Sequence[FoldedMember], n_rows: int, device: torch.device) -> "_Space":
        """Room for the deepest and the widest member; only the ones hold values yet."""
        built = [member.architecture for member in members]
        width, deepest = max(a.width for a in built), max(a.blocks * a.width for a in built)
        inputs, *layers = (
            torch.empty(n, n_rows, device=device) for n in (deepest + N_READ, 1 + width, 1 + width)
        )
        inputs[-1] = layers[0][0] = layers[1][0] = 1.0
        return _Space(inputs, (layers[0], layers[1]))


def _dense(member: FoldedMember, space: _Space) -> Tensor:
    """Soil moisture (rows,) from the features in `space`."""
    width = member.architecture.width
    top = len(space.inputs) - N_READ
    one, two = (layer[: 1 + width] for layer in space.layers)
    for first, second, third in member.blocks:
        torch.mm(first, space.inputs[top:], out=one[1:]).relu_()
        torch.mm(second, one, out=two[1:]).relu_()
        torch.mm(third, two, out=space.inputs[top - width : top]).relu_()
        top -= width
    hidden = torch.mm(member.hidden, space.inputs[top:]).relu_()  # (32, rows)
    return torch.mm(member.out, hidden)[0] + member.offset
