"""Schemes of splitting: what each keeps apart, and the roles of samples under it.

Rows of role buffer are left out: they are in no role, and no promise is about them.

| scheme | promises | answers |
|---|---|---|
| block | all rows of a site, and all of a 3 km block, have one role | places not seen |
| time | all rows of a pass, and of a UTC day, have one role | later than what was seen |
| block_time | both of these | places and times not seen |
| region | all rows are test | a region not seen |
| random | rows of one site and pass (of several sources) have one role | nothing |

- By block, more than `buffer_blocks` rows or columns of blocks lie between test and every other
  role, and between calibration and the two that train; with 0, the default, neighbouring blocks
  may differ. Training and validation may touch: validation only stops the training. The rows of
  coarse sites keep the same distances from the edge of their area. Roles share passes.
- By time, roles follow each other, and at least `gap_days` (12) lie between the last day of one
  and the first of the next. Roles share sites.
- By block and time, rows whose block and period have different roles are buffer.
- By region, a network is judged that was trained on rows of scheme block in OTHER regions.
- At random, rows of one site and of neighbouring days fall on both sides: `is_comparison_only`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.samples.coarse import reach_of, withdraw_coarse
from sm_platform.samples.periods import GAP_DAYS, split_by_time
from sm_platform.samples.splits import (
    ROLE_TYPE,
    SHARES,
    Role,
    refuse_empty,
    roles_by_draw,
    split_by_block,
)


class Scheme(StrEnum):
    """A way to give samples their roles."""

    BLOCK = "block"
    TIME = "time"
    BLOCK_TIME = "block_time"
    """Blocks of a role in the period of the same role; all other rows are buffer."""
    REGION = "region"
    """All rows of the region are test: a network judged so is trained on the rows that have the
    roles of scheme block in OTHER regions."""
    RANDOM = "random"
    """Rows of one site and of neighbouring days fall on both sides."""

    @property
    def is_comparison_only(self) -> bool:
        """Whether a figure under this scheme must not be used to judge a network."""
        return self is Scheme.RANDOM


@dataclass(frozen=True, slots=True)
class SampleKeys:
    """What the role of each of n samples depends on."""

    block_id: NDArray[np.integer]
    """(n,): flat index of the 3 km EASE-Grid 2.0 cell of the site's centre."""
    site_id: NDArray[np.str_] | NDArray[np.object_]
    """(n,)"""
    scene_id: NDArray[np.str_] | NDArray[np.object_]
    """(n,): the pass."""
    day: NDArray[np.datetime64]
    """(n,): UTC day on which the pass starts, or its start."""
    support_m: NDArray[np.floating]
    """(n,): side of the area that the label stands for; 0 or NaN a point."""

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__slots__}
        if len(set(lengths.values())) > 1:
            raise DataError(f"Samples have columns of several lengths: {lengths}.")

    def __len__(self) -> int:
        return len(self.block_id)


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How a scheme is carried out; see `split_by_block` and `split_by_time`."""

    shares: Mapping[Role, float]
    buffer_blocks: int = 0
    unit_blocks: int = 1
    gap_days: int = GAP_DAYS


DEFAULT = SplitSettings(SHARES)


def assign_roles(
    keys: SampleKeys, scheme: Scheme, *, seed: int, settings: SplitSettings = DEFAULT
) -> NDArray[np.str_]:
    """Role of each sample (n,) under the scheme; the order of the samples does not matter.

    In the schemes by block a coarse site (9 km: nine blocks) becomes buffer when its area meets a
    sample of another role; see `withdraw_coarse`. Where coarse and fine sites are mixed,
    `unit_blocks=3` gives the blocks of a 9 km cell one role, and none is lost.

    Raises:
        UsageError: settings are impossible.
        DataError: a site lies in two blocks or a pass on two days, or a role is left empty.
    """
    _refuse_two(keys.site_id, keys.block_id, "Site", "blocks")
    if scheme is Scheme.REGION:
        return np.full(len(keys), Role.TEST.value, dtype=ROLE_TYPE)
    if scheme is Scheme.RANDOM:
        return _random(keys, seed, settings)
    if scheme is Scheme.BLOCK:
        return _by_block(keys, seed, settings)
    in_time = _by_time(keys, settings)
    if scheme is Scheme.TIME:
        return in_time
    in_space = _by_block(keys, seed, settings)
    role = np.where(in_space == in_time, in_space, Role.BUFFER.value).astype(ROLE_TYPE)
    refuse_empty(role, settings.shares, "none of its blocks has a pass in its period; add sites")
    return role


def _by_block(keys: SampleKeys, seed: int, settings: SplitSettings) -> NDArray[np.str_]:
    role = split_by_block(
        keys.block_id,
        seed=seed,
        shares=settings.shares,
        buffer_blocks=settings.buffer_blocks,
        unit_blocks=settings.unit_blocks,
    )
    reach = reach_of(keys.support_m)
    if reach.any():
        role = withdraw_coarse(keys.block_id, reach, role, settings.buffer_blocks)
        refuse_empty(role, settings.shares, "coarse sites meet other roles; try unit_blocks=3")
    return role


def _by_time(keys: SampleKeys, settings: SplitSettings) -> NDArray[np.str_]:
    day = keys.day.astype("datetime64[D]")
    _refuse_two(keys.scene_id, day.astype(np.int64), "Pass", "days")
    return split_by_time(day, shares=settings.shares, gap_days=settings.gap_days)


def _random(keys: SampleKeys, seed: int, settings: SplitSettings) -> NDArray[np.str_]:
    """Rows of one site and pass (labels of several sources) share a draw."""
    draw = [
        int.from_bytes(hashlib.blake2b(f"{seed}\n{site}\n{scene}".encode(), digest_size=6).digest())
        for site, scene in zip(keys.site_id.tolist(), keys.scene_id.tolist(), strict=True)
    ]
    found, row = np.unique(np.array(draw, np.float64), return_inverse=True)
    return roles_by_draw(found, settings.shares, "samples")[row]


def _refuse_two(
    name: NDArray[np.str_] | NDArray[np.object_],
    value: NDArray[np.integer],
    thing: str,
    places: str,
) -> None:
    pairs = pd.DataFrame({"name": name, "value": value}).drop_duplicates()
    twice = pairs.loc[pairs["name"].duplicated(), "name"]
    if len(twice):
        raise DataError(
            f"{thing} {twice.iloc[0]} lies in two {places} ({len(twice)} such): make the samples "
            "anew from one catalog."
        )
