"""The archive as a whole: one step, same bytes, refusals, what a killed run leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sm_platform.errors import SourceError, UsageError
from sm_platform.lake.granules import digest_of
from sm_platform.sources.archive import archive_regions, read_clock
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import HIGHLAND, RED_RIVER
from sm_platform.sources.simulated.replace_folder import beside, show, sweep
from sm_platform.sources.simulated.truth import read_truth, truth_days
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import SEED, SIZE, TINY

SHORT = Period(date(2025, 3, 1), date(2025, 3, 1), date(2025, 3, 4))
KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import HIGHLAND
write_archive(
    Path(sys.argv[1]), seed=1, size=48, places=(HIGHLAND,), workers=1,
    period=Period(date(2025, 3, 1), date(2025, 3, 1), date(2025, 3, 4)),
    progress=lambda _: os.kill(os.getpid(), signal.SIGKILL),
)
"""


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_parameters_give_the_same_bytes_in_any_number_of_processes(
    tiny: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    report = write_archive(
        tmp_path / "again", seed=SEED, size=SIZE, period=TINY, workers=2, progress=told.append
    )
    one, two = content(tiny), content(report.folder)
    assert list(one) == list(two)
    assert [name for name in one if one[name] != two[name]] == []
    assert sorted(line.split(":")[0] for line in told) == ["highland", "red-river"]
    assert report.is_new
    assert sum(report.granules.values()) > 300
    assert report.n_bytes == sum(len(data) for data in two.values())
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_finished_archive_is_kept_and_another_refused(tiny: Path) -> None:
    stamp = (tiny / "index.parquet").stat().st_mtime_ns
    again = write_archive(tiny, seed=SEED, size=SIZE, period=TINY)
    assert not again.is_new
    with pytest.raises(UsageError, match="other parameters"):
        write_archive(tiny, seed=SEED + 1, size=SIZE, period=TINY)
    assert (tiny / "index.parquet").stat().st_mtime_ns == stamp


def test_force_replaces_an_archive_but_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    usual = {"size": SIZE, "period": SHORT, "places": (HIGHLAND,)}
    write_archive(folder, seed=1, workers=1, **usual)
    first = content(folder)
    assert write_archive(folder, seed=2, workers=1, force=True, **usual).is_new
    assert content(folder) != first
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    other = tmp_path / "holiday"
    other.mkdir()
    (other / "photo.jpg").write_text("dear")
    with pytest.raises(UsageError, match="no archive"):
        write_archive(other, seed=1, force=True, **usual)
    assert (other / "photo.jpg").read_text() == "dear"


def test_a_killed_run_shows_nothing_and_is_swept_away(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".a.aside-")
    assert any(left.rglob("*.tif"))
    write_archive(folder, seed=1, size=SIZE, places=(HIGHLAND,), period=SHORT, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failing_run_leaves_nothing(tmp_path: Path) -> None:
    def fail(_: str) -> None:
        raise OSError("no space left")

    with pytest.raises(SourceError, match="no space left"):
        write_archive(
            tmp_path / "a",
            seed=1,
            size=SIZE,
            places=(HIGHLAND,),
            period=SHORT,
            workers=1,
            progress=fail,
        )
    assert list(tmp_path.iterdir()) == []


def test_sweeping_spares_the_living_and_brings_back_what_was_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    living = tmp_path / f".a.aside-{os.getppid()}"
    strange = tmp_path / ".ab.aside-999999999"
    old = tmp_path / ".a.old-999999999"
    for path in (living, strange, old):
        path.mkdir()
        (path / "file").write_text(path.name)
    sweep(folder)
    assert living.is_dir()
    assert strange.is_dir()
    assert (folder / "file").read_text() == old.name
    aside = beside(folder, "aside")
    aside.mkdir()
    (aside / "file").write_text("new")
    show(aside, folder)
    assert (folder / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"places": ()}, "different names"),
        ({"places": (HIGHLAND, HIGHLAND)}, "different names"),
        ({"today": date(2025, 3, 5)}, "clock cannot start"),
        ({"today": date(2025, 2, 28)}, "clock cannot start"),
        ({"size": 3}, "size"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    usual: dict[str, object] = {"seed": 1, "size": SIZE, "period": SHORT, "places": (RED_RIVER,)}
    with pytest.raises(UsageError, match=message):
        write_archive(tmp_path / "a", workers=1, **(usual | changes))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "days",
    [
        (date(2025, 3, 2), date(2025, 3, 1), date(2025, 3, 4)),
        (date(2023, 11, 30), date(2025, 3, 1), date(2025, 3, 4)),
        (date(2024, 1, 1), date(2024, 12, 31), date(2025, 3, 4)),
        (date(2024, 1, 1), date(2025, 1, 1), date(2026, 4, 1)),
    ],
)
def test_a_period_lies_within_the_world(days: tuple[date, date, date]) -> None:
    with pytest.raises(UsageError, match="drivers"):
        Period(*days)


def test_the_truth_can_be_read_by_those_who_judge(tiny: Path, worlds: dict[str, World]) -> None:
    window = archive_regions(tiny)["red-river"]
    days = truth_days(tiny, "red-river")
    assert days == TINY.radar_days
    for day in (days[0], days[-1]):
        found, world = read_truth(tiny, "red-river", window, day), worlds["red-river"]
        n = world.index(day)
        np.testing.assert_allclose(found.values["sm_m3m3"], world.sm_m3m3[n], atol=6e-5)
        np.testing.assert_array_equal(found.values["is_flooded"], world.is_flooded[n])
    for day in (date(2025, 2, 28), date(2025, 4, 30)):
        with pytest.raises(SourceError, match="no truth"):
            read_truth(tiny, "red-river", window, day)


def test_the_clock_starts_at_the_end(tiny: Path) -> None:
    assert read_clock(tiny).today == read_clock(tiny).last_day == TINY.last
    assert read_clock(tiny).is_at_end


def test_the_clock_can_start_before_the_end(tmp_path: Path) -> None:
    usual: dict[str, Any] = {"size": SIZE, "period": SHORT, "places": (HIGHLAND,), "workers": 1}
    write_archive(tmp_path / "a", seed=1, today=date(2025, 3, 2), **usual)
    clock = read_clock(tmp_path / "a")
    assert (clock.today, clock.last_day) == (date(2025, 3, 2), SHORT.last)
    assert not write_archive(tmp_path / "a", seed=1, **usual).is_new
    assert read_clock(tmp_path / "a") == clock, "an archive that is there keeps its clock"


def test_the_index_tells_size_and_checksum_as_landing_takes_them(
    listed: Callable[[Product, str], list[tuple[Granule, Path]]],
) -> None:
    told = [one for product in Product for one in listed(product, "red-river")]
    assert len(told) > 100
    for granule, folder in told:
        files = [folder / name for name in sorted(granule.files)]
        assert (granule.sha256, granule.size_bytes) == digest_of(files)
