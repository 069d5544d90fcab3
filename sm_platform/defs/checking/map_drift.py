"""The rule that the inputs of the last maps, taken together, have not drifted from the training.

One pass is wet or dry as a whole: only several together tell a change of the radar's calibration,
of a product's version or of the land from the weather of a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.checking.map_inputs import UNKNOWN
from sm_platform.defs.checking.map_pixels import MapPixels, thinned
from sm_platform.defs.checking.rules import Matter, Rule, Verdict
from sm_platform.defs.checking.stored import MapIndex, Part, Row, critical_mask
from sm_platform.defs.checking.trained_inputs import MOVING, SERIES, in_units
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.schema.model_tables import SCENE_FEATURES, SCENE_SERIES
from sm_platform.schema.recipes import find_recipe
from sm_platform.trust.drift import DRIFTED, InputRange, counts, stability_index

Counts = NDArray[np.float64]
MOST_MAPS = 8
"""Taken together: about three weeks of two satellites."""
MOST_PIXELS = 4000
"""Of each map, every n-th."""
WINDOW_DAYS = 36
"""How far back they may lie: three repeats of one satellite."""


def no_drift() -> Rule:
    """The rule on the newest maps of one checkpoint."""
    return Rule(
        "no_drift",
        f"Radar, vegetation and weather of the last {MOST_MAPS} maps are distributed like those of "
        f"the training rows: the stability index of each is at most {DRIFTED}.",
        _judge,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found of the newest maps of one region."""

    newest: Row
    n_maps: int
    known: Mapping[str, InputRange]
    """Ranges of the training rows; empty where not known."""
    found: Mapping[str, Counts]

    @property
    def index(self) -> dict[str, float]:
        """Stability index of each input; none where no pixel is left."""
        return {
            name: stability_index(counted, self.known[name])
            for name, counted in sorted(self.found.items())
            if counted.sum()
        }

    def named(self, name: str) -> str:
        """An input in words: the share that lies outside, and the number behind the verdict."""
        counted, known = self.found[name], self.known[name]
        share = (counted[0] + counted[-1]) / counted.sum()
        units = in_units(find_recipe(self.newest["recipe_id"]), name, known)
        return (
            f"{name}: {100 * share:.0f} % of the pixels lie outside {units}, where 2 % of the "
            f"training rows do (stability index {self.index[name]:.2f} over the {self.n_maps} maps "
            f"up to {self.newest['map_id']})"
        )


def _judge(matter: Matter) -> Verdict:
    """Regions are judged each by itself; told is the largest index over them."""
    last = _last_maps(matter)
    judged = [_of_region(matter, maps) for maps in last.values()]
    told = [
        one.named(name) for one in judged for name, value in one.index.items() if value > DRIFTED
    ]
    silent = [UNKNOWN.format(one.newest["checkpoint_id"]) for one in judged if not one.known]
    counted: dict[str, float] = {"maps": sum(one.n_maps for one in judged)}
    for one in judged:
        for name, value in one.index.items():
            counted[f"drift_{name}"] = max(value, counted.get(f"drift_{name}", 0.0))
    return Verdict(not told, "\n".join(told or silent), counted)


def _of_region(matter: Matter, maps: Sequence[tuple[Part, Row]]) -> _Judged:
    newest = maps[-1][1]
    ranges = MapPixels(matter.layout, matter.models).ranges_of(newest)
    known = {name: ranges[name] for name in MOVING if name in ranges}
    found = [class_counts(matter.layout, part, row, known) for part, row in maps] if known else []
    return _Judged(newest, len(maps), known, pooled(found))


def _last_maps(matter: Matter) -> dict[str, list[tuple[Part, Row]]]:
    """By region the newest map of the run and those before it of its checkpoint, oldest first."""
    index = MapIndex(matter.layout)
    newest = {part.region_id: (part, row) for part, row in index.current(matter.scope)}
    found = {}
    for region, (part, row) in newest.items():
        today = ((part, one) for one in reversed(index.of_day(part)))
        maps = (
            (day, one)
            for day, one in chain(today, index.before(part, WINDOW_DAYS))
            if one["checkpoint_id"] == row["checkpoint_id"]
        )
        found[region] = list(islice(maps, MOST_MAPS))[::-1]
    return found


def pooled(parts: Sequence[Mapping[str, Counts]]) -> dict[str, Counts]:
    """Counts of several maps together."""
    names = {name for part in parts for name in part}
    return {name: np.sum([part[name] for part in parts if part], axis=0) for name in names}


def class_counts(
    layout: Layout, part: Part, row: Row, known: Mapping[str, InputRange]
) -> dict[str, Counts]:
    """How many of a map's pixels lie in each class of the training range, by moving input.

    Nothing where the features have been removed or made by another recipe.
    """
    scalars = [name for name in known if name not in SERIES]
    columns = ["scene_id", "series_id", "qa", *scalars]
    made = store.read(layout, SCENE_FEATURES, part.region_id, part.day, columns=columns)
    series = store.read(layout, SCENE_SERIES, part.region_id, part.day)
    if made is None or series is None or made.note["recipe_id"] != row["recipe_id"]:
        return {}
    rows = _mapped_rows(made.rows, row)
    found = {name: counts(values_of(rows[name]), known[name]) for name in scalars}
    own = series.rows.filter(pc.equal(series.rows["scene_id"], row["scene_id"]))
    used, often = np.unique(values_of(rows["series_id"]), return_counts=True)
    for name in known.keys() - found.keys():
        steps = values_of(pc.list_flatten(own[name].take(pa.array(used)))).reshape(len(used), -1)
        weight = np.repeat(often[:, None] / max(steps.shape[1], 1), steps.shape[1], axis=1)
        found[name] = counts(steps, known[name], weight)
    return found


def _mapped_rows(rows: pa.Table, row: Row) -> pa.Table:
    """Every n-th pixel of the map's pass that no critical bit takes away."""
    own = rows.filter(pc.equal(rows["scene_id"], row["scene_id"]))
    is_kept = (values_of(own["qa"]) & critical_mask(row)) == 0
    return own.take(pa.array(thinned(np.flatnonzero(is_kept), MOST_PIXELS)))
