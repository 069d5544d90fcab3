"""What `doctor` finds out about the processes, and the one table of variables."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from sm_platform.defs.home import prepare_home
from sm_platform.defs.resources import CHECKOUT, said
from sm_platform.defs.serving import pools
from sm_platform.defs.serving.state import SILENT_SECONDS, serving_findings
from sm_platform.defs.variables import VARIABLES

ERROR = SerializableErrorInfo("Boom\n happened", [], "Boom")
ROW = re.compile(r"^\| (`(?:SM_|DAGSTER_).*?) \| .* \| (.*?) \|$", re.MULTILINE)
MEANING = re.compile(r".* \(default: (.*?)(?: in the checkout)?\)")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return prepare_home()


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


def heard(instance: dg.DagsterInstance, seconds_ago: float, *errors: SerializableErrorInfo) -> None:
    beat = DaemonHeartbeat(time.time() - seconds_ago, "SENSOR", "one", list(errors))
    instance.add_daemon_heartbeat(beat)


def found(home: Path, word: str) -> tuple[bool, str]:
    """The only finding with a word."""
    (finding,) = (one for one in serving_findings(home) if word in one[1])
    return finding


def test_home_that_was_never_made_is_told(tmp_path: Path) -> None:
    ((is_good, told),) = serving_findings(tmp_path / "none")
    assert is_good
    assert "make up" in told
    assert not (tmp_path / "none").exists()


def test_daemon_is_running_silent_or_met_an_error(home: Path, instance: dg.DagsterInstance) -> None:
    assert "has never run" in found(home, "daemon: ")[1]
    heard(instance, SILENT_SECONDS + 1)
    assert "not running since" in found(home, "daemon: ")[1]
    heard(instance, 1)
    assert "running, heard of" in found(home, "daemon: ")[1]
    heard(instance, 1, ERROR)
    assert found(home, "met an error") == (False, "daemon: SENSOR met an error: Boom happened")


def ticked(
    instance: dg.DagsterInstance, name: str, status: InstigatorStatus, tick: TickStatus
) -> None:
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sm_platform"), "__repository__")
    state = InstigatorState(RemoteInstigatorOrigin(place, name), InstigatorType.SENSOR, status)
    instance.add_instigator_state(state)
    is_failed = tick == TickStatus.FAILURE
    told = TickData(
        state.instigator_origin_id,
        name,
        InstigatorType.SENSOR,
        tick,
        time.time(),
        skip_reason=None if is_failed else "nothing new",
        error=ERROR if is_failed else None,
        selector_id=state.selector_id,
    )
    instance.create_tick(told)


def test_sensors_tell_their_last_tick(home: Path, instance: dg.DagsterInstance) -> None:
    declared, stopped = InstigatorStatus.DECLARED_IN_CODE, InstigatorStatus.STOPPED
    ticked(instance, "scenes", declared, TickStatus.SKIPPED)
    ticked(instance, "broken", declared, TickStatus.FAILURE)
    ticked(instance, "quiet", stopped, TickStatus.FAILURE)
    is_good, told = found(home, "sensor scenes")
    assert is_good
    assert re.search(r"on, last tick .* UTC skipped \(nothing new\)", told)
    is_good, told = found(home, "sensor broken")
    assert not is_good
    assert told.endswith("failure (Boom happened)")
    assert found(home, "sensor quiet: off")[0]


def test_limits_that_differ_from_the_settings_are_told(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools.set_limits(instance, pools.wanted_limits())
    assert found(home, "limits: ")[1].endswith("weather 2")
    monkeypatch.setenv("SM_MEMORY_STEPS", "4")
    assert "memory 1" in found(home, "limits: ")[1]
    assert found(home, "limits: ")[1].endswith("count from its next start")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SM_SMTP_URL", "smtp://me:secret@mail.example.org:25", "(set, host mail.example.org)"),
        ("SM_ALERT_WEBHOOK", "https://hooks.example.org/secret", "(set, host hooks.example.org)"),
        ("SM_POSTGRES_URL", "postgresql://sm:secret@/sm?host=/run", "(set)"),
        ("SM_POSTGRES_URL", "http://[secret", "(set)"),
        ("SM_MAX_RUNS", "4", "4"),
    ],
)
def test_secrets_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    assert said(name) == told


def told_defaults(row: tuple[str, str]) -> dict[str, str]:
    """Variables of a row with their defaults; one default may stand for all of them."""
    names, defaults = ([word.strip("` ") for word in cell.split(",")] for cell in row)
    return dict(zip(names, defaults * (len(names) // len(defaults)), strict=True))


def test_readme_has_every_variable_with_its_default() -> None:
    told: dict[str, str] = {}
    for row in ROW.findall((CHECKOUT / "README.md").read_text()):
        told |= told_defaults(row)
    meant = {name: MEANING.fullmatch(text) for name, text in VARIABLES.items()}
    assert all(meant.values()), "each text ends with its default"
    assert told == {name: match[1] for name, match in meant.items() if match}
