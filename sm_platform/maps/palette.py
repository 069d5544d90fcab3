"""Colours of the pictures: one fixed ramp of soil moisture, one of spread, four quality classes."""

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgb
from numpy.typing import NDArray

from sm_platform.maps.invariants import Mask
from sm_platform.schema.product import QA_BITS, QA_CRITICAL_MASK, QA_OUTSIDE_REGION, QA_REJECT_MASK

MASKED = "#D9D9D9"
STEPS = 256


@dataclass(frozen=True, slots=True)
class Ramp:
    """Colours over `low` to `high` m3/m3; values beyond an end take its colour."""

    low: float
    high: float
    stops: tuple[str, ...]

    @property
    def colormap(self) -> LinearSegmentedColormap:
        """The ramp for matplotlib, 256 steps."""
        return LinearSegmentedColormap.from_list("ramp", self.stops, N=STEPS)


MOISTURE = Ramp(0.0, 0.5, ("#7A4A12", "#C08A3E", "#EBD9A9", "#A9CFE0", "#4A90C4", "#12457E"))
"""Brown (dry) to blue (wet), apart for all common colour visions."""
SPREAD = Ramp(0.0, 0.1, ("#FFF7EC", "#FDD49E", "#FC8D59", "#D7301F", "#7F0000"))


@dataclass(frozen=True, slots=True)
class Grade:
    """One class of the quality picture."""

    title: str
    color: str


GRADES = (
    Grade("recommended", "#1B7837"),
    Grade("recommended, see bits", "#A6DBA0"),
    Grade("rejected", "#F4A582"),
    Grade("critical or no value", "#5B5B5B"),
)
GRADE_COLORS = ListedColormap([grade.color for grade in GRADES])


def paint(values: NDArray[np.floating], ramp: Ramp, outside: Mask) -> NDArray[np.uint8]:
    """RGBA of shape (rows, cols, 4): the ramp, masked cells grey, outside transparent.

    Args:
        values: NaN where masked.
        ramp: colours.
        outside: True outside the region.
    """
    share = (np.nan_to_num(values, nan=ramp.low) - ramp.low) / (ramp.high - ramp.low)
    steps = np.clip(np.floor(share * STEPS), 0, STEPS - 1).astype(np.intp)
    table = ramp.colormap(np.arange(STEPS), bytes=True)
    picture = np.asarray(table[steps], dtype=np.uint8)
    picture[np.isnan(values)] = [*(round(255 * part) for part in to_rgb(MASKED)), 255]
    picture[outside] = 0
    return picture


def grade_index(sm: NDArray[np.floating], qa: NDArray[np.generic]) -> NDArray[np.float64]:
    """Index into `GRADES` of each cell, NaN outside the region."""
    bits = qa.astype(np.uint16)
    any_bit = sum(int(entry.bit) for entry in QA_BITS)
    index = np.where((bits & any_bit) != 0, 1.0, 0.0)
    index[(bits & QA_REJECT_MASK) != 0] = 2
    index[np.isnan(sm) | ((bits & QA_CRITICAL_MASK) != 0)] = 3
    index[bits == QA_OUTSIDE_REGION] = np.nan
    return index
