"""A month's budget that is used up: who is told of it, and what to do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sm_platform.defs.budget import used_up, used_up_in
from sm_platform.defs.commands.doctor import doctor_command
from sm_platform.defs.commands.status import status_command
from sm_platform.defs.live_findings import live_findings
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import Spent, Sums, note_spending
from sm_platform.sources.configuration import Budget

NOVEMBER = datetime(2026, 11, 30, 9, tzinfo=UTC)
WORDS = "The month's budget is used up: 1.19 of 1 megabytes. Downloads go on in "
Limit = Callable[[float], None]


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Of megabytes; 1.19 are spent."""
    sources = tmp_path / "sources.toml"
    monkeypatch.setenv("SM_SOURCES", str(sources))
    monkeypatch.setenv("SM_DATA_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    now = datetime.now(UTC)
    spent = Spent(now, "isric", "soil", "farm", "one", 3, 1_190_000, None, 1.0, is_whole=True)
    note_spending(Layout(tmp_path / "lake"), spent)

    def write(megabytes: float) -> None:
        lines = ["[sources]", 'weather = "archive"', "[budget]"]
        sources.write_text("\n".join([*lines, f"megabytes_per_month = {megabytes}"]))

    return write


def test_the_sentence_says_what_to_do() -> None:
    budget, spent = Budget(megabytes_per_month=1), Sums(3, 1_190_000)
    assert used_up(budget, spent, NOVEMBER) == (
        f"{WORDS}December, or with a larger [budget] in the file that SM_SOURCES names."
    )
    assert used_up(Budget(megabytes_per_month=2), spent, NOVEMBER) is None


def test_the_live_doctor_tells_it_before_it_asks_any_service(limit: Limit) -> None:
    limit(1)
    told = [(one.is_good, one.text[: len(WORDS)]) for one in live_findings()]
    place = told.index((False, WORDS))
    assert place < [text for _, text in told].index("temperature, precipitation: archive, a folder")
    limit(10)
    texts = [one.text for one in live_findings()]
    assert "the month's budget is not used up: 10 megabytes" in texts
    assert not [text for text in texts if "is used up" in text]


def test_the_doctor_tells_it_without_asking(
    limit: Limit, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(1)
    assert doctor_command() == 1
    assert f"MISSING {WORDS}" in capsys.readouterr().out
    limit(10)
    doctor_command()
    assert "budget is used up" not in capsys.readouterr().out


def test_status_tells_it_in_a_line(limit: Limit, capsys: pytest.CaptureFixture[str]) -> None:
    limit(1)
    status_command(None, 30, as_json=False)
    assert WORDS in capsys.readouterr().out
    status_command(None, 30, as_json=True)
    assert json.loads(capsys.readouterr().out)["budget_used_up"].startswith(WORDS)
    limit(10)
    status_command(None, 30, as_json=True)
    assert json.loads(capsys.readouterr().out)["budget_used_up"] is None
    limit(-1)
    status_command(None, 30, as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    assert "is not known: " in out
    assert "megabytes_per_month is -1" in out


def test_books_that_cannot_be_read_hide_nothing_else(limit: Limit, tmp_path: Path) -> None:
    limit(1)
    month = Layout(tmp_path / "lake").spending(f"{datetime.now(UTC):%Y-%m}")
    (month / "lost.jsonl").mkdir()
    found = list(live_findings())
    assert any("lost.jsonl cannot be read" in one.text and not one.is_good for one in found)
    assert found[-1].text == "temperature, precipitation: archive, a folder"
    assert used_up_in(Layout(tmp_path / "lake"), Budget()) is None, "without a limit none is read"
