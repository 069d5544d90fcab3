"""A whole folder of files at once."""

from dataclasses import replace

import pytest

from sm_platform.maps.render import map_files
from sm_platform.maps.summary import summary
from sm_platform_tests.maps import cases

NAME = "SM100_vn-thaibinh_20260115T224512Z_S1C_D091_v1.0_r00"


def test_the_folder_holds_layers_picture_and_item_last() -> None:
    files = map_files(cases.product(), created_utc=cases.CREATED, utc_offset_h=7)
    ends = ["_SM.tif", "_SD.tif", "_AGE.tif", "_QA.tif", "_QL.png", ".json"]
    assert list(files) == [NAME + end for end in ends]


def test_equal_maps_give_equal_files() -> None:
    first = map_files(cases.product(), created_utc=cases.CREATED, utc_offset_h=7)
    known = summary(cases.product())
    again = map_files(cases.product(), created_utc=cases.CREATED, utc_offset_h=7, figures=known)
    assert first == again


@pytest.mark.parametrize("code", ["0.1.0", "0.2.0"])
def test_only_the_item_knows_when_it_was_made(code: str) -> None:
    made = cases.product(lineage=replace(cases.LINEAGE, code_version=code))
    early = map_files(made, created_utc=cases.CREATED, utc_offset_h=7)
    late = map_files(made, created_utc=cases.CREATED.replace(hour=23), utc_offset_h=7)
    assert {name for name in early if early[name] != late[name]} == {f"{NAME}.json"}
