"""A small world: the same from the same seed, complete, and conserving its water."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.sources.simulated import water
from sm_platform.sources.simulated.cover import Cover
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.hydraulics import Hydraulics
from sm_platform.sources.simulated.passes import passes
from sm_platform.sources.simulated.places import HIGHLAND, PLACES, RED_RIVER, Place, place_named
from sm_platform.sources.simulated.radar import incidence, scene
from sm_platform.sources.simulated.vegetation import crop_ndvi, crop_part, pixel_ndvi, tree_ndvi
from sm_platform.sources.simulated.world import SPIN_UP_DAY, TRUTH_DAY, World, simulate

DAILY = ("rain_m", "ndvi", "sm_m3m3", "is_flooded", "temperature_k")


@pytest.fixture(scope="module")
def delta() -> World:
    return simulate(RED_RIVER, 3, size=48)


@pytest.fixture(scope="module")
def hills() -> World:
    return simulate(HIGHLAND, 3, size=60)


def test_the_same_seed_gives_the_same_world(delta: World) -> None:
    again = simulate(RED_RIVER, 3, size=48)
    for name in DAILY:
        assert np.array_equal(getattr(delta, name), getattr(again, name), equal_nan=True), name


def test_another_seed_gives_another_world(delta: World) -> None:
    other = simulate(RED_RIVER, 4, size=48)
    assert not np.array_equal(delta.rain_m, other.rain_m)
    assert not np.array_equal(delta.cover_code, other.cover_code)


def test_each_name_of_a_stream_is_drawn_from_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fields under one name would be the same numbers, and so not independent."""
    names: list[str] = []
    fresh = Streams.rng

    def listed(streams: Streams, name: str) -> np.random.Generator:
        names.append(name)
        return fresh(streams, name)

    monkeypatch.setattr(Streams, "rng", listed)
    simulate(HIGHLAND, 3, size=48)
    assert len(names) > 40
    assert len(set(names)) == len(names)


def test_window_lies_on_the_100_m_grid_around_the_place(hills: World) -> None:
    assert ease2.corner_cell(ease2.LEVEL_100M, hills.window) is not None
    assert hills.window.shape == (60, 60)
    x, y = ease2.project(HIGHLAND.lon, HIGHLAND.lat)
    left, bottom, right, top = hills.window.bounds
    assert left < x < right
    assert bottom < y < top


def test_period_and_spin_up(delta: World) -> None:
    assert (delta.n_days, delta.rain_m.shape) == (852, (852, 48, 48))
    start = delta.index(SPIN_UP_DAY)
    assert np.isnan(delta.sm_m3m3[:start]).all()
    assert np.isfinite(delta.sm_m3m3[start:]).all()
    assert np.isfinite(delta.ndvi).all()
    with pytest.raises(IndexError, match="2026-04-01"):
        delta.index(date(2026, 4, 1))


def test_the_spin_up_forgets_its_start(delta: World) -> None:
    """Two starts .1 apart differ by less than .01 at the first label, in the wetter delta."""
    soil = Hydraulics(delta.wilting_point, delta.field_capacity, delta.saturation)
    top = [np.full((48, 48), value, np.float32) for value in (0.20, 0.30)]
    at = water.Buckets(
        soil,
        *(np.full((48, 48), value, np.float32) for value in (0.5, 1.0, 1.0, 0.1, 1.0)),
        deep_target=soil.field_capacity,
        deep_rate=0.02,
    )
    states = [water.Layers(one, one) for one in top]
    for n in range(delta.index(SPIN_UP_DAY), delta.index(TRUTH_DAY)):
        day = _quiet_day(delta, rain_mm=delta.rain_m[n] * 1000, et0_mm=3.0)
        states = [water.next_day(at, state, day) for state in states]
    assert np.abs(states[0].top - states[1].top).max() < 0.01


def _quiet_day(world: World, *, rain_mm: np.ndarray, et0_mm: float) -> water.Forcing:
    zero = np.zeros(world.window.shape, np.float32)
    return water.Forcing(rain_mm, zero, zero + np.float32(et0_mm), zero + np.float32(0.3), zero > 0)


@pytest.mark.parametrize("place", PLACES)
def test_shares_sum_to_one_and_classes_keep_their_shares(place: Place) -> None:
    world = simulate(place, 9, size=64)
    assert np.allclose(sum(world.fractions.values()), 1, atol=1e-5)
    share = {code: float(np.mean(world.cover_code == code)) for code in Cover}
    if place.is_delta:
        assert 0.70 <= share[Cover.PADDY] <= 0.80
        assert 0.10 <= share[Cover.VILLAGE] <= 0.16
    else:
        assert 0.45 <= share[Cover.COFFEE] <= 0.55
        assert 0.30 <= share[Cover.UPLAND] <= 0.40
    assert world.fractions["village"][world.cover_code == Cover.VILLAGE].min() > 0.3


def test_open_water_is_always_flooded_and_dry_land_never(delta: World) -> None:
    assert delta.is_flooded[:, delta.cover_code == Cover.WATER].all()
    assert not delta.is_flooded[:, delta.cover_code == Cover.VILLAGE].any()
    start = delta.index(SPIN_UP_DAY)
    wet = delta.is_flooded[start:]
    full = np.broadcast_to(delta.saturation - 0.01, wet.shape)
    assert np.allclose(delta.sm_m3m3[start:][wet], full[wet], atol=1e-6)


def test_crop_ndvi_is_found_again_in_the_pixel(hills: World) -> None:
    green = hills.surface.vegetation
    wetness = np.full(hills.window.shape, 0.1, np.float32)
    crop, trees = crop_ndvi(green, 420, 25, wetness), tree_ndvi(green, 25)
    found = crop_part(green, pixel_ndvi(green, crop, trees), trees)
    has_crop = green.crop_share > 0.05
    assert np.allclose(found[has_crop], crop[has_crop], atol=1e-4)


def test_a_scene_is_the_same_each_time_and_differs_from_pass_to_pass(delta: World) -> None:
    first, second = passes(RED_RIVER, TRUTH_DAY, date(2025, 1, 10))[:2]
    one, again, other = (scene(delta, p).values["vv_db"] for p in (first, first, second))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_angle_grows_away_from_the_radar(delta: World) -> None:
    by_state = {p.orbit_state: p for p in passes(RED_RIVER, TRUTH_DAY, date(2025, 1, 12))}
    for state, sign in (("A", 1), ("D", -1)):
        angle = incidence(delta, by_state[state])
        assert np.all(np.diff(angle, axis=1) * sign > 0)
    centre = incidence(delta, by_state["D"])[24, 24]
    assert centre == pytest.approx(34.3, abs=0.02)


def test_no_data_beyond_the_swath_and_no_usable_angle_on_the_far_track() -> None:
    world = simulate(HIGHLAND, 3, size=150)
    far = next(p for p in passes(HIGHLAND, TRUTH_DAY, date(2025, 2, 1)) if p.relative_orbit == 128)
    values = scene(world, far).values
    assert np.nanmin(values["angle_deg"]) > 45.24
    assert np.isnan(values["vv_db"]).any()
    assert np.array_equal(np.isnan(values["vv_db"]), incidence(world, far) > 46.0)


def test_slopes_towards_the_radar_are_bright(hills: World) -> None:
    """East slopes face a descending pass, west slopes an ascending one."""
    east = (np.abs(hills.aspect_deg - 90) < 45) & (hills.slope_deg > 6)
    west = (np.abs(hills.aspect_deg - 270) < 45) & (hills.slope_deg > 6)
    gain = {}
    for state in "AD":
        one = next(
            p
            for p in passes(HIGHLAND, TRUTH_DAY, date(2025, 2, 1))
            if p.orbit_state == state and p.relative_orbit != 128
        )
        flat = replace(hills, slope_deg=np.zeros_like(hills.slope_deg))
        gain[state] = scene(hills, one).values["vv_db"] - scene(flat, one).values["vv_db"]
    assert gain["A"][west].mean() > 0.3 > -0.2 > gain["A"][east].mean()
    assert gain["D"][east].mean() > 0.2 > -0.2 > gain["D"][west].mean()


def test_sentinel_1c_reads_a_quarter_of_a_decibel_higher(delta: World) -> None:
    """The mean of 40 twin scenes: dew and field groups differ, the bias stays."""
    villages, shift = delta.cover_code == Cover.VILLAGE, []
    for one in passes(RED_RIVER, TRUTH_DAY, date(2025, 12, 31))[:40]:
        twins = (scene(delta, replace(one, platform=name)) for name in ("S1A", "S1C"))
        before, after = (np.nanmean(twin.values["vv_db"][villages]) for twin in twins)
        shift.append(after - before)
    assert np.mean(shift) == pytest.approx(0.25, abs=0.2)


def test_wrong_seed_size_and_name_are_refused() -> None:
    with pytest.raises(UsageError, match="Seed -1"):
        simulate(RED_RIVER, -1)
    with pytest.raises(UsageError, match="size 20"):
        simulate(RED_RIVER, 1, size=20)
    with pytest.raises(UsageError, match="red-river, highland"):
        place_named("mekong")
