"""What is kept of a training between attempts, and how its owner is recognised."""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor

from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.schema.rows import FeatureRows

FORMAT = "densesm-snapshot-1"
"""To be raised whenever a snapshot of before would not lead to the bits of today."""
N_DIGEST = 32
"""Bytes of the SHA-256 in front of a snapshot's tensors."""


class Snapshots(Protocol):
    """Named bytes kept between attempts; used by several threads, each with its own name."""

    def read(self, name: str) -> bytes | None:
        """The content last written under this name; None if there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Replace the content, whole or not at all, even when the process dies meanwhile."""


def pack(tensors: dict[str, Tensor], owner: str) -> bytes:
    """Tensors as bytes that only the same owner will take, and only unchanged."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    body = tensors_to_bytes(plain)
    return _digest(body, owner) + body


def unpack(content: bytes, owner: str) -> dict[str, Tensor] | None:
    """The tensors of `pack` on the CPU; None if they are another owner's or were changed."""
    digest, body = content[:N_DIGEST], content[N_DIGEST:]
    if digest != _digest(body, owner):
        return None
    try:
        found: dict[str, Tensor] = tensors_from_bytes(body)
    except SafetensorError:
        return None
    return {name: tensor.clone() for name, tensor in found.items()}  # each aligned for itself


def _digest(body: bytes, owner: str) -> bytes:
    return hashlib.sha256(f"{FORMAT}|{owner}|".encode() + body).digest()


def training_fingerprint(
    settings: object,
    *labelled: LabelledRows | None,
    start: Checkpoint | None = None,
    target: FeatureRows | None = None,
) -> str:
    """Sixteen hex digits over all that decides the weights of a member of a training.

    Which members are trained beside it is left out: an ensemble may grow, and keeps what it has.

    Args:
        settings: a dataclass of JSON values.
        labelled: rows to learn from and to steer by, and whatever else has labels, in this order.
        start: checkpoint from whose weights members start.
        target: unlabelled rows of the region to be mapped.
    """
    if not is_dataclass(settings) or isinstance(settings, type):
        raise TypeError(f"{settings!r} is no dataclass of settings.")
    fields = {k: v for k, v in asdict(settings).items() if k not in ("members", "repeat")}
    digest = hashlib.sha256(json.dumps([FORMAT, fields], sort_keys=True).encode())
    for part in (*labelled, start, target):
        digest.update(f"|{type(part).__name__}|".encode())
        for piece in _pieces(part):
            digest.update(piece)
    return digest.hexdigest()[:16]


def _pieces(part: LabelledRows | Checkpoint | FeatureRows | None) -> list[bytes]:
    if part is None:
        return []
    if isinstance(part, Checkpoint):
        return [part.fingerprint.encode()]
    if isinstance(part, LabelledRows):
        weight = [] if part.weight is None else [_bytes(part.weight)]
        return [*_pieces(part.rows), _bytes(part.sm_m3m3), *weight]
    arrays = (part.scalars, part.series, part.series_index)
    return [part.recipe_fingerprint.encode(), *(_bytes(array) for array in arrays)]


def _bytes(array: NDArray[Any]) -> bytes:
    """Kind, shape and content."""
    return f"|{array.dtype.str}|{array.shape}|".encode() + np.ascontiguousarray(array).tobytes()
