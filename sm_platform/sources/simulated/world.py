"""World: the complete known truth of one simulated place, and `simulate`, which makes it."""

from dataclasses import dataclass
from datetime import date

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.sources.simulated.cover import Codes, Cover
from sm_platform.sources.simulated.fields import FULL_SIZE, Field, Mask, Streams
from sm_platform.sources.simulated.history import (
    FIRST_DAY,
    LAST_DAY,
    N_DAYS,
    SPIN_UP_DAY,
    TRUTH_DAY,
    Days,
    Settled,
    Sky,
    live,
    settle,
    sky,
)
from sm_platform.sources.simulated.places import PLACES, Place
from sm_platform.sources.simulated.surface import Surface, surface

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "PLACES",
    "SPIN_UP_DAY",
    "TRUTH_DAY",
    "Cover",
    "Place",
    "World",
    "simulate",
]

SMALLEST = 48
"""Rows below which patches and showers lose their meaning."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is true in one place; static arrays are (rows, cols), float32.

    Daily arrays begin on `first_day`. A day of rain and of temperature is a local day (UTC+7);
    soil moisture is the state at its end, 17 UTC of the UTC day of the same date: six hours after
    an ascending and six before a descending pass of that UTC day.
    """

    place: Place
    window: GridWindow
    seed: int
    first_day: date
    n_days: int

    elevation_m: Field
    slope_deg: Field
    aspect_deg: Field
    """Direction of steepest descent, clockwise from north."""
    sand_fraction: Field
    clay_fraction: Field
    bulk_density_g_cm3: Field
    organic_percent: Field
    wilting_point: Field
    field_capacity: Field
    saturation: Field
    cover_code: Codes
    """Values of `Cover`."""
    fractions: dict[str, Field]
    """Shares inside the pixel: dry_crop, paddy, trees, village, water; they sum to 1."""

    temperature_k: Field
    """(n_days,) mean of the local day at `place.reference_elevation_m`; -0.65 K per 100 m above."""
    temperature_range_k: Field
    """(n_days,) maximum less minimum of the local day."""
    rain_regional_m: Field
    """(n_days,) m/day, the weather's mean over a wide area."""
    rain_m: Field
    """(n_days, rows, cols) m/day, what falls on each pixel."""
    ndvi: Field
    """(n_days, rows, cols) true NDVI of the whole pixel."""
    sm_m3m3: Field
    """(n_days, rows, cols) of the top 5 cm; NaN before SPIN_UP_DAY, saturation - .01 if flooded."""
    is_flooded: Mask
    """(n_days, rows, cols): water stands on the soil; open water is always flooded."""
    surface: Surface
    """What only the radar needs."""

    def index(self, day: date) -> int:
        """Place of a day in the daily arrays; raises IndexError outside them."""
        n = (day - self.first_day).days
        if not 0 <= n < self.n_days:
            raise IndexError(f"{day} is not a day of the simulated {self.place.region_id}.")
        return n


def simulate(place: Place, seed: int, *, size: int = FULL_SIZE) -> World:
    """The truth of a place from 2023-12-01 to 2026-03-31 on size x size pixels of 100 m.

    A smaller world has the relief and soils of the full one's north-western corner, but its own
    fields, calendars and showers.

    Raises:
        UsageError: the seed is negative, or the size below 48.
    """
    if seed < 0 or size < SMALLEST:
        raise UsageError(
            f"Seed {seed} and size {size} make no world: take a seed of 0 or more and at least "
            f"{SMALLEST} pixels."
        )
    shape, streams = (size, size), Streams(seed, place.index)
    ground, above = settle(place, shape, streams), sky(place, shape, streams)
    days = live(ground, above, streams)
    seen = surface(ground.green, ground.plan, ground.patches, above.rain_m, streams)
    return _assembled(seed, ground, above, days, seen=seen)


def _assembled(seed: int, ground: Settled, above: Sky, days: Days, *, seen: Surface) -> World:
    place, relief, texture, soil = ground.place, ground.relief, ground.texture, ground.soil
    return World(
        place=place,
        window=ease2.window_around(ease2.LEVEL_100M, place.lon, place.lat, ground.codes.shape),
        seed=seed,
        first_day=FIRST_DAY,
        n_days=N_DAYS,
        elevation_m=relief.elevation_m,
        slope_deg=relief.slope_deg,
        aspect_deg=relief.aspect_deg,
        sand_fraction=texture.sand_fraction,
        clay_fraction=texture.clay_fraction,
        bulk_density_g_cm3=texture.bulk_density_g_cm3,
        organic_percent=texture.organic_percent,
        wilting_point=soil.wilting_point,
        field_capacity=soil.field_capacity,
        saturation=soil.saturation,
        cover_code=ground.codes,
        fractions=ground.shares,
        temperature_k=above.air.temperature_k,
        temperature_range_k=above.air.temperature_range_k,
        rain_regional_m=above.air.rain_m,
        rain_m=above.rain_m,
        ndvi=days.ndvi,
        sm_m3m3=days.sm_m3m3,
        is_flooded=days.is_flooded,
        surface=seen,
    )
