"""Whose products a map cites: those that its drivers are made from, no others."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sm_platform.defs.input_terms import input_terms
from sm_platform.defs.scenes import Scene
from sm_platform.defs.service_choice import MADE_OF
from sm_platform.defs.sidecars import sidecar_of
from sm_platform.lake import store
from sm_platform.lake.granules import land
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import NDVI, SOIL
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.defs.service_lake import DAY, NAME, bring, text_file

START = datetime(2025, 1, 1, 11, tzinfo=UTC)
PASS = Scene("S1A_1", START, START, "S1A", "A", 55, 1, "1", False, None, ["frame"], ["f"])


@pytest.fixture
def lake(layout: Layout) -> Layout:
    """NDVI and soil of two services each, one granule of each used."""
    for product, day, kind in (
        (Product.NDVI, DAY, "mod13q1_hdf"),
        (Product.SOIL, None, "soilgrids"),
    ):
        for source in ("earthdata", "earth_engine"):
            bring(layout, (product, source, kind), text_file, source=source, day=day)
    return layout


def cited(layout: Layout) -> list[tuple[str, str]]:
    found = input_terms(layout, NAME, PASS, DAY, with_late_rain=False)
    assert all(one.licence == f"terms of {one.source}" for one in found)
    return [(one.product, one.source) for one in found]


def test_granules_that_were_passed_over_are_not_cited(lake: Layout) -> None:
    for table, day, used in ((NDVI, DAY, "earthdata"), (SOIL, None, "earth_engine")):
        note = {"granules": [used], "passed_over": ["told elsewhere"]}
        empty = table.arrow_schema.empty_table()
        store.write(lake, table, empty, region=NAME, day=day, note=note)
    assert cited(lake) == [("ndvi", "earthdata"), ("soil", "earth_engine")]


def test_all_are_cited_where_the_driver_does_not_tell(lake: Layout) -> None:
    both = ["earth_engine", "earthdata"]
    assert cited(lake) == [(product, one) for product in ("ndvi", "soil") for one in both]


def test_every_product_that_is_cited_has_its_table() -> None:
    drivers = {Product.NDVI, Product.WEATHER, Product.LATE_RAIN, Product.SOIL}
    assert set(MADE_OF) == drivers | {Product.ELEVATION, Product.LAND_COVER}


def test_the_year_of_the_data_is_filled_in_where_a_citation_wants_it(layout: Layout) -> None:
    for product, day in ((Product.NDVI, DAY), (Product.SOIL, None)):
        one = Granule(product, "a", day, ("a.tif",), "made", None, "X", service="a")
        told = sidecar_of(replace(one, citation="Data of [year], X."))
        land(layout, NAME, told, lambda folder: (folder / "a.tif").touch())
    found = input_terms(layout, NAME, PASS, DAY, with_late_rain=False)
    assert [one.citation for one in found] == [f"Data of {DAY.year}, X.", "Data of [year], X."]
