"""Why a reading is no label: every reason with its meaning, and the first one that applies."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import DataError


class Rejection(StrEnum):
    """Why a reading is no label; of several reasons the first in this order is told."""

    SWAPPED_LONLAT = "swapped_lonlat"
    OUT_OF_BOUNDS = "out_of_bounds"
    IMPOSSIBLE_DEPTH = "impossible_depth"
    MISSING = "missing"
    FILL_VALUE = "fill_value"
    UNIT_PERCENT = "unit_percent"
    UNIT_FRACTION = "unit_fraction"
    OUT_OF_RANGE = "out_of_range"
    PROVIDER_FLAG = "provider_flag"
    STATION_MOVED = "station_moved"
    DUPLICATE_TIME = "duplicate_time"
    STUCK_SENSOR = "stuck_sensor"


MEANINGS: Mapping[Rejection, str] = {
    Rejection.SWAPPED_LONLAT: "The place lies outside the region, and inside it when longitude and "
    "latitude are exchanged: exchange them in the file.",
    Rejection.OUT_OF_BOUNDS: "The file does not reach the site, or the station lies outside the "
    "region.",
    Rejection.IMPOSSIBLE_DEPTH: "The layer lies above the ground, or its lower end above its "
    "upper one: depths are metres below the surface, not negative.",
    Rejection.MISSING: "The file has no value there.",
    Rejection.FILL_VALUE: "The value is a number that stands for none, such as -9999 or 65535.",
    Rejection.UNIT_PERCENT: "The values are in percent, not in m3/m3: say so where the unit is "
    "asked for, or divide them by 100 in the file.",
    Rejection.UNIT_FRACTION: "The values are said to be in percent and are too small for it: say "
    "m3/m3 where the unit is asked for.",
    Rejection.OUT_OF_RANGE: "The value is not above 0 and at most 0.7 m3/m3.",
    Rejection.PROVIDER_FLAG: "The provider's own quality flag, or a notice, speaks against it.",
    Rejection.STATION_MOVED: "The station has most of its good readings more than 100 m from "
    "here: only those of that place are used.",
    Rejection.DUPLICATE_TIME: "The series has another reading of the same time: equal ones count "
    "once, and of different ones none is used.",
    Rejection.STUCK_SENSOR: "The sensor told the same value for more than 5 days and at least 20 "
    "readings.",
}
"""A sentence for each reason, in the order in which they are applied."""
GOOD = "good"
"""What readings without a reason are counted as."""


def first_reason(found: Mapping[Rejection, NDArray[np.bool_]]) -> pa.Array:
    """The first reason that applies to each of n readings (text, null when none does).

    Args:
        found: for each reason looked for, (n,): whether it applies.
    """
    reasons = [reason for reason in Rejection if reason in found]
    masks = [found[reason] for reason in reasons]
    place = np.select(masks, [np.int8(n) for n in range(len(masks))], default=np.int8(-1))
    words = pa.array([reason.value for reason in reasons], pa.string())
    return words.take(pa.array(place, pa.int8(), mask=place < 0))


def count_reasons(readings: pa.Table) -> dict[str, int]:
    """How many rows each reason of column `reason` took away; all are named, `good` is the rest.

    Raises:
        DataError: a row has a reason that does not exist.
    """
    counts = {**dict.fromkeys([reason.value for reason in Rejection], 0), GOOD: 0}
    for entry in readings["reason"].value_counts().to_pylist():
        name = entry["values"] or GOOD
        if name not in counts:
            raise DataError(f"'{name}' is no reason of ours: judge the readings again.")
        counts[name] = entry["counts"]
    return counts
