"""What a prediction without any feature is worth: the labels' own means."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.moments import Floats, ratio
from sm_platform.trust.pairs import Names

REACH_DAYS = 15
"""Days before and after a day of the year whose labels make its climatology."""
MIN_LABELS = 5
"""Labels within that reach that a site needs for a climatology of its own."""
YEAR = 366
"""Days of the circle; 29 February has a place of its own, so a day has the same one each year."""


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """n training labels, all known."""

    sm_m3m3: NDArray[np.floating]
    """(n,)"""
    site_id: Names
    """(n,)"""
    day: NDArray[np.datetime64]
    """(n,): UTC day."""

    def __post_init__(self) -> None:
        lengths = [len(self.sm_m3m3), len(self.site_id), len(self.day)]
        if len(set(lengths)) > 1 or not lengths[0]:
            raise DataError(f"Training labels of {lengths} rows: bring at least one whole row.")
        if not np.isfinite(self.sm_m3m3).all():
            raise DataError("A training label is missing: leave its row out.")


def site_mean(learn: KnownLabels, *, site_id: Names) -> Floats:
    """Mean training label of each row's site (m,) in m3/m3; of all sites where it has none."""
    sites, index = np.unique(learn.site_id, return_inverse=True)
    label = learn.sm_m3m3.astype(np.float64)
    mean = np.bincount(index, label) / np.bincount(index)
    place, is_known = _find(sites, site_id)
    return np.where(is_known, mean[place], label.mean())


def climatology(learn: KnownLabels, *, site_id: Names, day: NDArray[np.datetime64]) -> Floats:
    """Mean training label around each row's day of the year (m,) in m3/m3.

    Labels of all years within 15 days before and after count, over the turn of the year as well:
    those of the row's site where it has 5, else those of all sites, else, in a part of the year
    without labels, all labels.
    """
    sites, index = np.unique(learn.site_id, return_inverse=True)
    label = learn.sm_m3m3.astype(np.float64)
    cell = index * YEAR + day_of_circle(learn.day)
    size = len(sites) * YEAR
    total = _around(np.bincount(cell, label, minlength=size).reshape(-1, YEAR))
    count = _around(np.bincount(cell, minlength=size).reshape(-1, YEAR))
    anywhere = ratio(total.sum(axis=0), count.sum(axis=0))
    place, is_known = _find(sites, site_id)
    when = day_of_circle(day)
    at_site = ratio(total, count)[place, when]
    is_enough = is_known & (count[place, when] >= MIN_LABELS)
    found = np.where(is_enough, at_site, anywhere[when])
    return np.where(np.isfinite(found), found, label.mean())


def day_of_circle(day: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Day of a leap year, 0 on 1 January to 365, shape (n,): 1 March is 60 in every year."""
    month = day.astype("datetime64[M]")
    in_month = (day.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
    start = np.datetime64("2000-01") + month.astype(np.int64) % 12  # 2000 is a leap year
    before = (start.astype("datetime64[D]") - np.datetime64("2000-01-01")).astype(np.int64)
    found: NDArray[np.int64] = before + in_month
    return found


def _around(by_day: NDArray[np.number]) -> Floats:
    """Sums (sites, YEAR) over REACH_DAYS before and after each day of the circle."""
    reach = range(-REACH_DAYS, REACH_DAYS + 1)
    found: Floats = sum((np.roll(by_day, step, axis=1) for step in reach), np.zeros(by_day.shape))
    return found


def _find(sites: NDArray[Any], wanted: Names) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Place of each wanted site (m,) in the sorted sites, and whether it is there at all."""
    place = np.minimum(np.searchsorted(sites, wanted), len(sites) - 1)
    return place, np.asarray(sites[place] == wanted)
