"""What an L-band radiometer tells of a place on the 9 km grid, the same for all products of it.

The retrieval sees a wide region through a 33 km footprint, standing water counted as very wet
soil; the error of the day is that of the overpass, shared with the sharpened products.
"""

from datetime import datetime, time, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sm_platform.grid.calendar import utc
from sm_platform.sources.simulated.fields import Mask, Streams
from sm_platform.sources.simulated.footprints import Footprints
from sm_platform.sources.simulated.label_errors import REGIONAL_SHARE, Overpass, as_sensed
from sm_platform.sources.simulated.world import World

LOWEST_M3M3, HIGHEST_M3M3 = 0.02, 0.6
"""Range of the retrieval."""
PARTIAL_SHARE = 0.08
"""Of the overpasses end inside the cells of a subset, along a meridian."""


class Half(StrEnum):
    """Half-orbit: SMAP crosses the equator at 6 and 18 h local solar time."""

    AM = "am"
    PM = "pm"

    @property
    def hour(self) -> float:
        """Local solar hour."""
        return 6.0 if self is Half.AM else 18.0


def half_of(world: World, overpass: Overpass) -> Half:
    """Which half-orbit an overpass is of."""
    rng = Streams(world.seed, world.place.index).rng(f"l_band_half_{overpass.day}")
    return Half.AM if rng.random() < 0.5 else Half.PM


def sensed_utc(world: World, overpass: Overpass, half: Half) -> datetime:
    """Moment of the UTC day of the overpass at which the half-orbit is over the place."""
    midnight = utc(datetime.combine(overpass.day, time()))
    hours = (half.hour - world.place.lon / 15) % 24
    return midnight + timedelta(seconds=round(hours * 3600))


def l_band_estimate(world: World, nine: Footprints, overpass: Overpass) -> NDArray[np.float64]:
    """Soil moisture (m3/m3) of each 9 km cell: .6 the region's, .4 its own, and the day's error."""
    sensed = as_sensed(world, overpass.day)
    coarse = REGIONAL_SHARE * float(sensed.mean()) + (1 - REGIONAL_SHARE) * nine.means(sensed)
    estimate = coarse + overpass.shared_error + overpass.coarse_error
    return np.clip(estimate, LOWEST_M3M3, HIGHEST_M3M3)


def is_seen(world: World, nine: Footprints, overpass: Overpass) -> Mask:
    """Which 9 km cells lie in the swath: now and then a few columns of one side do not."""
    rng = Streams(world.seed, world.place.index).rng(f"l_band_swath_{overpass.day}")
    cols = np.arange(nine.window.shape[1])
    is_partial, n_seen = rng.random() < PARTIAL_SHARE, rng.integers(1, len(cols))
    inside = cols < n_seen if rng.random() < 0.5 else cols >= n_seen
    return np.asarray(np.broadcast_to(inside | (not is_partial), nine.window.shape))
