"""Overpasses, half-orbits and swaths of the L-band, its estimate, and means over coarse cells."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.formats.planet_swc import sensing_time
from sm_platform.grid import ease2
from sm_platform.sources.simulated.fields import Streams
from sm_platform.sources.simulated.footprints import footprints
from sm_platform.sources.simulated.l_band import (
    Half,
    half_of,
    is_seen,
    l_band_estimate,
    sensed_utc,
)
from sm_platform.sources.simulated.label_errors import Overpass, as_sensed, overpasses
from sm_platform.sources.simulated.world import LAST_DAY, TRUTH_DAY, World
from sm_platform.sources.simulated.write_swc import local_solar

LEVELS = (ease2.LEVEL_9KM, ease2.LEVEL_1KM, ease2.LEVEL_3KM)


@pytest.mark.parametrize("level", LEVELS)
def test_means_keep_the_sum_and_count_every_pixel(
    worlds: dict[str, World], level: ease2.Level
) -> None:
    world = worlds["highland"]
    cells = footprints(world, level)
    values = Streams(1, 0).rng("values").random(world.window.shape).astype(np.float32)
    means = cells.means(values).ravel()
    assert cells.count.sum() == world.window.size
    assert (cells.count * means).sum() == pytest.approx(values.sum(dtype=float))
    np.testing.assert_allclose(means[cells.count == 0], values.mean(dtype=float))
    assert (cells.count.reshape(cells.window.shape)[[0, -1]] == 0).all()


def test_a_mean_is_that_of_the_pixels_in_the_cell(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    one_km = footprints(world, ease2.LEVEL_1KM)
    values = np.arange(world.window.size, dtype=np.float32).reshape(world.window.shape)
    cell = int(np.argmax(one_km.count))
    assert one_km.count[cell] == 100
    first = divmod(int(np.flatnonzero(one_km.member == cell)[0]), world.window.shape[1])
    block = values[first[0] : first[0] + 10, first[1] : first[1] + 10]
    assert one_km.means(values).ravel()[cell] == pytest.approx(block.mean(dtype=float))


def test_the_estimate_is_made_of_region_cell_and_errors_by_hand(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    nine = footprints(world, ease2.LEVEL_9KM)
    overpass = Overpass(date(2025, 6, 1), 0.03, -0.01)
    sensed = as_sensed(world, overpass.day).astype(float)
    cell = int(np.argmax(nine.count))
    own = sensed.ravel()[nine.member == cell].mean()
    expected = 0.6 * sensed.mean() + 0.4 * own + 0.02
    assert l_band_estimate(world, nine, overpass).ravel()[cell] == pytest.approx(expected, abs=1e-6)


def test_the_estimate_stays_within_the_range_of_the_retrieval(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    nine = footprints(world, ease2.LEVEL_9KM)
    for error, limit in ((9.0, 0.6), (-9.0, 0.02)):
        assert (l_band_estimate(world, nine, Overpass(TRUTH_DAY, error, 0.0)) == limit).all()


def test_overpasses_fill_the_days_of_truth(worlds: dict[str, World]) -> None:
    for world in worlds.values():
        days = [one.day for one in overpasses(world)]
        assert (days[0] - TRUTH_DAY).days < 3
        assert (LAST_DAY - days[-1]).days < 3
        gaps = {(b - a).days for a, b in zip(days, days[1:], strict=False)}
        assert gaps == {1, 2, 3}


def test_the_errors_of_two_places_have_nothing_in_common(worlds: dict[str, World]) -> None:
    one, other = ([p.shared_error for p in overpasses(world)] for world in worlds.values())
    n = min(len(one), len(other))
    assert abs(np.corrcoef(one[:n], other[:n])[0, 1]) < 0.25


def test_half_of_the_passes_come_in_the_morning(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    seen = overpasses(world)
    halves = [half_of(world, one) for one in seen]
    assert 0.35 < halves.count(Half.AM) / len(halves) < 0.65
    for overpass, half in zip(seen, halves, strict=True):
        moment = sensed_utc(world, overpass, half)
        assert moment.date() == overpass.day
        solar = moment + timedelta(hours=world.place.lon / 15)
        assert solar.hour + solar.minute / 60 == pytest.approx(half.hour, abs=0.02)


def test_a_partial_swath_leaves_columns_of_one_side(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    nine = footprints(world, ease2.LEVEL_9KM)
    masks = [is_seen(world, nine, one) for one in overpasses(world)]
    partial = [mask for mask in masks if not mask.all()]
    assert 0.03 < len(partial) / len(masks) < 0.15
    for mask in partial:
        assert mask.any()
        assert (mask == mask[0]).all()
        assert np.abs(np.diff(mask[0].astype(int))).sum() == 1
    assert {bool(mask[0, 0]) for mask in partial} == {True, False}


@given(
    lon=st.floats(-180, 180),
    day=st.dates(date(2025, 1, 1), date(2026, 3, 31)),
)
def test_a_name_in_local_solar_time_leads_back_to_the_utc_day(lon: float, day: date) -> None:
    local = local_solar(Overpass(day, 0.0, 0.0), lon)
    assert (local.hour, local.minute) == (1, 30)
    # To the second: on the line where the night is that of the next day either is right.
    shift = abs(lon / 15 - 1.5) * 3600
    if shift > 1:
        assert sensing_time(f"x-{local:%Y%m%dT%H%M}", lon).date() == day
