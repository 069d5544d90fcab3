"""Processings of one granule under several ids: the latest alone stands, whatever comes between."""

import subprocess
import sys
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from sm_platform.errors import DataError
from sm_platform.lake.atomic import sweep
from sm_platform.lake.granules import (
    in_version,
    land,
    landed,
    newer_version,
    quarantine,
    quarantined,
    refuse_quarantined,
)
from sm_platform.lake.layout import SIDECAR, Layout
from sm_platform_tests.lake.test_granules import DAY, refusing

REGION, PRODUCT = "delta", "s1_grd"
CHECKOUT = Path(__file__).parents[2]


def version(number: int, of: str = "burst", **more: object) -> dict[str, Any]:
    """The sidecar of one processing of a burst."""
    return {
        "product": PRODUCT,
        "granule_id": f"{of}-v{number}",
        "day": DAY.isoformat(),
        "format": "opera_rtc",
        "files": ["a.tif"],
        "available_utc": None,
        "source": "earthdata",
        "version_of": of,
        "processing": f"v{number}",
        **more,
    }


def filling(text: str) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        (folder / "a.tif").write_text(text)

    return fetch


def bring(layout: Layout, told: dict[str, Any]) -> bool:
    """Land it; whether it was fetched."""
    return land(layout, REGION, told, filling(told["granule_id"]))[1]


def names(layout: Layout) -> list[str]:
    return [one.granule_id for one in landed(layout, PRODUCT, REGION, DAY)]


@pytest.mark.parametrize("order", [one for one in permutations((1, 2, 3)) if one[0] != 3])
def test_the_latest_processing_stands_in_whatever_order_they_come(
    layout: Layout, order: tuple[int, ...]
) -> None:
    bring(layout, version(1, "other"))
    bring(layout, version(1, source="planetary_computer", granule_id="theirs"))
    best, stood = 0, set()
    for number in order:
        assert bring(layout, version(number)) is (number > best)
        best = max(best, number)
        stood.add(best)
        assert names(layout) == [f"burst-v{best}", "other-v1", "theirs"]
    kept = {one.name for one in layout.superseded(PRODUCT, REGION, "any").parent.iterdir()}
    assert kept == {f"burst-v{n}" for n in stood if n < 3}


def test_where_a_later_one_stands_it_is_returned_and_nothing_is_fetched(layout: Layout) -> None:
    bring(layout, version(2))
    granule, is_new = land(layout, REGION, version(1), refusing)
    assert (granule.granule_id, granule.processing, is_new) == ("burst-v2", "v2", False)
    assert newer_version(layout, REGION, version(1)) == granule
    assert newer_version(layout, REGION, version(2)) is None
    assert newer_version(layout, REGION, version(1, source="other")) is None


def test_one_whose_sidecar_tells_no_processing_is_the_older(layout: Layout) -> None:
    bring(layout, version(9, processing=None))
    assert bring(layout, version(1))
    assert names(layout) == ["burst-v1"]


def test_what_vanishes_while_a_day_is_read_is_not_there(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread takes an earlier processing away."""
    bring(layout, version(1))
    bring(layout, version(1, "other"))
    really = Path.read_text

    def late(path: Path, *args: str, **more: str) -> str:
        if path.name == SIDECAR and path.parent.name == "burst-v1":
            path.parent.rename(layout.root / "elsewhere")
        return really(path, *args, **more)

    monkeypatch.setattr(Path, "read_text", late)
    assert bring(layout, version(2, "other"))
    assert names(layout) == ["other-v2"]


def test_killed_at_any_step_of_a_replacement_one_processing_stands_in_the_end(
    tmp_path: Path,
) -> None:
    """A run that finds the new one in its place leaves it at that, so it has to be alone."""
    script = (
        "import os, sys; from itertools import count; from pathlib import Path\n"
        "from sm_platform.lake.layout import Layout\n"
        "from sm_platform_tests.lake.dying import _die_at\n"
        "from sm_platform_tests.lake.test_granule_versions import bring, version\n"
        "for n in count(1):\n"
        "    layout = Layout(Path(sys.argv[1]) / str(n)); bring(layout, version(1))\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        _die_at(n); bring(layout, version(2)); os._exit(0)\n"
        "    if not os.WIFSIGNALED(os.waitpid(child, 0)[1]): break\n"
        "print(n - 1)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, cwd=CHECKOUT
    )
    assert int(done.stdout) > 10
    left = set()
    for number in range(1, int(done.stdout) + 1):
        layout = Layout(tmp_path / str(number))
        sweep(layout.aside)
        left.add(tuple(names(layout)))
        if in_version(layout.granule(PRODUCT, REGION, DAY, "burst-v2"), None) is None:
            bring(layout, version(2))
        assert names(layout) == ["burst-v2"]
    assert left == {("burst-v1",), (), ("burst-v2",)}


def test_a_damaged_one_that_its_provider_replaced_blocks_its_day_no_more(layout: Layout) -> None:
    granule, _ = land(layout, REGION, version(1), filling("cut"))
    quarantine(layout, REGION, granule, "cut")
    for other in (version(2, source="other", granule_id="theirs"), version(1, "other")):
        bring(layout, other)
        with pytest.raises(DataError, match="burst-v1 of delta is damaged"):
            refuse_quarantined(layout, PRODUCT, REGION, DAY)
    bring(layout, version(2))
    refuse_quarantined(layout, PRODUCT, REGION, DAY)
    assert quarantined(layout, PRODUCT, REGION, DAY) == []


def test_of_damaged_granules_without_versions_each_is_missed(layout: Layout) -> None:
    bad, good = (version(n, version_of=None, processing=None) for n in (1, 2))
    granule, _ = land(layout, REGION, bad, filling("cut"))
    quarantine(layout, REGION, granule, "cut")
    bring(layout, good)
    assert [one.granule_id for one in quarantined(layout, PRODUCT, REGION, DAY)] == ["burst-v1"]
