"""Pictures of labels: bars and points say the numbers they were given."""

from collections.abc import Callable, Mapping
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from numpy.typing import NDArray

from sm_platform.errors import ProductError
from sm_platform.maps.label_figures import (
    BLUE,
    MOST_M3M3,
    Meeting,
    draw_histograms,
    draw_meetings,
    draw_rejections,
)
from sm_platform.maps.panels import in_lines

pytestmark = pytest.mark.filterwarnings("error")

WHITE = (1.0, 1.0, 1.0)
FIRST, SECOND = (mpl.colormaps["tab10"](number)[:3] for number in (0, 1))
"""Colours of the first and second reason."""
TOLD = "n 1234, bias +0.020, ubRMSD 0.040, R 0.89"
Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]


def picture_of(png: bytes) -> Picture:
    """RGB; every picture has an opaque ground."""
    pixels = imread(BytesIO(png))
    assert np.all(pixels[..., 3] == 1)
    return np.asarray(pixels[..., :3])


def where(picture: Picture, color: tuple[float, ...]) -> Mask:
    return np.asarray(np.all(np.abs(picture - np.array(color)) < 0.012, axis=-1))


def bars(values: Mapping[str, NDArray[np.floating]]) -> Mask:
    return where(picture_of(draw_histograms(values)), to_rgb(BLUE))


def heights(found: Mask) -> NDArray[np.int64]:
    """Height of the bar in each column of pixels."""
    return found.sum(axis=0)


def spread(n: int, low: float, high: float) -> NDArray[np.float32]:
    return np.linspace(low, high, n, dtype=np.float32)


def test_bars_are_as_high_as_labels_are_many() -> None:
    labels = np.array([0.11] * 30 + [0.51] * 10, np.float32)
    tall = np.unique(heights(bars({"ismn": labels})))
    low, high = tall[tall > 3][[0, -1]]
    assert high / low == pytest.approx(3, rel=0.03)


def test_bars_stand_at_their_values_on_an_axis_to_the_most() -> None:
    cols = {at: np.flatnonzero(heights(bars({"ismn": np.array([at])})) > 50) for at in (0.11, 0.61)}
    apart = cols[0.61].mean() - cols[0.11].mean()
    both = np.flatnonzero(heights(bars({"ismn": np.array([0.001, 0.699])})) > 50)
    assert apart / np.ptp(both) == pytest.approx(0.5 / MOST_M3M3, abs=0.02)


def test_the_ends_are_in_the_picture() -> None:
    for end in (0.0, MOST_M3M3, np.float32(0.7) + np.float32(1e-7)):
        assert heights(bars({"ismn": np.array([end], np.float32)})).max() > 50


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8])
def test_each_source_has_its_panel(n: int) -> None:
    made = bars({f"source_{number}": spread(50, 0.1, 0.3) for number in range(n)})
    one = bars({"source_0": spread(50, 0.1, 0.3)})
    assert made.sum() == pytest.approx(n * one.sum(), rel=0.25)


def test_a_source_without_a_good_label_has_an_empty_panel() -> None:
    nothing = np.array([], np.float32)
    assert not bars({"ismn": nothing}).any()
    assert not bars({"ismn": np.array([np.nan])}).any()
    assert bars({"ismn": nothing, "planet_swc": spread(9, 0.1, 0.2)}).any()


def test_missing_labels_are_not_counted() -> None:
    with_gaps = np.array([0.1, np.nan, 0.2, np.nan])
    assert draw_histograms({"a": with_gaps}) == draw_histograms({"a": np.array([0.1, 0.2])})


def test_without_sources_the_picture_says_so() -> None:
    for png in (draw_histograms({}), draw_meetings([]), draw_rejections({})):
        assert not where(picture_of(png), WHITE).all()


def widths(reasons: Mapping[str, Mapping[str, int]], color: tuple[float, ...]) -> list[int]:
    """Width of each bar of the colour in pixels, from the top, without the legend's."""
    found = where(picture_of(draw_rejections(reasons)), color)
    found[:, 640:] = False
    long = np.array([row.sum() for row in found])
    starts = np.flatnonzero((long > 0) & (np.roll(long, 1) == 0))
    return [int(np.median(long[start : start + 20])) for start in starts]


def test_bars_are_as_long_as_the_share_that_was_rejected_first_source_on_top() -> None:
    counts = {"planet_swc": {"good": 40, "flag": 160}, "ismn": {"good": 80, "flag": 20}}
    first, second = widths(counts, FIRST)
    assert first / second == pytest.approx(4, rel=0.05)


def test_reasons_follow_each_other_in_one_bar() -> None:
    counts = {"ismn": {"good": 1, "flag": 2, "stuck": 1}}
    assert widths(counts, FIRST)[0] / widths(counts, SECOND)[0] == pytest.approx(2, rel=0.05)
    picture = picture_of(draw_rejections(counts))[:, :640]
    ends = np.flatnonzero(where(picture, FIRST).any(axis=0)).max()
    assert np.flatnonzero(where(picture, SECOND).any(axis=0)).min() == pytest.approx(ends, abs=3)


def test_the_same_reason_has_one_colour_in_all_sources() -> None:
    counts = {"a": {"stuck": 5, "good": 5}, "b": {"flag": 5, "good": 5}}
    assert len(widths(counts, FIRST)) == len(widths(counts, SECOND)) == 1


@pytest.mark.parametrize(
    "counts",
    [
        {"ismn": {}},
        {"ismn": {"good": 7}},
        {"ismn": {"good": 0, "flag": 0}},
        {"a": {"good": 3}, "b": {}, "c": {"good": 1}},
    ],
)
def test_where_nothing_was_rejected_there_is_no_bar(counts: dict[str, dict[str, int]]) -> None:
    assert not widths(counts, FIRST)


def test_all_rejected_and_very_few_fit_the_picture() -> None:
    (all_of,) = widths({"a": {"flag": 3}}, FIRST)
    assert 300 < all_of < 640
    assert len(widths({"a": {"flag": 3, "good": 97}}, FIRST)) == 1


def test_many_reasons_are_all_named() -> None:
    picture = picture_of(draw_rejections({"ismn": {f"reason_{n:02d}": 1 for n in range(18)}}))
    palette = mpl.colormaps["tab20"]
    for number in range(18):
        assert where(picture[:, 640:], palette(number)[:3]).any()


def points(x: NDArray[np.floating], y: NDArray[np.floating]) -> Mask:
    """Pixels of the points, which are bluish."""
    picture = picture_of(draw_meetings([Meeting("planet_swc", "ismn", x, y, TOLD)]))
    return np.asarray(picture[..., 2] - picture[..., 0] > 0.1)


def test_the_first_source_runs_right_and_the_second_up() -> None:
    dry, wet = np.full(50, 0.1), np.full(50, 0.6)
    places = {}
    for name, (x, y) in {"low": (wet, dry), "high": (dry, wet)}.items():
        rows, cols = np.nonzero(points(x, y))
        assert rows.size
        places[name] = rows.mean(), cols.mean()
    assert places["low"][0] > places["high"][0] + 80
    assert places["low"][1] > places["high"][1] + 80
    down = places["low"][0] - places["high"][0]
    assert places["low"][1] - places["high"][1] == pytest.approx(down, rel=0.03)


@pytest.mark.parametrize("n", [1, 2, 4, 10])
def test_each_meeting_has_its_panel(n: int) -> None:
    x = np.full(40, 0.3)
    made = picture_of(draw_meetings([Meeting("a", "b", x, x + 0.1, TOLD)] * n))
    one = points(x, x + 0.1).sum()
    assert np.sum(made[..., 2] - made[..., 0] > 0.1) == pytest.approx(n * one, rel=0.25)


def test_a_large_meeting_is_thinned_evenly() -> None:
    x = np.concatenate([np.full(30_000, 0.1), np.full(30_000, 0.6)])
    found = points(x, 0.7 - x)
    assert found[:, : found.shape[1] // 2].any()
    assert found[:, found.shape[1] // 2 :].any()


def test_a_meeting_of_nothing_is_an_empty_panel() -> None:
    for n in (0, 20):
        assert not points(np.full(n, np.nan), np.full(n, np.nan)).any()


def test_single_points_are_larger_than_those_of_a_cloud() -> None:
    apart = spread(12, 0.05, 0.65)
    cloud = spread(1200, 0.05, 0.65)
    assert points(apart, 0.7 - apart).sum() > 12 * 8
    assert points(apart[:1], 0.7 - apart[:1]).sum() > 8
    assert points(cloud, 0.7 - cloud).sum() < 1200 * 4


LONG = {f"a_source_with_a_long_name_{n}": {f"a_reason_told_at_some_length_{n}": 9} for n in "12"}


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_histograms({}),
        lambda: draw_histograms({"planet_series": np.zeros(1)}),
        lambda: draw_histograms(dict.fromkeys(LONG, spread(100_000, 0.3, 0.3))),
        lambda: draw_rejections({}),
        lambda: draw_rejections({"ismn": {"good": 10}}),
        lambda: draw_rejections(LONG),
        lambda: draw_rejections({"ismn": {f"reason_{n:02d}": 1 for n in range(18)}}),
        lambda: draw_meetings([]),
        lambda: draw_meetings([Meeting(*LONG, spread(9, 0, 0.7), spread(9, 0, 0.7), TOLD)] * 4),
    ],
)
def test_nothing_is_cut_at_the_edges(draw: Callable[[], bytes]) -> None:
    letters = ~where(picture_of(draw()), WHITE)
    assert letters.any()
    letters[1:-1, 1:-1] = False
    assert not letters.any()


def test_labels_that_do_not_meet_are_refused() -> None:
    with pytest.raises(ProductError, match="planet_swc has 3 labels and ismn 2"):
        Meeting("planet_swc", "ismn", np.zeros(3), np.zeros(2), TOLD)


def test_a_panels_title_breaks_after_commas_only() -> None:
    told = in_lines(TOLD).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "n 1234, bias +0.020,\nubRMSD 0.040, R 0.89"


def test_pictures_repeat_and_leave_no_setting_behind() -> None:
    before = dict(mpl.rcParams)
    x = np.random.default_rng(1).uniform(0, 0.7, 200)
    for draw in (
        lambda: draw_histograms({"ismn": x}),
        lambda: draw_rejections({"ismn": {"good": 3, "flag": 1}}),
        lambda: draw_meetings([Meeting("a", "b", x, x, TOLD)]),
    ):
        first = draw()
        assert draw() == first
        assert b"Matplotlib" not in first
    assert dict(mpl.rcParams) == before
