import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.bootstrap import block_draws, interval
from sm_platform.trust.pairs import Pairs
from sm_platform.trust.scoring import score_by_site, score_pooled
from sm_platform_tests.trust.pair_worlds import shared_in_blocks, world

RNG_SEED = 21


def mean_error(rng: np.random.Generator, blocks: int, share: float) -> Pairs:
    """A world whose bias is 0 in the long run."""
    errors = shared_in_blocks(rng, blocks=blocks, sites_per_block=3, days=8, share=share)
    return world(errors, rng.random(errors.shape), sites_per_block=3)


def width(pairs: Pairs) -> float:
    bias = score_pooled(pairs)[1]
    return bias.high - bias.low


def test_each_draw_takes_as_many_blocks_as_there_are() -> None:
    found = block_draws(7, draws=40, seed=RNG_SEED)
    assert found.shape == (40, 7)
    assert (found.sum(axis=1) == 7).all()
    assert (found == block_draws(7, draws=40, seed=RNG_SEED)).all()
    assert (found != block_draws(7, draws=40, seed=RNG_SEED + 1)).any()
    with pytest.raises(DataError, match="No block to resample"):
        block_draws(0, seed=1)


def test_the_interval_of_many_blocks_is_nearly_the_plain_one() -> None:
    drawn = np.linspace(0, 1, 1001)
    many, few = interval(drawn, 10_000), interval(drawn, 5)
    assert (many.low, many.high) == pytest.approx((0.025, 0.975), abs=1e-4)
    assert (few.low, few.high) == pytest.approx((0.000954, 0.999046), abs=1e-5)
    # five blocks: t(.975, 4) = 2.7764, times sqrt(5 / 4) = 3.1042; Phi(-3.1042) = .000954


def test_what_cannot_be_told_says_why() -> None:
    assert interval(np.ones(10), 2).note.startswith("2 blocks")
    half_known = np.array([np.nan] * 6 + [0.5] * 4)
    assert interval(half_known, 9).note == "known in 4 of 10 draws only"
    assert np.isnan(interval(half_known, 9).low)
    assert interval(half_known[2:], 9).low == 0.5


@pytest.mark.parametrize(("blocks", "share"), [(8, 0.5), (30, 0.2)])
def test_nineteen_of_twenty_intervals_hold_the_truth(blocks: int, share: float) -> None:
    rng = np.random.default_rng(RNG_SEED)
    worlds, held = 250, 0
    for seed in range(worlds):
        bias = score_by_site(mean_error(rng, blocks, share), min_n=3, seed=seed)[1]
        held += bias.low <= 0 <= bias.high
    assert 0.92 <= held / worlds <= 0.98


def test_fewer_blocks_tell_less() -> None:
    rng = np.random.default_rng(RNG_SEED)
    few, many = ([width(mean_error(rng, n, 0.3)) for _ in range(8)] for n in (6, 60))
    assert min(few) > max(many)


def test_neighbours_that_err_alike_tell_less_than_strangers() -> None:
    """With a share s of 24 pairs in common the variance grows by 1 + 23 s, 12.5 here."""
    rng = np.random.default_rng(RNG_SEED)
    alike, strangers = (
        np.mean([width(mean_error(rng, 40, share)) for _ in range(8)]) for share in (0.5, 0.0)
    )
    assert alike / strangers == pytest.approx(np.sqrt(12.5), rel=0.15)
