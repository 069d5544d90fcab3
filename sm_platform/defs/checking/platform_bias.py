"""The rule that no satellite reads otherwise than the others on the same tracks and pixels.

A new satellite, or one whose calibration was changed, shifts every map made of it, and no map
alone shows that: the rule on drift against the training rows names an input, this one a platform.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.checking.rules import Matter, Rule, Verdict
from sm_platform.defs.checking.stored import Part, days_before, parts_of
from sm_platform.defs.radar_quantity import stored_quantity
from sm_platform.defs.scenes import Scene, read_scenes
from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of, window_from
from sm_platform.schema.driver_tables import S1_BACKSCATTER, S1_SCENES
from sm_platform.trust.platform_bias import LEAST_DB, PlatformOffset, TrackPasses, offsets_of

WINDOW_DAYS = 72
"""How far back passes are compared: six repeats of one satellite."""
MOST_PIXELS = 4000
"""Of each pass, every n-th of the region."""
BANDS = {"vv_db": "VV", "vh_db": "VH"}
EPOCH = datetime(2014, 1, 1, tzinfo=UTC)

Seen = list[tuple[Scene, Mapping[str, NDArray[np.float32]]]]
"""Passes of a track with the backscatter of the compared pixels, by band."""


def no_platform_bias() -> Rule:
    """The rule on the newest pass of each region."""
    return Rule(
        "no_platform_bias",
        f"VV and VH of each satellite lie within {LEAST_DB} dB of what another shows on the same "
        f"tracks and pixels in the last {WINDOW_DAYS} days, in the median over passes and pixels.",
        _judge,
    )


def _judge(matter: Matter) -> Verdict:
    parts = parts_of(matter.layout, S1_BACKSCATTER, matter.scope)
    newest = {part.region_id: part for part in parts}
    told, counted = [], dict[str, float]()
    for part in newest.values():
        tracks = _tracks(matter.layout, part)
        for band, name in BANDS.items():
            for one in offsets_of([_passes(seen, band) for seen in tracks]):
                told += [_told(one, name, part)] if one.is_found else []
                key = f"{one.platform}_{name}_db"
                counted[key] = max(counted.get(key, 0.0), one.offset_db, key=abs)
    return Verdict(not told, "\n".join(told), {"regions": len(newest), **counted})


def _told(offset: PlatformOffset, band: str, part: Part) -> str:
    side = "above" if offset.offset_db > 0 else "below"
    either = f" (or {offset.others[0]} does)" if len(offset.others) == 1 else ""
    return (
        f"{offset.platform} {band} is {abs(offset.offset_db):.1f} dB {side} what "
        f"{', '.join(offset.others)} show on the same tracks and pixels of {part.region_id} in "
        f"the {WINDOW_DAYS} days up to {part.day} (median of {offset.n_passes} passes or more; the "
        f"detection limit is {offset.limit_db:.1f} dB). {offset.platform} reads otherwise"
        f"{either}: use its maps with care and look for news of its calibration."
    )


def _tracks(layout: Layout, newest: Part) -> list[Seen]:
    """The passes of the last days by track, where at least two satellites are."""
    scenes = [
        (day, scene)
        for day in _of_one_quantity(layout, [newest, *days_before(newest, WINDOW_DAYS)])
        if day.day and layout.part(S1_SCENES.name, day.region_id, day.day).is_file()
        for scene in read_scenes(layout, day.region_id, day.day)
        if scene.relative_orbit is not None
    ]
    by_track = defaultdict[tuple[str, int | None], list[tuple[Part, Scene]]](list)
    for day, scene in scenes:
        by_track[scene.track].append((day, scene))
    several = [one for one in by_track.values() if len({s.platform for _, s in one}) > 1]
    pixels = dict[Part, Mapping[str, Mapping[str, NDArray[np.float32]]]]()
    found = []
    for one in several:
        for day in {day for day, _ in one} - pixels.keys():
            pixels[day] = _pixels(layout, day.region_id, day.day)
        seen = [(s, pixels[day][s.scene_id]) for day, s in one if s.scene_id in pixels[day]]
        found.append(sorted(seen, key=lambda pair: pair[0].start_utc))
    return found


def _of_one_quantity(layout: Layout, days: Sequence[Part]) -> list[Part]:
    """Days with a measurement, of the quantity of the first of them.

    Gamma0 and sigma0 differ by decibels: a satellite that came with a new service would be blamed.
    """
    notes = {day: _note(layout, day) for day in days}
    measured = {day: note for day, note in notes.items() if note and note.get("rows")}
    quantities = {day: stored_quantity(note) for day, note in measured.items()}
    own = next(iter(quantities.values()), None)
    return [day for day, quantity in quantities.items() if quantity is own]


def _note(layout: Layout, part: Part) -> Mapping[str, Any] | None:
    """The note of a day; None where its file is damaged, which another check tells."""
    try:
        return store.note_of(layout, S1_BACKSCATTER, part.region_id, part.day)
    except LakeError:
        return None


def _passes(seen: Seen, band: str) -> TrackPasses:
    days = [(scene.start_utc - EPOCH).total_seconds() / 86400 for scene, _ in seen]
    values = [bands[band] for _, bands in seen]
    names = tuple(scene.platform for scene, _ in seen)
    stacked = np.stack(values) if values else np.empty((0, 0), np.float32)
    return TrackPasses(names, np.array(days, np.float64), stacked)


def _pixels(
    layout: Layout, region: str, day: date | None
) -> Mapping[str, Mapping[str, NDArray[np.float32]]]:
    """Backscatter of every n-th pixel by scene and band; NaN where a pass has no row."""
    made = store.read(layout, S1_BACKSCATTER, region, day, columns=["scene_id", "cell_id", *BANDS])
    if made is None or not made.rows.num_rows:
        return {}
    size = window_from(made.note["grid"]).size
    step = -(-size // MOST_PIXELS)
    cells = values_of(made.rows["cell_id"])
    thin = made.rows.filter(pa.array(cells % step == 0))
    found = {}
    for name in pc.unique(thin["scene_id"]).to_pylist():
        rows = thin.filter(pc.equal(thin["scene_id"], name))
        at = values_of(rows["cell_id"]) // step
        found[name] = {band: _spread(values_of(rows[band]), at, -(-size // step)) for band in BANDS}
    return found


def _spread(
    values: NDArray[np.floating], at: NDArray[np.integer], size: int
) -> NDArray[np.float32]:
    out = np.full(size, np.nan, np.float32)
    out[at] = values
    return out
