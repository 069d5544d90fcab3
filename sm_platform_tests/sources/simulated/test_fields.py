"""Random fields keep their law, and named streams keep apart."""

import numpy as np
import pytest
from scipy.special import kv

from sm_platform.sources.simulated.fields import CELL_M, Streams, matern, voronoi, without_trend

SHAPE = (64, 64)


def _draws(length_m: float, count: int = 40) -> np.ndarray:
    field, rng = matern(SHAPE, length_m), np.random.default_rng(5)
    return np.stack([field.draw(rng) for _ in range(count)])


def test_variance_is_one_over_many_draws() -> None:
    assert _draws(300.0).var() == pytest.approx(1, abs=0.05)


def test_correlation_is_the_matern_one() -> None:
    """x K1(x) at distance x lengths (nu = 1): 0.60 at one length, 0.28 at two."""
    draws = _draws(400.0)
    for lag in (4, 8):
        x = lag * CELL_M / 400
        r = np.mean(draws[:, :, lag:] * draws[:, :, :-lag]) / draws.var()
        assert r == pytest.approx(x * kv(1, x), abs=0.05)


def test_opposite_borders_do_not_match() -> None:
    draws = _draws(400.0)
    assert abs(np.mean(draws[:, :, 0] * draws[:, :, -1])) < 0.15


def test_a_field_without_trend_has_no_wave_longer_than_a_region() -> None:
    torus = without_trend(matern((300, 300), 2500.0))
    assert torus.amplitude[0, 0] == 0
    assert torus.amplitude[1, 0] == 0
    assert torus.amplitude[6, 0] > 0


def test_a_name_gives_the_same_numbers_whatever_was_drawn_before() -> None:
    streams = Streams(3, 0)
    before = streams.grf("texture", SHAPE, 500.0)
    streams.rng("something new").random(1000)
    assert np.array_equal(streams.grf("texture", SHAPE, 500.0), before)


@pytest.mark.parametrize("other", [Streams(4, 0), Streams(3, 1)])
def test_seed_and_place_change_the_numbers(other: Streams) -> None:
    assert not np.array_equal(Streams(3, 0).rng("a").random(4), other.rng("a").random(4))


def test_names_give_unrelated_fields() -> None:
    a, b = (Streams(3, 0).rng(name).standard_normal(20000) for name in ("rain", "texture"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


def test_a_small_field_is_the_corner_of_the_full_one() -> None:
    streams = Streams(3, 0)
    small, full = (streams.grf("a", (n, n), 800.0) for n in (48, 150))
    assert np.array_equal(small, full[:48, :48])


def test_voronoi_patches_have_their_mean_area_and_no_gaps_in_number() -> None:
    patch = voronoi(SHAPE, 16.0, np.random.default_rng(1))
    counts = np.bincount(patch.ravel())
    assert counts.min() > 0
    assert counts.mean() == pytest.approx(16, rel=0.05)


def test_a_patch_shares_one_number() -> None:
    patch = voronoi(SHAPE, 16.0, np.random.default_rng(1))
    values = Streams(3, 0).per_patch("tau", patch)
    assert len(np.unique(values)) == patch.max() + 1
    assert np.ptp(values[patch == 7]) == 0
