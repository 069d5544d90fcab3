"""What the id of a frame says, against real ids, the archive's own and the readers' formulas."""

import string
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.formats import s1_granule
from sm_platform.sources.sentinel1_names import parse_frame, relative_orbit
from sm_platform.sources.simulated.passes import passes
from sm_platform.sources.simulated.places import PLACES, Place
from sm_platform.sources.simulated.slices import Slice, granule_id

REAL = "S1A_IW_GRDH_1SDV_20210119T031653_20210119T031718_036201_043ED0_8255"
"""Its manifest names relative orbit 79."""
PLATFORMS = ("S1A", "S1B", "S1C", "S1D")
moments = st.datetimes(datetime(2014, 4, 3), datetime(2035, 1, 1), timezones=st.just(UTC))
orbits = st.integers(1, 999_999)
digits = st.text("0123456789ABCDEF", min_size=6, max_size=6)


def test_a_real_frame() -> None:
    frame = parse_frame(REAL)
    assert frame is not None
    assert frame.scene_id == "S1A_043ED0"
    assert (frame.platform, frame.absolute_orbit, frame.relative_orbit) == ("S1A", 36201, 79)
    assert frame.start_utc == datetime(2021, 1, 19, 3, 16, 53, tzinfo=UTC)
    assert frame.stop_utc == datetime(2021, 1, 19, 3, 17, 18, tzinfo=UTC)
    assert parse_frame(REAL.lower()) == frame


@pytest.mark.parametrize(
    ("platform", "orbit", "day", "relative"),
    [
        ("S1C", 638, date(2025, 1, 20), None),
        ("S1C", 5676, date(2025, 12, 30), 80),
        ("S1C", 8000, date(2026, 6, 20), None),
        ("S1C", 8200, date(2026, 7, 20), (8200 - 99) % 175 + 1),
        ("S1B", 27, date(2020, 1, 1), 1),
        ("S1B", 26, date(2020, 1, 1), 175),
        ("S2A", 1, date(2020, 1, 1), None),
    ],
)
def test_relative_orbits_are_told_only_where_a_formula_holds(
    platform: str, orbit: int, day: date, relative: int | None
) -> None:
    assert relative_orbit(platform, orbit, day) == relative


@given(st.sampled_from(PLATFORMS), orbits, st.dates(date(2014, 4, 3), date(2035, 1, 1)))
def test_it_is_the_orbit_that_the_readers_of_the_files_tell(
    platform: str, orbit: int, day: date
) -> None:
    assert relative_orbit(platform, orbit, day) == s1_granule.relative_orbit(platform, orbit, day)


@given(st.sampled_from(PLATFORMS), moments, orbits, digits)
def test_what_was_written_is_read(
    platform: str, start: datetime, orbit: int, datatake: str
) -> None:
    start = start.replace(microsecond=0)
    stop = start + timedelta(seconds=25)
    name = f"{platform}_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}"
    frame = parse_frame(f"{name}_{orbit:06d}_{datatake}_1B2C")
    assert frame is not None
    assert (frame.start_utc, frame.stop_utc, frame.absolute_orbit) == (start, stop, orbit)
    assert frame.scene_id == f"{platform}_{datatake}"


@pytest.mark.parametrize("place", PLACES)
def test_every_pass_of_the_archive_is_known_by_the_ids_of_its_frames(place: Place) -> None:
    for one in passes(place, date(2025, 1, 1), date(2026, 3, 31)):
        part = Slice(one.start_utc, one.start_utc + timedelta(seconds=25), 0, 1)
        frame = parse_frame(granule_id(one, part))
        assert frame is not None
        assert frame.scene_id == f"{one.platform}_{one.datatake_id}"
        assert frame.start_utc == one.start_utc
        assert frame.absolute_orbit == one.absolute_orbit
        assert frame.relative_orbit == one.relative_orbit


@pytest.mark.parametrize(
    "name",
    [
        "",
        "S1_2025-01-27",
        REAL[:-5],
        REAL + "_X",
        REAL.replace("GRDH", "SLC_"),
        REAL.replace("S1A", "S1E"),
        REAL.replace("20210119T031653", "20211319T031653"),
        REAL.replace("20210119T031653", "20210119T251653"),
        REAL.replace("036201", "03620١"),
        "MOD13Q1.A2025033.h27v06.061.2025050001122",
    ],
)
def test_other_names_are_no_frames(name: str) -> None:
    assert parse_frame(name) is None


@given(st.text(string.printable, max_size=90))
def test_no_name_is_too_strange(name: str) -> None:
    parse_frame(name)
