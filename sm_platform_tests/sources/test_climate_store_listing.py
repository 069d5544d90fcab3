"""What the Climate Data Store has, and what is asked of it: known without asking it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from affine import Affine

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.climate_store.pieces import (
    area_around,
    month_around,
    newest_day,
    out_utc,
)
from sm_platform.sources.climate_store.source import ClimateStoreSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.sources.made_archive import WINDOW

NOW = datetime(2025, 4, 12, 12, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9/api"
"""Nobody answers there: a listing that asks would fail."""
SOURCE = ClimateStoreSource(Path("unused"), "key", NOWHERE, clock=lambda: NOW)
AREA = area_around(WINDOW)


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def degrees(west: float, south: float, east: float, north: float) -> GridWindow:
    """A window in degrees, its cells a hundredth of one."""
    affine = Affine(0.01, 0, west, 0, -0.01, north)
    return GridWindow(
        "EPSG:4326", affine, (round((north - south) * 100), round((east - west) * 100))
    )


def test_days_are_out_with_the_hour_of_their_total() -> None:
    days = [date(2025, 4, 1) + timedelta(days=n) for n in range(12)]
    found = SOURCE.granules(Product.WEATHER, WINDOW, [*reversed(days), days[0]])
    assert [one.day for one in found] == days[:6]
    assert found[-1].available_utc == at(2025, 4, 12)
    assert [one.n_requests > 0 for one in found] == [True] + [False] * 5
    assert found[0].granule_id == f"era5-land_{AREA.tag}_20250401"
    assert found[0].files == (f"{found[0].granule_id}.nc",)
    assert SOURCE.granules(Product.NDVI, WINDOW, days) == []
    assert SOURCE.granules(Product.WEATHER, WINDOW, None) == []
    assert out_utc(newest_day(NOW)) <= NOW < out_utc(newest_day(NOW) + timedelta(days=1))


def test_days_before_1950_are_refused_when_there_are_no_others() -> None:
    early = date(1940, 1, 1)
    with pytest.raises(SourceError, match="ERA5-Land begins on 1950-01-02; 1940-01-01 lies before"):
        SOURCE.granules(Product.WEATHER, WINDOW, [early])
    (found,) = SOURCE.granules(Product.WEATHER, WINDOW, [early, date(1960, 1, 1)])
    assert (found.day, found.stamp) == (date(1960, 1, 1), "final")


def test_a_day_is_final_only_when_the_hour_of_its_total_is() -> None:
    may = replace(SOURCE, clock=lambda: at(2025, 5, 15))
    days = [date(2025, 1, 30), date(2025, 1, 31), date(2025, 2, 1)]
    found = may.granules(Product.WEATHER, WINDOW, days)
    assert [one.stamp for one in found] == ["final", "preliminary", "preliminary"]


def test_new_days_and_those_that_became_final_are_listed() -> None:
    new = SOURCE.listed_since([Product.WEATHER], WINDOW, NOW - timedelta(days=2), date(2025, 4, 1))
    assert [one.day for one in new] == [date(2025, 4, 5), date(2025, 4, 6)]
    became_final = at(2025, 6, 1)  # 92 days after February
    june = replace(SOURCE, clock=lambda: became_final + timedelta(days=1))
    new = june.listed_since([Product.WEATHER], WINDOW, became_final, date(2025, 2, 1))
    finals = [one.day for one in new if one.stamp == "final"]
    assert (finals[0], finals[-1], len(finals)) == (date(2025, 2, 1), date(2025, 2, 27), 27)
    assert {one.day for one in new} - set(finals) == {date(2025, 5, 26), date(2025, 5, 27)}
    assert SOURCE.listed_since([Product.NDVI], WINDOW, None, date(2025, 4, 1)) == []


@pytest.mark.parametrize(
    ("bounds", "corners"),
    [
        ((106.41, 20.41, 106.48, 20.49), [20.7, 106.2, 20.2, 106.7]),
        ((-0.05, -0.05, 0.05, 0.05), [0.3, -0.3, -0.3, 0.3]),
        ((-70.35, -30.25, -70.25, -30.15), [-29.9, -70.6, -30.5, -70.0]),
        ((10.0, 89.85, 10.1, 89.95), [90.0, 9.8, 89.6, 10.3]),
    ],
)
def test_the_area_is_snapped_outwards_with_a_margin(
    bounds: tuple[float, float, float, float], corners: list[float]
) -> None:
    area = area_around(degrees(*bounds))
    assert area.corners == corners
    north, west, south, east = corners
    assert area.n_cells == round((north - south) * 10 + 1) * round((east - west) * 10 + 1)


def test_a_month_is_asked_for_whole_but_for_what_is_held_and_what_is_not_out() -> None:
    whole = month_around(AREA, date(2025, 2, 10), NOW, [])
    assert (whole.first, whole.last) == (date(2025, 2, 1), date(2025, 2, 28))
    running = month_around(AREA, date(2025, 4, 3), NOW, [])
    assert (running.first, running.last) == (date(2025, 4, 1), date(2025, 4, 6))
    later = month_around(AREA, date(2025, 4, 8), NOW + timedelta(days=3), [running])
    assert (later.first, later.last) == (date(2025, 4, 7), date(2025, 4, 9))
    inputs = later.inputs()
    assert (inputs["year"], inputs["month"], inputs["day"]) == ("2025", "04", ["07", "08", "09"])
    assert inputs["time"] == [f"{hour:02d}:00" for hour in range(24)]
    assert inputs["variable"] == ["2m_temperature", "total_precipitation"]
    assert inputs["area"] == AREA.corners
    leap = month_around(AREA, date(2024, 2, 1), NOW, [])
    assert (leap.last, leap.stamp) == (date(2024, 2, 29), "final")
