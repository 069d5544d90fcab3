"""`sm-platform alerts`: the list, what is tried again without an alert, and the test alert."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from sm_platform.defs.alerting import delivery
from sm_platform.defs.alerting.alert import Alert, AlertKind, source_down
from sm_platform.defs.alerting.alert_log import raise_alerts
from sm_platform.defs.commands.alerts import alerts_command, test_command
from sm_platform.defs.instance import open_instance, run_tags
from sm_platform.defs.watching.requests import ATTEMPT_TAG
from sm_platform.errors import UsageError
from sm_platform.lake.failures import FailedDay, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform_tests.defs.alert_servers import Chat
from sm_platform_tests.defs.label_lake import FARM

test_command.__test__ = False  # type: ignore[attr-defined]
FIRST = date(2025, 1, 10)


def an_alert(day: date, text: str) -> Alert:
    return Alert(AlertKind.SILENT, FARM, "farm: no map", text, "silent/farm", day)


def note(layout: Layout, alert: Alert, *, now: datetime) -> None:
    raise_alerts(layout, [alert], [], now)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "WAIT_S", 0.01)


@pytest.fixture
def lake_here(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("SM_DATA_LAKE", str(layout.root))
    monkeypatch.setenv("SM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return layout


def test_the_command_lists_what_was_told(
    lake_here: Layout, region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    old = now - timedelta(days=9)
    note(lake_here, an_alert(old.date(), text="Old."), now=old)
    note(lake_here, an_alert(now.date(), text="Dry.\nNext: rain."), now=now)
    note(lake_here, source_down(replace(region, region_id="hill"), "no answer", now), now=now)
    said: list[str] = []
    alerts_command(region.region_id, 7, said.append)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["    Dry.", "    Next: rain."]
    assert lines[0].startswith(f"{now:%Y-%m-%d %H:%M} UTC (")
    assert lines[0].endswith("local)  silent  farm: no map  (not sent)")
    assert said == [
        "1 alert of the last 7 days; the settings of this terminal name no channel. What "
        "`sm-platform up` was started with counts for sending: what went out is marked posted or "
        "mailed."
    ]
    alerts_command(None, 30, said.append)
    out = capsys.readouterr().out
    assert "Old." in out
    assert "hill: its source does not answer" in out
    with pytest.raises(UsageError, match="no region 'nowhere'"):
        alerts_command("nowhere", 7, said.append)


def test_the_test_alert_goes_to_each_channel_and_tells_what_happened(
    lake_here: Layout,
    chat: Chat,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="set SM_ALERT_WEBHOOK"):
        test_command()
    monkeypatch.setenv("SM_ALERT_WEBHOOK", chat.address)
    assert test_command() == 0
    assert capsys.readouterr().out == "webhook: 1 alert sent.\n"
    assert "Nothing has failed" in chat.texts[0]
    chat.answers = [404]
    assert test_command() == 1
    assert "answered 404" in capsys.readouterr().out
    assert not Path(lake_here.root).exists(), "a test is no alert to keep"


@pytest.fixture
def instance(lake_here: Layout) -> Iterator[dg.DagsterInstance]:
    with open_instance() as found:
        yield found


def a_run(instance: dg.DagsterInstance, **tags: str) -> str:
    """The id of a stored run."""
    nothing = dg.GraphDefinition("nothing").to_job()
    return instance.create_run_for_job(nothing, tags=tags).run_id


def fail(
    layout: Layout, n: int, request: str, *, is_passing: bool = True, hours: float = 0.5
) -> None:
    """Day n after the first failed so many hours ago, of two assets."""
    when = datetime.now(UTC) - timedelta(hours=hours)
    for asset in ("s1_granules", "sm_maps"):
        day = FIRST + timedelta(n)
        write_failure(
            layout, FailedDay(FARM, asset, day, "the provider: 503", is_passing, request, when)
        )


def listed(region: str | None = None) -> list[str]:
    """What the command says after the list."""
    said: list[str] = []
    alerts_command(region, 1, said.append)
    assert said[0].startswith(("0 alerts of the last day; ", "1 alert of the last day; "))
    return said[1:]


def test_days_that_are_tried_again_without_an_alert_are_counted(
    lake_here: Layout, region: Region, instance: dg.DagsterInstance
) -> None:
    asked = a_run(instance, **{ATTEMPT_TAG: "1"})
    assert listed() == []
    fail(lake_here, 0, asked)
    assert listed(FARM) == [
        "1 failed day is being tried again by itself while `sm-platform up` runs; no alert tells "
        "of it so far: sm-platform status"
    ]
    fail(lake_here, 1, asked)
    (line,) = listed()
    assert line.startswith("2 failed days are being tried again by themselves while ")


def test_days_that_nothing_tries_again_are_not_counted(
    lake_here: Layout, region: Region, instance: dg.DagsterInstance
) -> None:
    asked = a_run(instance, **{ATTEMPT_TAG: "1"})
    fail(lake_here, 0, a_run(instance, **run_tags()))
    fail(lake_here, 1, asked, is_passing=False)
    fail(lake_here, 2, asked, hours=40)
    fail(lake_here, 3, "a run that is gone")
    assert listed() == []


@pytest.mark.parametrize(
    ("key", "n_lines"),
    [
        ("run_failed/farm/2025-01-09..2025-01-11/sm_maps", 0),
        ("run_failed/farm/2025-01-09..2025-01-09/sm_maps", 1),
        ("run_failed/farm/-/soil_cells", 1),
        ("run_failed/farm", 1),
    ],
)
def test_days_that_an_alert_of_today_tells_of_are_not_counted(
    key: str, n_lines: int, lake_here: Layout, region: Region, instance: dg.DagsterInstance
) -> None:
    now = datetime.now(UTC)
    fail(lake_here, 0, a_run(instance, **{ATTEMPT_TAG: "3"}))
    note(lake_here, Alert(AlertKind.RUN_FAILED, FARM, "failed", "503", key, now.date()), now=now)
    assert len(listed()) == n_lines


def test_records_that_cannot_be_read_hold_up_no_list(
    lake_here: Layout, region: Region, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fail(lake_here, 0, a_run(instance, **{ATTEMPT_TAG: "1"}))
    (tmp_path / "home" / "dagster.yaml").write_text("storage: [")
    (line,) = listed()
    assert line.startswith("Whether failed days are tried again is not known: DAGSTER_HOME ")
