"""Planet soil water content: names in local solar time, flags, and the stated errors."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.label_errors import (
    BIAS,
    SHARED_SD,
    Overpass,
    as_sensed,
    overpasses,
    planet_errors,
    planet_estimate,
)
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import TINY, opened

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]
REJECT = 0xFFA0


def test_names_carry_the_local_night_after_the_utc_day(listed: Listed) -> None:
    found = listed(Product.SWC, "red-river")
    for granule, _ in found:
        assert granule.day is not None
        local = granule.day + timedelta(days=1)
        stem = f"SWC-SMAP-L_V2.0_100_red-river-{local:%Y%m%d}T0130"
        assert granule.granule_id == stem
        assert granule.files == (f"{stem}_swc.tiff", f"{stem}_swc-qf.tiff")
        assert granule.available_utc is not None
        assert granule.available_utc.date() == granule.day + timedelta(days=2)


def test_overpasses_come_every_one_to_three_days(listed: Listed) -> None:
    days = [one.day for one, _ in listed(Product.SWC, "highland")]
    gaps = {(b - a).days for a, b in zip(days, days[1:], strict=False) if a and b}
    assert gaps <= {1, 2, 3}
    assert len(gaps) > 1
    assert days[0] is not None
    assert days[0] >= TINY.radar_first


def test_values_and_flags_fit_each_other(listed: Listed) -> None:
    missing = 0
    for granule, folder in listed(Product.SWC, "red-river"):
        with opened(folder / granule.files[0]) as file:
            assert (file.dtypes, file.nodata) == (("uint16", "uint16"), 65535)
            assert file.crs.to_epsg() == 4326
            value, before = file.read()
        with opened(folder / granule.files[1]) as file:
            flags = file.read(1)
        rejected = (flags & REJECT) > 0
        assert np.array_equal(rejected, value == 65535)
        assert np.array_equal(value[~rejected], before[~rejected])
        assert before[(flags & 0x8000) == 0].max() <= 1000
        missing += int(rejected.sum())
    assert missing > 0


def test_errors_are_those_of_the_model(worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    errors = planet_errors(world)
    day = overpasses(world)[40].day
    quiet = planet_estimate(world, errors, Overpass(day, 0.0, 0.0))
    loud = planet_estimate(world, errors, Overpass(day, 0.03, 0.01))
    np.testing.assert_allclose(loud - quiet, 0.04, atol=1e-6)
    sensed = as_sensed(world, day)
    assert quiet.mean() - sensed.mean() == pytest.approx(BIAS, abs=0.015)
    detail = gaussian_filter(sensed, 2.5) - sensed.mean()
    rest = quiet - 0.65 * detail
    slope = np.polyfit(detail.ravel(), quiet.ravel(), 1)[0]
    assert 0.4 < slope < 0.9
    assert 0.015 < rest.std() < 0.045


def test_the_day_error_is_a_correlated_series(worlds: dict[str, World]) -> None:
    shared = np.array([one.shared_error for world in worlds.values() for one in overpasses(world)])
    assert shared.std() == pytest.approx(SHARED_SD, rel=0.2)
    assert np.corrcoef(shared[1:], shared[:-1])[0, 1] == pytest.approx(0.5, abs=0.15)


def test_standing_water_counts_as_very_wet_soil(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    n = next(n for n in range(world.n_days - 1, 0, -1) if world.is_flooded[n].mean() > 0.3)
    day = world.first_day + timedelta(days=n)
    flooded = world.is_flooded[n]
    sensed = as_sensed(world, day)
    assert np.array_equal(sensed[~flooded], world.sm_m3m3[n][~flooded])
    expected = 0.75 * world.saturation + 0.25 * world.field_capacity
    np.testing.assert_allclose(sensed[flooded], expected[flooded], rtol=1e-6)
