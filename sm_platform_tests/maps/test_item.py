"""STAC items: valid without a network, complete, and true to the files."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
from pystac.validation import validate_dict

from sm_platform.maps.item import deprecated, extension_uri
from sm_platform.maps.product import MapProduct
from sm_platform.maps.render import map_files
from sm_platform_tests.maps import cases
from sm_platform_tests.maps.extensions import offline


def item_of(product: MapProduct, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """The item of a map, as it lies in its folder."""
    files = map_files(product, created_utc=cases.CREATED, utc_offset_h=7, **options)
    found: dict[str, Any] = json.loads(list(files.values())[-1])
    return found


def calibrated() -> MapProduct:
    made = cases.product()
    sm = made.layers["SM"]
    more = {
        "LO": np.maximum(sm - np.float32(0.05), 0),
        "HI": sm + np.float32(0.05),
        "DI": sm * np.float32(3),
    }
    return replace(made, layers=dict(made.layers) | more)


MAKERS: tuple[Callable[[], MapProduct], ...] = (
    cases.product,
    calibrated,
    lambda: cases.product(cases.SEED_GRID, seen=cases.DAY, lineage=cases.PARITY),
)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_core_of_the_item_is_valid(maker: Callable[[], MapProduct]) -> None:
    item = item_of(maker())
    validate_dict(item, extensions=[])
    assert pystac.Item.from_dict(item).to_dict(include_self_link=False)["id"] == item["id"]


@pytest.mark.parametrize("maker", MAKERS)
def test_every_extension_is_valid(
    maker: Callable[[], MapProduct], shared: Callable[..., Path]
) -> None:
    item = item_of(maker())
    with offline(shared) as validate:
        validate(item)
        item["assets"]["sm"]["raster:sampling"] = "guess"
        with pytest.raises(pystac.errors.STACValidationError):
            validate(item)


def test_checksums_are_multihashes_of_the_files() -> None:
    files = map_files(cases.product(), created_utc=cases.CREATED, utc_offset_h=7)
    item = json.loads(list(files.values())[-1])
    assert list(item["assets"]) == ["sm", "sd", "age", "qa", "quicklook"]
    for asset in item["assets"].values():
        content = files[asset["href"]]
        assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest()
        assert len(asset["file:checksum"]) == 4 + 64
        assert asset["file:size"] == len(content)


def test_properties_say_when_where_and_by_what() -> None:
    properties = item_of(cases.product())["properties"]
    expected = {
        "datetime": "2026-01-15T22:45:12Z",
        "start_datetime": "2026-01-15T22:45:12Z",
        "end_datetime": "2026-01-15T22:45:37Z",
        "created": "2026-01-16T22:46:00Z",
        "platform": "sentinel-1c",
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "sat:orbit_state": "descending",
        "sat:relative_orbit": 91,
        "sat:absolute_orbit": 6012,
        "proj:code": "EPSG:6933",
        "proj:shape": [60, 80],
        "processing:level": "L3",
        "processing:version": "1.0",
        "processing:software": {"sm-platform": "0.1.0"},
        "version": "1.0-r00",
        "deprecated": False,
        "product:type": "SM100",
        "smp:region": "vn-thaibinh",
        "smp:recipe": "sm-100m-v1",
        "smp:checkpoint": "demo",
        "smp:inputs_status": "preliminary",
        "smp:recommended_percent": 69.8,
    }
    assert {name: properties.get(name) for name in expected} == expected
    assert properties["sci:publications"][0]["doi"] == "10.1016/j.rse.2023.113944"
    assert properties["renders"]["sm"]["rescale"] == [[0, 5000]]
    assert properties["proj:transform"] == list(cases.window().affine)[:6]
    assert properties["proj:bbox"] == list(cases.window().bounds)


def test_an_unknown_orbit_is_left_out_with_its_extension() -> None:
    item = item_of(cases.product(cases.SEED_GRID, seen=cases.DAY, lineage=cases.PARITY))
    assert not [name for name in item["properties"] if name.startswith("sat:")]
    assert extension_uri("sat") not in item["stac_extensions"]
    assert item["properties"]["platform"] == "sentinel-1"
    assert item["properties"]["proj:code"] == "EPSG:4326"


def test_layers_are_described_as_readers_need_them() -> None:
    assets = item_of(calibrated())["assets"]
    assert list(assets) == ["sm", "sd", "lo", "hi", "di", "age", "qa", "quicklook"]
    sm = assets["sm"]
    assert (sm["data_type"], sm["nodata"], sm["unit"]) == ("uint16", 65535, "m3 m-3")
    assert (sm["raster:scale"], sm["raster:offset"], sm["raster:sampling"]) == (0.0001, 0, "area")
    assert sm["cf:standard_name"] == "volume_fraction_of_condensed_water_in_soil"
    assert sm["bands"] == [{"name": "sm"}]
    assert assets["qa"]["roles"] == ["data", "quality"]
    assert assets["di"]["raster:scale"] == 0.001


def test_bits_are_spelt_out_on_the_quality_layer() -> None:
    fields = item_of(cases.product())["assets"]["qa"]["classification:bitfields"]
    assert len(fields) == 16
    assert fields[4] == {
        "name": "open_water",
        "description": "permanent water",
        "offset": 4,
        "length": 1,
        "roles": ["quality"],
        "classes": [{"value": 0, "name": "no"}, {"value": 1, "name": "yes"}],
    }


def test_links_lead_to_collection_granules_and_predecessor() -> None:
    name = "SM100_vn-thaibinh_20260115T224512Z_S1C_D091_v1.0_r00"
    links = item_of(cases.product(revision=1), predecessor_id=name)["links"]
    assert [link["rel"] for link in links] == [
        "collection", "derived_from", "derived_from", "predecessor-version",
    ]  # fmt: skip
    assert links[0]["href"] == "../../../../collection.json"
    assert links[1]["title"] == cases.GRANULES[0][0]
    assert links[1]["href"] == "urn:sha256:" + "ab" * 32
    assert links[3]["href"] == f"../{name}/{name}.json"
    known = item_of(cases.product(), catalogue_url="https://example.org/s1")["links"]
    assert known[1]["href"] == "https://example.org/s1/" + cases.GRANULES[0][0]


def test_a_replaced_item_points_to_its_successor_and_the_latest() -> None:
    item = item_of(cases.product())
    once = deprecated(item, successor_id="M_r01")
    assert once["properties"]["deprecated"] is True
    assert item["properties"]["deprecated"] is False
    twice = deprecated(once, successor_id="M_r01", latest_id="M_r02")
    rels = {link["rel"]: link["href"] for link in twice["links"]}
    assert rels["successor-version"] == "../M_r01/M_r01.json"
    assert rels["latest-version"] == "../M_r02/M_r02.json"
    assert len(twice["links"]) == len(item["links"]) + 2
    validate_dict(twice, extensions=[])


def test_the_outline_lies_in_its_box() -> None:
    item = item_of(cases.product())
    ring = np.array(item["geometry"]["coordinates"][0])
    assert item["bbox"] == [*ring.min(axis=0), *ring.max(axis=0)]
    assert 106.2 < item["bbox"][0] < item["bbox"][2] < 106.4
    assert 20.4 < item["bbox"][1] < item["bbox"][3] < 20.6
