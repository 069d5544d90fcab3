"""Pictures: repeatable, small enough, the right colours in the right cells."""

import struct
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from sm_platform.errors import ProductError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow
from sm_platform.maps import drawing
from sm_platform.maps.figure import overview
from sm_platform.maps.palette import MOISTURE, grade_index, paint
from sm_platform.maps.quicklook import pass_title, quicklook
from sm_platform.maps.summary import summary
from sm_platform.schema.product import Qa
from sm_platform_tests.maps import cases

SHAPES = ((60, 80), (1, 1), (300, 40), (24, 300))


def picture_of(shape: tuple[int, int]) -> bytes:
    made = (
        cases.product(cases.window(*shape))
        if min(shape) > 1
        else cases.product(window_around(LEVEL_100M, 106.3, 20.5, (2, 2)))
    )
    return quicklook(made, summary(made), utc_offset_h=7)


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height from the PNG header."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("shape", SHAPES)
def test_no_side_is_above_1024_pixels(shape: tuple[int, int]) -> None:
    assert max(size_of(picture_of(shape))) <= 1024


def test_the_same_map_gives_the_same_bytes() -> None:
    assert picture_of((60, 80)) == picture_of((60, 80))
    assert b"Matplotlib" not in picture_of((60, 80))


def test_cells_keep_their_proportions_on_the_ground() -> None:
    width_m, height_m = drawing.ground_size_m(window_around(LEVEL_100M, 106.3, 21.0, (100, 100)))
    assert width_m / 100 == pytest.approx(107.9, abs=0.1)
    assert height_m / 100 == pytest.approx(92.9, abs=0.1)
    width_m, height_m = drawing.ground_size_m(cases.SEED_GRID)
    assert width_m / 24 == pytest.approx(98.5, abs=0.2)
    assert height_m / 24 == pytest.approx(99.3, abs=0.2)


def test_the_map_itself_shows_value_mask_and_outside() -> None:
    pixels = imread(BytesIO(picture_of((60, 80))))
    top, bottom, left, right = 92, 92 + 631, 20, 1004
    assert pixels[top + 5, left + 5, 3] == 0
    grey = np.full(3, 0xD9 / 255)
    np.testing.assert_allclose(pixels[bottom - 40, right - 20, :3], grey, atol=1e-3)
    np.testing.assert_allclose(
        pixels[(top + bottom) // 2, (left + right) // 2, :3], grey, atol=1e-3
    )
    assert pixels[40, 900, :].tolist() == [1, 1, 1, 1]


def rgb(text: str) -> list[int]:
    return [int(text[start : start + 2], 16) for start in (1, 3, 5)]


def test_the_ramp_has_its_six_stops_and_is_never_stretched() -> None:
    values = np.array([[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7]])
    inside = np.zeros((1, 7), bool)
    painted = paint(values, MOISTURE, inside)[0, :, :3].astype(int)
    wanted = [rgb(stop) for stop in MOISTURE.stops]
    np.testing.assert_allclose(painted[:6], wanted, atol=3)
    assert painted[6].tolist() == painted[5].tolist()
    alone = paint(values[:, 2:3], MOISTURE, inside[:, :1])[0, 0, :3].astype(int)
    assert alone.tolist() == painted[2].tolist()


def test_masked_is_grey_and_outside_is_transparent() -> None:
    painted = paint(np.array([[np.nan, np.nan]]), MOISTURE, np.array([[False, True]]))
    assert painted.tolist() == [[[0xD9, 0xD9, 0xD9, 255], [0, 0, 0, 0]]]


def test_quality_classes_go_from_recommended_to_critical() -> None:
    bits = [0, Qa.RAIN_ON_DAY, Qa.BUILT_UP | Qa.RAIN_ON_DAY, Qa.OPEN_WATER, 0, 65535]
    qa = np.array([[int(bit) for bit in bits]], np.uint16)
    sm = np.array([[0.2, 0.2, 0.2, 0.2, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(grade_index(sm, qa), [[0, 1, 2, 3, 3, np.nan]])


def test_titles_give_utc_and_local_time_pass_and_orbit() -> None:
    assert pass_title(cases.SEEN, 7) == (
        "2026-01-15 22:45:12 UTC  =  2026-01-16 05:45 UTC+7",
        "Sentinel-1C, descending pass, relative orbit 91",
    )
    when, craft = pass_title(cases.DAY, 7)
    assert when == "2025-01-03 (UTC day; time of the pass not known)"
    assert craft == "Sentinel-1, relative orbit not known"


@pytest.mark.parametrize(
    ("width_m", "length_m", "text"),
    [(8000, 2000, "2 km"), (3999, 500, "500 m"), (100_000, 20_000, "20 km"), (200, 50, "50 m")],
)
def test_scale_bars_are_round(width_m: float, length_m: float, text: str) -> None:
    assert drawing.scale_bar_m(width_m) == length_m
    assert drawing.length_text(length_m) == text


def test_a_picture_above_the_limit_is_refused() -> None:
    with pytest.raises(ProductError, match="above 1024"):
        drawing.new_figure(1025, 10)


@pytest.mark.parametrize(
    "grid", [cases.window(), cases.window(300, 20), cases.SEED_GRID], ids=["wide", "tall", "seed"]
)
def test_the_overview_has_three_panels_and_repeats(grid: GridWindow) -> None:
    made = cases.product(grid)
    picture = overview(grid, made.layers, title="vn-thaibinh 2026-01-15")
    assert picture == overview(grid, made.layers, title="vn-thaibinh 2026-01-15")
    assert max(size_of(picture)) <= 1024
