"""A place is settled, then lives through the period day by day: vegetation, floods, soil water."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sm_platform.sources.simulated import cover as covers
from sm_platform.sources.simulated import land as lands
from sm_platform.sources.simulated import seasons, vegetation, water, weather
from sm_platform.sources.simulated.cover import Codes, Cover
from sm_platform.sources.simulated.fields import Field, Mask, Streams
from sm_platform.sources.simulated.hydraulics import Hydraulics, saxton_rawls, with_hidden_shift
from sm_platform.sources.simulated.places import Place

FIRST_DAY = date(2023, 12, 1)
"""First day of NDVI, temperature and rain."""
SPIN_UP_DAY = date(2024, 10, 1)
"""First day of the water balance; before it soil moisture is NaN and NDVI knows no rain."""
TRUTH_DAY = date(2025, 1, 1)
"""First day of radar and labels: soil moisture is the truth from here on."""
LAST_DAY = date(2026, 3, 31)
N_DAYS = (LAST_DAY - FIRST_DAY).days + 1


@dataclass(frozen=True, slots=True)
class Settled:
    """What stays the same over the period."""

    place: Place
    relief: lands.Relief
    texture: lands.Texture
    soil: Hydraulics
    patches: lands.Patches
    codes: Codes
    shares: dict[str, Field]
    plan: seasons.Calendar
    green: vegetation.Vegetation


@dataclass(frozen=True, slots=True)
class Sky:
    """Weather as the ground feels it."""

    air: weather.Weather
    rain_m: Field
    """(n_days, rows, cols) m/day."""


@dataclass(frozen=True, slots=True)
class Days:
    """What changes from day to day, (n_days, rows, cols)."""

    ndvi: Field
    sm_m3m3: Field
    is_flooded: Mask


def settle(place: Place, shape: tuple[int, int], streams: Streams) -> Settled:
    """Relief, soil, land cover and the farmers' calendar of a place."""
    relief = lands.relief(place, shape, streams)
    texture = lands.texture(place, shape, streams)
    patches = lands.patches(shape, streams)
    codes = covers.cover(place, relief, patches, streams)
    shares = covers.fractions(codes, streams)
    plan = seasons.calendar(
        place, codes, patches, first_day=FIRST_DAY, last_day=LAST_DAY, streams=streams
    )
    return Settled(
        place=place,
        relief=relief,
        texture=texture,
        soil=with_hidden_shift(saxton_rawls(texture), patches, streams),
        patches=patches,
        codes=codes,
        shares=shares,
        plan=plan,
        green=vegetation.vegetation(codes, shares, plan, patches, streams),
    )


def sky(place: Place, shape: tuple[int, int], streams: Streams) -> Sky:
    """The weather of the period, regional and local."""
    air = weather.regional(place, FIRST_DAY, N_DAYS, streams)
    return Sky(air, weather.local_rain(air, shape, streams))


def live(ground: Settled, above: Sky, streams: Streams) -> Days:
    """NDVI and floods of all days, soil moisture from the spin-up on."""
    at = water.buckets(ground.place, ground.soil, ground.relief, ground.patches, streams)
    layers, wilting = water.start(at), ground.soil.wilting_point
    half_full = (ground.soil.field_capacity - wilting) * np.float32(0.5)
    shape = (N_DAYS, *ground.codes.shape)
    days = Days(
        ndvi=np.empty(shape, np.float32),
        sm_m3m3=np.full(shape, np.nan, np.float32),
        is_flooded=np.empty(shape, np.bool_),
    )
    for n, day in _calendar_days():
        has_water = day >= SPIN_UP_DAY
        days.ndvi[n] = _ndvi(ground, n, day, layers.top - wilting if has_water else half_full)
        days.is_flooded[n] = seasons.flooded(ground.plan, n) | (ground.codes == Cover.WATER)
        if has_water:
            layers = water.next_day(at, layers, _forcing(ground, above, days, (n, day)))
            days.sm_m3m3[n] = layers.top
    return days


def _calendar_days() -> Iterator[tuple[int, date]]:
    return ((n, FIRST_DAY + timedelta(days=n)) for n in range(N_DAYS))


def _ndvi(ground: Settled, n: int, day: date, wetness: Field) -> Field:
    day_of_year = day.timetuple().tm_yday
    crop = vegetation.crop_ndvi(ground.green, n, day_of_year, wetness)
    trees = vegetation.tree_ndvi(ground.green, day_of_year)
    return vegetation.pixel_ndvi(ground.green, crop, trees)


def _forcing(ground: Settled, above: Sky, days: Days, when: tuple[int, date]) -> water.Forcing:
    n, day = when
    day_of_year = day.timetuple().tm_yday
    return water.Forcing(
        rain_mm=above.rain_m[n] * 1000,
        irrigation_mm=seasons.irrigation_mm(ground.plan, n, day_of_year),
        et0_mm=_et0_mm(ground, above.air, n, day_of_year),
        ndvi=days.ndvi[n],
        is_flooded=days.is_flooded[n],
    )


def _et0_mm(ground: Settled, air: weather.Weather, n: int, day_of_year: int) -> Field:
    """Reference evapotranspiration at each pixel's own height, mm/day."""
    sun_mj = weather.extraterrestrial_mj(ground.place.lat, day_of_year)
    above_m = ground.relief.elevation_m - np.float32(ground.place.reference_elevation_m)
    local_k = air.temperature_k[n] + np.float32(weather.LAPSE_K_PER_M) * above_m
    return weather.hargreaves_mm(sun_mj, local_k, float(air.temperature_range_k[n]))
