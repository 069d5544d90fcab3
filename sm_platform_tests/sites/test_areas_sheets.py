"""Names of Vietnamese map sheets against the national file of sheets."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely

from sm_platform.errors import UsageError
from sm_platform.sites.map_sheets import FIELD, area_from_sheet

MISNAMED = {
    "C-49-25-A", "C-49-25-D", "D-49-49-A", "D-49-49-C", "D-49-49-D", "D-49-73-A", "D-49-73-C",
    "D-49-73-D", "F-49-49-A",
}  # fmt: skip
"""Sheets that the file does not place where the rule has their quarter."""
Shared = Callable[..., Path]


def sheets(path: Path) -> dict[str, list[float]]:
    """Bounds of every sheet of the file."""
    features = json.loads(path.read_text())["features"]
    return {
        feature["properties"][FIELD]: shapely.bounds(
            shapely.geometry.shape(feature["geometry"])
        ).tolist()
        for feature in features
    }


def test_names_alone_give_all_604_sheets_within_a_metre(shared: Shared) -> None:
    listed = sheets(shared("realdata", "vietnam", "Grid_50K_MatchedDates.geojson"))
    assert len(listed) == 604
    worst = max(
        np.abs(np.array(shapely.bounds(area_from_sheet(name).outline)) - bounds).max()
        for name, bounds in listed.items()
    )
    assert 0 < worst < 3e-6  # degrees: 0.3 m
    noted = {name for name in listed if area_from_sheet(name).notes}
    assert noted == MISNAMED


def test_by_file_and_by_name_agree(shared: Shared) -> None:
    path = shared("realdata", "vietnam", "Grid_50K_MatchedDates.geojson")
    for name in ("D-49-49-A", "F-48-65-D", " c-48-68-a "):
        filed, named = area_from_sheet(name, path), area_from_sheet(name)
        assert filed.outline.symmetric_difference(named.outline).area < 1e-5
        assert name.strip().upper() in named.came_from
        assert f"PhienHieu = {name.strip().upper()}" in filed.came_from
        assert "Grid_50K" in filed.came_from


def test_an_unknown_sheet_lists_the_nearest(shared: Shared) -> None:
    path = shared("realdata", "vietnam", "Grid_50K_MatchedDates.geojson")
    with pytest.raises(UsageError, match=r"nearest are .*F-48-65-D"):
        area_from_sheet("F-48-650-D", path)


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("D-48-1-A", [102.0, 15.75, 102.25, 16.0]),
        ("D-48-1-B", [102.25, 15.75, 102.5, 16.0]),
        ("D-48-1-C", [102.0, 15.5, 102.25, 15.75]),
        ("D-48-1-D", [102.25, 15.5, 102.5, 15.75]),
        ("D-48-96-D", [107.75, 12.0, 108.0, 12.25]),
        ("F-48-13-A", [102.0, 23.25, 102.25, 23.5]),
        ("D-49-49-A", [108.0, 13.5, 108.25, 13.75]),
        ("D-49-49-B", [108.25, 13.75, 108.5, 14.0]),
        ("D-49-49-D", [108.0, 13.75, 108.25, 14.0]),
    ],
)
def test_the_rule_worked_by_hand(name: str, bounds: list[float]) -> None:
    assert shapely.bounds(area_from_sheet(name).outline).tolist() == bounds


def test_quarters_of_every_sheet_are_four_different_places() -> None:
    for sheet in ("D-49-49", "D-48-1", "F-49-49"):
        four = [area_from_sheet(f"{sheet}-{quarter}").outline for quarter in "ABCD"]
        assert shapely.union_all(four).area == pytest.approx(0.25)


@pytest.mark.parametrize(
    "name", ["D-49-97-A", "D-49-0-A", "D-49-49-E", "G-49-1-A", "D-49", "", "D-52-1-A"]
)
def test_a_name_that_is_no_sheet_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="names are like D-49-49-A"):
        area_from_sheet(name)
