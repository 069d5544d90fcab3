"""Inundation: flooded rice from VV and VH, with memory over the earlier passes of a track.

Calm water under young rice mirrors the pulse away: VV falls to about -19 dB, VH to the noise. Under
grown rice the double bounce between stems and water lifts VV again, to the level of moist soil, so
one pass cannot tell; but VV stays a little lower, and nearer to VH, than over drained fields, and a
field that floods swings far over the season. So each pass gives evidence, evidence fades within
days (fields are drained and flooded again within a week or two), and it counts only in fields that
have swung as far as flooded ones do. Where the radar sees nothing, the last state fades on.

The numbers were chosen on a simulated delta and highland (seed 77, 60 x 60 pixels, tracks with a
pass every 6 or 12 days), not on real fields.
"""

from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from sm_platform.features.drivers import ScenePass
from sm_platform.grid.calendar import utc
from sm_platform.grid.window import Raster

FIELD_SHARE = 0.3
"""Least share of crop and wetland in a pixel in which rice is looked for."""
WATER_VV_DB = -9.3
"""VV that is as likely over flooded as over drained fields (5 to 95 %: -16..-8, -11..-5.5 dB)."""
WATER_RATIO_DB = 8.1
"""VV - VH that is as likely over flooded as over drained fields (5..8.4, 7..12 dB)."""
VV_WEIGHT = 0.5
"""Evidence (log odds) that each dB of VV below `WATER_VV_DB` adds."""
RATIO_WEIGHT = 1.0
"""The same for VV - VH."""
MOST_EVIDENCE = 4.0
"""Log odds that no number of equal passes exceeds, so that a drained field is soon believed."""
FADING_D = 8.0
"""Days in which evidence fades to 1/e."""
SWING_DB = 5.5
"""VV range of a field that floods; dry crops stay below, single rice fields swing 6 to 13 dB."""
OPEN_WATER_VV_DB = -15.0
"""VV that only open water shows in farmland: no swing is asked for."""

Numbers = NDArray[np.float32]


AROUND_CELLS = 9
"""Side, in pixels of 100 m, of the land around a place: a product of 100 m sees about so far."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the passes so far say of each pixel, (n,)."""

    evidence: Numbers
    """Log odds that water stands on the field."""
    brightest_db: Numbers
    darkest_db: Numbers


def flooded(
    scene: ScenePass, field_share: NDArray[np.floating], cells: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether water stands on each of the flat pixels `cells` at the pass, (n,).

    `field_share` (n,) is crop and wetland together; where it is NaN or small the answer is no. Give
    `scene.history` a year of passes: without it only fields as dark as open water are found.
    """
    is_field = field_share >= FIELD_SHARE
    earlier = [(utc(start), raster) for start, raster in scene.history]
    earlier = [one for one in earlier if one[0] < utc(scene.start_utc)]
    passes = [*sorted(earlier, key=itemgetter(0)), (utc(scene.start_utc), scene.backscatter)]
    found = np.zeros(cells.size, np.bool_)
    found[is_field] = _state(passes, cells[is_field])
    return found


def share_around(
    is_flooded: NDArray[np.bool_], is_seen: NDArray[np.bool_], side: int
) -> NDArray[np.float32]:
    """Share of the seen pixels in the square around each that are flooded, (rows, cols).

    A retrieval that does not tell standing water from wet soil reads the water of its whole
    footprint, so a label beside flooded fields is none of the drained soil. NaN where nothing was
    seen around; beyond the edge nothing is. `side` is the width of the square in pixels.
    """
    seen = uniform_filter(is_seen.astype(np.float32), side, mode="constant")
    wet = uniform_filter((is_flooded & is_seen).astype(np.float32), side, mode="constant")
    few = np.float32(0.5 / side**2)  # less than one pixel: rounding
    share = np.divide(wet, seen, out=np.full_like(wet, np.nan), where=seen > few)
    return np.clip(share, 0, 1)


def _state(passes: list[tuple[datetime, Raster]], cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The state after the last of the passes, which are in order of time."""
    unseen = np.full(cells.size, np.nan, np.float32)
    memory, before = _Memory(np.zeros(cells.size, np.float32), unseen, unseen), passes[0][0]
    for start, raster in passes:
        vv, vh = (
            np.asarray(raster.values[name], np.float32).ravel()[cells]
            for name in ("vv_db", "vh_db")
        )
        memory = _after(memory, (start - before).total_seconds() / 86400, vv, vh)
        before = start
    swing = memory.brightest_db - memory.darkest_db
    can_flood = (swing >= SWING_DB) | (memory.darkest_db <= OPEN_WATER_VV_DB)
    return (memory.evidence > 0) & can_flood


def _after(memory: _Memory, days: float, vv_db: Numbers, vh_db: Numbers) -> _Memory:
    """The memory `days` later, with what the pass adds; NaN adds nothing."""
    old = memory.evidence * np.float32(np.exp(-days / FADING_D))
    new = VV_WEIGHT * (WATER_VV_DB - vv_db) + RATIO_WEIGHT * (WATER_RATIO_DB - (vv_db - vh_db))
    evidence = np.clip(old + np.nan_to_num(new, nan=0.0), -MOST_EVIDENCE, MOST_EVIDENCE)
    return _Memory(
        evidence.astype(np.float32),
        np.fmax(memory.brightest_db, vv_db),
        np.fmin(memory.darkest_db, vv_db),
    )
