"""Landing from a provider that fails: whole and once, or reported; never half."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sm_platform.defs.fetching import Patience, check_fetched, fetch_whole, patiently
from sm_platform.defs.landing import Landing
from sm_platform.errors import DataError, GranuleError, PassingError, SourceError
from sm_platform.lake.atomic import sweep
from sm_platform.lake.granules import digest_of, landed, quarantined
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.archive_faults import FaultKind, Faults, write_faults
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW, archive_of, row, tell_anew

NAME = "delta"
NOW = datetime(2025, 4, 1, tzinfo=UTC)
QUICK = Patience(first_wait_s=0.0001)
KINDS = [kind for kind in FaultKind if kind is not FaultKind.SILENT]
TIFF = b"II*\0" + bytes(range(256)) * 40
KILLED = """
import sys
from pathlib import Path
from sm_platform.defs.fetching import USUAL, fetch_whole
from sm_platform.lake.granules import land
from sm_platform.lake.layout import Layout
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW
source, layout = ArchiveSource(Path(sys.argv[1])), Layout(Path(sys.argv[2]))
for one in source.granules(Product.S1_GRD, WINDOW, [DAY]):
    told = {"product": "s1_grd", "granule_id": one.granule_id, "day": DAY.isoformat(),
            "format": one.format, "files": list(one.files), "available_utc": None,
            "licence": "none", "source": "archive", "stamp": one.stamp}
    fetch = lambda folder: fetch_whole(source, one, WINDOW, folder, patience=USUAL)
    land(layout, "delta", told, fetch)
    print(one.granule_id, flush=True)
"""


def archive_with(root: Path, n: int, content: bytes = TIFF) -> ArchiveSource:
    """An archive of n granules of two files, which tells their sizes and checksums."""
    names = ["one.json", "one.tif"]
    rows = [row(product="s1_grd", granule_id=f"g{k:03d}", files=names) for k in range(n)]
    source = archive_of(root, *rows)
    for k in range(n):
        home = root / f"s1_grd/{NAME}/g{k:03d}"
        (home / "one.json").write_text("{}")
        (home / "one.tif").write_bytes(content + str(k).encode())
    tell_anew(root)
    return source


def listed(source: ArchiveSource) -> list[Granule]:
    return source.granules(Product.S1_GRD, WINDOW, [DAY])


@dataclass(frozen=True, slots=True)
class Desk:
    """A lake and an archive of 34 granules."""

    landing: Landing
    granules: list[Granule]

    @property
    def root(self) -> Path:
        return self.source.root

    @property
    def source(self) -> ArchiveSource:
        source = self.landing.source
        assert isinstance(source, ArchiveSource)
        return source

    @property
    def layout(self) -> Layout:
        return self.landing.layout

    def plant(self, kind: FaultKind, share: float = 1.0, **more: object) -> None:
        write_faults(self.root, Faults(kind, NOW, share=share, **more))  # type: ignore[arg-type]

    def landed(self) -> dict[str, str]:
        """Hash of the content of each landed granule, read from its files."""
        found = landed(self.layout, "s1_grd", NAME, DAY)
        return {
            one.granule_id: digest_of([one.folder / name for name in sorted(one.files)])[0]
            for one in found
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    source = archive_with(tmp_path / "archive", 34)
    region = Region(NAME, WINDOW, "archive", str(source.root))
    landing = Landing(Layout(tmp_path / "lake"), region, source, QUICK)
    return Desk(landing, listed(source))


def told_of(granules: Sequence[Granule]) -> dict[str, str | None]:
    return {one.granule_id: one.sha256 for one in granules}


@pytest.mark.parametrize("kind", KINDS)
def test_under_faults_each_granule_is_landed_once_and_whole_or_reported(
    desk: Desk, kind: FaultKind
) -> None:
    """Of 34 landings a kind, with half of the requests failing: all kinds make 204."""
    desk.plant(kind, 0.5)
    with pytest.raises(DataError) as error:
        desk.landing.land(desk.granules)
    reported = {one.granule_id for one in desk.granules if one.granule_id in str(error.value)}
    whole, told = desk.landed(), told_of(desk.granules)
    assert 0 < len(reported) < len(desk.granules) / 3, "three tries: an eighth"
    assert reported | set(whole) == set(told)
    assert not reported & set(whole)
    assert {name: told[name] for name in whole} == whole
    is_page = kind is FaultKind.HTML
    assert isinstance(error.value, PassingError) is not is_page
    aside = {one.granule_id for one in quarantined(desk.layout, "s1_grd", NAME, DAY)}
    assert aside == (reported if is_page else set())
    assert not list(desk.layout.aside.glob("*/*"))
    write_faults(desk.root, None)
    assert desk.landing.land(desk.granules).metadata["fetched"] == len(reported)
    assert desk.landed() == told
    assert quarantined(desk.layout, "s1_grd", NAME, DAY) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_passes_after_two_failures_is_landed(desk: Desk, kind: FaultKind) -> None:
    desk.plant(kind, first_requests=2)
    found = desk.landing.listed(Product.S1_GRD, [DAY])
    assert desk.landing.land(found).metadata["fetched"] == len(found)
    assert desk.landed() == told_of(found)


def test_a_page_in_the_place_of_data_is_named_and_set_aside(desk: Desk) -> None:
    desk.plant(FaultKind.HTML)
    with pytest.raises(DataError, match="g000: one.tif is a web page.*It lies in") as error:
        desk.landing.land(desk.granules[:1])
    assert not isinstance(error.value, PassingError)
    (aside,) = quarantined(desk.layout, "s1_grd", NAME, DAY)
    assert str(aside.folder) in str(error.value)
    assert "web page" in (aside.folder / "reason.json").read_text()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.HALF_FILE, r"g000 came with \d+ of \d+ bytes"),
        (FaultKind.WRONG_CHECKSUM, "g000 came with another checksum"),
    ],
)
def test_what_came_otherwise_than_told_may_pass(desk: Desk, kind: FaultKind, words: str) -> None:
    desk.plant(kind)
    with pytest.raises(PassingError, match=words):
        desk.landing.land(desk.granules[:1])
    assert desk.landed() == {}


def test_without_told_size_and_checksum_any_data_are_taken(desk: Desk) -> None:
    desk.plant(FaultKind.HALF_FILE)
    silent = replace(desk.granules[0], size_bytes=None, sha256=None)
    assert desk.landing.land([silent]).rows == 1
    desk.plant(FaultKind.HTML)
    silent = replace(desk.granules[1], size_bytes=None, sha256=None)
    with pytest.raises(DataError, match="web page"):
        desk.landing.land([silent])


def test_a_day_is_tried_again_only_when_all_its_reasons_may_pass(desk: Desk) -> None:
    (desk.root / f"s1_grd/{NAME}/g001/one.tif").unlink()
    half = replace(desk.granules[0], size_bytes=1)
    with pytest.raises(DataError, match=r"g000 came with.*g001.*cannot be copied") as error:
        desk.landing.land([half, *desk.granules[1:3]])
    assert not isinstance(error.value, PassingError)
    assert set(desk.landed()) == {"g002"}


@pytest.mark.parametrize(
    ("start", "is_text"),
    [
        (b"<!DOCTYPE html><html>", True),
        ("\ufeff<html lang='vi'>Đăng nhập".encode(), True),
        (("ệ" * 300).encode()[:512], True),
        (b'{"error": 401}', True),
        (b"Access denied", True),
        (TIFF, False),
        (b"\x89HDF\r\n\x1a\n\0\0", False),
        (b"", False),
    ],
)
def test_text_is_told_from_data(tmp_path: Path, start: bytes, is_text: bool) -> None:
    (tmp_path / "a.h5").write_bytes(start)
    granule = Granule(Product.SPL4SMGP, "a", DAY, ("a.h5",), "spl4smgp", None, "none")
    if is_text:
        with pytest.raises(PassingError, match=r"a\.h5 is (a web page|JSON|text)"):
            check_fetched(granule, tmp_path)
    else:
        check_fetched(granule, tmp_path)


def test_text_where_text_belongs_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,sm\n")
    check_fetched(Granule(Product.USER_CSV, "a", DAY, ("a.csv",), "csv", None, "none"), tmp_path)


def test_only_what_may_pass_is_asked_again() -> None:
    asked: list[type[Exception]] = []

    def ask(*errors: type[Exception]) -> int:
        asked.append(errors[min(len(asked), len(errors) - 1)])
        raise asked[-1]("no")

    for errors, n in (((PassingError,), 3), ((GranuleError,), 1), ((PassingError, SourceError), 2)):
        asked.clear()
        with pytest.raises(errors[-1]):
            patiently(QUICK, lambda errors=errors: ask(*errors))  # type: ignore[misc]
        assert len(asked) == n


def test_waiting_ends_at_the_deadline(desk: Desk) -> None:
    desk.plant(FaultKind.TIMEOUT)
    patience = Patience(tries=100, first_wait_s=0.05, deadline_s=0.3)
    begun = time.monotonic()
    (desk.layout.root / "to").mkdir(parents=True)
    with pytest.raises(PassingError):
        fetch_whole(
            desk.source, desk.granules[0], WINDOW, desk.layout.root / "to", patience=patience
        )
    assert time.monotonic() - begun < 1.0


def test_a_killed_landing_leaves_nothing_half(tmp_path: Path) -> None:
    """Killed at three moments; what had landed is whole and is not fetched again."""
    source, layout = archive_with(tmp_path / "archive", 60, TIFF * 150), Layout(tmp_path / "lake")
    told, before = told_of(listed(source)), 0
    rng = random.Random(6)  # noqa: S311 - moments, no secrets
    for most in (10, 30, None):
        command = [sys.executable, "-c", KILLED, str(source.root), str(layout.root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if line.strip() == f"g{most or 99:03d}":
                    time.sleep(rng.uniform(0, 0.01))
                    running.kill()
        assert running.returncode == (-9 if most else 0)
        found = landed(layout, "s1_grd", NAME, DAY)
        digests = {one.granule_id: _digest(one.folder) for one in found}
        assert digests == {name: told[name] for name in digests}
        assert len(found) >= max(before, most or len(told))
        folders = list(layout.granules("s1_grd", NAME, DAY).iterdir())
        assert len(folders) == len(found), "a folder without its description is a half one"
        before = len(found)
    sweep(layout.aside)
    assert not list(layout.aside.iterdir())
    assert not (layout.root / "quarantine").exists()


def _digest(folder: Path) -> str:
    return digest_of([folder / "one.json", folder / "one.tif"])[0]
