"""`sm-platform download` and its dry run: the same refusals, and what they say of the rest."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO

import pytest

from sm_platform.defs.commands.download import download_command
from sm_platform.defs.commands.run import Asked
from sm_platform.defs.known_services import credentials_lacking
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.variables import CREDENTIALS
from sm_platform.errors import PassingError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import ARCHIVE, LIVE, Region
from sm_platform.sources.configuration import NEEDED
from sm_platform_tests.desk import Desk
from sm_platform_tests.sources.made_archive import WINDOW, archive_of, row

NAME, FIRST = "delta", "2025-02-26"
Download = Callable[..., list[str]]


def line(**changed: str) -> str:
    """A configuration: everything from the archive but what is said."""
    chosen = {**dict.fromkeys(NEEDED, "archive"), **changed}
    return ",".join(f"{driver}={service}" for driver, service in chosen.items() if service)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lake with a live region; the archive among the services has weather alone."""
    archive_of(tmp_path / "archive")
    for name, value in {
        "SM_DATA_LAKE": str(tmp_path / "lake"),
        "SM_ARCHIVE": str(tmp_path / "archive"),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "SM_FIRST_DAY": FIRST,
        "SM_SOURCES": line(),
        "NETRC": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    save_region(Layout(tmp_path / "lake"), Region(NAME, WINDOW, LIVE, ""))
    return tmp_path


@pytest.fixture
def download(root: Path) -> Download:
    """Runs it and gives what it said."""

    def run(*days: str, is_dry: bool = True) -> list[str]:
        said: list[str] = []
        start, end = (*days, *days)[:2]
        download_command(Asked(NAME, start, end), is_dry=is_dry, say=said.append)
        return said

    return run


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2025-03-02", "2025-03-01", "2025-03-01 lies before the start 2025-03-02"),
        ("2010-02-01", "2010-02-08", "2010-02-01 lies before 2025-02-26: set SM_FIRST_DAY"),
        ("2025-03-01", "2099-01-01", "2099-01-01 lies in the future"),
        ("2025-03-01", "tomorrow", "'tomorrow' is not a day"),
    ],
)
def test_the_dry_run_refuses_days_in_the_words_of_the_download(
    download: Download, capsys: pytest.CaptureFixture[str], start: str, end: str, words: str
) -> None:
    refused = []
    for is_dry in (True, False):
        with pytest.raises(UsageError, match=words) as caught:
            download(start, end, is_dry=is_dry)
        refused.append(str(caught.value))
    assert refused[0] == refused[1]
    assert capsys.readouterr().out == ""


def test_the_dry_run_knows_the_clock_of_an_archive(download: Download, root: Path) -> None:
    """A day after it would pass for one without a pass."""
    save_region(Layout(root / "lake"), Region(NAME, WINDOW, ARCHIVE, str(root / "archive")))
    with pytest.raises(UsageError, match="The archive's day is"):
        download("2026-01-01")


def test_a_catalogue_that_does_not_answer_leaves_no_half_of_a_table(
    download: Download, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The radar is listed last."""
    monkeypatch.setenv("SM_SOURCES", line(sentinel1="", weather="climate_store"))
    with pytest.raises(PassingError, match="names nothing for sentinel1"):
        download(FIRST)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("changed", "variable", "title"),
    [
        ({"weather": "climate_store"}, "CDSAPI_KEY", "Copernicus Climate Data Store"),
        ({"weather": "climate_store"}, "ECMWF_DATASTORES_KEY", "Copernicus Climate Data Store"),
    ],
)
def test_a_lacking_account_is_told_below_the_table(
    root: Path,
    download: Download,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    variable: str,
    title: str,
) -> None:
    monkeypatch.setenv("SM_SOURCES", line(**changed))
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    download(FIRST)
    told = capsys.readouterr().out.splitlines()
    (lacking,) = (number for number, text in enumerate(told) if variable in text)
    assert told[lacking - 1].startswith("Together: ")
    assert f"{title}: no credentials" in told[lacking]
    monkeypatch.setenv(variable, "Zq3v")
    download(FIRST)
    assert variable not in capsys.readouterr().out


def test_a_login_of_earthdata_may_stand_in_three_places(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    assert "EARTHDATA_TOKEN or" in str(credentials_lacking("earthdata"))
    monkeypatch.setenv("EARTHDATA_USERNAME", "farmer")
    assert credentials_lacking("earthdata"), "a user without a password"
    monkeypatch.setenv("EARTHDATA_PASSWORD", "Zq3v")
    assert credentials_lacking("earthdata") is None
    monkeypatch.delenv("EARTHDATA_USERNAME")
    (root / "netrc").write_text("machine urs.earthdata.nasa.gov login farmer password Zq3v\n")
    monkeypatch.setenv("NETRC", str(root / "netrc"))
    assert credentials_lacking("earthdata") is None
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("EARTHDATA_TOKEN", "Zq3v")
    assert credentials_lacking("earthdata") is None
    assert credentials_lacking("isric") is None


def test_when_all_is_there_both_say_that_nothing_is_to_be_fetched(
    tmp_path: Path, server: IO[str]
) -> None:
    days = [date(2025, 3, day) for day in (1, 2)]
    rows = [row(granule_id=f"w{day:%d}", day=day) for day in days]
    archive_of(tmp_path / "archive", *rows)
    for path in tmp_path.rglob("one.nc"):
        path.write_bytes(b"CDF\x01\0")
    desk = Desk(tmp_path, server, {"SM_FIRST_DAY": FIRST, "SM_SOURCES": line()})
    save_region(desk.layout, Region(NAME, WINDOW, LIVE, ""))
    words = ("download", "--region", NAME, "--start", FIRST, "--end", FIRST)
    assert desk.done(*words).err.endswith("Together: 2 granules fetched.\n")
    nothing = "Together: 2 granules, all of them there: nothing to fetch.\n"
    assert desk.done(*words).err.endswith(nothing)
    assert nothing in desk.done(*words, "--dry-run").out
