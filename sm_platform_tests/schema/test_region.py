from dataclasses import FrozenInstanceError, replace

import pytest
from affine import Affine

from sm_platform.errors import UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.schema.region import Region, check_region_name

WINDOW = GridWindow("EPSG:6933", Affine(100, 0, 0, 0, -100, 0), (2, 3))
RED_RIVER = Region("red-river", WINDOW, source="archive", source_path="/archive")


@pytest.mark.parametrize("name", ["red-river", "vn-thaibinh", "a1", "48", "a" * 40, "a-"])
def test_names_that_fit_come_back(name: str) -> None:
    assert check_region_name(name) == name
    assert replace(RED_RIVER, region_id=name).region_id == name


@pytest.mark.parametrize(
    "name", ["", "a", "a" * 41, "Red", "red_river", "red river", "../red", "-red", "đỏ", "red\n"]
)
def test_names_that_would_break_a_path_or_a_map_name_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a region: use 2 to 40"):
        check_region_name(name)
    with pytest.raises(UsageError, match="cannot name a region"):
        replace(RED_RIVER, region_id=name)


def test_recipe_and_checkpoint_are_open_until_chosen() -> None:
    assert (RED_RIVER.recipe_id, RED_RIVER.checkpoint_id) == (None, None)


def test_a_region_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        RED_RIVER.source = "seed_layout"  # type: ignore[misc]
