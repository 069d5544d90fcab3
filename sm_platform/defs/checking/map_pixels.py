"""The inputs that stand behind a map's pixels, beside the training inputs of its checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.checking.stored import Part, Row, critical_mask
from sm_platform.defs.checking.trained_inputs import ranges_in
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.region_area import inside_of
from sm_platform.defs.stored_features import SceneFeatures, read_features
from sm_platform.errors import MissingInputError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import Card, card_in
from sm_platform.schema.rows import FeatureRows, take, whole_rows
from sm_platform.trust.drift import InputRange

MOST_PIXELS = 20_000
"""Of one map, every n-th: shares are right to 0.004 then, whatever the size of the region."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """Inputs of a map's pixels."""

    map_id: str
    rows: FeatureRows
    ranges: Mapping[str, InputRange]
    """Of the training rows of its checkpoint, by measured input."""


@dataclass(frozen=True, slots=True)
class MapPixels:
    """Reads the pixels of maps; a checkpoint's card is read once."""

    layout: Layout
    models: ModelStore
    cards: dict[str, Card | None] = field(default_factory=dict)

    def of_map(self, part: Part, row: Row) -> Pixels | None:
        """Pixels with a value; None where the training inputs or the features are not known.

        Features may have been removed, or made again by another recipe.

        Raises:
            CheckpointError: the card was changed.
            LakeError: the features are damaged.
        """
        ranges = self.ranges_of(row)
        stored = self._stored(part, row) if ranges else None
        if stored is None:
            return None
        chosen = thinned(np.flatnonzero(self._is_mapped(part, row, stored)))
        return Pixels(row["map_id"], take(stored.rows, chosen), ranges)

    def ranges_of(self, row: Row) -> Mapping[str, InputRange]:
        """Training inputs of a map's checkpoint; empty where it is gone or keeps none."""
        name = row["checkpoint_id"]
        if name not in self.cards:
            self.cards[name] = self._card(name)
        card = self.cards[name]
        return ranges_in(card) if card else {}

    def _card(self, name: str) -> Card | None:
        try:
            return card_in(self.models.folder(name))
        except UsageError:  # it has left the store since
            return None

    def _stored(self, part: Part, row: Row) -> SceneFeatures | None:
        if part.day is None:
            return None
        try:
            day = read_features(self.layout, part.region_id, part.day)
        except MissingInputError:
            return None
        is_same = day.note["recipe_fingerprint"] == row["recipe_fingerprint"]
        return day.scenes.get(row["scene_id"]) if is_same else None

    def _is_mapped(self, part: Part, row: Row, stored: SceneFeatures) -> NDArray[np.bool_]:
        mapped: NDArray[np.bool_] = whole_rows(stored.rows)
        mapped &= (stored.qa & critical_mask(row)) == 0
        inside = inside_of(find_region(self.layout, part.region_id))
        return mapped if inside is None else mapped & inside.ravel()[stored.cell_id]


def thinned(chosen: NDArray[np.intp], most: int = MOST_PIXELS) -> NDArray[np.intp]:
    """At most so many of them, every n-th."""
    return chosen[:: max(-(-len(chosen) // most), 1)]
