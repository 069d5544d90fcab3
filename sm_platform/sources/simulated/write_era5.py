"""ERA5-Land: one netCDF-4 file a UTC day, as the Climate Data Store writes them.

Variables t2m (K) and tp (m, accumulated from 00 UTC) over (valid_time, latitude, longitude), 25
hours from 00 UTC to 00 UTC of the next day, which alone holds the day's total; `expver` says
along the time which values are preliminary. Sea cells are NaN.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry, after, granule_folder
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.netcdf import Blank, DayFile, blank_file, filled
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.weather_errors import CoarseWeather, coarse_weather
from sm_platform.sources.simulated.world import World

DELAY_DAYS = 5
PRELIMINARY = timedelta(days=90)
"""The newest days are not final yet."""
NEGATIVE_SHARE, NEGATIVE_M = 0.03, 2e-8
"""Share of the dry hours written as a tiny negative, and its size at most (packing noise)."""
LICENCE = "Copernicus licence (simulated)"


def write_era5(root: Path, world: World, period: Period) -> list[Entry]:
    """Write a file for every driver day of the period."""
    weather = coarse_weather(world)
    rng = Streams(world.seed, world.place.index).rng("era5_negative")
    noise = np.where(
        rng.random(weather.rain_m.shape) < NEGATIVE_SHARE,
        -NEGATIVE_M * rng.random(weather.rain_m.shape),
        0.0,
    )
    blanks = {is_final: blank_file(weather.window, is_final=is_final) for is_final in (True, False)}
    entries = []
    for day in period.driver_days:
        is_final = day <= period.last - PRELIMINARY
        content = day_file(weather, noise, day)
        entries.append(_write(root, world.place.region_id, content, blanks[is_final]))
    return entries


def day_file(weather: CoarseWeather, noise: NDArray[np.float64], day: date) -> DayFile:
    """The 25 hours of a day; hour 0 carries the total of the day before.

    Args:
        weather: the hours of the whole period.
        noise: of the shape of its rain, m; written in hours before any rain has fallen.
        day: a UTC day of the period.
    """
    start = 24 * (day - weather.first_day).days
    hours = slice(start, start + 25)
    before = weather.rain_m[max(start - 24, 0) : start].sum(axis=0)
    fallen = np.concatenate([before[None], weather.rain_m[start : start + 24].cumsum(axis=0)])
    dry = np.concatenate([noise[start : start + 24], noise[start : start + 1]])
    accumulated = np.where(fallen > 0, fallen, dry)
    return DayFile(
        day,
        weather.window,
        np.where(weather.is_sea, np.nan, weather.temperature_k[hours]).astype(np.float32),
        np.where(weather.is_sea, np.nan, accumulated).astype(np.float32),
    )


def _write(root: Path, region_id: str, content: DayFile, blank: Blank) -> Entry:
    name = f"era5-land_{region_id}_{content.day:%Y%m%d}"
    folder = granule_folder(root, Product.WEATHER, region_id, name)
    (folder / f"{name}.nc").write_bytes(filled(blank, content))
    return Entry(
        product=Product.WEATHER,
        region_id=region_id,
        granule_id=name,
        day=content.day,
        files=(f"{name}.nc",),
        format="era5_land",
        available_utc=after(content.day, DELAY_DAYS),
        licence=LICENCE,
        bounds=content.window.bounds,
    )
