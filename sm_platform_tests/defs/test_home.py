"""The Dagster home: whole after a start, whatever the start before it left."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from sm_platform.cli import main
from sm_platform.defs import home
from sm_platform.defs.home import CONFIG, DRAFT, MADE, keeps_sqlite, prepare_home
from sm_platform.defs.resources import CHECKOUT, environment

DATABASES = ("event_log.db", "history/runs.db", "schedules/schedules.db")


@pytest.fixture
def new_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "new" / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    yield folder


def versions(path: Path) -> int:
    """Rows of the table that says which schema a database has; two make it unreadable."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("select count(*) from alembic_version").fetchone()[0])
    finally:
        connection.close()


def check_works(folder: Path) -> None:
    assert max(versions(folder / name) for name in DATABASES) == 1
    assert not (folder / DRAFT).exists()
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.add_dynamic_partitions("regions", ["one"])
        assert instance.get_dynamic_partitions("regions") == ["one"]
        assert instance.get_runs() == []


def test_new_home_is_made_with_the_configuration_of_the_checkout(new_home: Path) -> None:
    assert prepare_home() == new_home
    assert "EventRecords" in (new_home / "dagster.yaml").read_text()
    check_works(new_home)


def test_configuration_that_is_there_is_kept(new_home: Path) -> None:
    new_home.mkdir(parents=True)
    (new_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_home()
    assert (new_home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
    assert not (new_home / "event_log.db").exists(), "it asks for one event log a run"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose dagster.yaml can be changed."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copyfile(CHECKOUT / CONFIG, folder / CONFIG)
    monkeypatch.setattr(home, "CHECKOUT", folder)
    return folder


def changed(config: Path, line: str) -> str:
    config.write_text(config.read_text() + line)
    return config.read_text()


def test_unedited_copy_follows_the_checkout(new_home: Path, checkout: Path) -> None:
    for line in ("# one\n", "# two\n"):
        prepare_home()
        text = changed(checkout / CONFIG, line)
        prepare_home()
        assert (new_home / CONFIG).read_text() == text
    check_works(new_home)


def test_copy_of_the_first_configuration_follows_it_too(
    new_home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Homes that were made before digests were kept have an empty mark."""
    prepare_home()
    first = (new_home / CONFIG).read_bytes()
    monkeypatch.setattr(home, "FIRST_DIGEST", hashlib.sha256(first).hexdigest())
    (new_home / MADE).write_text("")
    text = changed(checkout / CONFIG, "# one\n")
    prepare_home()
    assert (new_home / CONFIG).read_text() == text


def test_edited_copy_stays_as_it_is(new_home: Path, checkout: Path) -> None:
    prepare_home()
    text = changed(new_home / CONFIG, "# by hand\n")
    changed(checkout / CONFIG, "# one\n")
    prepare_home()
    assert (new_home / CONFIG).read_text() == text


@pytest.mark.parametrize(
    ("text", "is_sqlite"),
    [
        ("", True),
        ("telemetry: {enabled: false}", True),
        ("storage: {sqlite: {base_dir: /here}}", True),
        ("storage: {postgres: {postgres_url: {env: SM_POSTGRES_URL}}}", False),
    ],
)
def test_configuration_tells_where_records_lie(
    tmp_path: Path, text: str, *, is_sqlite: bool
) -> None:
    (tmp_path / CONFIG).write_text(text)
    assert keeps_sqlite(tmp_path) == is_sqlite


@pytest.mark.parametrize("in_place", [(), ("event_log.db",), ("event_log.db", "history")])
def test_home_that_was_half_made_is_finished(
    new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: tuple[str, ...]
) -> None:
    prepare_home()
    (new_home / MADE).unlink()
    draft = new_home / DRAFT
    draft.mkdir()
    for name in ("event_log.db", "history", "schedules"):
        if name not in in_place:
            (new_home / name).rename(draft / name)
    (draft / "event_log.db").write_bytes(b"SQLite format 3, and no more")
    prepare_home()
    check_works(new_home)


def test_second_start_makes_nothing_anew(new_home: Path) -> None:
    prepare_home()
    before = {name: (new_home / name).stat().st_ino for name in DATABASES}
    prepare_home()
    assert {name: (new_home / name).stat().st_ino for name in DATABASES} == before


def test_started_processes_get_whole_paths_whatever_folder_they_run_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SM_DATA_LAKE", "lake")
    assert environment()["SM_DATA_LAKE"] == str(tmp_path / "lake")


@pytest.mark.parametrize(("told", "used"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_waiting_threads_sleep_unless_a_person_says_otherwise(
    told: str | None, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", told or "")
    if told is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setattr("sys.argv", ["sm-platform", "version"])
    with pytest.raises(SystemExit):
        main()
    assert environment()["OMP_WAIT_POLICY"] == used
