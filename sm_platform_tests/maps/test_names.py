"""Names and folders, as users and the index see them."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from sm_platform.maps.names import folder_parts, item_file, layer_file, map_id, quicklook_file
from sm_platform_tests.maps import cases

NAME = "SM100_vn-thaibinh_20260115T224512Z_S1C_D091_v1.0_r00"


def test_the_name_says_region_time_platform_pass_version_revision() -> None:
    assert map_id(cases.SEEN, 0) == NAME
    assert map_id(cases.SEEN, 12).endswith("_v1.0_r12")
    assert layer_file(NAME, "SM") == f"{NAME}_SM.tif"
    assert quicklook_file(NAME) == f"{NAME}_QL.png"
    assert item_file(NAME) == f"{NAME}.json"


def test_what_is_not_known_reads_as_zeros_and_x() -> None:
    assert map_id(cases.DAY, 0) == "SM100_goldroi_20250103T000000Z_S1X_X000_v1.0_r00"
    assert "_D000_" in map_id(replace(cases.SEEN, relative_orbit=None), 0)


def test_the_folder_follows_the_utc_day() -> None:
    parts = folder_parts(cases.SEEN, 0)
    assert parts == ("sm100-v1", "vn-thaibinh", "2026", "01", NAME)
    local = cases.START.astimezone(timezone(timedelta(hours=7)))
    assert local.day == 16
    assert folder_parts(replace(cases.SEEN, start_utc=local), 0) == parts


def test_a_late_frame_does_not_rename_later_revisions() -> None:
    early = cases.START - timedelta(seconds=25)
    late = replace(cases.SEEN, start_utc=early, first_start_utc=cases.START)
    assert map_id(late, 1) == NAME.replace("r00", "r01")


def test_a_time_without_zone_is_utc() -> None:
    naive = datetime(2026, 1, 15, 22, 45, 12)
    assert map_id(replace(cases.SEEN, start_utc=naive), 0) == NAME
