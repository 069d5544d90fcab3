"""A granule that its provider has replaced under another name stands in the place of the first."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sm_platform.defs.landing import Landing, is_there
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn, standing_in
from sm_platform_tests.servers.earthdata import item_of
from sm_platform_tests.sources.earthdata_desk import source_at

DAY = date(2026, 6, 1)
WINDOW = window_around(LEVEL_100M, 106.43, 20.45, (48, 48))
FIRST, REPLACED = (f"SMAP_L4_SM_gph_20260601T223000_Vv8011_{n}" for n in ("001", "002"))
MODIS = ("MOD13Q1.A2026145.h27v06.061.2026162000000", "MOD13Q1.A2026145.h27v06.061.2026200000000")

AQUA, AQUA_DAY = "MYD13Q1.A2026137.h27v06.061.2026154000000", date(2026, 5, 17)
"""A source of MODIS asks for both satellites and wants each to have something."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(None, tmp_path_factory.mktemp("stand_in")) as servers:
        yield servers


@pytest.mark.parametrize(
    ("collection", "product", "day", "names"),
    [
        ("SPL4SMGP.008", Product.SPL4SMGP, DAY, (f"{FIRST}.h5", f"{REPLACED}.h5")),
        ("MOD13Q1.061", Product.NDVI, date(2026, 5, 25), tuple(f"{one}.hdf" for one in MODIS)),
    ],
)
def test_the_replacement_takes_the_place_of_the_first(
    servers: StandIn,
    tmp_path: Path,
    collection: str,
    product: Product,
    day: date,
    *,
    names: tuple[str, str],
) -> None:
    layout = Layout(tmp_path / "lake")
    landing = Landing(layout, Region("delta", WINDOW, LIVE, ""), source_at(servers))
    base = f"{servers.tls_url}/earthdata/archive/made"
    items = [item_of(collection, day, {f"{base}/{one}": None}) for one in names]
    other = item_of("MYD13Q1.061", AQUA_DAY, {f"{base}/{AQUA}.hdf": None})
    for catalogue in ([items[0], other], [*items, other]):
        servers.settings(earthdata_items=catalogue)
        landing.land(landing.listed(product, [day]))
    found = landed(layout, product.value, "delta", day)
    assert [one.files for one in found] == [names[1:]]
    servers.settings(earthdata_items=[items[0], other])  # a catalogue that has not heard of it yet
    first = landing.listed(product, [day])
    assert landing.land(first).metadata["fetched"] == 0
    assert all(is_there(layout, "delta", one) for one in first)
    assert landed(layout, product.value, "delta", day) == found
