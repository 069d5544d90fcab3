"""The two places of the simulated archive: climate normals, land shares, radar tracks."""

from dataclasses import dataclass
from datetime import date, time

from sm_platform.errors import UsageError

Months = tuple[float, ...]
"""Twelve values, January first."""


@dataclass(frozen=True, slots=True)
class Track:
    """One relative orbit over a place; `utc` is the time of day (UTC) of its passes."""

    relative_orbit: int
    orbit_state: str
    """"A" ascending, "D" descending; all look to the right."""
    utc: time
    angle_deg: float
    """Ellipsoid incidence angle at the place's centre."""
    angle_per_km_deg: float
    """Its change per kilometre eastward."""
    first_s1a_day: date
    """UTC day of Sentinel-1A's first pass of 2025; one every 12 days before and after."""


@dataclass(frozen=True, slots=True)
class Climate:
    """Monthly normals of one station."""

    temperature_c: Months
    temperature_range_k: Months
    rain_mm: Months
    wet_days: Months
    temperature_sd_k: Months
    """Standard deviation of the day-to-day departure."""
    typhoon_mm: tuple[float, float] | None
    """Range of the total of the one typhoon each September; None where none arrives."""


@dataclass(frozen=True, slots=True)
class RiceCalendar:
    """Transplanting day of year and days in the field, of both seasons."""

    transplanting_day: tuple[int, int]
    length_days: tuple[int, int]
    has_winter_crop: bool


@dataclass(frozen=True, slots=True)
class Place:
    """One simulated region; `index` enters the named seed streams."""

    region_id: str
    name: str
    index: int
    lon: float
    lat: float
    reference_elevation_m: float
    """Elevation of the climate station, to which the regional temperature belongs."""
    climate: Climate
    rice: RiceCalendar
    tracks: tuple[Track, ...]
    is_delta: bool
    """A river delta: shallow water table, flat; else a highland on basalt."""


_RED_RIVER_CLIMATE = Climate(
    temperature_c=(16.6, 17.7, 20.3, 24.2, 27.6, 29.4, 29.4, 28.7, 27.7, 25.3, 21.9, 18.2),
    temperature_range_k=(6, 5.5, 5.5, 6, 7, 7.2, 7, 6.6, 6.8, 7, 7.3, 7),
    rain_mm=(25, 26, 48, 85, 170, 210, 240, 310, 300, 190, 65, 25),
    wet_days=(9, 12, 15, 13, 14, 14, 14, 16, 14, 10, 7, 6),
    temperature_sd_k=(2.1, 2.1, 2.1, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 2.1, 2.1, 2.1),
    typhoon_mm=(150, 250),
)
_HIGHLAND_CLIMATE = Climate(
    temperature_c=(21.3, 22.9, 24.9, 26.3, 26.0, 25.0, 24.5, 24.3, 24.1, 23.7, 22.7, 21.4),
    temperature_range_k=(10, 12, 12.5, 11.5, 9.5, 8, 7.6, 7.2, 7.4, 7.6, 8, 8.6),
    rain_mm=(5, 6, 23, 95, 240, 240, 260, 300, 300, 210, 95, 25),
    wet_days=(1.6, 1.2, 3.6, 9, 19, 22, 23, 24, 23, 17, 10, 4.5),
    temperature_sd_k=(1.2,) * 12,
    typhoon_mm=None,
)

RED_RIVER = Place(
    region_id="red-river",
    name="Red River delta, Thai Binh",
    index=0,
    lon=106.43,
    lat=20.45,
    reference_elevation_m=5.0,
    climate=_RED_RIVER_CLIMATE,
    rice=RiceCalendar((46, 196), (112, 102), has_winter_crop=True),
    tracks=(
        Track(55, "A", time(10, 58, 3), 32.2, 0.067, date(2025, 1, 8)),
        Track(91, "D", time(22, 51, 18), 34.3, -0.066, date(2025, 1, 10)),
        Track(128, "A", time(11, 6, 10), 45.0, 0.051, date(2025, 1, 1)),
    ),
    is_delta=True,
)
HIGHLAND = Place(
    region_id="highland",
    name="Central Highlands, Buon Ma Thuot",
    index=1,
    lon=108.05,
    lat=12.68,
    reference_elevation_m=500.0,
    climate=_HIGHLAND_CLIMATE,
    rice=RiceCalendar((5, 186), (112, 102), has_winter_crop=False),
    tracks=(
        Track(55, "A", time(10, 55, 55), 32.4, 0.067, date(2025, 1, 8)),
        Track(120, "D", time(22, 37, 2), 40.4, -0.058, date(2025, 1, 12)),
        # 45.6 fitted to 0.03; with 45.68 the whole region, 17 km wide on the ground, lies beyond
        # 45.24 degrees: a scene without a usable pixel.
        Track(128, "A", time(11, 4, 2), 45.68, 0.051, date(2025, 1, 1)),
    ),
    is_delta=False,
)
PLACES = (RED_RIVER, HIGHLAND)


def place_named(region_id: str) -> Place:
    """The place of that id; raises UsageError naming those that exist."""
    for place in PLACES:
        if place.region_id == region_id:
            return place
    known = ", ".join(place.region_id for place in PLACES)
    raise UsageError(f"No simulated region is called '{region_id}': use one of {known}.")
