"""A backfill of two regions from asking to its end: damaged days, a retry, a cancelled one."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from sm_platform_tests.defs.backfill_story import BAD, DAYS, GOOD, NO_RADAR, NO_WEATHER
from sm_platform_tests.desk import CHECKOUT

Told = dict[str, Any]
PLACES = {"SM_DATA_LAKE": "lake", "SM_MODELS": "models", "DAGSTER_HOME": "home"}
SCENES = ["S1X_20250103", "S1X_20250104", "S1X_20250105"]
NEXT_STEP = {
    "region": "there: fallow, paddy, terrace",
    "order": "swap them",
    "future": "lies in the future",
    "early": "set SM_FIRST_DAY",
    "no_day": "write it as YYYY-MM-DD",
    "no_days": "--start YYYY-MM-DD --end YYYY-MM-DD",
    "asset": "name some of s1_granules, s1_scenes",
    "checkpoint": "Region fallow has no checkpoint: materialize `checkpoints`",
    "title": "must not be longer than 100",
    "id": "sm-platform backfill list",
    "local": "leave --local out",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the operator was told and what lay in the lake."""
    root = tmp_path_factory.mktemp("backfill")
    env = {**os.environ, **{name: str(root / folder) for name, folder in PLACES.items()}}
    env |= {"SM_FIRST_DAY": "2025-01-01", "SM_MIN_LOOKBACK_SHARE": "0.02", "SM_AUTOMATION": "off"}
    story = [sys.executable, "-m", "sm_platform_tests.defs.backfill_story", str(root)]
    done = subprocess.run(story, env=env, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Told = json.loads((root / "told.json").read_text())
    return found


def counts(stage: Told) -> dict[str, tuple[int, ...]]:
    """Days, done ones, failed ones and maps by region."""
    names = ("n_days", "n_done", "n_failed", "n_maps")
    return {
        one["region_id"]: tuple(one[name] for name in names) for one in stage["progress"]["regions"]
    }


def current(stage: Told, region: str) -> list[str]:
    """Scenes of the current maps."""
    return [scene for scene, _, is_latest in stage["maps"][region] if is_latest]


@pytest.mark.parametrize("what", NEXT_STEP)
def test_what_cannot_be_is_refused_with_the_next_step(told: Told, what: str) -> None:
    assert NEXT_STEP[what] in str(told["refused"][what])


def test_what_will_be_done_is_said_first(told: Told) -> None:
    said = told["asked"]["err"]
    assert f"{GOOD} 2025-01-03..2025-01-05: 3 of 3 days to do (3 with a pass" in said
    assert "13 days of vegetation and weather, soil, terrain and land cover" in said
    assert "Together 148 partitions of assets in 8 runs or more" in said
    assert "it starts with `sm-platform up`" in said


def test_the_same_days_are_not_queued_twice(told: Told) -> None:
    first = told["asked"]["out"].strip()
    assert told["asked_twice"]["out"] == ""
    assert f"{BAD}: 3 days are left out, backfill {first} is at them" in told["asked_twice"]["err"]


def test_only_the_day_without_its_radar_fails(told: Told) -> None:
    assert counts(told["first"]) == {GOOD: (3, 3, 0, 3), BAD: (3, 2, 1, 2)}
    assert told["first"]["progress"]["state"] == "done, some days failed"
    assert current(told["first"], GOOD) == SCENES
    assert current(told["first"], BAD) == [SCENES[0], SCENES[2]]


def test_failed_days_are_named_with_file_and_reason(told: Told) -> None:
    weather, radar = told["first"]["reasons"]
    assert weather.startswith(f"{BAD}, {NO_WEATHER}: Weather_{NO_WEATHER}")
    assert radar.startswith(f"{BAD}, {NO_RADAR}: S1_{NO_RADAR}")
    assert weather in told["shown"]["out"]
    assert radar in told["shown"]["out"]


def test_a_region_and_stretch_of_days_is_one_run(told: Told) -> None:
    mapping = [
        run for run in told["first"]["runs"] if run["assets"] == ["scene_features", "sm_maps"]
    ]
    assert sorted(run["range"] for run in mapping) == [
        [f"2025-01-03|{name}", f"2025-01-05|{name}"] for name in (GOOD, BAD)
    ]
    assert {run["why"] for run in told["first"]["runs"]} == {"backfill"}


def test_the_list_shows_title_state_and_days(told: Told) -> None:
    line = told["listed"]["out"].splitlines()[1]
    for word in ("early days", "done, some days failed", " 6 ", " 5 ", " 1 "):
        assert word in line


def test_a_retry_asks_for_what_failed_and_what_looks_back_to_it(told: Told) -> None:
    said = told["retried"]["err"]
    assert f"{GOOD} 2025-01-03..2025-01-05: all 3 days are finished" in said
    assert f"{BAD} 2025-01-03..2025-01-05: 3 of 3 days to do" in said
    assert "1 day of vegetation and weather" in said
    ranges = {tuple(run["assets"]): run["range"] for run in told["second"]["runs"]}
    of_passes = ranges["s1_backscatter", "s1_granules", "s1_scenes"]
    assert of_passes == [f"{NO_RADAR}|{BAD}", f"{NO_RADAR}|{BAD}"]


def test_a_driver_that_fails_again_takes_no_map_with_it(told: Told) -> None:
    assert counts(told["second"]) == {BAD: (3, 3, 0, 3)}
    (weather,) = told["second"]["reasons"]
    assert weather.startswith(f"{BAD}, {NO_WEATHER}: Weather_{NO_WEATHER}")


def test_after_the_repair_every_pass_has_one_current_map(told: Told) -> None:
    assert current(told["second"], BAD) == SCENES
    assert told["second"]["maps"][GOOD] == told["first"]["maps"][GOOD]


def test_nothing_is_queued_when_all_is_finished(told: Told) -> None:
    assert told["nothing"]["out"] == ""
    assert "Nothing to do" in told["nothing"]["err"]


def test_a_cancelled_backfill_ends_without_a_run(told: Told) -> None:
    assert "finished days are kept" in told["cancelled"]["err"]
    assert told["third"]["progress"]["state"] == "cancelled"
    assert told["third"]["runs"] == []
    assert told["third"]["maps"] == told["second"]["maps"]


def test_days_of_a_cancelled_backfill_are_left_and_not_failed(told: Told) -> None:
    assert counts(told["third"]) == {GOOD: (3, 0, 0, 0), BAD: (3, 0, 0, 0)}
    assert "6 days were not made, as it was cancelled" in told["third_shown"]["out"]


def test_a_list_of_nothing_says_so_apart_from_the_result(told: Told) -> None:
    assert told["none_yet"] == {"out": "", "err": "No backfill yet.\n", "error": None}


def test_what_is_over_cannot_be_cancelled(told: Told) -> None:
    assert "over already" in told["over"]["error"]


def test_what_was_lost_goes_on_by_itself_once_and_wrong_data_does_not(told: Told) -> None:
    first, seen = told["asked"]["out"].strip(), told["resumed"]
    assert seen["wrong_data"] == []
    (sentence,) = seen["lost"]
    assert sentence.startswith(f"Backfill {first} lost 1 day: it goes on as ")
    assert seen["again"] == []
    assert seen["parent"] == first


def test_a_backfill_from_the_page_of_a_job_maps_all_its_days(told: Told) -> None:
    (mapped,) = told["from_page"].values()
    assert mapped == [f"{day}|{GOOD}" for day in DAYS]
