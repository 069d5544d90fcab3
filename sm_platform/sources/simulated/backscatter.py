"""C-band backscatter of soil, crops, flooded rice, trees, villages and water, in linear power."""

from dataclasses import dataclass

import numpy as np

from sm_platform.sources.simulated.fields import Field, Mask

REFERENCE_MOISTURE = 0.25
"""m3/m3 at which Oh's model gives level and angle."""
SATURATING_MOISTURE = 0.34
"""m3/m3 above which the radar answers less than half as much."""


@dataclass(frozen=True, slots=True)
class Band:
    """Constants of one polarisation; cloud: Baghdadi et al. 2017, NDVI as descriptor."""

    name: str
    soil_slope_db: float
    """dB per m3/m3 of bare soil."""
    cloud_a: float
    cloud_b: float
    paddy_water_db: float
    paddy_wind_db: float
    double_bounce_db: float
    double_bounce_sd_db: float
    trees_db: float
    trees_slope_db: float
    village_db: float
    open_water_db: float
    open_water_wind_db: float


VV = Band("vv_db", 26.0, 0.095, 0.5513, -19.0, 1.0, -8.5, 1.0, -8.3, 4.0, -4.5, -19.5, 1.5)
VH = Band("vh_db", 16.0, 0.0413, 1.1662, -26.0, 0.0, -16.0, 0.0, -14.3, 2.0, -11.5, -27.0, 0.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """What one scene meets, (rows, cols) unless said."""

    angle_rad: Field
    moisture: Field
    """m3/m3 of the top 5 cm."""
    roughness: Field
    """ks, without unit."""
    crop_ndvi: Field
    leaf_factor: Field
    """Of the vegetation descriptor, per group."""
    is_flooded_crop: Mask
    structure_db: Field
    """Standard normal per group: how strongly stems answer."""
    village_departure_db: Field
    trees_departure_db: Field
    shares: dict[str, Field]
    wind: float
    """Standard normal, one a day."""


def power(decibel: Field | float) -> Field:
    """Linear power of decibels."""
    return np.asarray(10 ** (np.asarray(decibel, np.float32) / 10), np.float32)


def oh_2004(ks: Field, angle_rad: Field, moisture: float) -> tuple[Field, Field]:
    """VV and VH of bare soil (Oh 2004, 10.1109/TGRS.2003.821065), linear power."""
    vh = 0.11 * moisture**0.7 * np.cos(angle_rad) ** np.float32(2.2)
    vh = vh * (1 - np.exp(np.float32(-0.32) * ks ** np.float32(1.8)))
    ratio = np.float32(0.095) * (0.13 + np.sin(1.5 * angle_rad)) ** np.float32(1.4)
    ratio = ratio * (1 - np.exp(np.float32(-1.3) * ks ** np.float32(0.9)))
    return vh / ratio, vh


def moisture_response(moisture: Field) -> Field:
    """Moisture above the reference as the radar feels it, m3/m3: less so in wet soil."""
    knee = np.float32(SATURATING_MOISTURE)
    below = np.minimum(moisture, knee) - np.float32(REFERENCE_MOISTURE)
    return np.asarray(below + np.float32(0.45) * np.maximum(moisture - knee, 0), np.float32)


def pixel_power(band: Band, ground: Ground) -> Field:
    """The parts of a pixel mixed by their shares, before noise and relief."""
    shares = ground.shares
    stem_db = band.trees_slope_db * (ground.moisture - REFERENCE_MOISTURE)
    trees = power(band.trees_db + stem_db + ground.trees_departure_db)
    village = power(band.village_db + ground.village_departure_db)
    water = power(band.open_water_db + band.open_water_wind_db * ground.wind)
    mixed = (shares["paddy"] + shares["dry_crop"]) * _crop(band, ground) + shares["trees"] * trees
    return np.asarray(mixed + shares["village"] * village + shares["water"] * water, np.float32)


def _crop(band: Band, ground: Ground) -> Field:
    """Water cloud over soil (Attema & Ulaby 1978), or over water where rice is flooded."""
    leaf = np.maximum(ground.crop_ndvi - np.float32(0.05), 0) * ground.leaf_factor
    cosine = np.cos(ground.angle_rad)
    through = np.exp(np.float32(-2 * band.cloud_b) * leaf / cosine)
    cloud = np.float32(band.cloud_a) * leaf * cosine * (1 - through)
    drained = cloud + through * _soil(band, ground)
    return np.where(ground.is_flooded_crop, _flooded(band, ground, cloud, through), drained)


def _soil(band: Band, ground: Ground) -> Field:
    vv, vh = oh_2004(ground.roughness, ground.angle_rad, REFERENCE_MOISTURE)
    level = vv if band is VV else vh
    return level * power(np.float32(band.soil_slope_db) * moisture_response(ground.moisture))


def _flooded(band: Band, ground: Ground, cloud: Field, through: Field) -> Field:
    """From a mirror between seedlings to stems that bounce twice off the water."""
    grown = np.clip((ground.crop_ndvi - np.float32(0.25)) / np.float32(0.5), 0, 1)
    open_part = (1 - grown) ** 2
    water = power(band.paddy_water_db + band.paddy_wind_db * ground.wind)
    stems_db = band.double_bounce_db + band.double_bounce_sd_db * ground.structure_db
    stems = power(stems_db)
    mixed = water * open_part + (1 - open_part) * (cloud + through * stems)
    return np.asarray(mixed, np.float32)
