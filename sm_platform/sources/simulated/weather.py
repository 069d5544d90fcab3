"""Daily weather: the regional series and the local rain that only the ground sees."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sm_platform.sources.simulated.fields import Field, Streams, matern
from sm_platform.sources.simulated.places import Months, Place

KELVIN = 273.15
LAPSE_K_PER_M = -0.0065
CONVECTIVE_MONTHS = range(4, 11)
"""April to October: showers, patchy; else drizzle and fronts."""
TYPHOON_MONTH = 9


@dataclass(frozen=True, slots=True)
class Weather:
    """Regional series of local days (UTC+7), each (n_days,)."""

    first_day: date
    temperature_k: Field
    """Daily mean at the place's reference elevation."""
    temperature_range_k: Field
    rain_m: Field
    is_typhoon: np.ndarray[tuple[int], np.dtype[np.bool_]]


def regional(place: Place, first_day: date, n_days: int, streams: Streams) -> Weather:
    """Temperature, its daily range, and rain of a two-state chain with gamma amounts."""
    days = [first_day + timedelta(days=n) for n in range(n_days)]
    climate = place.climate
    departure = _autoregressive(streams.rng("temperature"), n_days, 0.75)
    sd = np.array([climate.temperature_sd_k[day.month - 1] for day in days])
    mean = KELVIN + _smooth(climate.temperature_c, days)
    spread = np.exp(0.15 * streams.rng("temperature_range").standard_normal(n_days) - 0.15**2 / 2)
    rain_m = _rain(place, days, streams)
    storm_m = _typhoons(place, days, streams)
    return Weather(
        first_day,
        (mean + sd * departure).astype(np.float32),
        (_smooth(climate.temperature_range_k, days) * spread).astype(np.float32),
        (rain_m + storm_m).astype(np.float32),
        storm_m > 0,
    )


def _smooth(normals: Months, days: list[date]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Monthly normals, linear between the middles of the months."""
    middle = (np.arange(12) + 0.5) * 365.25 / 12
    return np.interp([day.timetuple().tm_yday for day in days], middle, normals, period=365.25)


def _autoregressive(
    rng: np.random.Generator, count: int, r: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A stationary series of unit variance with correlation r between neighbours."""
    steps = rng.standard_normal(count) * np.sqrt(1 - r**2)
    series = np.empty(count)
    series[0] = steps[0] / np.sqrt(1 - r**2)
    for n in range(1, count):
        series[n] = r * series[n - 1] + steps[n]
    return series


def _rain(
    place: Place, days: list[date], streams: Streams
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """m/day: a wet day follows a wet one with p + .30 (1 - p), p being the month's share."""
    rng = streams.rng("rain")
    amount = np.zeros(len(days))
    is_wet = False
    for n, day in enumerate(days):
        wet_days = place.climate.wet_days[day.month - 1]
        share = wet_days / _month_length(day)
        chance = share + 0.30 * (1 - share) if is_wet else 0.70 * share
        is_wet = bool(rng.random() < chance)
        mean_mm = place.climate.rain_mm[day.month - 1] / wet_days
        drawn = rng.gamma(0.7, mean_mm / 0.7)
        amount[n] = drawn / 1000 if is_wet else 0.0
    return amount


def _month_length(day: date) -> int:
    later = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (later - day.replace(day=1)).days


def _typhoons(
    place: Place, days: list[date], streams: Streams
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """m/day of one storm of two days each September, on top of the rain."""
    rng = streams.rng("typhoon")
    storm = np.zeros(len(days))
    if place.climate.typhoon_mm is None:
        return storm
    for year in sorted({day.year for day in days}):
        start = (date(year, TYPHOON_MONTH, int(rng.integers(3, 27))) - days[0]).days
        total_mm, first = rng.uniform(*place.climate.typhoon_mm), rng.uniform(0.3, 0.7)
        if 0 <= start < len(days) - 1:
            storm[start : start + 2] = total_mm / 1000 * np.array([first, 1 - first])
    return storm


def local_rain(weather: Weather, shape: tuple[int, int], streams: Streams) -> Field:
    """m/day, (n_days, rows, cols): showers of 3 km scale in the convective months.

    A typhoon is wide: its days vary as little as drizzle does, and spare nobody.
    """
    field, rng = matern(shape, 3000.0), streams.rng("local_rain")
    rain = np.zeros((len(weather.rain_m), *shape), np.float32)
    for n in np.flatnonzero(weather.rain_m):
        g = field.draw(rng)
        month = (weather.first_day + timedelta(days=int(n))).month
        is_shower = month in CONVECTIVE_MONTHS and not weather.is_typhoon[n]
        s = 1.1 if is_shower else 0.5
        rain[n] = weather.rain_m[n] * np.exp(s * g - s**2 / 2)
        if is_shower:
            rain[n][g < -1] = 0
    return rain


def extraterrestrial_mj(lat: float, day_of_year: int) -> float:
    """Solar radiation above the atmosphere, MJ/m2/day (FAO-56, equation 21)."""
    turn = 2 * np.pi * day_of_year / 365
    declination, phi = 0.409 * np.sin(turn - 1.39), np.radians(lat)
    sunset = np.arccos(-np.tan(phi) * np.tan(declination))
    shape = sunset * np.sin(phi) * np.sin(declination)
    shape += np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return float(24 * 60 / np.pi * 0.0820 * (1 + 0.033 * np.cos(turn)) * shape)


def hargreaves_mm(radiation_mj: float, temperature_k: Field, range_k: float) -> Field:
    """Reference evapotranspiration, mm/day (FAO-56, equation 52; 0.408 turns MJ/m2 into mm)."""
    warmth = temperature_k - np.float32(KELVIN) + np.float32(17.8)
    return np.asarray(
        np.float32(0.0023 * 0.408 * radiation_mj * np.sqrt(range_k)) * np.maximum(warmth, 0),
        dtype=np.float32,
    )
