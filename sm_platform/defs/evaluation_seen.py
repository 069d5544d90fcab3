"""What checkpoints were taught: rows on which their figures would flatter them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.choice import trained_until
from sm_platform.defs.registry import Entry
from sm_platform.defs.sample_set import FINE_M, read_roles
from sm_platform.errors import MissingInputError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.card import Card
from sm_platform.schema.label_tables import SAMPLE_SPLITS

KNOWN_ROLES = [Role.TRAIN.value, Role.VALIDATION.value, Role.CALIBRATION.value]
"""Roles whose rows shaped a network or its intervals."""
KEYS = ["block_id", "site_id", "scene_id"]
BY_PLACE = (Scheme.BLOCK.value, Scheme.BLOCK_TIME.value, Scheme.REGION.value)


def taught_rows(
    layout: Layout, cards: Sequence[Card], keys: pd.DataFrame, place: tuple[str, str]
) -> NDArray[np.bool_]:
    """Rows (n,) with these KEYS that one of the checkpoints was taught, in whichever region.

    Regions may share ground. Where the rows are judged by a scheme by place, all rows of a block
    count as taught, else those of a site and pass. Labels of cells wider than 1 km are not counted:
    they do not tell the places in them apart.

    Args:
        layout: lake with the roles by which they learned.
        cards: of the checkpoints.
        keys: of the rows.
        place: region and scheme of the rows; what was taught in that region must be known.

    Raises:
        MissingInputError: roles of that region by which one of them learned are gone.
    """
    region, scheme = place
    names = KEYS[:1] if scheme in BY_PLACE else KEYS[1:]
    own, found = pd.MultiIndex.from_frame(keys[names]), np.zeros(len(keys), np.bool_)
    for card in cards:
        for taught in sorted(regions_of(card)):
            try:
                rows = _taught(layout, card, taught)
            except MissingInputError:
                if taught == region:
                    raise
                continue  # a region that is not in this lake any more
            if rows is not None:
                found |= own.isin(pd.MultiIndex.from_frame(rows.select(names).to_pandas()))
    return found


def refuse_other_roles(layout: Layout, card: Card, entry: Entry) -> None:
    """Raise MissingInputError when roles were given anew after the training.

    Then a row that is for the test today may have been learned from. In a region of which it
    learned nothing every row is new.
    """
    region, cut_off = entry.region_id, entry.cut_off
    if region not in regions_of(card) or _are_as_then(layout, card, region, cut_off):
        return
    raise MissingInputError(
        f"The samples of {region} before {cut_off} were given roles anew since "
        f"{card.checkpoint_id} was trained, so it may have seen today's test rows: train again, or "
        "materialize `sample_splits` with the seed and samples of then."
    )


def refuse_known_region(cards: Sequence[Card], other: str) -> None:
    """Raise UsageError when a region is not a new one to the first or what it started from."""
    for card in cards:
        if other in regions_of(card):
            raise UsageError(
                f"{card.checkpoint_id} learned from {other}, so {cards[0].checkpoint_id} cannot be "
                "judged there as in a region not seen: name other regions."
            )


def regions_of(card: Card) -> set[str]:
    """Regions whose labels a checkpoint learned from, as far as it tells."""
    told: Mapping[str, Any] = card.metadata
    is_by_others = (told.get("choice") or {}).get("own_sites") == 0
    named = {told["region"]} if told.get("region") and not is_by_others else set()
    return named | set(told.get("source_regions") or ())


def _taught(layout: Layout, card: Card, region: str) -> pa.Table | None:
    """KEYS of the rows of a region that a checkpoint was taught; None where it is not known.

    In other regions than its own it learned by scheme block. Where roles were given anew since,
    any row may have been among them.
    """
    cut_off, scheme = trained_until(card), card.metadata.get("split_scheme")
    if cut_off is None or scheme is None:
        return None
    is_own = card.metadata.get("region") == region
    roles = read_roles(layout, region, cut_off, str(scheme) if is_own else Scheme.BLOCK.value)
    is_fine = pc.less_equal(pc.fill_null(roles["support_m"], 0.0), FINE_M)
    sources = card.metadata.get("label_sources") or pc.unique(roles["source"]).to_pylist()
    is_read = pc.and_(is_fine, pc.is_in(roles["source"], value_set=pa.array(sources, pa.string())))
    if _are_as_then(layout, card, region, cut_off):
        is_taught = pc.is_in(roles["role"], value_set=pa.array(KNOWN_ROLES))
        is_read = pc.and_(is_read, is_taught)
    return roles.filter(is_read).select(KEYS)


def _are_as_then(layout: Layout, card: Card, region: str, cut_off: date) -> bool:
    """Whether the region's roles are those by which it learned, as far as it tells."""
    told = card.metadata
    is_own = told.get("region") == region
    then = told.get("splits") if is_own else (told.get("source_splits") or {}).get(region)
    note = store.note_of(layout, SAMPLE_SPLITS, region, cut_off)
    return then is None or note is None or note["inputs"] == then
