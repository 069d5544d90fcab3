"""`export --local` and `run --local`: a local day among the passes of the UTC days it touches."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
import rasterio

from sm_platform.cli import main
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.map_index import NO_MAP, Row, day_row, write_index
from sm_platform.lake.layout import Layout
from sm_platform.lake.maps import write_map
from sm_platform.maps.names import folder_parts, map_id
from sm_platform.maps.product import MapPass
from sm_platform.maps.render import map_files
from sm_platform.schema.region import Region
from sm_platform_tests.defs.region_desk import newcomer, write_archive
from sm_platform_tests.desk import Answer, Desk
from sm_platform_tests.maps import cases

MORNING = cases.SEEN
EVENING = replace(
    MORNING,
    start_utc=datetime(2026, 1, 15, 10, 56, tzinfo=UTC),
    end_utc=datetime(2026, 1, 15, 10, 57, tzinfo=UTC),
    orbit_state="A",
    relative_orbit=55,
)
NAME = MORNING.region_id
WINDOW = cases.window(6, 8)


def mapped(layout: Layout, seen: MapPass) -> Row:
    """A map on disk and its row."""
    product = cases.product(WINDOW, seen=seen)
    files = map_files(product, created_utc=seen.end_utc, utc_offset_h=7)
    folder = write_map(layout, folder_parts(seen, 0), files)
    told = {"map_id": map_id(seen, 0), "path": folder.relative_to(layout.root).as_posix()}
    told |= {"scene_id": seen.pass_id, "sm_mean_m3m3": 0.26}
    told |= {"pass_start_utc": seen.start_utc, "platform": seen.platform}
    return NO_MAP | {"status": "mapped", "is_latest": True} | told


def fill(layout: Layout, archive: Path) -> None:
    """An evening and a morning pass of 15 January (UTC), none on the 16th."""
    save_region(layout, Region(NAME, WINDOW, "archive", str(archive)))
    day = MORNING.start_utc.date()
    rows = [mapped(layout, EVENING), mapped(layout, MORNING)]
    write_index(layout, NAME, day, rows, {"status": "mapped"})
    nothing = [day_row("no_pass", "no Sentinel-1 pass on this day")]
    write_index(layout, NAME, day + timedelta(1), nothing, {"status": "no_pass"})


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = newcomer(tmp_path, monkeypatch)
    fill(layout, tmp_path / "archive")
    return layout


def export(capsys: pytest.CaptureFixture[str], *words: str) -> Answer:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        start = ["sm-platform", "export", "--region", NAME, "--out", "o.tif"]
        patch.setattr(sys, "argv", [*start, *words])
        main()
    said = capsys.readouterr()
    return Answer(int(end.value.code or 0), said.out, said.err)


@pytest.mark.parametrize(("day", "seen"), [("2026-01-15", EVENING), ("2026-01-16", MORNING)])
def test_of_a_local_day_its_own_pass_is_written(
    layout: Layout, capsys: pytest.CaptureFixture[str], day: str, seen: MapPass
) -> None:
    answer = export(capsys, "--day", day, "--local")
    assert answer.code == 0, answer.err
    assert map_id(seen, 0) in answer.err
    with rasterio.open("o.tif") as file:
        assert file.shape == WINDOW.shape


def test_of_a_utc_day_both_are_offered_with_both_times(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = export(capsys, "--day", "2026-01-15")
    assert answer.code == 2
    assert "2026-01-15 10:56 UTC (15 January 17:56 local)" in answer.err
    assert "2026-01-15 22:45 UTC (16 January 05:45 local)" in answer.err
    assert export(capsys, "--day", "2026-01-15", "--pass", MORNING.pass_id).code == 0


def test_a_local_day_without_a_pass_or_never_mapped_is_told(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = export(capsys, "--day", "2026-01-17", "--local")
    assert answer.code == 1
    assert "no map on the local day 2026-01-17: no Sentinel-1 pass on that day." in answer.err
    answer = export(capsys, "--day", "2026-03-01", "--local")
    assert "has not been mapped on the local day 2026-03-01" in answer.err


def test_a_local_day_is_run_as_the_whole_utc_days_it_touches(
    server: IO[str], tmp_path: Path
) -> None:
    """The clock stands at the end of 15 January (UTC), in the morning of the 16th in Vietnam."""
    desk = Desk(tmp_path, server, {})
    archive = tmp_path / "archive"
    write_archive(archive, "soil", west=106.0)
    (archive / "clock.json").write_text('{"today": "2026-01-15", "last_day": "2026-03-01"}')
    fill(desk.layout, archive)
    drawn = ("--local", "--visualize")
    answer = desk.done("run", "--region", NAME, *days("2026-01-16", "2026-01-16"), *drawn)
    assert "local days of Asia/Bangkok lie in the UTC days 2026-01-15..2026-01-15" in answer.err
    assert [line.split("  ")[0] for line in answer.out.splitlines()] == [
        "2026-01-15 10:56 UTC (15 January 17:56 local)",
        "2026-01-15 22:45 UTC (16 January 05:45 local)",
    ]
    assert desk.days_materialized("map_figures", NAME) == {"2026-01-15"}
    late = desk.run("run", "--region", NAME, *days("2026-01-17", "2026-01-17"), *drawn)
    assert late.code == 2
    assert "2026-01-17 has not begun" in late.err


def days(start: str, end: str) -> tuple[str, ...]:
    return "--start", start, "--end", end
