"""Countries by name and code, and land by the same outlines."""

import pytest
import shapely

from sm_platform.errors import UsageError
from sm_platform.sites.boundaries import (
    OTHER_NAMES,
    area_from_country,
    countries,
    land_within,
    outline_of,
)

HANOI, DA_LAT, CA_MAU = shapely.Point(105.85, 21.03), shapely.Point(108.44, 11.94), (105.1, 9.1)
SEA = shapely.box(110.5, 12, 111.5, 13)


@pytest.mark.parametrize(
    "name", ["vietnam", "VIETNAM", "vn", "VNM", "Vi\u1ec7t Nam", " Viet  Nam "]
)
def test_vietnam_by_its_names(name: str) -> None:
    area = area_from_country(name)
    assert shapely.bounds(area.outline) == pytest.approx((102.13, 8.57, 109.47, 23.37), abs=0.01)
    for place in (HANOI, DA_LAT, shapely.Point(CA_MAU)):
        assert area.outline.contains(place)
    assert not area.outline.contains(shapely.Point(102.6, 17.97))  # Vientiane
    assert area.came_from.startswith("Vietnam, outline of Natural Earth")


@pytest.mark.parametrize(
    ("given", "name"),
    [("FR", "France"), ("nor", "Norway"), ("Lao PDR", "Laos"), ("UK", "United Kingdom"),
     ("Burma", "Myanmar"), ("cod", "Dem. Rep. Congo"), ("Ivory Coast", "C\u00f4te d'Ivoire"),
     ("S\u00e3o Tom\u00e9 and Principe", "S\u00e3o Tom\u00e9 and Principe")],
)  # fmt: skip
def test_other_names_and_codes(given: str, name: str) -> None:
    assert area_from_country(given).came_from.startswith(f"{name}, outline")


def test_every_other_name_leads_to_a_country() -> None:
    names = {country.name for country in countries()}
    assert set(OTHER_NAMES.values()) <= names


def test_an_unknown_country_lists_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'Vietnan'.*nearest are Vietnam"):
        area_from_country("Vietnan")
    with pytest.raises(UsageError, match="no country ''"):
        area_from_country("")


@pytest.mark.parametrize("name", ["Fiji", "Russia", "USA", "New Zealand"])
def test_a_country_across_180_degrees_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="two regions"):
        area_from_country(name)


def test_a_country_around_another_has_its_hole() -> None:
    lesotho = area_from_country("LSO").outline
    around = area_from_country("ZAF").outline
    assert not around.contains(lesotho.centroid)
    assert around.intersection(lesotho).area < 0.01 * lesotho.area


def test_outlines_are_valid_and_lie_in_their_bounds() -> None:
    for country in countries()[::12]:
        outline = outline_of(country.number)
        assert outline.is_valid
        assert shapely.bounds(outline) == pytest.approx(country.bounds, abs=1e-9)


def test_land_is_where_countries_are() -> None:
    assert land_within(SEA).is_empty
    inland = shapely.box(105.5, 21, 106, 21.5)
    assert land_within(inland).equals(inland)
    coast = shapely.box(106, 20, 107, 21)
    assert 0.5 < land_within(coast).area / coast.area < 0.7
    border = shapely.box(104, 18, 105, 19)  # Laos and Vietnam
    assert land_within(border).area == pytest.approx(1, abs=0.005)
    near = shapely.box(106.61, 20.0, 106.62, 20.01)
    assert land_within(near).is_empty
    assert not land_within(near, margin_deg=0.3).is_empty
