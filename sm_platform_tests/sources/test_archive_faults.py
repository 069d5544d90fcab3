"""Faults that a person plants in an archive: each kind, repeatable, over when told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.errors import PassingError, SourceError, UsageError
from sm_platform.sources.archive import ArchiveSource, advance_clock
from sm_platform.sources.archive_faults import (
    LOGIN_PAGE,
    REFUSALS,
    FaultKind,
    Faults,
    read_faults,
    write_faults,
)
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW, archive_of, ids, row

NOW = datetime(2025, 4, 1, tzinfo=UTC)
CONTENT = bytes(range(256)) * 8


@pytest.fixture
def source(tmp_path: Path) -> ArchiveSource:
    """Twenty granules of two files."""
    rows = [row(granule_id=f"g{n:02d}", files=["one.nc", "two.nc"]) for n in range(20)]
    made = archive_of(tmp_path / "archive", *rows)
    for one in rows:
        home = made.root / f"weather/delta/{one['granule_id']}"
        (home / "one.nc").write_bytes(CONTENT)
        (home / "two.nc").write_text("two")
    return made


def granules(source: ArchiveSource) -> list[Granule]:
    return source.granules(Product.WEATHER, WINDOW, [DAY])


def fetched(source: ArchiveSource, granule: Granule, folder: Path) -> dict[str, bytes]:
    folder.mkdir(parents=True)
    source.fetch(granule, WINDOW, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(source: ArchiveSource, granule: Granule, folder: Path) -> bool:
    try:
        fetched(source, granule, folder)
    except PassingError:
        return True
    return False


def plant(source: ArchiveSource, kind: FaultKind, share: float = 1.0, **more: object) -> None:
    write_faults(source.root, Faults(kind, NOW, share=share, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "words"), REFUSALS.items())
def test_a_provider_that_refuses_says_how_for_files_and_lists(
    source: ArchiveSource, tmp_path: Path, kind: FaultKind, words: str
) -> None:
    granule = granules(source)[0]
    plant(source, kind)
    with pytest.raises(PassingError, match=f"{words}.*g00.*request 1.*again later"):
        fetched(source, granule, tmp_path / "to")
    with pytest.raises(PassingError, match=words):
        granules(source)
    with pytest.raises(PassingError, match=words):
        source.listed_since([Product.WEATHER], WINDOW, None, DAY)
    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [(FaultKind.HALF_FILE, CONTENT[:1024]), (FaultKind.HTML, LOGIN_PAGE)],
)
def test_the_largest_file_is_spoiled_and_the_lists_go_on(
    source: ArchiveSource, tmp_path: Path, kind: FaultKind, content: bytes
) -> None:
    plant(source, kind)
    assert fetched(source, granules(source)[0], tmp_path / "to") == {
        "one.nc": content,
        "two.nc": b"two",
    }


def test_a_wrong_checksum_leaves_the_size(source: ArchiveSource, tmp_path: Path) -> None:
    plant(source, FaultKind.WRONG_CHECKSUM)
    got = fetched(source, granules(source)[0], tmp_path / "to")["one.nc"]
    assert len(got) == len(CONTENT)
    assert sum(a != b for a, b in zip(got, CONTENT, strict=True)) == 16


def test_a_silent_provider_lists_nothing_new_and_what_was_there_as_before(tmp_path: Path) -> None:
    later = NOW - timedelta(days=20)
    rows = row(granule_id="old"), row(granule_id="new", available_utc=later)
    source = archive_of(tmp_path, *rows, today="2025-03-09")
    write_faults(tmp_path, Faults(FaultKind.SILENT, source.now()))
    advance_clock(tmp_path, timedelta(days=9))
    assert ids(granules(source)) == ["old"]
    assert ids(source.listed_since([Product.WEATHER], WINDOW, None, DAY)) == ["old"]
    write_faults(tmp_path, None)
    assert ids(granules(source)) == ["new", "old"]


def test_a_share_of_the_requests_fails_and_the_same_each_time(
    source: ArchiveSource, tmp_path: Path
) -> None:
    found, stories = granules(source), []
    for name in ("a", "b"):
        plant(source, FaultKind.HALF_FILE, 0.3)
        stories.append(
            [
                fetched(source, one, tmp_path / f"{name}{n}-{one.granule_id}")["one.nc"] == CONTENT
                for one in found
                for n in range(10)
            ]
        )
    assert stories[0] == stories[1]
    assert 0.2 < stories[0].count(False) / 200 < 0.4
    plant(source, FaultKind.HALF_FILE, 0.3, seed=2)
    other = [fetched(source, one, tmp_path / f"c{one.granule_id}") for one in found]
    assert [one["one.nc"] == CONTENT for one in other] != stories[0][::10]


def test_only_the_first_requests_of_each_granule_fail(
    source: ArchiveSource, tmp_path: Path
) -> None:
    found = granules(source)
    plant(source, FaultKind.TIMEOUT, first_requests=2)
    told = [
        [refused(source, one, tmp_path / f"{one.granule_id}-{n}") for n in range(4)]
        for one in found[:3]
    ]
    assert told == [[True, True, False, False]] * 3


def test_other_products_are_spared(source: ArchiveSource, tmp_path: Path) -> None:
    plant(source, FaultKind.TIMEOUT, product=Product.S1_GRD)
    assert fetched(source, granules(source)[0], tmp_path / "to")["one.nc"] == CONTENT
    with pytest.raises(PassingError):
        source.granules(Product.S1_GRD, WINDOW, [DAY])


def test_faults_are_kept_and_taken_away_with_their_counts(source: ArchiveSource) -> None:
    before = sorted(source.root.iterdir())
    planted = Faults(FaultKind.HTML, NOW, 0.25, Product.NDVI, first_requests=7, seed=3)
    write_faults(source.root, planted)
    assert read_faults(source.root) == planted
    write_faults(source.root, None)
    assert read_faults(source.root) is None
    assert sorted(source.root.iterdir()) == before


def test_damaged_faults_are_a_source_error(source: ArchiveSource) -> None:
    (source.root / "faults.json").write_text('{"kind": "flood"}')
    with pytest.raises(SourceError, match=r"faults\.json is damaged.*--off"):
        granules(source)


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}, {"first_requests": 0}])
def test_faults_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="cannot fail"):
        Faults(FaultKind.HTML, NOW, **wrong)  # type: ignore[arg-type]
