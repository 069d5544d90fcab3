"""The time zone of a region: said or found, shown, kept, refused where it is none."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from sm_platform.defs.jobs import add_region_job
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.defs.resources import LakeResource
from sm_platform.lake.layout import Layout
from sm_platform_tests.defs.region_desk import FARM, FARM_DEG, Ask, asking, newcomer

FOUND, SAID = "Asia/Bangkok", "Asia/Ho_Chi_Minh"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    return newcomer(tmp_path, monkeypatch)


@pytest.fixture
def ask(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(monkeypatch, capsys)


@pytest.mark.parametrize(("words", "zone"), [((), FOUND), (("--time-zone", SAID), SAID)])
def test_a_zone_is_found_or_said_and_shown(
    ask: Ask, layout: Layout, words: tuple[str, ...], zone: str
) -> None:
    assert json.loads(ask("add", "my-farm", "--bbox", *FARM, *words).out)["time_zone"] == zone
    assert find_region(layout, "my-farm").time_zone == zone
    assert zone in ask("list").out
    shown = json.loads(ask("show", "my-farm").out)
    assert (shown["time_zone"], shown["newest_pass"], shown["newest_map"]) == (zone, None, None)


def test_a_zone_that_is_none_is_refused_and_nothing_is_made(ask: Ask, layout: Layout) -> None:
    answer = ask("add", "my-farm", "--bbox", *FARM, "--time-zone", "Asia/Hochiminh")
    assert answer.code == 2
    assert "'Asia/Hochiminh' is no time zone" in answer.err
    assert SAID in answer.err
    assert not layout.root.exists()


def test_a_region_stored_before_zones_came_is_shown_with_the_one_of_its_place(
    ask: Ask, layout: Layout
) -> None:
    ask("add", "my-farm", "--bbox", *FARM)
    save_region(layout, replace(find_region(layout, "my-farm"), time_zone=None))
    assert FOUND in ask("list").out
    assert find_region(layout, "my-farm").time_zone is None


@pytest.mark.parametrize(("zone", "said"), [("", FOUND), (SAID, SAID), ("Mars/Olympus", None)])
def test_the_job_of_the_ui_takes_a_zone_too(layout: Layout, zone: str, said: str | None) -> None:
    (op,) = add_region_job.nodes
    config = {"name": "my-farm", "bbox": list(FARM_DEG), "time_zone": zone}
    with dg.DagsterInstance.ephemeral() as instance:
        result = add_region_job.execute_in_process(
            run_config={"ops": {op.name: {"config": config}}},
            resources={"lake": LakeResource(root=str(layout.root))},
            instance=instance,
            raise_on_error=False,
        )
    assert result.success is (said is not None)
    if said is not None:
        assert find_region(layout, "my-farm").time_zone == said
    else:
        (event,) = result.filter_events(lambda one: one.is_step_failure)
        assert "'Mars/Olympus' is no time zone" in str(event.step_failure_data.user_failure_data)
