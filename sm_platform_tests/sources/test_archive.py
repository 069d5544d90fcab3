"""The archive as a source: what it shows at its clock, and what it refuses."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sm_platform.errors import SourceError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import (
    ArchiveSource,
    advance_clock,
    archive_regions,
    read_clock,
)
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.sources.made_archive import DAY, WINDOW, archive_of, ids, row

BROUGHT = {Product.SPL4SMAU, Product.USER_CSV, Product.PLANET_SERIES}
"""Products that a person brings; no archive holds them."""
ASKED_FOR = {Product.LATE_RAIN}
"""Products that are written where the fleet is told so."""


def test_a_granule_appears_when_the_clock_ends_the_day_it_came(tmp_path: Path) -> None:
    came = row(available_utc=datetime(2025, 3, 8, 23, 59, tzinfo=UTC))
    shown = {}
    for today in ("2025-03-07", "2025-03-08"):
        source = archive_of(tmp_path / "a", came, today=today)
        shown[today] = ids(source.granules(Product.WEATHER, WINDOW, [DAY]))
    assert shown == {"2025-03-07": [], "2025-03-08": ["one"]}


def test_granules_come_by_day_then_id_and_only_of_the_asked_days(tmp_path: Path) -> None:
    later = DAY + timedelta(days=1)
    source = archive_of(
        tmp_path / "a",
        row(granule_id="b", day=later),
        row(granule_id="d"),
        row(granule_id="c"),
        row(granule_id="a", day=later + timedelta(days=1)),
    )
    assert ids(source.granules(Product.WEATHER, WINDOW, [later, DAY])) == ["c", "d", "b"]


def test_static_granules_are_asked_without_days(tmp_path: Path) -> None:
    still = row(product="soil", granule_id="soil", day=None, available_utc=None)
    source = archive_of(tmp_path / "a", still, row())
    assert ids(source.granules(Product.SOIL, WINDOW, None)) == ["soil"]
    assert source.granules(Product.SOIL, WINDOW, [DAY]) == []
    assert source.granules(Product.WEATHER, WINDOW, None) == []


@pytest.mark.parametrize(("west", "east"), [(107.0, 108.0), (105.0, 106.0)])
def test_a_granule_beside_the_window_is_not_shown(tmp_path: Path, west: float, east: float) -> None:
    source = archive_of(tmp_path / "a", row(west=west, east=east))
    assert source.granules(Product.WEATHER, WINDOW, [DAY]) == []


def test_fetch_brings_exactly_the_files(tiny: Path, tmp_path: Path) -> None:
    source, window = ArchiveSource(tiny), archive_regions(tiny)["red-river"]
    granule = source.granules(Product.SOIL, window, None)[0]
    source.fetch(granule, window, tmp_path)
    home = tiny / "soil" / "red-river" / granule.granule_id
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(granule.files)
    assert all(
        (tmp_path / name).read_bytes() == (home / name).read_bytes() for name in granule.files
    )


def test_fetch_wants_an_empty_folder_that_exists(tmp_path: Path) -> None:
    source = archive_of(tmp_path / "a", row())
    granule = source.granules(Product.WEATHER, WINDOW, [DAY])[0]
    with pytest.raises(UsageError, match="no folder"):
        source.fetch(granule, WINDOW, tmp_path / "absent")
    with pytest.raises(UsageError, match="not empty"):
        source.fetch(granule, WINDOW, tmp_path)


def test_fetch_refuses_what_is_not_there_yet(tmp_path: Path) -> None:
    granule = archive_of(tmp_path / "a", row()).granules(Product.WEATHER, WINDOW, [DAY])[0]
    earlier = archive_of(tmp_path / "a", row(), today="2025-03-05")
    (tmp_path / "to").mkdir()
    with pytest.raises(SourceError, match="advance the clock"):
        earlier.fetch(granule, WINDOW, tmp_path / "to")


def test_fetch_names_the_file_that_was_lost(tmp_path: Path) -> None:
    source = archive_of(tmp_path / "a", row())
    granule = source.granules(Product.WEATHER, WINDOW, [DAY])[0]
    (tmp_path / "a/weather/delta/one/one.nc").unlink()
    (tmp_path / "to").mkdir()
    with pytest.raises(SourceError, match=r"one\.nc cannot be copied"):
        source.fetch(granule, WINDOW, tmp_path / "to")


@pytest.mark.parametrize(
    "bad",
    [
        {"granule_id": "../../truth"},
        {"granule_id": "/etc"},
        {"granule_id": ".hidden"},
        {"files": ["../secret"]},
        {"files": ["a/b"]},
    ],
)
def test_no_name_of_the_index_leaves_the_folder(tmp_path: Path, bad: dict[str, object]) -> None:
    source = archive_of(tmp_path / "a", row(**bad))
    with pytest.raises(SourceError, match="not safe"):
        source.granules(Product.WEATHER, WINDOW, [DAY])


def test_no_granule_and_no_region_leads_out_of_the_folder(tmp_path: Path) -> None:
    source = archive_of(tmp_path / "a", row(region_id="../delta"))
    (tmp_path / "to").mkdir()
    with pytest.raises(SourceError, match="region id"):
        source.granules(Product.WEATHER, WINDOW, [DAY])
    other = archive_of(tmp_path / "b", row())
    granule = other.granules(Product.WEATHER, WINDOW, [DAY])[0]
    with pytest.raises(SourceError, match="region id"):
        source.fetch(granule, WINDOW, tmp_path / "to")
    with pytest.raises(SourceError, match="not safe"):
        other.fetch(replace(granule, files=("../../clock.json",)), WINDOW, tmp_path / "to")


def test_truth_is_there_but_never_listed(
    tiny: Path, listed: Callable[[Product, str], list[tuple[Granule, Path]]]
) -> None:
    assert (tiny / "truth/red-river/sm_202503.npz").is_file()
    folders = [path for product in Product for _, path in listed(product, "red-river")]
    assert folders
    assert all(path.is_dir() and "truth" not in path.parts for path in folders)
    written = set(pq.read_table(tiny / "index.parquet")["product"].to_pylist())
    assert written == set(Product) - BROUGHT - ASKED_FOR


def test_the_clock_moves_forward_and_stops_at_the_last_day(tmp_path: Path) -> None:
    archive_of(tmp_path / "a", row(), today="2025-03-28")
    assert advance_clock(tmp_path / "a", timedelta(days=2)).today == date(2025, 3, 30)
    assert read_clock(tmp_path / "a").now_utc == datetime(2025, 3, 31, tzinfo=UTC)
    clock = advance_clock(tmp_path / "a", timedelta(days=9))
    assert (clock.today, clock.is_at_end) == (date(2025, 3, 31), True)
    assert [path.name for path in (tmp_path / "a").glob(".*")] == []
    for step in (timedelta(0), timedelta(hours=-1)):
        with pytest.raises(UsageError, match="moves forward only"):
            advance_clock(tmp_path / "a", step)


def test_the_clock_moves_by_hours_and_a_midnight_ends_its_day(tmp_path: Path) -> None:
    archive_of(tmp_path / "a", row(), today="2025-03-28")
    told = [advance_clock(tmp_path / "a", timedelta(hours=n)) for n in (3, 20, 1, 1)]
    assert [one.today.day for one in told] == [29, 29, 29, 30]
    assert [one.now_utc.hour for one in told] == [3, 23, 0, 1]
    assert ArchiveSource(tmp_path / "a").now() == datetime(2025, 3, 30, 1, tzinfo=UTC)


def test_regions_come_with_their_windows(tiny: Path) -> None:
    windows = archive_regions(tiny)
    assert set(windows) == {"red-river", "highland"}
    assert windows["red-river"] == WINDOW
    assert isinstance(windows["highland"], GridWindow)


def test_a_folder_without_an_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"{tmp_path} is no archive"):
        ArchiveSource(tmp_path).granules(Product.NDVI, WINDOW, [DAY])
    with pytest.raises(SourceError, match="is no archive"):
        archive_regions(tmp_path)


@pytest.mark.parametrize("name", ["index.parquet", "clock.json"])
def test_damage_is_a_source_error_that_names_the_file(tmp_path: Path, name: str) -> None:
    source = archive_of(tmp_path / "a", row())
    (tmp_path / "a" / name).write_text("{")
    with pytest.raises(SourceError, match=name):
        source.granules(Product.WEATHER, WINDOW, [DAY])


@pytest.mark.parametrize("content", ["[]", '{"r": {}}', '{"r": {"crs": "EPSG:6933"}}'])
def test_damaged_regions_are_a_source_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "regions.json").write_text(content)
    with pytest.raises(SourceError, match=r"regions\.json"):
        archive_regions(tmp_path)


def test_two_regions_with_one_id_are_told_apart_by_the_window(tmp_path: Path) -> None:
    source = archive_of(
        tmp_path / "a",
        row(region_id="far", west=1.0, east=2.0),
        row(region_id="near"),
    )
    (tmp_path / "a/weather/near/one/one.nc").write_text("near")
    granule = source.granules(Product.WEATHER, WINDOW, [DAY])[0]
    (tmp_path / "to").mkdir()
    source.fetch(granule, WINDOW, tmp_path / "to")
    assert (tmp_path / "to/one.nc").read_text() == "near"


def test_the_shown_grow_with_the_clock(tiny: Path, tmp_path: Path) -> None:
    for name in ("index.parquet", "clock.json", "regions.json"):
        shutil.copy(tiny / name, tmp_path)
    (tmp_path / "clock.json").write_text('{"today": "2025-03-10", "last_day": "2025-04-12"}')
    source, window = ArchiveSource(tmp_path), archive_regions(tmp_path)["highland"]
    days = [date(2025, 2, 20) + timedelta(days=n) for n in range(40)]
    counts = []
    for _ in range(3):
        found = source.granules(Product.WEATHER, window, days)
        today = read_clock(tmp_path).today
        assert max(one.day for one in found if one.day) == today - timedelta(days=5)
        counts.append(len(found))
        advance_clock(tmp_path, timedelta(days=3))
    assert counts == [14, 17, 20]
