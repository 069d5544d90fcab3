"""Dropout with random numbers of its own, so that side-by-side members stay reproducible."""

import math

import torch
from torch import Tensor

WORD = 64
"""Random bits drawn at a time."""
BYTE = 8


def dropped(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Inverted dropout: each element is 0 with that chance, the others grow to make up for it.

    A share of one half takes one random bit an element, which is several times faster than one
    random number, the larger part of the time of a published epoch.
    """
    if share == 0.5:  # noqa: PLR2004  a half is what one bit tells
        return x * _zero_or_two(x, generator)
    kept = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) >= share
    return x * (kept / (1 - share))


def _zero_or_two(like: Tensor, generator: torch.Generator) -> Tensor:
    """A factor of the shape of `like`: 0 or 2 with equal chance."""
    n = like.numel()
    words = torch.empty(math.ceil(n / WORD), dtype=torch.int64, device=like.device)
    words.random_(-(2 ** (WORD - 1)), None, generator=generator)  # all 64 bits
    places = torch.arange(BYTE, device=like.device)
    bits = (torch.arange(2**BYTE, device=like.device)[:, None] >> places) & 1  # (256, 8)
    factors = (2 * bits).to(like.dtype)
    return factors.index_select(0, words.view(torch.uint8).int()).view(-1)[:n].view(like.shape)
