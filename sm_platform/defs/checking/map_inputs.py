"""Rules on what a checkpoint is asked: pixels like its training rows, inputs that do not drift.

Nothing is said where nothing is known: a checkpoint that was imported, or trained before its card
kept its training inputs, passes with "not known".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.checking.map_pixels import MapPixels, Pixels
from sm_platform.defs.checking.rules import ERROR, WARN, Matter, Rule, Verdict
from sm_platform.defs.checking.stored import MapIndex
from sm_platform.defs.checking.trained_inputs import SERIES, in_units, values_by_input
from sm_platform.schema.recipes import find_recipe
from sm_platform.trust.drift import InputRange, is_outside

MOST_OUTSIDE = 0.2
"""Share of a map's pixels: above, a person should look. Of a region's maps beside the sites that
taught it 0.03 were found; 0.2 to 0.35 on fields in a season without a label."""
MISLEADING = 0.6
"""Above, most of a map is extrapolation and its figure would mislead."""
MOST_STEPS = 0.1
"""Of a look-back series: more steps outside, and the pixel is."""
UNKNOWN = "not known: {} keeps no training inputs (imported, or trained by an older version)"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found of one map."""

    map_id: str
    outside: float
    """Share of its pixels with any input outside."""
    by_input: Mapping[str, float]
    ranges: Mapping[str, str]
    """Of the training rows, in units."""

    @property
    def told(self) -> str:
        """The map with the three inputs of which most lie outside."""
        worst = sorted(self.by_input.items(), key=lambda one: -one[1])[:3]
        named = [
            f"{name}: {100 * share:.0f} % of the pixels lie far outside {self.ranges[name]}"
            for name, share in worst
            if share > 0
        ]
        parts = "; ".join([f"{100 * self.outside:.0f} % of its pixels are unlike", *named])
        return f"{self.map_id}: {parts}"


def inside_training() -> Rule:
    """The rule on the pixels of each current map."""
    return Rule(
        "inside_training",
        "Pixels of a map have inputs like the rows that its checkpoint was trained on: warned of "
        f"where more than {100 * MOST_OUTSIDE:.0f} % have one clearly beyond them. Where more than "
        f"{100 * MISLEADING:.0f} % do in most maps of a run it fails, and keeps their figures from "
        "being drawn in the same run; the maps stay.",
        _judge,
        is_blocking=True,
    )


def _judge(matter: Matter) -> Verdict:
    pixels = MapPixels(matter.layout, matter.models)
    maps = MapIndex(matter.layout).current(matter.scope)
    found = [pixels.of_map(part, row) for part, row in maps]
    judged = [_of_map(one) for one in found if one is not None]
    far = [one for one in judged if one.outside > MOST_OUTSIDE]
    n_misleading = sum(one.outside > MISLEADING for one in judged)
    severity = ERROR if 2 * n_misleading > len(judged) else WARN
    silent = dict.fromkeys(row["checkpoint_id"] for _, row in maps if not pixels.ranges_of(row))
    told = [one.told for one in far] or [UNKNOWN.format(name) for name in silent]
    return Verdict(not far, "\n".join(told), _counted(len(maps), judged), severity)


def _of_map(one: Pixels) -> _Judged:
    masks = {name: outside(one, name, known) for name, known in one.ranges.items()}
    recipe = find_recipe(one.rows.recipe_id)
    return _Judged(
        map_id=one.map_id,
        outside=float(np.any(list(masks.values()), axis=0).mean()) if len(one.rows) else 0.0,
        by_input={name: float(mask.mean()) for name, mask in masks.items() if len(mask)},
        ranges={name: in_units(recipe, name, known) for name, known in one.ranges.items()},
    )


def outside(one: Pixels, name: str, known: InputRange) -> NDArray[np.bool_]:
    """(n,): pixels of which the input lies outside; of a series more than a few of its steps."""
    mask = is_outside(values_by_input(one.rows)[name], known)
    if name not in SERIES:
        return mask
    is_far: NDArray[np.bool_] = mask.mean(axis=1) > MOST_STEPS
    return is_far[one.rows.series_index]


def _counted(n_maps: int, judged: Sequence[_Judged]) -> dict[str, float]:
    """The share of the worst map, in all and by input."""
    told: dict[str, float] = {"maps": n_maps, "judged": len(judged)}
    if judged:
        worst = max(judged, key=lambda one: one.outside)
        told["share_outside"] = worst.outside
        told |= {f"outside_{name}": share for name, share in worst.by_input.items()}
    return told
