"""Boxes, stored outlines and names made of free text."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError, UsageError
from sm_platform.sites.areas import (
    MAX_VERTICES,
    Area,
    area_from_bbox,
    area_of,
    check_range,
    moved_m,
    only_areas,
    outline_wkt,
    slug,
    stored_outline,
)

LON = st.floats(-180, 160)
LAT = st.floats(-85, 85)


def blob(vertices: int, seed: int, *, rough: float = 0.02) -> shapely.Polygon:
    """A round outline near Hanoi, about 1 degree wide, its edge rough."""
    angle = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    radius = 0.5 * (1 + rough * np.random.default_rng(seed).uniform(-1, 1, vertices))
    return shapely.Polygon(
        np.column_stack([105.8 + radius * np.cos(angle), 21.0 + radius * np.sin(angle)])
    )


def test_a_box_is_west_south_east_north() -> None:
    area = area_from_bbox(105.0, 20.0, 106.5, 21.0)
    assert shapely.bounds(area.outline).tolist() == [105.0, 20.0, 106.5, 21.0]
    assert area.outline.equals(shapely.box(105, 20, 106.5, 21))
    assert "105 20 106.5 21" in area.came_from


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((21, 105, 22, 106), "did you give lat before lon"),
        ((21, -105, 22, -104), "did you give lat before lon"),
        ((179, 10, -179, 12), "179 10 180 12 and -180 10 -179 12"),
        ((-179, 10, 179, 12), "two regions"),
        ((106, 21, 105, 22), "exchange the two"),
        ((105, 21, 105, 22), "is empty"),
        ((105, 22, 106, 21), "is empty"),
        ((105, 21, 106, 91), "no degrees"),
        ((190, 10, 192, 12), "190 is -170"),
        ((179, 10, 181, 12), "two regions"),
        ((583000, 2322000, 593000, 2332000), "perhaps metres"),
        ((math.nan, 21, 106, 22), "no number"),
        ((105, 21, math.inf, 22), "no number"),
    ],
)
def test_an_impossible_box_is_refused_by_name(
    box: tuple[float, float, float, float], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refusal:
        area_from_bbox(*box)
    assert "W S E N" in str(refusal.value)


@given(LON, LAT, st.floats(0.001, 20), st.floats(0.001, 4))
def test_a_stored_box_comes_back_to_a_centimetre(
    west: float, south: float, width: float, height: float
) -> None:
    area = area_from_bbox(west, south, west + width, south + height)
    back = area_of(outline_wkt(area))
    difference = np.abs(shapely.bounds(back) - shapely.bounds(area.outline))
    assert difference.max() <= 0.5000001e-7


def test_a_stored_outline_has_seven_decimals_and_is_valid() -> None:
    area = Area(blob(900, 1, rough=0.3), "drawn")
    text = outline_wkt(area)
    assert text.startswith("POLYGON ((105") or text.startswith("POLYGON ((106")
    assert max(len(part.strip("(),")) for part in text.split()) <= len("105.1234567")
    back = area_of(text)
    assert back.is_valid
    assert outline_wkt(Area(back, "")) == text
    assert back.symmetric_difference(area.outline).area < 1e-5


def test_an_outline_of_too_many_corners_is_simplified_but_stays_in_place() -> None:
    drawn = blob(3 * MAX_VERTICES, 2, rough=0.0005)
    kept = stored_outline(drawn)
    assert shapely.get_num_coordinates(kept) <= MAX_VERTICES
    assert kept.is_valid
    assert 0 < moved_m(drawn, kept) < 50
    few = blob(1000, 2)
    assert shapely.get_num_coordinates(stored_outline(few)) == 1001
    assert moved_m(few, stored_outline(few)) < 0.02


def test_an_outline_of_too_many_islands_is_stored_too() -> None:
    west, south = np.divmod(np.arange(6000), 80)
    islands = shapely.box(
        105 + west * 0.01, 20 + south * 0.01, 105.001 + west * 0.01, 20.001 + south * 0.01
    )
    everything = only_areas(np.append(islands, shapely.box(103, 20, 104, 21)))
    assert shapely.get_num_coordinates(everything) > MAX_VERTICES
    kept = stored_outline(everything)
    assert shapely.get_num_coordinates(kept) <= MAX_VERTICES
    assert shapely.box(103.1, 20.1, 103.9, 20.9).within(kept)


def test_an_outline_that_rounding_cuts_in_two_stays_valid() -> None:
    hourglass = shapely.Polygon([(0, 0), (1, 0), (0.5 + 2e-8, 0.5), (1, 1), (0, 1), (0.5, 0.5)])
    kept = stored_outline(hourglass)
    assert kept.is_valid
    assert kept.area == pytest.approx(hourglass.area, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["", "POINT (1 2)", "POLYGON EMPTY", "POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "Hanoi",
     "POLYGON ((0 100, 1 100, 1 101, 0 100))"],
)  # fmt: skip
def test_text_that_is_no_outline_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        area_of(text)


def test_holes_and_islands_are_stored() -> None:
    ring = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    area = Area(shapely.MultiPolygon([ring, shapely.box(6, 6, 7, 7)]), "")
    assert area_of(outline_wkt(area)).equals(area.outline)


def test_a_shape_on_both_sides_of_180_degrees_is_refused() -> None:
    both = shapely.MultiPolygon([shapely.box(179, 10, 180, 11), shapely.box(-180, 10, -179, 11)])
    with pytest.raises(UsageError, match="two regions, one on each side"):
        check_range(both, "fiji.geojson")
    one = shapely.box(179, 10, 180, 11)
    assert check_range(one, "west") is one


def test_only_what_has_an_area_is_kept() -> None:
    mixed = shapely.GeometryCollection([shapely.Point(9, 9), shapely.box(0, 0, 1, 1)])
    kept = only_areas(np.array([mixed, shapely.LineString([(0, 0), (5, 5)])], object))
    assert kept.equals(shapely.box(0, 0, 1, 1))
    assert only_areas(np.array([shapely.Point(1, 1)], object)).is_empty


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\u0110\u1eafk L\u1eafk", "dak-lak"),
        ("Th\u1eeba Thi\u00ean \u2013 Hu\u1ebf (m\u1edbi)", "thua-thien-hue-moi"),
        ("D-49-49-A", "d-49-49-a"),
        ("  ", ""),
        ("x" * 50, "x" * 40),
    ],
)
def test_free_text_becomes_a_plain_name(text: str, name: str) -> None:
    assert slug(text) == name
