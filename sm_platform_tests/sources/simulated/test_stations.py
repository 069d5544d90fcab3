"""Where the stations of a place stand, and what their sensors tell before noise."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sm_platform.errors import UsageError
from sm_platform.grid.window import cell_index, reproject_points
from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.station_network import (
    MOVE_DAY,
    NAMES,
    Sensor,
    Spot,
    sensors,
)
from sm_platform.sources.simulated.world import TRUTH_DAY, World
from sm_platform_tests.sources.simulated.full_worlds import REGIONS, full_world

DRAINED = (Cover.GARDEN, Cover.UPLAND, Cover.COFFEE)


def upper(world: World) -> list[Sensor]:
    return [one for one in sensors(world) if one.depth_m < 0.1]


def distance_px(one: Spot, other: Spot) -> float:
    return float(np.hypot(one.row - other.row, one.col - other.col))


@pytest.fixture(params=[*REGIONS, "tiny red-river", "tiny highland"])
def world(request: pytest.FixtureRequest, worlds: dict[str, World]) -> World:
    tiny = request.param.removeprefix("tiny ")
    return worlds[tiny] if tiny != request.param else full_world(tiny)


def test_every_station_stands_on_drained_land_before_and_after_a_move(world: World) -> None:
    wet = world.is_flooded[world.index(TRUTH_DAY) :].any(axis=0)
    for sensor in upper(world):
        for spot in (sensor.home, sensor.later):
            assert not wet[spot.row, spot.col]
            assert world.cover_code[spot.row, spot.col] in DRAINED


def test_a_spot_is_the_centre_and_height_of_its_pixel(world: World) -> None:
    for sensor in upper(world):
        for spot in (sensor.home, sensor.later):
            x, y = reproject_points(
                np.array([spot.lon]), np.array([spot.lat]), "EPSG:4326", world.window.crs
            )
            assert cell_index(world.window, x, y) == spot.row * world.window.shape[1] + spot.col
            assert spot.elevation_m == world.elevation_m[spot.row, spot.col]


def test_stations_stand_apart_but_for_the_copy_and_one_moves(world: World) -> None:
    network = upper(world)
    assert [one.station for one in network] == list(NAMES)
    first, copy, *others = (one.home for one in network)
    assert 1 <= distance_px(first, copy) < 4
    spots = [first, *others]
    nearest = min(distance_px(a, b) for n, a in enumerate(spots) for b in spots[:n])
    assert nearest >= world.window.shape[0] / 30
    moved = [one for one in network if one.home != one.later]
    assert [one.station for one in moved] == ["Gia-Lap"]
    assert distance_px(moved[0].home, moved[0].later) >= min(20, world.window.shape[0] // 3)


def test_a_moved_sensor_tells_its_new_pixel_from_that_day_on() -> None:
    world = full_world("highland")
    sensor = next(one for one in upper(world) if one.home != one.later)
    assert sensor.where(MOVE_DAY - timedelta(days=1)) == sensor.home
    assert sensor.where(MOVE_DAY) == sensor.later
    truth = world.sm_m3m3[world.index(TRUTH_DAY) :]
    n = (MOVE_DAY - TRUTH_DAY).days
    for part, spot in ((slice(0, n), sensor.home), (slice(n, None), sensor.later)):
        rest = sensor.daily[part] - truth[part, spot.row, spot.col]
        assert abs(rest.mean()) < 0.06
        assert rest.std() == pytest.approx(0.025, rel=0.3)


def test_three_stations_have_a_slower_sensor_below() -> None:
    network = sensors(full_world("highland"))
    deep = [one for one in network if one.depth_m == 0.2]
    assert [one.station for one in deep] == list(NAMES[:3])
    for one in deep:
        top = next(s for s in network if s.station == one.station and s is not one)
        assert np.diff(one.daily).std() < 0.5 * np.diff(top.daily).std()
        assert one.daily[100] == pytest.approx(top.daily[95:101].mean())


def test_a_place_without_drained_land_is_refused_by_name(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    drowned = replace(world, is_flooded=np.ones_like(world.is_flooded))
    with pytest.raises(UsageError, match="red-river"):
        sensors(drowned)
