"""The collection that every item links to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pystac.validation import validate_dict

from sm_platform.errors import ProductError
from sm_platform.maps.collection import stac_collection
from sm_platform_tests.maps import cases
from sm_platform_tests.maps.extensions import offline

BOXES = ([106.0, 20.0, 106.5, 20.5], [108.0, 12.0, 108.5, 12.5])
TIMES = {"first_utc": cases.START, "last_utc": cases.CREATED}


@pytest.mark.parametrize("has_table", [False, True])
def test_it_is_valid_with_its_extensions(has_table: bool, shared: Callable[..., Path]) -> None:
    made = stac_collection(BOXES, **TIMES, licence="other", has_items_table=has_table)
    validate_dict(made, extensions=[])
    with offline(shared) as validate:
        validate(made)


def test_its_extent_spans_all_regions() -> None:
    made = stac_collection(BOXES, **TIMES, licence="other")
    assert made["extent"]["spatial"]["bbox"] == [[106.0, 12.0, 108.5, 20.5], *BOXES]
    assert made["extent"]["temporal"]["interval"] == [
        ["2026-01-15T22:45:12Z", "2026-01-16T22:46:00Z"]
    ]
    alone = stac_collection(BOXES[:1], **TIMES, licence="other")
    assert alone["extent"]["spatial"]["bbox"] == [BOXES[0]]


def test_it_describes_every_layer_and_the_picture() -> None:
    made = stac_collection(BOXES, **TIMES, licence="other")
    assert list(made["item_assets"]) == ["sm", "sd", "lo", "hi", "di", "age", "qa", "quicklook"]
    assert made["item_assets"]["sm"]["raster:scale"] == 0.0001
    assert "statistics" not in made["item_assets"]["sm"]


def test_without_a_region_there_is_no_collection() -> None:
    with pytest.raises(ProductError, match="map a region first"):
        stac_collection([], **TIMES, licence="other")
