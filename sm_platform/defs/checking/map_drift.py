"""The rule that the inputs of the last maps, taken together, have not drifted from the training.

One pass is wet or dry as a whole: only several together tell a change of the radar's calibration,
of a product's version or of the land from the weather of a day.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.checking.map_inputs import UNKNOWN
from sm_platform.defs.checking.map_pixels import MapPixels, thinned
from sm_platform.defs.checking.rules import Matter, Rule, Verdict
from sm_platform.defs.checking.stored import (
    Part,
    Row,
    critical_mask,
    current_maps,
    days_before,
    maps_of,
)
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


def _judge(matter: Matter) -> Verdict:
    maps = _last_maps(matter)
    if not maps:
        return Verdict(True, "", {"maps": 0})
    newest = maps[-1][1]
    ranges = MapPixels(matter.layout, matter.models).ranges_of(newest)
    known = {name: ranges[name] for name in MOVING if name in ranges}
    if not known:
        return Verdict(True, UNKNOWN.format(newest["checkpoint_id"]), {"maps": len(maps)})
    found = pooled([class_counts(matter.layout, part, row, known) for part, row in maps])
    index = {name: stability_index(found[name], known[name]) for name in found}
    told = [
        _named(newest, name, found[name], known[name])
        for name, value in index.items()
        if value > DRIFTED
    ]
    numbers = {f"drift_{name}": value for name, value in index.items() if np.isfinite(value)}
    return Verdict(not told, "\n".join(told), {"maps": len(maps), **numbers})


def _named(newest: Row, name: str, found: Counts, known: InputRange) -> str:
    """The input in words: how far its share outside has grown, and the number behind it."""
    share = (found[0] + found[-1]) / found.sum()
    units = in_units(find_recipe(newest["recipe_id"]), name, known)
    return (
        f"{name}: {100 * share:.0f} % of the pixels lie outside {units}, as 2 % of the training "
        f"rows do (stability index {stability_index(found, known):.2f})"
    )


def _last_maps(matter: Matter) -> list[tuple[Part, Row]]:
    """The newest map and those before it of the same region and checkpoint, oldest first."""
    found = current_maps(matter.layout, matter.scope)[-MOST_MAPS:]
    if not found:
        return []
    for part in days_before(found[0][0], WINDOW_DAYS):
        if len(found) >= MOST_MAPS:
            break
        found = [(part, row) for row in maps_of(matter.layout, part)] + found
    last, newest = found[-1]
    return [
        (part, row)
        for part, row in found
        if part.region_id == last.region_id and row["checkpoint_id"] == newest["checkpoint_id"]
    ]


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
