"""`sm-platform archive`: what a person reads when moving the clock and planting faults."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.cli import main
from sm_platform.errors import PassingError
from sm_platform.sources.archive import ArchiveSource, read_clock
from sm_platform.sources.archive_faults import read_faults
from sm_platform.sources.protocol import Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW, archive_of, frame, row

Command = Callable[..., tuple[int, str]]
START = datetime(2025, 3, 9, 22, 45, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> ArchiveSource:
    """Two frames of the evening of 9 March, three hours apart, and a day of weather."""
    hours = timedelta(hours=1)
    frames = [frame(START, START + n * hours, datatake=f"00000{n}") for n in (4, 7)]
    weather = row(available_utc=START + 20 * hours)
    return archive_of(tmp_path / "archive", *frames, weather, today="2025-03-09", last="2025-03-11")


@pytest.fixture
def archive(
    source: ArchiveSource, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Gives a command; returns its exit code and what it said."""
    monkeypatch.setenv("SM_ARCHIVE", str(source.root))

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sm-platform", "archive", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        return end.value.code, capsys.readouterr().err

    return run


def test_advancing_tells_the_day_the_moment_and_what_came(
    archive: Command, source: ArchiveSource
) -> None:
    assert archive("advance", "--hours", "3") == (
        0,
        "The archive's day is now 2025-03-10, its moment 2025-03-10 03:00 UTC.\n"
        "Granules that became available: 1 s1_grd.\n",
    )
    assert "Granules that became available: none." in archive("advance", "--hours", "1")[1]
    code, said = archive("advance")
    assert code == 0
    assert "day is now 2025-03-11, its moment 2025-03-11 04:00 UTC" in said
    assert "available: 1 s1_grd, 1 weather." in said
    assert "ends" not in said
    code, said = archive("advance", "--days", "9")
    assert code == 0
    assert "day is now 2025-03-11, its moment 2025-03-12 00:00 UTC" in said
    assert "The archive ends there" in said
    assert read_clock(source.root).is_at_end
    assert "The archive ends there" in archive("advance", "--days", "1")[1]


def test_where_no_frame_came_it_is_told_when_one_will(archive: Command) -> None:
    said = archive("advance", "--hours", "1")[1]
    assert "No Sentinel-1 frame is among them" in said
    assert "comes on 2025-03-10 02:45 UTC: `sm-platform archive advance --days 1`" in said
    assert "No Sentinel-1 frame" not in archive("advance", "--days", "1")[1]


@pytest.mark.parametrize("words", [("--days", "0"), ("--hours", "-1"), ("--days", "99999999999")])
def test_no_step_and_no_way_back(archive: Command, source: ArchiveSource, words: str) -> None:
    assert archive("advance", *words)[0] == 2
    assert read_clock(source.root).today == date(2025, 3, 9)


def test_faults_are_planted_and_taken_away(archive: Command, source: ArchiveSource) -> None:
    code, said = archive("faults", "--kind", "timeout", "--share", "1", "--product", "weather")
    assert code == 0
    assert "now fails: timeout, 100% of weather" in said
    assert "--off" in said
    planted = read_faults(source.root)
    assert planted is not None
    assert (planted.product, planted.began_utc) == (Product.WEATHER, source.now())
    with pytest.raises(PassingError):
        source.granules(Product.WEATHER, WINDOW, [DAY])
    code, said = archive("faults", "--off")
    assert (code, "answers as it should again" in said) == (0, True)
    assert source.granules(Product.WEATHER, WINDOW, [DAY]) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "either --kind or --off"),
        (("--kind", "html", "--off"), "either --kind or --off"),
        (("--kind", "flood"), "'flood' is none of timeout, too-many-requests"),
        (("--kind", "html", "--product", "s2"), "'s2' is none of s1_grd"),
        (("--kind", "html", "--share", "2"), "share of 2.0"),
        (("--kind", "html", "--until", "0"), "0 requests"),
    ],
)
def test_faults_that_make_no_sense_are_refused(
    archive: Command, source: ArchiveSource, words: tuple[str, ...], message: str
) -> None:
    code, said = archive("faults", *words)
    assert code == 2
    assert message in said
    assert read_faults(source.root) is None
