"""Catalogs of samples for tests: sites of several supports in blocks, seen by passes over days."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.grid.ease2 import LEVEL_3KM
from sm_platform.samples.split_schemes import SampleKeys, Scheme

COLUMNS = LEVEL_3KM.shape[1]
FIRST = np.datetime64("2024-03-01")


def block(row: int, col: int) -> int:
    """Flat index of a block near the upper left corner of a 9 km cell."""
    return (300 + row) * COLUMNS + 600 + col


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a region may hold."""

    keys: SampleKeys
    seed: int


def keys_of(
    site_block: NDArray[np.int64], support_m: NDArray[np.float64], pass_day: NDArray[np.int64]
) -> SampleKeys:
    """A sample of each site on each pass; passes count days from 1 March 2024."""
    site, scene = (part.ravel() for part in np.indices((len(site_block), len(pass_day))))
    return SampleKeys(
        block_id=site_block[site],
        site_id=np.array([f"site-{n}" for n in range(len(site_block))])[site],
        scene_id=np.array([f"pass-{n}" for n in range(len(pass_day))])[scene],
        day=FIRST + pass_day[scene],
        support_m=support_m[site],
    )


@st.composite
def catalogs(draw: st.DrawFn, *, coarse_share: float = 0.1) -> Catalog:
    """Regions of 15 to 75 km with 30-150 sites and 8-60 passes, in any order of rows."""
    seed = draw(st.integers(0, 2**31))
    size = draw(st.integers(5, 25))
    rng = np.random.default_rng(seed)
    n_sites, n_passes = int(rng.integers(30, 150)), int(rng.integers(8, 60))
    row, col = rng.integers(0, size, (2, n_sites))
    is_coarse = rng.random(n_sites) < coarse_share
    row, col = (np.where(is_coarse, part // 3 * 3 + 1, part) for part in (row, col))
    support = np.where(is_coarse, 9000.0, rng.choice([0.0, 100.0, 1000.0], n_sites))
    days = np.cumsum(rng.integers(0, 13, n_passes))
    keys = keys_of((300 + row) * COLUMNS + 600 + col, support, days)
    kept = rng.permutation(len(keys))[: int(len(keys) * 0.8)]
    return Catalog(take(keys, kept), seed)


def take(keys: SampleKeys, index: NDArray[np.integer]) -> SampleKeys:
    """Those samples, in that order."""
    return SampleKeys(*(getattr(keys, name)[index] for name in SampleKeys.__slots__))


def roles_table(keys: SampleKeys, scheme: Scheme, role: NDArray[np.str_]) -> pa.Table:
    """Columns of sample_splits that roles are judged by, with the support."""
    return pa.table(
        {
            "scheme": [scheme.value] * len(keys),
            "site_id": keys.site_id,
            "scene_id": keys.scene_id,
            "sample_day": pa.array(keys.day.astype("datetime64[D]")),
            "block_id": keys.block_id,
            "role": role,
            "support_m": keys.support_m,
        }
    )
