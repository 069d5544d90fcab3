"""A pass of the radar as several services list it, landed and mapped from one of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sm_platform.defs.map_index import LOOKED_AT, NO_MAP, write_index
from sm_platform.defs.scenes import Scene, scene_rows
from sm_platform.defs.service_choice import of_one_service
from sm_platform.defs.sidecars import sidecar_of
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.lake import store
from sm_platform.lake.granules import land, landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.region import Region
from sm_platform.sources.pass_days import frame_of
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import FrameName, parse_frame
from sm_platform_tests.defs.watching.frames import START, frame

REGION = Region("delta", window_around(LEVEL_100M, 106.43, 20.45, (8, 8)), "live", "")
NAME, S1, DAY = REGION.region_id, Product.S1_GRD.value, START.date()
ENGINE, OPERA, PLANETARY, HUB = "earth_engine", "earthdata", "planetary_computer", "sentinel_hub"
SOURCES = {
    ENGINE: "sentinel1=earth_engine",
    OPERA: "sentinel1=earthdata:OPERA_RTC",
    PLANETARY: "sentinel1=planetary_computer:RTC",
    HUB: "sentinel1=sentinel_hub",
}
"""SM_SOURCES by the service that it names for the radar."""


def name_of(granule: Granule) -> FrameName:
    told = frame_of(granule)
    assert told is not None
    return told


def engine(cycles: int = 0, n: int = 2) -> list[Granule]:
    """Slices of a pass, `cycles` of 12 days after the first one."""
    return [replace(frame(i, cycles=cycles), service=ENGINE) for i in range(n)]


def opera(cycles: int = 0, n: int = 5) -> list[Granule]:
    """The same pass as bursts, which came later."""
    (first,) = engine(cycles, 1)
    pass_of = name_of(first)
    found = []
    for i in range(n):
        start = pass_of.start_utc + timedelta(seconds=3 * i)
        name = f"OPERA_L2_RTC-S1_T017-{116871 + i}-IW2_{start:%Y%m%dT%H%M%S}Z_made_S1A_30_v1.0"
        burst = replace(pass_of, start_utc=start, stop_utc=start + timedelta(seconds=3))
        found.append(
            replace(
                first,
                granule_id=name,
                files=(f"{name}.tif",),
                format="opera_rtc",
                available_utc=start + timedelta(days=2),
                stamp="1",
                service=OPERA,
                frame=burst,
            )
        )
    return found


def planetary(cycles: int = 0) -> list[Granule]:
    """The same slices under other ids, told as available before Earth Engine had them."""
    return [
        replace(
            one,
            granule_id=f"{one.granule_id[:-5]}_rtc",
            files=(f"{one.granule_id[:-5]}.tif",),
            format="rtc_planetary_computer",
            available_utc=START + timedelta(hours=1),
            service=PLANETARY,
            frame=parse_frame(one.granule_id),
        )
        for one in engine(cycles)
    ]


def hub(cycles: int = 0) -> list[Granule]:
    """The same slices under the same ids, without a mark of their version."""
    return [
        replace(one, stamp=None, available_utc=START + timedelta(hours=1), service=HUB)
        for one in engine(cycles)
    ]


LISTS = {ENGINE: engine, OPERA: opera, PLANETARY: planetary, HUB: hub}


def bring(layout: Layout, granules: Sequence[Granule]) -> None:
    """Land them; the content tells who brought it."""
    for one in granules:

        def fetch(folder: Path, one: Granule = one) -> None:
            for name in one.files:
                (folder / name).write_text(f"{one.service} {one.granule_id}")

        land(layout, NAME, sidecar_of(one), fetch)


def extract(layout: Layout, granules: Sequence[Granule]) -> None:
    """Store these frames as the one pass of their day."""
    first = name_of(granules[0])
    scene = Scene(
        scene_id=first.scene_id,
        start_utc=first.start_utc,
        end_utc=first.stop_utc,
        platform=first.platform,
        orbit_state="D",
        relative_orbit=first.relative_orbit,
        absolute_orbit=first.absolute_orbit,
        datatake_id=first.datatake_id,
        is_day_only=False,
        available_utc=None,
        granule_ids=[one.granule_id for one in granules],
        granule_sha256s=["0"] * len(granules),
    )
    store.write(layout, S1_SCENES, scene_rows([scene]), region=NAME, day=granules[0].day, note={})


def map_day(layout: Layout, chosen: str, scene_id: str, day: date = DAY) -> None:
    """The index as a run leaves it that makes the day of what the chosen service landed."""
    used = of_one_service(landed(layout, S1, NAME, day), chosen)
    row = NO_MAP | {"status": "mapped", "is_latest": True, "scene_id": scene_id, "map_id": "a-map"}
    looks = {scene_id: {"granules": {one.granule_id: one.sha256 for one in used}}}
    write_index(layout, NAME, day, [row | {"pass_start_utc": START}], {LOOKED_AT: looks})
