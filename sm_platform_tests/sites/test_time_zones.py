"""The zone of a place, and its meridian's where none is told."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.sites.time_zones import nautical_zone, time_zone_at


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (106.43, 20.45, "Asia/Bangkok"),  # the delta of the Red River
        (108.05, 12.68, "Asia/Ho_Chi_Minh"),  # the central highlands
        (-121.5, 38.5, "America/Los_Angeles"),
        (179.4, -16.6, "Pacific/Fiji"),  # on both sides of the date line
        (-179.9, -16.7, "Pacific/Fiji"),
        (2.35, 48.85, "Europe/Paris"),
    ],
)
def test_a_place_keeps_the_clocks_of_its_country(lon: float, lat: float, name: str) -> None:
    found = time_zone_at(lon, lat)
    assert (found.name, found.warning) == (name, None)


def test_beyond_the_earth_the_meridian_is_taken_and_said() -> None:
    found = time_zone_at(106.4, 95.0)
    assert found.name == "Etc/GMT-7"
    assert found.warning is not None
    assert "name another one with --time-zone" in found.warning


@given(st.floats(-180, 180))
def test_the_zone_of_a_meridian_keeps_its_mean_time_to_half_an_hour(lon: float) -> None:
    offset = datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(nautical_zone(lon))).utcoffset()
    assert offset is not None
    assert abs(offset.total_seconds() / 3600 - lon / 15) <= 0.5
