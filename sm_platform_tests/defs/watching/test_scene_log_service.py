"""The log tells who listed a frame, also where granules or rows of long ago do not."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow.parquet as pq

from sm_platform.defs.checking.contract import fits_contract
from sm_platform.defs.checking.rules import Matter
from sm_platform.defs.launch_tags import Scope
from sm_platform.defs.watching.scene_log import listed_passes, read_log, register
from sm_platform.lake import views
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.watch_tables import SCENE_LOG
from sm_platform_tests.defs.watching.frames import LISTED, frame

EARLY, LATER = date(2026, 1, 1), LISTED + timedelta(days=1)
NAMED = replace(frame(0), service="earthdata")


def forget_services(layout: Layout, region: str = "delta") -> None:
    """The log as it was before services were noted."""
    part = layout.part(SCENE_LOG.name, region, None)
    pq.write_table(pq.ParquetFile(part).read().drop_columns(["service"]), part)


def services(layout: Layout) -> list[str | None]:
    return [one.service for one in read_log(layout, "delta")]


def test_two_services_may_list_the_same_frame(layout: Layout) -> None:
    other = replace(NAMED, service="sentinel_hub")
    assert len(register(layout, "delta", [NAMED], LISTED)) == 1
    assert len(register(layout, "delta", [other, NAMED], LATER)) == 1
    assert register(layout, "delta", [NAMED, other], LATER) == []
    assert services(layout) == ["earthdata", "sentinel_hub"]


def test_a_frame_without_a_service_is_of_the_one_that_brings_the_radar(layout: Layout) -> None:
    register(layout, "delta", [frame(0)], LISTED, service="archive")
    register(layout, "delta", [NAMED], LISTED, service="archive")
    assert services(layout) == ["archive", "earthdata"]
    again = [frame(0), replace(frame(0), service="archive")]
    assert register(layout, "delta", again, LATER, service="archive") == []
    assert register(layout, "delta", [frame(0)], LATER) == []


def test_a_log_of_before_is_read_and_learns_who_lists_its_frames(layout: Layout) -> None:
    register(layout, "delta", [frame(0), frame(1)], LISTED)
    forget_services(layout)
    assert services(layout) == [None, None]
    (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY, "earthdata")
    assert len(one.frames) == 2
    assert register(layout, "delta", [NAMED], LATER) == [], "it is no new frame"
    assert services(layout) == ["earthdata", None]
    assert {one.listed_utc for one in read_log(layout, "delta")} == {LISTED}
    (one,) = listed_passes("delta", read_log(layout, "delta"), EARLY, "earthdata")
    assert [f.frame_id for f in one.frames] == [NAMED.granule_id]
    register(layout, "delta", [frame(1)], LATER, service="earthdata")
    assert services(layout) == ["earthdata", "earthdata"]


def test_the_log_is_not_written_where_nothing_is_new(layout: Layout) -> None:
    register(layout, "delta", [frame(0)], LISTED)
    register(layout, "delta", [NAMED], LATER)
    before = layout.part(SCENE_LOG.name, "delta", None).stat().st_mtime_ns
    register(layout, "delta", [NAMED, frame(0)], LATER)
    assert layout.part(SCENE_LOG.name, "delta", None).stat().st_mtime_ns == before


def test_a_log_of_before_keeps_its_contract_and_its_view(layout: Layout) -> None:
    register(layout, "delta", [frame(0)], LISTED)
    forget_services(layout)
    register(layout, "hills", [NAMED], LISTED)
    assert fits_contract(SCENE_LOG).judge(Matter(layout, ModelStore(layout.root), Scope())).passed
    rows = views.connect(layout, [SCENE_LOG]).sql("select region_id, service from scene_log")
    assert sorted(rows.fetchall()) == [("delta", None), ("hills", "earthdata")]
