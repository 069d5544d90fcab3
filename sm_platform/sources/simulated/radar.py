"""One Sentinel-1 scene of a world: backscatter in dB and the incidence angle of every pixel."""

import numpy as np

from sm_platform.grid.window import Raster, lonlat
from sm_platform.sources.simulated.backscatter import VH, VV, Band, Ground, pixel_power
from sm_platform.sources.simulated.fields import Field, Streams, matern
from sm_platform.sources.simulated.passes import Pass
from sm_platform.sources.simulated.surface import roughness
from sm_platform.sources.simulated.vegetation import crop_part, tree_ndvi
from sm_platform.sources.simulated.world import World

SWATH_DEG = (29.1, 46.0)
"""Incidence angles of the interferometric wide swath; beyond lies no data."""
SENSOR_AZIMUTH_DEG = {"A": 260.0, "D": 100.0}
"""Where the right-looking radar stands, seen from the ground, clockwise from north."""
STEEPEST_LOCAL_DEG = 8.0
"""Local incidence below which a slope lies over: the gain stops growing."""
LOOKS = 90.0
"""Equivalent number of looks at 100 m: 4.4 at 10 m over some 23 independent resolution cells."""
SCENE_DB, GROUP_DB = 0.30, 0.30
"""Dew and rain on leaves along 6 km, and what each field group adds, per scene."""
PLATFORM_BIAS_DB = {"S1A": 0.0, "S1C": 0.25, "S1D": 0.0}
"""A pass may have more of its own."""
RESIDUAL_NOISE = 10**-2.5 / np.sqrt(LOOKS)
"""Linear power left after the thermal noise is subtracted."""
LOWEST_POWER = 1e-4
KM_PER_DEGREE = 111.32


def scene(world: World, pass_: Pass) -> Raster:
    """Bands vv_db, vh_db and angle_deg (ellipsoid) of one pass; NaN outside the swath.

    The same world and pass give the same scene. The soil is that of the end of the local day
    with the date of the pass's UTC day. A day outside the world's raises IndexError.
    """
    streams = Streams(world.seed, world.place.index)
    angle = incidence(world, pass_)
    ground = _ground(world, pass_, angle, streams)
    relief = _relief_gain(world, pass_, angle)
    dew_db = SCENE_DB * matern(angle.shape, 6000.0).draw(_rng(streams, pass_, "dew"))
    values: dict[str, Field] = {}
    for band in (VV, VH):
        received = pixel_power(band, ground) * relief
        values[band.name] = _measured(world, band, received, dew_db, pass_)
    covered = (angle >= SWATH_DEG[0]) & (angle <= SWATH_DEG[1])
    values["angle_deg"] = angle
    return Raster(
        world.window,
        {name: np.where(covered, value, np.float32(np.nan)) for name, value in values.items()},
    )


def incidence(world: World, pass_: Pass) -> Field:
    """Ellipsoid incidence angle of every pixel, degrees, also outside the swath."""
    lon, lat = lonlat(world.window)
    place = world.place
    east_km = (lon - place.lon) * KM_PER_DEGREE * np.cos(np.radians(place.lat))
    return np.asarray(pass_.angle_deg + pass_.angle_per_km_deg * east_km, np.float32)


def _rng(streams: Streams, pass_: Pass, name: str) -> np.random.Generator:
    return streams.rng(f"scene/{pass_.pass_id}/{name}")


def _ground(world: World, pass_: Pass, angle_deg: Field, streams: Streams) -> Ground:
    day, state = world.index(pass_.day), world.surface
    trees = tree_ndvi(state.vegetation, pass_.day.timetuple().tm_yday)
    return Ground(
        angle_rad=np.radians(angle_deg),
        moisture=world.sm_m3m3[day],
        roughness=roughness(state, world.rain_m, day),
        crop_ndvi=crop_part(state.vegetation, world.ndvi[day], trees),
        leaf_factor=state.leaf_factor,
        is_flooded_crop=world.is_flooded[day] & state.vegetation.is_paddy,
        structure_db=state.structure_db,
        village_departure_db=state.village_departure_db,
        trees_departure_db=state.trees_departure_db,
        shares=world.fractions,
        wind=float(streams.rng(f"wind/{pass_.day}").standard_normal()),
    )


def _relief_gain(world: World, pass_: Pass, angle_deg: Field) -> Field:
    """The gain sin t / sin(local t): bright slopes towards the radar, dark ones away from it."""
    t, slope = np.radians(angle_deg), np.radians(world.slope_deg)
    turn = np.radians(world.aspect_deg - np.float32(SENSOR_AZIMUTH_DEG[pass_.orbit_state]))
    cosine = np.cos(t) * np.cos(slope) + np.sin(t) * np.sin(slope) * np.cos(turn)
    local = np.maximum(np.arccos(np.clip(cosine, -1, 1)), np.radians(STEEPEST_LOCAL_DEG))
    return np.asarray(np.sin(t) / np.sin(local), np.float32)


def _measured(world: World, band: Band, received: Field, dew_db: Field, pass_: Pass) -> Field:
    """DB after speckle, what changes from scene to scene, platform bias and residual noise."""
    streams, group = Streams(world.seed, world.place.index), world.surface.group
    rng = _rng(streams, pass_, band.name)
    mood = rng.standard_normal(int(group.max()) + 1, np.float32)[group]
    bias_db = PLATFORM_BIAS_DB[pass_.platform] + pass_.bias_db
    shift_db = dew_db + np.float32(GROUP_DB) * mood + bias_db
    speckle = rng.standard_gamma(LOOKS, received.shape, np.float32) / np.float32(LOOKS)
    noise = np.float32(RESIDUAL_NOISE) * rng.standard_normal(received.shape, np.float32)
    linear = received * speckle * np.power(np.float32(10), shift_db / 10) + noise
    return np.asarray(10 * np.log10(np.maximum(linear, np.float32(LOWEST_POWER))), np.float32)
