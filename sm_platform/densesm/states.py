"""State dicts: the one place that decides whether a member's tensors are complete and sound."""

from collections.abc import Mapping

import torch
from torch import Tensor

from sm_platform.densesm.network import Architecture, expected_shapes
from sm_platform.errors import CheckpointError

COUNTER = "num_batches_tracked"
"""Ending of the one kind of entry that is a count, not a weight; published ones hold a float."""
NAMED = 4
"""How many keys a message lists at most."""


def sound_state(
    architecture: Architecture, state: Mapping[str, Tensor], where: str
) -> dict[str, Tensor]:
    """A copy on the CPU in the network's own order: float32 weights, int64 counters.

    Args:
        architecture: the member that the tensors are to fill.
        state: tensors by their name in `DenseSM`, without any prefix.
        where: named in messages, such as the file.

    Raises:
        CheckpointError: a key is missing or unexpected, a shape is wrong, a number not finite.
    """
    shapes = expected_shapes(architecture)
    compare_keys(set(shapes), set(state), where)
    return {
        name: _sound_tensor(state[name], shape, f"{where}: '{name}'")
        for name, shape in shapes.items()
    }


def compare_keys(expected: set[str], found: set[str], where: str) -> None:
    """Raise CheckpointError naming the missing and the unexpected keys, if there are any."""
    said = [
        f"{len(keys)} {word} ({', '.join(sorted(keys)[:NAMED])}{', ...' * (len(keys) > NAMED)})"
        for keys, word in ((expected - found, "missing"), (found - expected, "unexpected"))
        if keys
    ]
    if said:
        raise CheckpointError(
            f"{where}: keys {' and '.join(said)}: bring the complete state dict of this member."
        )


def _sound_tensor(tensor: Tensor, shape: tuple[int, ...], where: str) -> Tensor:
    if tensor.layout is not torch.strided:
        raise CheckpointError(f"{where} is a sparse tensor: save it dense.")
    if tuple(tensor.shape) != shape:
        raise CheckpointError(
            f"{where} has shape {tuple(tensor.shape)}, not {shape}: the file is of another member."
        )
    is_counter = where.endswith(f"{COUNTER}'")
    if not (tensor.is_floating_point() or is_counter):
        raise CheckpointError(f"{where} holds {tensor.dtype}, not floating-point numbers.")
    if not bool(torch.isfinite(tensor).all()):
        raise CheckpointError(f"{where} holds NaN or infinity: train or fetch this member again.")
    kind = torch.int64 if is_counter else torch.float32
    return tensor.detach().to("cpu", kind, copy=True).contiguous()
