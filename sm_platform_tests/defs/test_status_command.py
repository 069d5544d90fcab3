"""`sm-platform status`: what it tells of a lake by hand, to a person and to a program."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.utils import make_new_run_id
from dagster._daemon.types import DaemonHeartbeat

from sm_platform.cli import main
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.map_index import NO_MAP, Row, day_row, write_index
from sm_platform.defs.serving.up_lock import hold
from sm_platform.defs.watching.scene_log import register as log_frames
from sm_platform.errors import UsageError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.lake import store
from sm_platform.lake.failures import FailedDay, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_CALENDAR
from sm_platform.sources.protocol import Granule
from sm_platform_tests.defs.region_desk import newcomer, write_archive
from sm_platform_tests.defs.registry_lake import REGION, accept, register
from sm_platform_tests.defs.watching.frames import frame
from sm_platform_tests.desk import Answer

TODAY = date(2025, 1, 31)
"""The clock of the archive stands at its end."""
SEEN = datetime(2025, 1, 27, 22, 45, 12, tzinfo=UTC)
CUT_OFF = date(2025, 1, 2)
Ask = Callable[..., Answer]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    return newcomer(tmp_path, monkeypatch)


@pytest.fixture
def ask(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sm-platform", "status", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    return run


def frame_at(start: datetime) -> Granule:
    """A frame that began then, three hours later at its source."""
    stop = start + timedelta(seconds=25)
    name = f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_056789_06F3A1_1B2C"
    came = start + timedelta(hours=3)
    return replace(frame(), granule_id=name, day=start.date(), available_utc=came)


def day_before(n: int) -> date:
    return TODAY - timedelta(n)


@pytest.fixture
def watched(layout: Layout, tmp_path: Path) -> Layout:
    """A region with every kind of day, a pass that has not come and one that is due."""
    write_archive(tmp_path / "archive", "soil", west=106.0)
    window = window_around(LEVEL_100M, 106.4, 20.45, (6, 9))
    save_region(layout, Region(REGION, window, "archive", str(tmp_path / "archive")))
    mapped = NO_MAP | {"status": "mapped", "is_latest": True, "map_id": "SM100_delta"}
    mapped |= {"pass_start_utc": SEEN, "platform": "S1A", "scene_id": "S1A_1"}
    ends = {SEEN.date(): mapped, day_before(2): day_row("no_data", "masked")}
    ends |= {day_before(n): day_row("no_pass", "no pass") for n in (0, 5)}
    for day, row in ends.items():
        write_index(layout, REGION, day, [row], {"status": row["status"]})
    for asset in ("s1_backscatter", "sm_maps"):
        bad = FailedDay(REGION, asset, day_before(1), "VV is damaged", is_passing=False)
        write_failure(layout, bad)
    late = FailedDay(REGION, "weather", day_before(3), "no answer", is_passing=True)
    write_failure(layout, late)
    old = FailedDay(REGION, "weather", day_before(90), "long ago", is_passing=True)
    write_failure(layout, old)
    due = [(day_before(2), "overdue"), (TODAY + timedelta(3), "expected")]
    write_calendar(layout, [expected(day, status) for day, status in due])
    register(layout, "net", CUT_OFF)
    accept(layout, "net", CUT_OFF)
    return layout


def expected(day: date, status: str) -> Row:
    start = datetime(day.year, day.month, day.day, 10, 56, tzinfo=UTC)
    told = {"platform": "S1A", "orbit_state": "A", "relative_orbit": 55, "pass_start_utc": start}
    told |= {"pass_day": day, "local_day": str(day), "seen_scene_id": None}
    return told | {"pass_status": status, "pass_status_reason": None, "current_map_id": None}


def write_calendar(layout: Layout, rows: list[Row]) -> None:
    table = pa.Table.from_pylist(rows, schema=PASS_CALENDAR.arrow_schema)
    store.write(layout, PASS_CALENDAR, table, region=REGION)


def told(answer: Answer) -> dict[str, Any]:
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_a_program_is_told_everything(watched: Layout, ask: Ask) -> None:
    (region,) = told(ask("--json", "--days", "10"))["regions"]
    assert region["clock"] == {
        "utc": "2025-02-01T00:00:00+00:00",
        "local": "2025-02-01T07:00:00+07:00",
    }
    assert region["days"] == {
        "mapped": 1, "no_pass": 2, "no_data": 1, "failed": 1, "not_looked_at": 5,
    }  # fmt: skip
    assert region["newest_map"] == {
        "map_id": "SM100_delta",
        "utc": "2025-01-27T22:45:12+00:00",
        "local": "2025-01-28T05:45:12+07:00",
    }
    assert region["map_age_days"] == 4.05
    assert region["newest_pass"] is None
    assert [one["utc"][:10] for one in region["overdue_passes"]] == ["2025-01-29"]
    assert region["next_pass"]["utc"] == "2025-02-03T10:56:00+00:00"
    assert region["checkpoint"] == "net"
    assert region["notes"] == []


def test_failed_days_stand_once_with_assets_reason_and_next_step(watched: Layout, ask: Ask) -> None:
    (region,) = told(ask("--json"))["regions"]
    again = "`sm-platform run --region delta --start {0} --end {0}`"
    assert region["failed_days"] == [
        {
            "day": "2025-01-30",
            "assets": ["s1_backscatter", "sm_maps"],
            "reason": "VV is damaged",
            "next_step": f"put right what the reason names, then {again.format('2025-01-30')}",
        },
        {
            "day": "2025-01-28",
            "assets": ["weather"],
            "reason": "no answer",
            "next_step": "tried again by itself while `up` runs; at once: "
            + again.format("2025-01-28"),
        },
    ]


def test_a_person_is_told_both_times(watched: Layout, ask: Ask) -> None:
    text = " ".join(ask().out.split())
    for words in (
        "2025-02-01 00:00 UTC",
        "(1 February 07:00 local)",
        "2025-01-27 22:45 UTC",
        "(28 January 05:45 local)",
        "4.1 days old",
        "1 mapped, 2 no pass,",
        "overdue: 2025-01-29 10:56 UTC",
        "VV is damaged",
        "Daemon: not running, never heard: `sm-platform up`",
        "Runs: 0 in progress, 0 queued",
    ):
        assert words in text, (words, text)
    assert "no newer one" not in text


def test_a_map_that_is_too_old_is_marked(
    watched: Layout, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_SILENT_DAYS", "4")
    assert "no newer one" in " ".join(ask().out.split())


def test_daemon_and_open_runs_are_told(watched: Layout, ask: Ask) -> None:
    """One that was killed ten minutes ago is not taken for running."""
    with open_instance() as instance:
        heard(instance, 600)
        assert "Daemon: not running, last heard" in ask().out
        heard(instance, 20)
        for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED):
            tags = {"dagster/partition": f"2025-01-31|{REGION}"}
            run_id = make_new_run_id()
            instance.add_run(dg.DagsterRun("maps", run_id=run_id, status=status, tags=tags))
    found = told(ask("--json"))
    assert found["daemon"]["is_running"] is True
    assert (found["runs"]["in_progress"], found["runs"]["queued"]) == (1, 1)
    assert found["runs"]["open"][0]["is_working"] is True
    text = ask().out
    assert "Daemon: running, last heard" in text
    assert f"in progress: {REGION} 2025-01-31..2025-01-31" in text


def test_a_daemon_that_was_just_killed_is_not_running(watched: Layout, ask: Ask) -> None:
    """It was heard a moment ago; the lock of `up` is free."""
    with open_instance() as instance:
        heard(instance, 5)
        home = Path(instance.root_directory)
    with hold(home):
        assert "Daemon: running" in ask().out
        with pytest.raises(UsageError, match="already runs"):
            hold(home)
    assert "Daemon: not running, last heard" in ask().out


def test_the_calendar_is_judged_by_the_clock_of_now(watched: Layout, ask: Ask) -> None:
    """A pass that was expected when it was written is overdue, or was listed since."""
    days = [day_before(5), day_before(4), TODAY + timedelta(3)]
    write_calendar(watched, [expected(day, "expected") for day in days])
    start = expected(days[1], "")["pass_start_utc"]
    log_frames(watched, REGION, [frame_at(start)], start + timedelta(hours=3))
    (region,) = told(ask("--json"))["regions"]
    assert [one["utc"][:10] for one in region["overdue_passes"]] == [str(days[0])]
    assert region["next_pass"]["utc"][:10] == str(days[2])


def heard(instance: dg.DagsterInstance, seconds_ago: float) -> None:
    """A sign of life of the daemon's sensors."""
    beat = DaemonHeartbeat(time.time() - seconds_ago, "SENSOR", make_new_run_id(), [])
    instance.add_daemon_heartbeat(beat)


def test_what_cannot_be_read_is_told_and_the_rest_stands(
    watched: Layout, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "archive" / "clock.json").write_text("{}")
    watched.part("pass_calendar", REGION, None).write_bytes(b"no Parquet")
    (region,) = told(ask("--json"))["regions"]
    assert len(region["notes"]) == 2
    assert "clock.json" in region["notes"][0]
    assert region["newest_map"]["map_id"] == "SM100_delta"
    assert region["checkpoint"] == "net"


def test_an_empty_lake_says_what_to_do_and_stays_empty(ask: Ask, layout: Layout) -> None:
    answer = ask()
    assert answer.code == 0
    assert "No region yet: `sm-platform demo` maps two" in answer.out
    assert told(ask("--json"))["regions"] == []
    assert not layout.root.exists()
    assert not (layout.root.parent / "dagster").exists()


def test_a_region_that_is_none_is_refused(watched: Layout, ask: Ask) -> None:
    answer = ask("--region", "nowhere")
    assert answer.code == 2
    assert "no region 'nowhere' (there: delta)" in answer.err


def test_one_cause_of_many_days_is_one_row(watched: Layout, ask: Ask) -> None:
    for n in range(4, 9):
        reason = "CDSAPI_KEY is not set"
        write_failure(watched, FailedDay(REGION, "weather", day_before(n), reason, is_passing=True))
    said = ask().out
    assert said.count("CDSAPI_KEY") == 1
    assert "2025-01-23 to" in said
    assert "2025-01-27" in said
    (region,) = told(ask("--json"))["regions"]
    assert sum("CDSAPI_KEY" in one["reason"] for one in region["failed_days"]) == 5
