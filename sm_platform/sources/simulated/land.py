"""Relief and texture of a place, and the patches in which people manage it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.sources.simulated.fields import (
    CELL_M,
    Field,
    Streams,
    logistic,
    standardised,
    voronoi,
)
from sm_platform.sources.simulated.places import Place

Shape = tuple[int, int]
GROUP_PIXELS = 4
"""Mean area of a field group, in pixels of one hectare: the scale of management."""
BLOCK_PIXELS = 25
"""Mean area of an irrigation block: the scale of calendars."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Terrain, (rows, cols)."""

    elevation_m: Field
    slope_deg: Field
    aspect_deg: Field
    """Direction of steepest descent, clockwise from north."""
    wetness_index: Field
    """Standardised: positive in hollows."""


@dataclass(frozen=True, slots=True)
class Texture:
    """Soil of the top 5 cm, (rows, cols)."""

    sand_fraction: Field
    clay_fraction: Field
    bulk_density_g_cm3: Field
    organic_percent: Field


@dataclass(frozen=True, slots=True)
class Patches:
    """Patch numbers from 0, (rows, cols)."""

    group: NDArray[np.intp]
    block: NDArray[np.intp]


def relief(place: Place, shape: Shape, streams: Streams) -> Relief:
    """A delta 1-3 m above the sea, or hills of some 23 degrees on a rolling plateau."""
    rolling = 1500.0 if place.is_delta else 2500.0
    if place.is_delta:
        elevation = 1.5 + 0.5 * streams.grf("elevation", shape, rolling)
    else:
        hills = np.maximum(streams.grf("hills", shape, 1500.0, 1.5) - 0.5, 0)
        elevation = 500 + 60 * streams.grf("elevation", shape, rolling, 1.5) + 170 * hills
    slope, aspect = slope_aspect(elevation)
    hollows = -standardised(elevation) + 0.3 * streams.grf("hollows", shape, 700.0)
    return Relief(elevation, slope, aspect, standardised(hollows))


def slope_aspect(elevation_m: Field) -> tuple[Field, Field]:
    """Slope and aspect in degrees from central differences; row 0 is north."""
    southward, eastward = np.gradient(elevation_m, CELL_M)
    slope = np.degrees(np.arctan(np.hypot(southward, eastward)))
    aspect = np.degrees(np.arctan2(-eastward, southward)) % 360
    return slope.astype(np.float32), aspect.astype(np.float32)


def texture(place: Place, shape: Shape, streams: Streams) -> Texture:
    """Alluvium in the delta; in the highland a mix of Acrisol and basaltic Ferralsol."""
    broad = streams.grf("texture", shape, 2500.0)
    fine = streams.grf("texture_fine", shape, 2500.0)
    if place.is_delta:
        return Texture(
            sand_fraction=np.clip(0.22 + 0.08 * broad, 0.03, 0.7),
            clay_fraction=np.clip(0.33 - 0.06 * broad + 0.03 * fine, 0.08, 0.6),
            bulk_density_g_cm3=1.30 + 0.05 * fine,
            organic_percent=np.full(shape, 2.0, np.float32),
        )
    basalt = logistic(4 * broad)
    return Texture(
        sand_fraction=0.48 - 0.26 * basalt + 0.01 * fine,
        clay_fraction=0.24 + 0.28 * basalt + 0.02 * fine,
        bulk_density_g_cm3=1.38 - 0.26 * basalt + 0.03 * fine,
        organic_percent=2 + basalt,
    )


def patches(shape: Shape, streams: Streams) -> Patches:
    """Field groups and irrigation blocks."""
    return Patches(
        group=voronoi(shape, GROUP_PIXELS, streams.rng("groups")),
        block=voronoi(shape, BLOCK_PIXELS, streams.rng("blocks")),
    )
