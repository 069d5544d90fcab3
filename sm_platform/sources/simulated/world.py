"""World: the complete known truth of one simulated place, and `simulate`, which makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform.sources.simulated import cover as covers
from sm_platform.sources.simulated import land as lands
from sm_platform.sources.simulated import seasons, vegetation, water, weather
from sm_platform.sources.simulated.cover import Codes, Cover
from sm_platform.sources.simulated.fields import FULL_SIZE, Field, Mask, Streams
from sm_platform.sources.simulated.hydraulics import saxton_rawls, with_hidden_shift
from sm_platform.sources.simulated.places import PLACES, Place
from sm_platform.sources.simulated.surface import Surface, surface

FIRST_DAY = date(2023, 12, 1)
"""First day of NDVI, temperature and rain."""
SPIN_UP_DAY = date(2024, 10, 1)
"""First day of the water balance; before it soil moisture is NaN and NDVI knows no rain."""
TRUTH_DAY = date(2025, 1, 1)
"""First day of radar and labels: soil moisture is the truth from here on."""
LAST_DAY = date(2026, 3, 31)
N_DAYS = (LAST_DAY - FIRST_DAY).days + 1
SMALLEST = 48
"""Rows below which patches and showers lose their meaning."""

__all__ = ["FIRST_DAY", "LAST_DAY", "PLACES", "Cover", "Place", "World", "simulate"]


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


@dataclass(frozen=True, slots=True)
class _Days:
    """The daily arrays that the water balance fills, (n_days, rows, cols)."""

    ndvi: Field
    sm_m3m3: Field
    is_flooded: Mask


def simulate(place: Place, seed: int, *, size: int = FULL_SIZE) -> World:
    """The truth of a place from 2023-12-01 to 2026-03-31 on size x size pixels of 100 m.

    A smaller world has the relief and soils of the full one's north-western corner, but its own
    fields, calendars and showers.

    Raises:
        UsageError: the seed is negative, or the size below 48.
    """
    if seed < 0 or size < SMALLEST:
        raise UsageError(f"Seed {seed}, size {size}: the seed is 0 or more, the size {SMALLEST}.")
    shape, streams = (size, size), Streams(seed, place.index)
    relief = lands.relief(place, shape, streams)
    texture = lands.texture(place, shape, streams)
    patches = lands.patches(shape, streams)
    soil = with_hidden_shift(saxton_rawls(texture), patches, streams)
    codes = covers.cover(place, relief, patches, streams)
    shares = covers.fractions(codes, streams)
    air = weather.regional(place, FIRST_DAY, N_DAYS, streams)
    rain_m = weather.local_rain(air, shape, streams)
    plan = seasons.calendar(place, codes, patches, FIRST_DAY, N_DAYS, streams)
    green = vegetation.vegetation(codes, shares, plan, patches, streams)
    at = water.buckets(place, soil, relief, patches, streams)
    warmer_k = weather.LAPSE_K_PER_M * (relief.elevation_m - place.reference_elevation_m)
    days = _run(at, green, codes, _Sky(place, air, rain_m, warmer_k))
    return World(
        place=place,
        window=ease2.window_around(ease2.LEVEL_100M, place.lon, place.lat, shape),
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
        cover_code=codes,
        fractions=shares,
        temperature_k=air.temperature_k,
        temperature_range_k=air.temperature_range_k,
        rain_regional_m=air.rain_m,
        rain_m=rain_m,
        ndvi=days.ndvi,
        sm_m3m3=days.sm_m3m3,
        is_flooded=days.is_flooded,
        surface=surface(green, plan, patches, rain_m, streams),
    )


@dataclass(frozen=True, slots=True)
class _Sky:
    """Weather as the ground feels it."""

    place: Place
    air: weather.Weather
    rain_m: Field
    warmer_k: Field
    """Of each pixel than the reference elevation."""

    def et0_mm(self, n: int, day: date) -> Field:
        sun_mj = weather.extraterrestrial_mj(self.place.lat, day.timetuple().tm_yday)
        range_k = float(self.air.temperature_range_k[n])
        return weather.hargreaves_mm(sun_mj, self.air.temperature_k[n] + self.warmer_k, range_k)


def _run(at: water.Buckets, green: vegetation.Vegetation, codes: Codes, sky: _Sky) -> _Days:
    """Vegetation of all days, and water from the spin-up on."""
    shape = (N_DAYS, *codes.shape)
    days = _Days(
        np.empty(shape, np.float32), np.full(shape, np.nan, np.float32), np.empty(shape, np.bool_)
    )
    half_full: Field = (at.soil.field_capacity - at.soil.wilting_point) / 2
    layers = water.start(at)
    for n, day in _calendar_days():
        doy = day.timetuple().tm_yday
        wetness = half_full if day < SPIN_UP_DAY else layers.top - at.soil.wilting_point
        crop = vegetation.crop_ndvi(green, n, doy, wetness)
        trees = vegetation.tree_ndvi(green, doy)
        days.ndvi[n] = vegetation.pixel_ndvi(green, crop, trees)
        days.is_flooded[n] = seasons.flooded(green.plan, n) | (codes == Cover.WATER)
        if day < SPIN_UP_DAY:
            continue
        layers = water.next_day(
            at,
            layers,
            water.Forcing(
                rain_mm=sky.rain_m[n] * 1000,
                irrigation_mm=seasons.irrigation_mm(green.plan, n, doy),
                et0_mm=sky.et0_mm(n, day),
                ndvi=days.ndvi[n],
                is_flooded=days.is_flooded[n],
            ),
        )
        days.sm_m3m3[n] = layers.top
    return days


def _calendar_days() -> Iterator[tuple[int, date]]:
    return ((n, FIRST_DAY + timedelta(days=n)) for n in range(N_DAYS))
