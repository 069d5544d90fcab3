"""What labels and truth show: the physical world, or a world made to try those who learn from it.

Independent labels are free of what products have in common and of their smoothing: what a training
makes of them is its own doing. Random truth has nothing to do with radar, vegetation and weather,
so that whoever finds skill in it has been fooled.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import numpy as np

from sm_platform.errors import UsageError
from sm_platform.sources.simulated.fields import Field, Streams
from sm_platform.sources.simulated.label_errors import Overpass
from sm_platform.sources.simulated.world import TRUTH_DAY, World

INDEPENDENT_SD = 0.05
"""m3/m3, of a pixel and overpass."""


class Labels(StrEnum):
    """What the 100 m label files hold."""

    PUBLISHED = "published"
    """The product with its stated errors."""
    INDEPENDENT = "independent"
    """The truth of each pixel with noise of its own; nothing where water stands."""


class Truth(StrEnum):
    """The soil moisture that label files and truth show."""

    PHYSICAL = "physical"
    """That of the water balance, as the radar sees it."""
    RANDOM = "random"
    """Drawn anew for each pixel and day from all drained ones."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Choices that leave radar, vegetation, weather, soil and flooding as they are."""

    labels: Labels = Labels.PUBLISHED
    truth: Truth = Truth.PHYSICAL

    def unusual(self) -> dict[str, str]:
        """Name and value of each choice that is not the default."""
        chosen = {"labels": self.labels, "truth": self.truth}
        usual = {"labels": Labels.PUBLISHED, "truth": Truth.PHYSICAL}
        return {name: one.value for name, one in chosen.items() if one is not usual[name]}


Choice = TypeVar("Choice", bound=StrEnum)


def shown_by_name(labels: str, truth: str) -> Shown:
    """The choices with these names; raises UsageError for a name that is none."""
    return Shown(_named(Labels, labels, "labels"), _named(Truth, truth, "truth"))


def _named(kind: type[Choice], name: str, what: str) -> Choice:
    known = {one.value: one for one in kind}
    if name not in known:
        raise UsageError(f"'{name}' is no kind of {what}: choose {' or '.join(known)}.")
    return known[name]


def shown_world(world: World, truth: Truth) -> World:
    """The world as labels and truth show it; all but its soil moisture is shared with `world`.

    Where water stands the moisture is random, too, although the flooding is not: rows that should
    have been left out bring no skill.
    """
    if truth is Truth.PHYSICAL:
        return world
    first = world.index(TRUTH_DAY)
    drained = world.sm_m3m3[first:][~world.is_flooded[first:]]
    rng = Streams(world.seed, world.place.index).rng("random_truth")
    moisture = world.sm_m3m3.copy()
    for day in moisture[first:]:
        day[:] = drained[rng.integers(0, len(drained), day.shape)]
    return replace(world, sm_m3m3=moisture)


def independent_estimate(world: World, overpass: Overpass) -> Field:
    """Truth and noise of each pixel, (rows, cols) m3/m3 cut to 0..1; NaN where water stands."""
    n = world.index(overpass.day)
    rng = Streams(world.seed, world.place.index).rng(f"independent_label_{overpass.day}")
    noise = INDEPENDENT_SD * rng.standard_normal(world.window.shape, np.float32)
    estimate = np.clip(world.sm_m3m3[n] + noise, 0, 1)
    return np.where(world.is_flooded[n], np.float32(np.nan), estimate)
