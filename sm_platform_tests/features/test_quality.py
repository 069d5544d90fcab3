"""Quality bits: each threshold from both sides, layover and shadow by geometry."""

import numpy as np
import pytest

from sm_platform.features.quality import (
    Relief,
    Shares,
    cover_bits,
    filling_bits,
    radar_bits,
    relief_bits,
    state_bits,
    with_inundation,
)
from sm_platform.schema.product import Qa

NAN = float("nan")


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value]) for value in values]


@pytest.mark.parametrize(
    ("vv", "vh", "angle", "bits"),
    [
        (-10, -17, 38, 0),
        (NAN, -17, 38, Qa.NO_SENTINEL1),
        (-10, NAN, 38, Qa.NO_SENTINEL1),
        (-10, -17, NAN, Qa.NO_SENTINEL1),
        (-10, -17, 30.64, Qa.SCENE_BORDER),
        (-10, -17, 30.65, 0),
        (-10, -17, 45.23, 0),
        (-10, -17, 45.24, Qa.SCENE_BORDER),
    ],
)
def test_radar(vv: float, vh: float, angle: float, bits: int) -> None:
    assert radar_bits(*one(vv, vh, angle))[0] == bits


def slope(slope_deg: float, aspect_deg: float) -> Relief:
    turn = np.radians(aspect_deg)
    return Relief(*one(slope_deg, 0.3 * np.sin(turn), 0.3 * np.cos(turn)))


@pytest.mark.parametrize(
    ("slope_deg", "aspect_deg", "orbit", "hidden"),
    [
        (40, 258, "A", True),  # faces west-south-west, whence the ascending pass looks: layover
        (37, 258, "A", False),
        (40, 78, "A", False),  # faces away, but 40 deg are no shadow at 38 deg of incidence
        (53, 78, "A", True),
        (40, 258, "D", False),
        (40, 102, "D", True),  # the descending pass looks from the east
        (40, 168, "A", False),  # along the track
        (40, 102, None, True),
        (40, 258, None, True),
        (40, 180, None, False),
    ],
)
def test_layover_and_shadow(
    slope_deg: float, aspect_deg: float, orbit: str | None, hidden: bool
) -> None:
    found = relief_bits(slope(slope_deg, aspect_deg), np.array([38.0]), orbit)  # type: ignore[arg-type]
    assert found[0] == Qa.STEEP_SLOPE | (Qa.LAYOVER_SHADOW if hidden else 0)


def test_steep_slopes_and_ground_without_direction() -> None:
    assert relief_bits(slope(15.0, 0), np.array([38.0]), "A")[0] == 0
    assert relief_bits(slope(15.1, 0), np.array([38.0]), "A")[0] == Qa.STEEP_SLOPE
    flat = Relief(*one(0.0, 0.0, 0.0))
    assert relief_bits(flat, np.array([38.0]), None)[0] == 0
    unknown = Relief(*one(NAN, NAN, NAN))
    assert relief_bits(unknown, np.array([38.0]), "A")[0] == 0


def test_cover_and_newest_ndvi() -> None:
    shares = Shares(
        *(
            np.array(s)
            for s in ([0.5, 0, 0, 0, NAN], [0, 0.5, 0, 0, NAN], [0, 0, 0.5, 0, NAN], [0.0] * 5)
        )
    )
    ndvi = np.array([0.5, 0.5, 0.5, 0.85, 0.84])
    expected = [Qa.DENSE_VEGETATION, Qa.BUILT_UP, Qa.OPEN_WATER, Qa.DENSE_VEGETATION, 0]
    assert cover_bits(shares, ndvi).tolist() == expected


def test_frost_rain_and_fillings() -> None:
    snow = np.array([True, False, False, False])
    warmth, rain = np.array([NAN, 273.14, 273.15, NAN]), np.array([NAN, 0.0, 0.001, NAN])
    expected = [Qa.FROZEN_SNOW, Qa.FROZEN_SNOW, Qa.RAIN_ON_DAY, 0]
    assert state_bits(snow, warmth, rain).tolist() == expected
    flags = np.eye(3, dtype=bool)
    assert filling_bits(*flags).tolist() == [256, 512, 1024]


def test_no_bit_15_without_a_measurement() -> None:
    qa = np.array([0, Qa.NO_SENTINEL1, Qa.STEEP_SLOPE], np.uint16)
    found = with_inundation(qa, np.array([True, True, True]))
    assert found.tolist() == [Qa.INUNDATED, Qa.NO_SENTINEL1, Qa.STEEP_SLOPE | Qa.INUNDATED]
    assert found.dtype == np.uint16
