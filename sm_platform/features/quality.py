"""Quality: the bits of a pixel that its drivers and the pass decide (0 to 10, 13 and 15)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sm_platform.schema.product import Qa

Mask = NDArray[np.bool_]
Numbers = NDArray[np.floating]

BORDER_ANGLES_DEG = (30.64, 45.24)
"""Outside these incidence angles Sentinel-1 swaths carry border noise."""
STEEP_SLOPE_DEG = 15.0
MAJORITY_SHARE = 0.5
"""Share of a pixel from which water, settlement or trees mark it."""
FREEZING_K = 273.15
DENSE_NDVI = 0.85
"""Newest NDVI from which C band hardly reaches the soil; grown rice stays just below."""
RAIN_M = 0.001
"""Rain of the pass's UTC day that may have wetted leaves and soil, 1 mm."""
LOOK_AZIMUTH_DEG = {"A": 78.0, "D": 282.0}
"""Sentinel-1 looks to the right of its heading, about -12 deg ascending, -168 descending."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Slope and downhill direction of pixels, each (n,); NaN missing."""

    slope_deg: Numbers
    aspect_sin: Numbers
    aspect_cos: Numbers


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares 0..1 of land cover of pixels, each (n,); NaN where not known."""

    tree: Numbers
    built: Numbers
    water: Numbers
    field: Numbers
    """Crop and wetland together: where rice may grow."""


def radar_bits(vv_db: Numbers, vh_db: Numbers, angle_deg: Numbers) -> NDArray[np.uint16]:
    """Bits 0 (VV, VH or the angle missing) and 1 (swath border)."""
    is_missing = np.isnan(vv_db) | np.isnan(vh_db) | np.isnan(angle_deg)
    near, far = BORDER_ANGLES_DEG
    is_border = (angle_deg <= near) | (angle_deg >= far)
    return _bit(Qa.NO_SENTINEL1, is_missing) | _bit(Qa.SCENE_BORDER, is_border)


def relief_bits(
    relief: Relief, angle_deg: Numbers, orbit_state: Literal["A", "D"] | None
) -> NDArray[np.uint16]:
    """Bits 2 (layover or shadow) and 3 (steep slope).

    The slope along the look direction is a = atan(tan(slope) * -cos(aspect - look azimuth)),
    positive where the ground faces the sensor. There is layover where a >= incidence angle, shadow
    where a <= incidence angle - 90 deg. Unknown orbit: marked if either direction would be.
    """
    looks = [LOOK_AZIMUTH_DEG[orbit_state]] if orbit_state else list(LOOK_AZIMUTH_DEG.values())
    hidden = np.zeros(angle_deg.shape, np.bool_)
    for look in looks:
        facing = np.degrees(np.arctan(_rise_towards_sensor(relief, np.radians(look))))
        hidden |= (facing >= angle_deg) | (facing <= angle_deg - 90.0)
    return _bit(Qa.LAYOVER_SHADOW, hidden) | _bit(
        Qa.STEEP_SLOPE, relief.slope_deg > STEEP_SLOPE_DEG
    )


def _rise_towards_sensor(relief: Relief, look: float) -> Numbers:
    """Tangent of the slope along the look direction, positive facing the sensor."""
    length = np.hypot(relief.aspect_sin, relief.aspect_cos)
    along = relief.aspect_sin * np.sin(look) + relief.aspect_cos * np.cos(look)
    direction = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
    return np.asarray(-np.tan(np.radians(relief.slope_deg)) * direction)


def cover_bits(shares: Shares, newest_ndvi: Numbers) -> NDArray[np.uint16]:
    """Bits 4 (open water), 5 (settlement) and 7 (dense vegetation)."""
    is_dense = (shares.tree >= MAJORITY_SHARE) | (newest_ndvi >= DENSE_NDVI)
    return (
        _bit(Qa.OPEN_WATER, shares.water >= MAJORITY_SHARE)
        | _bit(Qa.BUILT_UP, shares.built >= MAJORITY_SHARE)
        | _bit(Qa.DENSE_VEGETATION, is_dense)
    )


def state_bits(
    is_snow: Mask, newest_temperature_k: Numbers, rain_on_day_m: Numbers
) -> NDArray[np.uint16]:
    """Bits 6 (frozen or snow) and 13 (rain on the day); what is not known sets nothing."""
    is_frozen = is_snow | (newest_temperature_k < FREEZING_K)
    return _bit(Qa.FROZEN_SNOW, is_frozen) | _bit(Qa.RAIN_ON_DAY, rain_on_day_m >= RAIN_M)


def filling_bits(is_ndvi: Mask, is_weather: Mask, is_soil: Mask) -> NDArray[np.uint16]:
    """Bits 8, 9 and 10: NDVI filled or foreign, weather filled or preliminary, soil filled."""
    return (
        _bit(Qa.NDVI_FILLED, is_ndvi)
        | _bit(Qa.WEATHER_FILLED, is_weather)
        | _bit(Qa.STATIC_FILLED, is_soil)
    )


def with_inundation(qa: NDArray[np.uint16], is_flooded: Mask) -> NDArray[np.uint16]:
    """The mask with bit 15, never where bit 0 says that the radar saw nothing."""
    is_measured = (qa & np.uint16(Qa.NO_SENTINEL1)) == 0
    return qa | _bit(Qa.INUNDATED, is_flooded & is_measured)


def _bit(flag: Qa, is_set: Mask) -> NDArray[np.uint16]:
    return np.where(is_set, np.uint16(flag), np.uint16(0))
