"""Regions taken out of a lake: only theirs goes, whole or not at all, also when killed."""

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from sm_platform.errors import LakeError, UsageError
from sm_platform.lake import store
from sm_platform.lake.atomic import sweep
from sm_platform.lake.layout import Layout
from sm_platform.lake.removal import (
    delete_region_data,
    forget_region,
    pixel_folders,
    size_of,
    stored_folders,
)
from sm_platform.schema.alert_tables import ALERTS
from sm_platform.schema.driver_tables import REGIONS, WEATHER
from sm_platform.schema.watch_tables import PASS_CALENDAR, SCENE_LOG
from sm_platform_tests.lake.small_lake import DAY, visible, weather

CHECKOUT = Path(__file__).resolve().parents[2]
NAMES = ("red-river", "red-river-2", "river")
"""One begins, another ends like the first."""
ROW: dict[str, object] = {
    "crs": "EPSG:6933",
    "affine": [100.0, 0.0, 0.0, 0.0, -100.0, 0.0],
    "rows": 2,
    "cols": 3,
    "source": "archive",
    "source_path": "/archive",
}


def fill(layout: Layout, region: str) -> list[Path]:
    """A row, and a file in each kind of folder; returns the folders without the row's, in order."""
    row = {"region_id": region, **ROW}
    store.write(layout, REGIONS, pa.Table.from_pylist([row], REGIONS.arrow_schema), region=region)
    made = [store.write(layout, WEATHER, weather(3), region=region, day=DAY).parents[1]]
    for folder in (
        layout.granules("s1_grd", region, DAY),
        layout.granules("soil", region, None),
        layout.quarantine("s1_grd", region, "g1"),
        layout.superseded("s1_grd", region, "g1"),
        layout.maps / "sm100" / region / "2025" / "03" / "map",
        layout.failures(region, "weather_granules"),
    ):
        (folder / "deeper").mkdir(parents=True)
        (folder / "deeper" / "one.bin").write_bytes(b"12345")
        made.append(next(path for path in (folder, *folder.parents) if path.name == region))
    for picture in (layout.report(region, "sites.png"), layout.figure(region, DAY, "sm.png")):
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(b"1234567")
    return sorted([*made, layout.report(region, "sites.png").parent])


def files_of(layout: Layout, region: str) -> set[str]:
    """Files of a region, its row's among them, as the lake shows them."""
    ends = (region, f"region={region}")
    return {path for path in visible(layout.root) if any(end in path.split("/") for end in ends)}


def test_what_is_stored_is_found_by_the_whole_name(layout: Layout) -> None:
    folders = {name: fill(layout, name) for name in NAMES}
    for name in NAMES:
        assert stored_folders(layout, name) == folders[name]
        weather_file = layout.part("weather", name, DAY)
        assert size_of(folders[name]) == (9, weather_file.stat().st_size + 6 * 5 + 2 * 7)
    assert stored_folders(layout, "other") == []
    assert size_of([]) == (0, 0)


def test_a_forgotten_region_keeps_its_data(layout: Layout) -> None:
    folders = fill(layout, "red-river")
    fill(layout, "red-river-2")
    before = visible(layout.root)
    forget_region(layout, "red-river")
    assert before - visible(layout.root) == {"tables/regions/region=red-river/part.parquet"}
    assert store.regions_made(layout, REGIONS) == ["red-river-2"]
    assert stored_folders(layout, "red-river") == folders


def test_what_is_known_of_the_watch_lies_on_no_pixels_and_goes_with_the_data(
    layout: Layout,
) -> None:
    folders = fill(layout, "red-river")
    for table in (ALERTS, PASS_CALENDAR, SCENE_LOG):
        empty = table.arrow_schema.empty_table()
        store.write(layout, table, empty, region="red-river")
    failures = layout.root / "failures" / "red-river"
    assert pixel_folders(layout, "red-river") == [one for one in folders if one != failures]
    assert len(stored_folders(layout, "red-river")) == len(folders) + 3
    watched = layout.watched("red-river")
    watched.mkdir(parents=True)
    (watched / "since.txt").write_text("a moment")
    delete_region_data(layout, "red-river")
    assert watched.exists(), "as long as it has its row"
    forget_region(layout, "red-river")
    assert files_of(layout, "red-river") == set()


def test_deleted_data_are_gone_and_nothing_else(layout: Layout) -> None:
    for name in NAMES:
        fill(layout, name)
    row = "tables/regions/region=red-river/part.parquet"
    before, own = visible(layout.root), files_of(layout, "red-river")
    delete_region_data(layout, "red-river")
    assert before - visible(layout.root) == own - {row}
    assert stored_folders(layout, "red-river") == []
    assert store.regions_stored(layout, WEATHER) == ["red-river-2", "river"]
    assert store.regions_made(layout, REGIONS) == sorted(NAMES)
    assert not list(layout.aside.glob("*/*"))


def test_of_a_lake_without_the_region_nothing_is_removed_or_made(layout: Layout) -> None:
    forget_region(layout, "red-river")
    delete_region_data(layout, "red-river")
    assert not layout.root.exists()
    fill(layout, "river")
    before = visible(layout.root)
    forget_region(layout, "red-river")
    delete_region_data(layout, "red-river")
    assert visible(layout.root) == before


@pytest.mark.parametrize("name", ["*", "..", "red-river/..", "red-*", ""])
def test_a_name_that_could_mean_more_is_refused(layout: Layout, name: str) -> None:
    fill(layout, "red-river")
    before = visible(layout.root)
    for take in (stored_folders, forget_region, delete_region_data):
        with pytest.raises(UsageError, match="cannot be part of a path"):
            take(layout, name)
    assert visible(layout.root) == before


def test_of_links_the_link_goes_and_what_it_points_to_stays(layout: Layout, tmp_path: Path) -> None:
    outside = tmp_path / "disk"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "a.tif").write_bytes(b"123")
    home = layout.root / "granules"
    for product in ("s1_grd", "soil", "swc"):
        (home / product).mkdir(parents=True)
    (home / "s1_grd" / "red-river").symlink_to(outside)
    (home / "soil" / "red-river").symlink_to(tmp_path / "absent")
    (home / "swc" / "red-river").mkdir()
    (home / "swc" / "red-river" / "2025-03-07").symlink_to(outside)
    folders = stored_folders(layout, "red-river")
    assert [path.parent.name for path in folders] == ["s1_grd", "soil", "swc"]
    assert size_of(folders) == (0, 0)
    delete_region_data(layout, "red-river")
    assert [list(path.parent.iterdir()) for path in folders] == [[], [], []]
    assert (outside / "deep" / "a.tif").read_bytes() == b"123"
    assert not list(layout.aside.glob("*/*"))


def test_what_others_put_aside_stays(layout: Layout) -> None:
    fill(layout, "red-river")
    theirs = layout.aside / "1" / "draft"
    theirs.mkdir(parents=True)
    delete_region_data(layout, "red-river")
    assert theirs.is_dir()


def test_two_regions_are_deleted_at_the_same_time_and_one_twice(layout: Layout) -> None:
    for name in NAMES:
        fill(layout, name)
    failed: list[Exception] = []

    def remove(region: str) -> None:
        try:
            delete_region_data(layout, region)
        except Exception as error:  # a thread's error would be lost
            failed.append(error)

    gone = ("red-river", "red-river", "river")
    threads = [threading.Thread(target=remove, args=(name,)) for name in gone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert [len(stored_folders(layout, name)) for name in NAMES] == [0, 8, 0]


def test_killed_at_any_step_each_folder_is_whole_or_gone_and_the_sweep_clears_the_rest(
    tmp_path: Path,
) -> None:
    script = (
        "import os, shutil, sys; from itertools import count; from pathlib import Path\n"
        "from sm_platform.lake.layout import Layout\n"
        "from sm_platform.lake.removal import delete_region_data\n"
        "from sm_platform_tests.lake.dying import _die_at\n"
        "from sm_platform_tests.lake.test_removal import fill\n"
        "model = Path(sys.argv[1])\n"
        "for name in ('red-river', 'river'): fill(Layout(model), name)\n"
        "for n in count(1):\n"
        "    root = model.parent / str(n); shutil.copytree(model, root)\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        _die_at(n); delete_region_data(Layout(root), 'red-river'); os._exit(0)\n"
        "    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]): break\n"
        "print(n - 1)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, cwd=CHECKOUT
    )
    whole = visible(tmp_path / "model")
    n_kept = []
    for number in range(1, int(done.stdout) + 1):
        layout = Layout(tmp_path / str(number))
        sweep(layout.aside)
        assert not list(layout.aside.glob("*/*"))
        kept = stored_folders(layout, "red-river")
        n_kept.append(len(kept))
        missing = whole - visible(layout.root)
        in_kept = tuple(f"{path.relative_to(layout.root).as_posix()}/" for path in kept)
        assert not any(path.startswith(in_kept) for path in missing)
        assert visible(layout.root) <= whole
        assert all("red-river" in path for path in missing)
        delete_region_data(layout, "red-river")
        assert not stored_folders(layout, "red-river")
    assert set(n_kept) == set(range(9))


def test_a_lake_that_cannot_be_written_keeps_the_region_and_says_so(layout: Layout) -> None:
    fill(layout, "red-river")
    sweep(layout.aside)
    for path in layout.aside.iterdir():
        path.rmdir()
    layout.aside.rmdir()
    layout.aside.write_text("in the way")
    before = visible(layout.root)
    for take in (forget_region, delete_region_data):
        with pytest.raises(LakeError, match="Cannot write .*red-river.*: Not a directory"):
            take(layout, "red-river")
    assert visible(layout.root) == before


def test_a_region_of_that_name_can_be_made_again(layout: Layout) -> None:
    fill(layout, "red-river")
    forget_region(layout, "red-river")
    delete_region_data(layout, "red-river")
    assert store.days_made(layout, WEATHER, "red-river") == []
    store.write(layout, WEATHER, weather(1), region="red-river", day=date(2025, 3, 8))
    assert store.days_made(layout, WEATHER, "red-river") == [date(2025, 3, 8)]
