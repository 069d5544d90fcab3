"""One satellite beside the others: what a bias reads as, and what must not look like one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.trust.platform_bias import (
    LEAST_DB,
    TrackPasses,
    offsets_of,
    pass_offsets,
    platform_offset,
    steadiest,
)

TRIO = ("S1A", "S1D", "S1C")


def track(
    biases: dict[str, float], *, seed: int = 1, n: int = 18, names: tuple[str, ...] = TRIO
) -> TrackPasses:
    """A pass every four days over 200 pixels: a season, weather of each pass, speckle, a bias."""
    rng = np.random.default_rng(seed)
    days, platforms = 4.0 * np.arange(n), [names[k % len(names)] for k in range(n)]
    season = -12 + 0.05 * days + rng.normal(0, 0.3, n)
    level = season + [biases.get(name, 0.0) for name in platforms]
    fields = rng.normal(0, 2, 200)
    values = level[:, None] + fields + rng.normal(0, 0.5, (n, 200))
    return TrackPasses(tuple(platforms), days, values)


def told(*tracks: TrackPasses) -> dict[str, float]:
    return {one.platform: round(one.offset_db, 1) for one in offsets_of(tracks) if one.is_found}


def small(names: str, days: list[float], *rows: list[float]) -> TrackPasses:
    platforms = tuple(f"S1{letter}" for letter in names)
    values: NDArray[np.float64] = np.array(rows)
    return TrackPasses(platforms, np.array(days), values)


def test_a_pass_is_compared_with_the_line_between_its_neighbours() -> None:
    """By hand: at a quarter of the way from -10 to -6 stands -9; -7 and -8 lie 2 and 1 above."""
    passes = small("ADA", [0, 3, 12], [-10, -10, -10], [-7, -7, -8], [-6, -6, -6])
    assert pass_offsets(passes, "S1D", "S1A").tolist() == [2.0]
    assert pass_offsets(passes, "S1A", "S1D").tolist() == []


def test_without_another_on_both_sides_or_too_far_away_there_is_no_comparison() -> None:
    assert not len(pass_offsets(small("AD", [0, 3], [-10], [-9]), "S1D", "S1A"))
    assert not len(pass_offsets(small("ADA", [0, 3, 25], [-10], [-9], [-10]), "S1D", "S1A"))
    assert not len(pass_offsets(small("ADA", [0, 3, 12], [-10], [np.nan], [-10]), "S1D", "S1A"))


def test_pixels_that_a_pass_lacks_do_not_count() -> None:
    passes = small("ADA", [0, 6, 12], [-10, np.nan, -9], [-9, 30, np.nan], [-10, -10, -9])
    assert pass_offsets(passes, "S1D", "S1A").tolist() == [1.0]


@pytest.mark.parametrize(("bias_db", "sign"), [(1.0, 1), (-1.0, -1)])
def test_a_decibel_of_one_satellite_is_found_and_the_others_are_not_blamed(
    bias_db: float, sign: int
) -> None:
    found = offsets_of([track({"S1D": bias_db}), track({"S1D": bias_db}, seed=2)])
    assert told(track({"S1D": bias_db}), track({"S1D": bias_db}, seed=2)).keys() == {"S1D"}
    assert found[0].platform == "S1D"
    assert found[0].others == ("S1A", "S1C")
    assert found[0].offset_db * sign == pytest.approx(1.0, abs=0.3)
    assert found[0].n_passes == 10
    assert found[0].limit_db >= LEAST_DB


def test_a_quarter_of_a_decibel_and_none_are_not() -> None:
    assert not told(track({"S1C": 0.25}), track({"S1C": 0.25}, seed=2))
    assert not told(track({}, seed=5))


def test_fields_that_one_satellite_happens_to_see_flooded_are_not_steady() -> None:
    """Half of the pixels are darker in every pass of Sentinel-1D: rice, not calibration."""
    passes = track({})
    values = passes.values_db.copy()
    values[1::3, :100] -= 9
    assert not told(TrackPasses(passes.platforms, passes.days, values))
    kept = steadiest(TrackPasses(passes.platforms, passes.days, values))
    assert kept.values_db.shape == (18, 50)
    np.testing.assert_array_equal(np.isin(kept.values_db[0], values[0, 100:]), True)


def test_a_flooded_half_of_one_pass_is_not_a_bias() -> None:
    passes = track({})
    values = passes.values_db.copy()
    values[4, :120] -= 9
    assert not told(TrackPasses(passes.platforms, passes.days, values))


def test_one_between_the_others_is_not_blamed() -> None:
    """Sentinel-1A too low and 1C too high: 1D differs from both, to two sides."""
    biases = {"S1A": -1.5, "S1C": 1.5}
    offset = platform_offset([track(biases), track(biases, seed=2)], "S1D")
    assert offset is not None
    assert offset.nearest_db == 0
    assert not offset.is_found


def test_of_two_satellites_alone_the_later_one_is_named() -> None:
    tracks = [track({"S1D": 1.0}, seed=k, names=("S1A", "S1D")) for k in (1, 2)]
    assert list(told(*tracks)) == ["S1D"]
    tracks = [track({"S1A": -1.0}, seed=k, names=("S1A", "S1D")) for k in (1, 2)]
    assert list(told(*tracks)) == ["S1D"]


def test_three_passes_say_nothing() -> None:
    assert platform_offset([track({"S1D": 3.0}, n=12)], "S1D") is None
    assert platform_offset([track({"S1D": 3.0}, n=16)], "S1D") is not None


def test_few_passes_that_differ_much_have_a_wider_limit() -> None:
    rng = np.random.default_rng(4)
    passes = track({}, n=15)
    wild = passes.values_db + rng.normal(0, 2, 15)[:, None]
    offset = platform_offset([TrackPasses(passes.platforms, passes.days, wild)], "S1D")
    assert offset is not None
    assert offset.limit_db > 1


def test_passes_that_are_not_in_order_are_refused() -> None:
    with pytest.raises(DataError, match="not in order of time: sort"):
        small("AD", [3, 0], [-10], [-10])
    with pytest.raises(DataError, match="not the same passes"):
        small("AD", [3], [-10], [-10])


def test_nothing_is_said_of_nothing() -> None:
    assert offsets_of([]) == []
