"""A region of the archive under the sensor: prepared, mapped, late frames, wrong clocks, faults."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import rasterio

from sm_platform.defs.radar_quantity import QUANTITY
from sm_platform.defs.region_source import open_source
from sm_platform.defs.watching.calendar import passes_of
from sm_platform.defs.watching.cursor import Cursor, read_cursor
from sm_platform.defs.watching.refreshing import ASSETS, refreshes, stale_days
from sm_platform.defs.watching.scene_log import read_log, register
from sm_platform.defs.watching.sensor import with_calendar
from sm_platform.defs.watching.sweep import sweep_region
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.day_status import day_status
from sm_platform.schema.driver_tables import S1_BACKSCATTER, WEATHER
from sm_platform.sources.protocol import Product
from sm_platform.sources.sentinel1_names import parse_frame
from sm_platform_tests.defs.watching.seat import FIRST_DAY, HOW, REGION, TODAY, Seat, make_seat

NOISY = 128
"""Orbit whose view of the region is all border noise: its passes have no data."""
WATCHED = days_between(TODAY - timedelta(HOW.days), TODAY)
pytestmark = pytest.mark.usefixtures("first_day")


@pytest.fixture(scope="module")
def first_day() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SM_FIRST_DAY", FIRST_DAY.isoformat())
        yield


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory, first_day: None) -> tuple[Path, str]:
    """A region that the sensor has prepared and mapped from nothing, and its cursor."""
    root = tmp_path_factory.mktemp("settled")
    make_seat(root)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [REGION])
        return root, Seat(root, instance).settle()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A region just before a pass of one frame is asked for, which its source lists already."""

    root: Path
    cursor: str
    frame: dict[str, object]


@pytest.fixture(scope="module")
def ahead(settled: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Ahead:
    """The settled region, its clock moved on to the next frame."""
    root = tmp_path_factory.mktemp("ahead") / "seat"
    with copied(settled[0], root) as seat:
        return Ahead(root, *_to_next_frame(seat, settled[1]))


@pytest.fixture
def seat(settled: tuple[Path, str], tmp_path: Path) -> Iterator[Seat]:
    """A copy of the settled region, with an instance that knows of no run."""
    with copied(settled[0], tmp_path / "seat") as found:
        yield found


@pytest.fixture
def seat_ahead(ahead: Ahead, tmp_path: Path) -> Iterator[Seat]:
    """A copy of the region that is ahead, with an instance that knows of no run."""
    with copied(ahead.root, tmp_path / "seat") as found:
        yield found


@contextmanager
def copied(source: Path, root: Path) -> Iterator[Seat]:
    shutil.copytree(source, root)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [REGION])
        yield Seat(root, instance)


def cursor_of(settled: tuple[Path, str]) -> str:
    return settled[1]


def scene_of(row: dict[str, object]) -> str:
    name = parse_frame(str(row["granule_id"]))
    assert name is not None
    return name.scene_id


def current(seat: Seat, scene_id: str) -> list[dict[str, object]]:
    return [row for row in seat.maps() if row["scene_id"] == scene_id and row["is_latest"]]


def test_what_another_service_listed_later_asks_for_nothing(seat: Seat) -> None:
    """The region's own one brings the radar again, and its passes have their maps."""
    own = open_source(seat.region_here).granules(Product.S1_GRD, seat.region.window, WATCHED)
    others = [replace(one, service="earth_engine", stamp="9") for one in own]
    assert len(register(seat.layout, REGION, others, datetime.now(UTC))) == len(own) > 4
    result, _ = seat.tick(None)
    assert not result.run_requests
    rows = passes_of(seat.layout, seat.region_here, seat.source_now(), HOW.days)
    assert {row.pass_status for row in rows if row.seen_scene_id} == {"mapped"}


def test_a_new_region_is_prepared_and_its_passes_mapped_by_themselves(seat: Seat) -> None:
    rows = seat.maps()
    assert len(rows) >= 4
    assert all(row["is_latest"] and row["revision"] == 0 for row in rows)
    assert max(row["pass_start_utc"].date() for row in rows) <= TODAY


def test_nothing_new_asks_for_nothing_with_and_without_a_cursor(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    for cursor in (cursor_of(settled), None, "{damaged"):
        result, _ = seat.tick(cursor)
        assert not result.run_requests
        assert result.skip_reason is not None


def test_a_new_scene_is_mapped_once_by_two_ticks_at_one_moment(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    before = len(seat.maps())
    seat.advance(days=4)
    first, _ = seat.tick(cursor_of(settled))
    second, _ = seat.tick(cursor_of(settled))
    asked = [{one.run_key for one in tick.run_requests or []} for tick in (first, second)]
    assert asked[0] == asked[1]
    assert asked[0], "drivers or scenes are new"
    seat.run([*(first.run_requests or []), *(second.run_requests or [])])
    seat.settle(str(first.cursor))
    rows = seat.maps()
    assert len(rows) > before
    assert all(row["revision"] == 0 for row in rows)


def test_a_pass_waits_for_its_second_frame_then_goes_without_and_is_revised_with_it(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    seat.advance(days=1)
    cursor = seat.settle(cursor_of(settled))
    pair = _next_pair(seat)
    soon = seat.source_now() + timedelta(hours=1)
    late = soon + timedelta(hours=9)
    seat.rewrite([pair[0] | {"available_utc": soon}, pair[1] | {"available_utc": late}])
    seat.advance(hours=2)
    result, notes = seat.tick(cursor)
    seat.run(list(result.run_requests or []))  # drivers, if any
    result, notes = seat.tick(str(result.cursor))
    assert not result.run_requests
    assert "has 1 of 2 frames, waits for the others until" in " ".join(notes)
    seat.advance(hours=6)
    cursor = seat.settle(str(result.cursor))
    (half,) = current(seat, scene_of(pair[0]))
    assert (half["revision"], len(half["granule_ids"])) == (0, 1)  # type: ignore[arg-type]
    seat.advance(hours=3)
    seat.settle(cursor)
    (whole,) = current(seat, scene_of(pair[0]))
    assert (whole["revision"], len(whole["granule_ids"])) == (1, 2)  # type: ignore[arg-type]


def test_a_reprocessed_scene_makes_a_revision_and_one_current_map(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    row = next(r for r in reversed(seat.maps()) if len(r["granule_ids"]) == 1)
    (old,) = row["granule_ids"]
    new = f"{old[:-4]}{int(old[-4:], 16) ^ 0xFFFF:04X}"
    _reprocess(seat, old, new)
    seat.settle(cursor_of(settled))
    (now,) = current(seat, row["scene_id"])
    assert (now["revision"], now["granule_ids"]) == (1, [new])


def test_of_wrong_data_nothing_is_asked_twice_and_a_mended_file_is(
    seat_ahead: Seat, ahead: Ahead
) -> None:
    seat, cursor, frame = seat_ahead, ahead.cursor, ahead.frame
    home = seat.archive / "s1_grd" / REGION / str(frame["granule_id"])
    tif = home / f"{frame['granule_id']}.json"
    whole = tif.read_bytes()
    tif.write_bytes(b"{}" + b" " * (len(whole) - 2))
    _unchecked(seat, frame)
    asked: list[bool] = []
    for _ in range(4):
        result, _ = seat.tick(cursor)
        cursor = str(result.cursor)
        asked += seat.run(list(result.run_requests or []))
    assert asked.count(False) == 1
    assert not seat.tick(None)[0].run_requests, "not even without a cursor"
    tif.write_bytes(whole)
    assert sweep_region(seat.layout, seat.region_here, HOW).n_missed == 1
    seat.settle(cursor)
    assert current(seat, scene_of(frame))


def test_what_lies_after_this_machines_day_is_kept_for_later(
    seat_ahead: Seat, ahead: Ahead
) -> None:
    seat, cursor, frame = seat_ahead, ahead.cursor, ahead.frame
    day = frame["day"]
    early = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)  # type: ignore[attr-defined]
    result, _ = seat.tick(cursor)
    seat.run([one for one in result.run_requests or [] if "drivers" in str(one.run_key)])
    result, notes = seat.tick(cursor, now=early)
    assert not result.run_requests
    assert "set its clock right" in " ".join(notes)
    seat.settle(str(result.cursor))
    assert current(seat, scene_of(frame))


def test_a_source_that_does_not_answer_is_told_and_costs_nothing(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    (seat.archive / "index.parquet").rename(seat.root / "index")
    result, _ = seat.tick(cursor_of(settled))
    assert result.skip_reason is not None
    assert "red-river skipped" in str(result.skip_reason.skip_message)
    assert result.cursor == cursor_of(settled)


def test_seen_passes_tell_what_became_of_them(seat: Seat) -> None:
    rows = passes_of(seat.layout, seat.region_here, seat.source_now(), 25)
    seen = [one for one in rows if one.seen_scene_id]
    assert {one.pass_status for one in seen} <= {"mapped", "no_data"}
    told = {one.current_map_id for one in seen if one.current_map_id}
    assert told <= {row["map_id"] for row in seat.maps()}
    assert {one.orbit_state for one in seen} == {"A", "D"}


def test_only_maps_older_than_their_inputs_are_made_again(seat: Seat) -> None:
    days = sorted({row["pass_start_utc"].date() for row in seat.maps()})
    assert stale_days(seat.layout, seat.region_here, days) == []
    late = days[1] - timedelta(3)
    part = seat.layout.part(WEATHER.name, REGION, late)
    newer = (store.written_ns(seat.layout, WEATHER, REGION, late) or 0) + 10**12
    os.utime(part, ns=(newer, newer))
    assert stale_days(seat.layout, seat.region_here, days) == [
        day for day in days if late - timedelta(8) <= day
    ]
    asks = refreshes(seat.layout, seat.region_here, TODAY, 25)
    (ask,) = [one for one in asks if one.assets == ASSETS]
    assert ask.days is not None
    assert ask.days[1] == days[-1]


def test_earlier_passes_of_another_quantity_make_no_map_older(seat: Seat) -> None:
    days = sorted({row["pass_start_utc"].date() for row in seat.maps()})
    early, late = days[0], days[1:]
    _write_again(seat, early, "SIGMA0_ELLIPSOID")
    assert stale_days(seat.layout, seat.region_here, days) == days
    _write_again(seat, early, "GAMMA0_TERRAIN")
    assert stale_days(seat.layout, seat.region_here, late) == []
    assert stale_days(seat.layout, seat.region_here, days) == [early], "its own measurement is new"


def _write_again(seat: Seat, day: date, quantity: str) -> None:
    """Store a day's backscatter anew, as of a quantity, later than all features."""
    part = store.read(seat.layout, S1_BACKSCATTER, REGION, day)
    assert part is not None
    assert part.rows.num_rows
    note = {**part.note, QUANTITY: quantity}
    path = store.write(seat.layout, S1_BACKSCATTER, part.rows, region=REGION, day=day, note=note)
    newer = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(newer, newer))


def test_days_without_a_pass_are_told_once_they_are_settled(seat: Seat) -> None:
    listed = {frame.pass_day for frame in read_log(seat.layout, REGION)}
    empty = [day for day in days_between(TODAY - timedelta(25), TODAY) if day not in listed]
    told = {day: day_status(seat.layout, REGION, day) for day in empty}
    assert {one.status for day, one in told.items() if one} == {"no_pass"}
    assert {day for day, one in told.items() if one is None} == {
        day for day in empty if day > TODAY - timedelta(2)
    }
    assert refreshes(seat.layout, seat.region_here, TODAY, 25) == []


def test_the_calendar_is_asked_for_once_on_a_new_day_of_the_source(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    result, _ = seat.tick(None)
    asked = with_calendar(result, Cursor()).run_requests or []
    assert [one.job_name for one in asked] == ["find_passes"]
    again = with_calendar(result, read_cursor(str(result.cursor)))
    assert not again.run_requests
    assert again.skip_reason is not None
    seat.advance(days=1)
    before = read_cursor(str(result.cursor))
    cursor = seat.settle(str(result.cursor))
    later, _ = seat.tick(cursor)
    (next_day,) = with_calendar(later, before).run_requests or []
    assert next_day.run_key != asked[0].run_key


def test_days_of_a_region_without_a_checkpoint_are_not_told_to_have_no_pass(seat: Seat) -> None:
    bare = replace(seat.region_here, checkpoint_id=None)
    assert refreshes(seat.layout, bare, TODAY, 25) == []


def test_another_checkpoint_of_the_region_makes_all_anew(seat: Seat) -> None:
    days = sorted({row["pass_start_utc"].date() for row in seat.maps()})
    other = replace(seat.region_here, checkpoint_id="other")
    assert stale_days(seat.layout, other, days) == days


def _next_pair(seat: Seat) -> tuple[dict[str, object], dict[str, object]]:
    """The two frames of the next pass that has two."""
    ahead = [r for r in seat.frames() if r["available_utc"] > seat.source_now()]  # type: ignore[operator]
    by_scene: dict[str, list[dict[str, object]]] = {}
    for row in ahead:
        by_scene.setdefault(scene_of(row), []).append(row)
    first, second = next(rows for rows in by_scene.values() if len(rows) == 2)
    return first, second


def _to_next_frame(seat: Seat, cursor: str) -> tuple[str, dict[str, object]]:
    """Move the clock on to the next frame of a pass of one frame; it is not asked for yet."""
    names = [parse_frame(str(row["granule_id"])) for row in seat.frames()]
    scenes = [one.scene_id for one in names if one]
    alone = [
        row
        for row, name in zip(seat.frames(), names, strict=True)
        if name and scenes.count(name.scene_id) == 1 and name.relative_orbit != NOISY
        if row["available_utc"] > seat.source_now()  # type: ignore[operator]
    ]
    when: datetime = alone[0]["available_utc"]  # type: ignore[assignment]
    hours = int((when - seat.source_now()).total_seconds() // 3600)
    if hours:
        seat.advance(hours=hours)
        cursor = seat.settle(cursor)
    seat.advance(hours=1)
    return cursor, alone[0]


def _reprocess(seat: Seat, old: str, new: str) -> None:
    """The agency makes a frame anew, a little wetter, under a name of its own."""
    home = seat.archive / "s1_grd" / REGION
    (home / new).mkdir()
    for path in (home / old).iterdir():
        target = home / new / path.name.replace(old, new)
        target.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    with rasterio.open(home / new / f"{new}.tif", "r+") as file:
        file.write(file.read() - np.float32(1.0) * np.array([1, 1, 0], np.float32)[:, None, None])
    row = next(r for r in seat.frames() if r["granule_id"] == old)
    more = {
        "granule_id": new,
        "files": [f"{new}.tif", f"{new}.json"],
        "available_utc": seat.source_now() - timedelta(minutes=1),
    }
    seat.rewrite([row | more])
    _unchecked(seat, row | more)


def _unchecked(seat: Seat, row: dict[str, object]) -> None:
    """The provider tells no checksum of a frame whose file the test has changed."""
    told = {name: None for name in ("sha256", "size_bytes") if name in row}
    seat.rewrite([next(r for r in seat.frames() if r["granule_id"] == row["granule_id"]) | told])


def test_days_before_the_first_partition_are_not_asked_for(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_FIRST_DAY", "2025-02-28")
    shutil.rmtree(seat.layout.tables / "scene_log")
    shutil.rmtree(seat.layout.tables / "sm_maps")
    result, _ = seat.tick(None)
    days = {str(one.partition_key)[:10] for one in result.run_requests or []}
    assert days
    assert min(days) >= "2025-02-28"


def test_a_map_that_was_lost_is_found_missing_within_hours(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    row = seat.maps()[-1]
    day = row["pass_start_utc"].date()
    seat.layout.part("sm_maps", REGION, day).unlink()
    assert not seat.tick(cursor_of(settled))[0].run_requests, "nothing is new"
    later = datetime.now(UTC) + timedelta(hours=4)
    result, _ = seat.tick(cursor_of(settled), now=later)
    seat.run(list(result.run_requests or []))
    assert current(seat, row["scene_id"])


def test_frames_logged_by_a_clock_that_was_ahead_hide_no_later_ones(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    seat.advance(days=2)
    ahead = datetime.now(UTC) + timedelta(days=2)
    cursor = str(seat.tick(cursor_of(settled), now=ahead)[0].cursor)
    seat.advance(days=6)
    before = len(seat.maps())
    seat.settle(cursor)
    assert len(seat.maps()) >= before + 2


def test_a_driver_that_landed_and_was_not_extracted_is_asked_for(
    seat: Seat, settled: tuple[Path, str]
) -> None:
    seat.layout.part("weather", REGION, TODAY - timedelta(6)).unlink()
    later = datetime.now(UTC) + timedelta(hours=4)
    result, _ = seat.tick(cursor_of(settled), now=later)
    assert [one.tags["sm_platform/why"] for one in result.run_requests or []] == ["drivers"]


def test_a_checkpoint_that_is_away_for_a_while_ends_no_pass(seat_ahead: Seat, ahead: Ahead) -> None:
    seat, cursor, frame = seat_ahead, ahead.cursor, ahead.frame
    store_folder, aside = seat.root / "models", seat.root / "aside"
    store_folder.rename(aside)
    for _ in range(3):
        result, _ = seat.tick(cursor)
        cursor = str(result.cursor)
        seat.run(list(result.run_requests or []))
    aside.rename(store_folder)
    later = datetime.now(UTC) + timedelta(minutes=2)
    result, _ = seat.tick(cursor, now=later)
    assert seat.run(list(result.run_requests or [])) == [True]
    assert current(seat, scene_of(frame))
