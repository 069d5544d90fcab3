"""Worlds of sites in 3 km blocks whose scores are known, as pairs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sm_platform.trust.pairs import Pairs

START = np.datetime64("2025-01-01")


def pairs_from(
    predicted: Sequence[float],
    reference: Sequence[float],
    *,
    site: Sequence[str],
    block: Sequence[int],
    day: Sequence[int],
    coarse: Sequence[int] | None = None,
) -> Pairs:
    """Pairs as written, days counted from 1 January 2025; one 9 km cell unless told."""
    return Pairs(
        np.array(predicted, dtype=np.float64),
        np.array(reference, dtype=np.float64),
        np.array(site),
        np.array(block),
        START + np.array(day),
        np.array(coarse if coarse is not None else [0] * len(site)),
    )


def world(
    errors: NDArray[np.float64], truth: NDArray[np.float64], *, sites_per_block: int = 1
) -> Pairs:
    """Pairs of sites x days matrices; a day is 3 days later, 9 blocks make a 9 km cell."""
    n_sites, n_days = truth.shape
    site = np.repeat(np.arange(n_sites), n_days)
    block = site // sites_per_block
    return Pairs(
        predicted=(truth + errors).ravel(),
        reference=truth.ravel(),
        site_id=np.char.add("s", site.astype(str)),
        block_id=block,
        day=START + np.tile(np.arange(n_days) * 3, n_sites),
        coarse_id=block // 9,
    )


def shared_in_blocks(
    rng: np.random.Generator, *, blocks: int, sites_per_block: int, days: int, share: float
) -> NDArray[np.float64]:
    """Errors (sites, days) of variance 1, of which `share` is one number per block."""
    own = rng.standard_normal((blocks * sites_per_block, days))
    common = np.repeat(rng.standard_normal(blocks), sites_per_block)[:, None]
    return np.sqrt(share) * common + np.sqrt(1 - share) * own
