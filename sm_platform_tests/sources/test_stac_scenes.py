"""Sentinel-1 items as their catalogues write them: fields and values of real ones, shortened."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sm_platform.errors import SourceError, UsageError
from sm_platform.sources.planetary_computer.stac_scenes import (
    Quantity,
    quantity_of,
    refuse_radar_geometry,
    scene_of,
)


def stactools_grd(**changes: object) -> dict[str, Any]:
    """As stactools-sentinel1 writes it (its example of 2021-08-09), and the Planetary Computer."""
    return {
        "id": "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8",
        "collection": "sentinel1-grd",
        "properties": {
            "datetime": "2021-08-09T17:40:05.653288Z",
            "start_datetime": "2021-08-09 17:39:53.153776+00:00",
            "end_datetime": "2021-08-09 17:40:18.152800+00:00",
            "platform": "SENTINEL-1A",
            "constellation": "sentinel-1",
            "sar:instrument_mode": "IW",
            "sar:polarizations": ["VV", "VH"],
            "sat:platform_international_designator": "2014-016A",
            "sat:orbit_state": "ascending",
            "sat:absolute_orbit": 39156,
            "sat:relative_orbit": 59,
            "s1:datatake_id": "302867",
            "s1:orbit_source": "DOWNLINK",
        }
        | changes,
        "assets": {
            "schema-product-vv": {"href": "a/s1a-iw-grd-vv-001.xml"},
            "vv": {"href": "a/measurement/s1a-iw-grd-vv-001.tiff"},
            "vh": {"href": "a/measurement/s1a-iw-grd-vh-002.tiff"},
            "thumbnail": {"href": "a/preview/quick-look.png"},
        },
    }


RTC_FOLDER = (
    "https://sentinel1euwestrtc.blob.core.windows.net/sentinel1-grd-rtc/GRD/2020/7/27/IW/DV/"
    "S1A_IW_GRDH_1SDV_20200727T122412_20200727T122441_033640_03E61B_60B6/measurement"
)
RTC = {  # Planetary Computer, sentinel-1-rtc: id and address of an item of 2020-07-27
    "id": "S1A_IW_GRDH_1SDV_20200727T122412_20200727T122441_033640_03E61B_rtc",
    "collection": "sentinel-1-rtc",
    "properties": {
        "platform": "SENTINEL-1A",
        "sar:instrument_mode": "IW",
        "sar:polarizations": ["VV", "VH"],
        "s1:datatake_id": "255515",
    },
    "assets": {
        "vh": {"href": f"{RTC_FOLDER}/iw-vh.rtc.tiff"},
        "vv": {"href": f"{RTC_FOLDER}/iw-vv.rtc.tiff"},
    },
}
SHORT_FOLDER = (
    "https://sentinel1euwestrtc.blob.core.windows.net/sentinel1-grd-rtc/GRD/2025/6/30/IW/DV/"
    "S1C_IW_GRDH_1SDV_20250630T140654_20250630T140719_003013_00622B_A30F/measurement"
)
SHORT = {  # likewise, of Sentinel-1C: the name lacks the datatake, the address has it
    "id": "S1C_IW_GRDH_1SDV_20250630T140654_20250630T140719_003013_rtc",
    "collection": "sentinel-1-rtc",
    "properties": {"platform": ""},
    "assets": {"vv": {"href": f"{SHORT_FOLDER}/iw-vv.rtc.tiff"}},
}
SAFE = "S1B_IW_GRDH_1SDV_20200606T060615_20200606T060640_021909_029944_094C_COG.SAFE"
CDSE_FOLDER = f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S-COG/2020/06/06/{SAFE}/measurement"
COPERNICUS = {  # Copernicus Data Space, sentinel-1-grd; address from openeo-geopyspark-driver
    "id": "S1B_IW_GRDH_1SDV_20200606T060615_20200606T060640_021909_029944_094C_COG",
    "collection": "sentinel-1-grd",
    "properties": {
        "platform": "sentinel-1b",
        "start_datetime": "2020-06-06T06:06:15.123000Z",
        "end_datetime": "2020-06-06T06:06:40.122000Z",
        "sat:absolute_orbit": 21909,
        "sat:orbit_state": "descending",
        "sat:platform_international_designator": "2016-025A",
        "eopf:datatake_id": "170308",
        "eopf:instrument_mode": "IW",
    },
    "assets": {
        "vh": {"href": f"{CDSE_FOLDER}/s1b-iw-grd-vh-20200606t060615-002-cog.tiff"},
        "vv": {"href": f"{CDSE_FOLDER}/s1b-iw-grd-vv-20200606t060615-001-cog.tiff"},
    },
}
EARTH_FOLDER = (
    "s3://sentinel-s1-l1c/GRD/2024/3/19/IW/DV/"
    "S1A_IW_GRDH_1SDV_20240319T064656_20240319T064721_053047_066C79_F0FA"
)
EARTH_SEARCH = {  # Earth Search, sentinel-1-grd: an item of 2024-03-19, with few fields asked for
    "id": "S1A_IW_GRDH_1SDV_20240319T064656_20240319T064721_053047_066C79",
    "collection": "sentinel-1-grd",
    "properties": {"datetime": "2024-03-19T06:47:09.055942+00:00"},
    "assets": {
        "thumbnail": {"href": f"{EARTH_FOLDER}/preview/quick-look.png"},
        "vv": {"href": f"{EARTH_FOLDER}/measurement/iw-vv.tiff"},
    },
}


def test_an_item_with_everything() -> None:
    scene = scene_of(stactools_grd())
    assert scene.platform == "S1A"
    assert scene.start_utc == datetime(2021, 8, 9, 17, 39, 53, 153776, tzinfo=UTC)
    assert scene.end_utc == datetime(2021, 8, 9, 17, 40, 18, 152800, tzinfo=UTC)
    assert (scene.orbit_state, scene.absolute_orbit, scene.relative_orbit) == (
        "ascending",
        39156,
        59,
    )
    assert scene.datatake_id == "049F13"
    assert scene.frame.scene_id == "S1A_049F13"
    assert scene.polarisations == ("VV", "VH")
    assert set(scene.hrefs) == {"VV", "VH"}
    assert scene.quantity is Quantity.GRD_DIGITS


@pytest.mark.parametrize(
    ("item", "platform", "datatake", "orbit", "relative", "product", "quantity"),
    [
        (RTC, "S1A", "03E61B", 33640, 143, RTC_FOLDER.split("/")[-2], Quantity.GAMMA0_RTC),
        (SHORT, "S1C", "00622B", 3013, 42, SHORT_FOLDER.split("/")[-2], Quantity.GAMMA0_RTC),
        (COPERNICUS, "S1B", "029944", 21909, 8, SAFE[:-9], Quantity.GRD_DIGITS),
        (
            EARTH_SEARCH,
            "S1A",
            "066C79",
            53047,
            125,
            EARTH_FOLDER.split("/")[-1],
            Quantity.GRD_DIGITS,
        ),
    ],
)
def test_what_each_catalogue_tells(
    item: dict[str, Any],
    platform: str,
    datatake: str,
    orbit: int,
    relative: int,
    product: str,
    quantity: Quantity,
) -> None:
    """Relative orbits by the formula of the wiki, worked by hand; products from the addresses."""
    scene = scene_of(item)
    assert (scene.platform, scene.datatake_id) == (platform, datatake)
    assert (scene.absolute_orbit, scene.relative_orbit) == (orbit, relative)
    assert (scene.product_id, scene.quantity) == (product, quantity)
    assert scene.polarisations == ("VV", "VH")
    assert scene.start_utc.strftime("%Y%m%dT%H%M%S") == item["id"].split("_")[4]
    assert scene.mode == "IW"


def test_frames_of_one_pass_share_its_id() -> None:
    earlier = EARTH_SEARCH | {
        "id": "S1A_IW_GRDH_1SDV_20240319T064631_20240319T064656_053047_066C79"
    }
    assert scene_of(earlier).frame.scene_id == scene_of(EARTH_SEARCH).frame.scene_id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"s1:datatake_id": "302868"}, "datatake is 049F14, its name says 049F13"),
        ({"sat:absolute_orbit": 39157}, "sat:absolute_orbit is 39157"),
        ({"start_datetime": "yesterday"}, "no date and time"),
    ],
)
def test_contradictions_are_errors(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        scene_of(stactools_grd(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "S2A_MSIL2A_20260628T115421_N0512_R023_T29UNT_20260628T194416"},
        {"id": ""},
        {"collection": "sentinel-1-slc"},
        {"id": SHORT["id"], "properties": {}, "assets": {}},
    ],
)
def test_other_items_are_errors(changes: dict[str, Any]) -> None:
    with pytest.raises(SourceError):
        scene_of(stactools_grd() | changes)


def test_radar_geometry_is_refused() -> None:
    for collection in ("sentinel-1-grd", "sentinel1-grd"):
        with pytest.raises(UsageError, match="earth_engine or sentinel_hub"):
            refuse_radar_geometry(collection)
    refuse_radar_geometry("sentinel-1-rtc")
    with pytest.raises(SourceError, match="is not known"):
        quantity_of("sentinel-1-something")
