"""Where the training rows of a checkpoint lie, input by input: kept in its card, and read back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import CheckpointError, DataError
from sm_platform.schema.card import Card
from sm_platform.schema.recipes import SCALARS, Input, Recipe
from sm_platform.schema.rows import FeatureRows
from sm_platform.trust.drift import InputRange, range_of

ENTRY = "training_inputs"
"""Of a card's metadata; older and imported checkpoints have none."""
SERIES = ("ndvi", "temperature_2m", "precipitation")
CALENDAR_AND_PLACE = ("day_sin", "day_cos", "grid_row", "grid_col_sin", "grid_col_cos")
"""Told by the date and the grid, not measured: not judged. Every day of a season that was not
trained on would lie outside, whatever is seen on it."""
MEASURED = tuple(one.name for one in SCALARS if one.name not in CALENDAR_AND_PLACE) + SERIES
MOVING = ("s1_vv", "s1_vh", *SERIES)
"""Those that change with time; soil and terrain stand, the angle is that of the track."""


def values_by_input(rows: FeatureRows) -> dict[str, NDArray[np.float32]]:
    """Each input's values: (n,) of a scalar, (m, 46) of a series, which is kept once."""
    scalars = {one.name: rows.scalars[:, n] for n, one in enumerate(SCALARS)}
    return scalars | {name: rows.series[:, n] for n, name in enumerate(SERIES)}


def told_ranges(rows: FeatureRows) -> dict[str, Any]:
    """What a card keeps of its training rows, as JSON values: 3 kB; {} without a row."""
    found = values_by_input(rows)
    found |= {name: found[name][rows.series_index] for name in SERIES}  # as often as rows use it
    ranges = {name: range_of(values.ravel()) for name, values in found.items()}
    return {
        name: {"quantiles": list(one.quantiles), "shares": list(one.shares)}
        for name, one in ranges.items()
        if one is not None
    }


def ranges_in(card: Card) -> Mapping[str, InputRange]:
    """Ranges of the measured inputs; empty where the card keeps none.

    Raises:
        CheckpointError: the card keeps something else there.
    """
    kept = card.metadata.get(ENTRY, {})
    try:
        return {
            name: InputRange(tuple(kept[name]["quantiles"]), tuple(kept[name]["shares"]))
            for name in MEASURED
            if name in kept
        }
    except DataError as error:
        raise CheckpointError(f"{card.checkpoint_id}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{card.checkpoint_id}: {ENTRY} cannot be read ({error}): train it again."
        ) from error


def in_units(recipe: Recipe, name: str, known: InputRange) -> str:
    """The 1 % to 99 % range of an input in its own unit."""
    one = find_input(recipe, name)
    low, high = (one.low + value * (one.high - one.low) for value in known.limits)
    return f"{low:.4g} to {high:.4g} {one.unit}".removesuffix(" 1")


def find_input(recipe: Recipe, name: str) -> Input:
    """The input of that name."""
    return next(one for one in (*recipe.scalars, *recipe.series) if one.name == name)
