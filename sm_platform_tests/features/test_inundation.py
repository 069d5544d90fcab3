"""Flooded rice: one field through a season, and what must not be taken for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sm_platform.features.drivers import ScenePass
from sm_platform.features.inundation import flooded, share_around
from sm_platform_tests.features.small import WINDOW, N, on, scene

NAN = float("nan")
Look = tuple[float, float]
PLOUGHED: Look = (-7.5, -17.5)
YOUNG: Look = (-18.0, -24.5)
GROWN: Look = (-10.0, -16.5)
RIPE: Look = (-7.5, -16.5)
LOST: Look = (NAN, NAN)


def track(looks: Sequence[Look], every_days: int = 6) -> ScenePass:
    """A pass with its history, the newest look last; VV and VH in dB."""
    last = scene()
    passes = [
        (
            last.start_utc - timedelta(days=every_days * ago),
            on(WINDOW, vv_db=vv, vh_db=vh, angle_deg=38.0),
        )
        for ago, (vv, vh) in enumerate(reversed(looks))
    ]
    return replace(last, backscatter=passes[0][1], history=passes[1:])


def is_flooded(looks: Sequence[Look], share: float = 0.9) -> bool:
    found = flooded(track(looks), np.full(N, share), np.arange(N))
    assert found.all() or not found.any()
    return bool(found[0])


SEASON = [PLOUGHED] * 3 + [YOUNG] * 3 + [GROWN] * 8 + [RIPE] * 3


@pytest.mark.parametrize(
    ("passes", "expected"), [(3, False), (4, True), (6, True), (9, True), (14, True), (17, False)]
)
def test_a_season_from_ploughing_to_ripening(passes: int, expected: bool) -> None:
    assert is_flooded(SEASON[:passes]) is expected


def test_grown_rice_is_known_by_its_past_alone() -> None:
    assert is_flooded([PLOUGHED, YOUNG, GROWN])
    assert not is_flooded([GROWN]), "one pass cannot tell"
    assert not is_flooded([GROWN, GROWN, GROWN]), "a field that never swings does not flood"


def test_dark_now_needs_no_past() -> None:
    assert is_flooded([YOUNG])


def test_only_fields_are_looked_at() -> None:
    assert not is_flooded([YOUNG], share=0.29)
    assert not is_flooded([YOUNG], share=NAN)
    assert is_flooded([YOUNG], share=0.3)


def test_a_lost_pass_adds_nothing() -> None:
    assert is_flooded([PLOUGHED, YOUNG, LOST, GROWN])
    assert is_flooded([PLOUGHED, YOUNG, LOST])
    assert not is_flooded([LOST, LOST])


def test_order_of_the_history_is_irrelevant_and_later_passes_do_not_count() -> None:
    one = track(SEASON[:9])
    cells, share = np.arange(N), np.full(N, 0.9)
    turned = replace(one, history=one.history[::-1])
    np.testing.assert_array_equal(flooded(turned, share, cells), flooded(one, share, cells))
    later = (one.start_utc + timedelta(days=6), on(WINDOW, vv_db=-7.0, vh_db=-17.0, angle_deg=38.0))
    with_later = replace(
        track([PLOUGHED, YOUNG]), history=[*track([PLOUGHED, YOUNG]).history, later]
    )
    assert flooded(with_later, share, cells).all()


def test_pixels_are_judged_one_by_one() -> None:
    vv = np.full(WINDOW.shape, -8.0)
    vv[0, 1] = -18.0
    radar = ScenePass(scene().start_utc, "A", on(WINDOW, vv_db=vv, vh_db=vv - 6.5, angle_deg=38.0))
    found = flooded(radar, np.full(3, 0.9), np.array([5, 1, 0]))
    assert found.tolist() == [False, True, False]


def test_the_water_around_a_place_is_counted_among_what_was_seen() -> None:
    wet = np.zeros((5, 5), np.bool_)
    wet[2, 2:4] = True
    seen = np.ones((5, 5), np.bool_)
    seen[3] = False
    found = share_around(wet, seen, 3)
    assert found[2, 2] == pytest.approx(2 / 6)
    assert found[1, 1] == pytest.approx(1 / 9)
    assert found[2, 4] == pytest.approx(1 / 4), "beyond the edge is nothing"
    assert found[0, 0] == 0
    assert np.isnan(share_around(wet, np.zeros((5, 5), np.bool_), 3)).all()


def test_water_on_land_that_was_not_seen_counts_for_nothing() -> None:
    seen = np.ones((5, 5), np.bool_)
    seen[2, 2] = False
    wet = ~seen
    assert not share_around(wet, seen, 5).any()
