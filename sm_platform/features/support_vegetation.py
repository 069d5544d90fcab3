"""Vegetation at the support: the native cells of a composite as one observation of a coarse cell.

A composite says how well and when each native cell was seen. A coarse cell must say so too, in the
same codes, because the recipes choose by them. A few clear cells between clouds are no observation
of the whole: they would enter a series as a jump to another part of the cell.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.features.sightings import GOOD, MARGINAL, SNOW, UNKNOWN
from sm_platform.features.support_footprint import Index, in_range_mean
from sm_platform.schema.recipes import ISSUE_DELAY_H

CLOUD = 3
"""Pixel reliability of MOD13: the target is not visible."""
DAY_BITS = 32

Bands = Mapping[str, NDArray[Any]]
Mask = NDArray[np.bool_]


def reduced_composite(
    bands: Bands, cell: Index, size: int, available_utc: datetime | None
) -> dict[str, NDArray[Any]]:
    """`layers.NDVI_BANDS` of `size` coarse cells from those of k native ones in the cells `cell`.

    - Where clouds hide more than half of the native cells (fill apart), the reliability is cloud.
      Else the ground is seen: as snow where more of it is snow than clear (good, marginal or not
      known), otherwise with the reliability most of the clear cells have, the better of equals.
    - NDVI is the mean over the clear cells; under snow, over snow; without a clear one, over all.
      Values out of range stay out; a cell with nothing else keeps their code.
    - The day is the median of the days of the cells in the mean. Where the composite may have been
      at hand before the newest of them, it is that newest one, so that nothing from after a pass
      is used for it.

    Chosen on a year of simulated composites (both places, seed 5): the RMSE against the mean of
    the pixels' own series is 0.02-0.03; with any clear cell enough it is 0.04-0.05, with the best
    reliability alone 0.04-0.06, with the newest day in place of the median 0.03-0.04.
    """
    ndvi, code, quality = bands["ndvi"], bands["ndvi_range_code"], bands["reliability_code"]
    is_known = (code == 0) & ~np.isnan(ndvi)
    is_clear = is_known & np.isin(quality, (GOOD, MARGINAL, UNKNOWN))
    is_snow, is_cloud = quality == SNOW, quality == CLOUD
    clear, snow, cloud = (_count(some, cell, size) for some in (is_clear, is_snow, is_cloud))
    shows_snow = (snow > clear) & (snow + clear >= cloud)
    is_taken = is_known & np.where(
        shows_snow[cell], is_snow, np.where(clear[cell] > 0, is_clear, True)
    )
    mean, range_code = in_range_mean(np.where(is_taken, ndvi, np.nan), code, cell, size)
    is_dated = is_taken | (is_snow & shows_snow[cell])
    seen = _usual_clear(quality, is_clear, cell, size)
    hidden = np.where(cloud > 0, CLOUD, UNKNOWN)
    reliability = np.where((clear > 0) & (clear + snow >= cloud), seen, hidden)
    return {
        "ndvi": mean,
        "ndvi_range_code": range_code,
        "reliability_code": np.where(shows_snow, SNOW, reliability).astype(np.int8),
        "observed_day": _day(bands["observed_day"][is_dated], cell[is_dated], size, available_utc),
    }


def _count(some: Mask, cell: Index, size: int) -> NDArray[np.intp]:
    return np.bincount(cell[some], minlength=size)


def _usual_clear(
    quality: NDArray[np.integer], is_clear: Mask, cell: Index, size: int
) -> NDArray[np.int64]:
    """(size,): the reliability most of the clear cells have; good before marginal at equality."""
    codes = np.array([GOOD, MARGINAL, UNKNOWN])
    counts = [_count(is_clear & (quality == one), cell, size) for one in codes]
    return np.asarray(codes[np.argmax(counts, axis=0)])


def _day(
    days: NDArray[np.integer], cell: Index, size: int, available_utc: datetime | None
) -> NDArray[np.int32]:
    """(size,): median day (the earlier of two), or the newest where that may still have come."""
    known = days > 0
    key = np.sort((cell[known].astype(np.int64) << DAY_BITS) | days[known])
    count = np.bincount(cell[known], minlength=size)
    last = np.cumsum(count) - 1
    middle = last - count // 2
    if not key.size:
        return np.full(size, -1, np.int32)
    median, newest = (key[np.maximum(at, 0)] & ((1 << DAY_BITS) - 1) for at in (middle, last))
    day = np.where(newest < _first_pass_day(available_utc), median, newest)
    return np.where(count > 0, day, -1).astype(np.int32)


def _first_pass_day(available_utc: datetime | None) -> int:
    """Day (ordinal) of the earliest pass whose map can use what became available then."""
    if available_utc is None:
        return -1
    return (available_utc - timedelta(hours=ISSUE_DELAY_H)).toordinal()
