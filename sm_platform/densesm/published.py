"""Import of published state dicts (`.pt` files of plain tensors), strictly and without pickle.

Three forms of names are in use: plain; with a leading `0.`; and, on fine-tuned ones, `fe.` on
everything but the output layer, which is called `mv` there. GPU tensors come to the CPU.
"""

import pickle
import re
import struct
from pathlib import Path

import torch
from torch import Tensor

from sm_platform.densesm.network import ARCHITECTURES, Architecture, expected_shapes
from sm_platform.densesm.states import compare_keys, sound_state
from sm_platform.errors import CheckpointError

FILE_NAME = re.compile(r"(?:.*_)?(\d+)_(\d+)\.pt")
UNREADABLE = (
    *(RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError),
    *(AssertionError, ArithmeticError, struct.error),
)
"""What torch raises for a damaged file, by the place of the damage."""


def read_published(folder: Path) -> dict[Architecture, dict[str, Tensor]]:
    """State dicts of the members in `folder`, from files `..._{blocks}_{width}.pt`.

    Any of the 25 members may be absent; what is there must be sound.

    Raises:
        CheckpointError: no such file at all, a `.pt` file that names no member, a member twice, a
            file that holds more than tensors, a missing or unexpected key, a wrong shape.
    """
    found: dict[Architecture, Path] = {}
    for path in sorted(folder.glob("*.pt")):
        architecture = _named(path)
        if architecture in found:
            raise CheckpointError(
                f"{folder}: {found[architecture].name} and {path.name} are both member "
                f"{architecture.name}: keep one of them."
            )
        found[architecture] = path
    if not found:
        raise CheckpointError(
            f"{folder} holds no file named like coarse_3_64.pt: give the folder of the weights."
        )
    return {a: read_state(found[a], a) for a in ARCHITECTURES if a in found}


def read_state(path: Path, architecture: Architecture) -> dict[str, Tensor]:
    """One member's state dict under plain names, in whichever of the three forms it is.

    Raises:
        CheckpointError: see `read_published`.
    """
    state = _read_tensors(path)
    shapes = expected_shapes(architecture)
    form = min(FORMS, key=lambda form: len({form(name) for name in shapes} ^ set(state)))
    compare_keys({form(name) for name in shapes}, set(state), path.name)
    plain = {name: state[form(name)] for name in shapes}
    return sound_state(architecture, plain, path.name)


def _named(path: Path) -> Architecture:
    match = FILE_NAME.fullmatch(path.name)
    if match is None:
        raise CheckpointError(
            f"{path}: the name does not end in _BLOCKS_WIDTH.pt, so it names no member: "
            "rename it or take it out of the folder."
        )
    try:
        return Architecture(int(match[1]), int(match[2]))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: it holds pickled classes or is damaged; only plain tensors are read, since "
            "unpickling runs code: save the model's state_dict() and import that."
        ) from error
    except UNREADABLE as error:
        raise CheckpointError(
            f"{path}: not a readable .pt file ({error or type(error).__name__}): fetch it again."
        ) from error
    entries = state.items() if isinstance(state, dict) else [("", state)]
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in entries):
        raise CheckpointError(
            f"{path}: not a dictionary of tensors: save the model's state_dict() first."
        )
    return dict(entries)


def _plain(name: str) -> str:
    return name


def _nested(name: str) -> str:
    return f"0.{name}"


def _fine_tuned(name: str) -> str:
    return f"mv{name[3:]}" if name.startswith("out.") else f"fe.{name}"


FORMS = (_plain, _nested, _fine_tuned)
"""How a file of each form calls a tensor of that plain name."""
