"""A satellite that is reported to end: told by the watch and by doctor, no run stops over it."""

import re
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.earthdata.source import EarthdataSource
from sm_platform.sources.protocol import Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earthdata import item_of
from sm_platform_tests.sources.earthdata_desk import source_at

BEFORE, AFTER = date(2026, 10, 24), date(2026, 11, 9)
ENDS = r"VNP13A1\.002 is reported to end about 2026-11-01: choose earthdata:VJ113A1 \(NOAA-20\)"


class _Later(EarthdataSource):
    """On a day after the end."""

    def now(self) -> datetime:
        return datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def source(servers: StandIn) -> EarthdataSource:
    own = source_at(servers)
    return _Later(**{one.name: getattr(own, one.name) for one in fields(own) if one.init})


@pytest.fixture(scope="module")
def window(tiny: Path) -> GridWindow:
    return next(iter(archive_regions(tiny).values()))


def composite(servers: StandIn, short_name: str, day: date) -> dict[str, object]:
    name = f"{short_name}.A{day:%Y%j}.h27v06.002.2026330000000.h5"
    return item_of(f"{short_name}.002", day, {f"{servers.tls_url}/earthdata/archive/{name}": None})


def test_days_after_the_end_have_nothing_and_stop_no_run(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    """Their maps are made with the newest vegetation there is, whose age is told."""
    npp = replace(source, ndvi="VNP13A1")
    servers.settings(earthdata_items=[composite(servers, "VNP13A1", BEFORE)])
    assert npp.granules(Product.NDVI, window, [AFTER, AFTER + timedelta(3)]) == []
    assert [one.day for one in npp.granules(Product.NDVI, window, [BEFORE, AFTER])] == [BEFORE]


def test_a_satellite_that_goes_on_is_listed_whatever_is_reported(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    servers.settings(earthdata_items=[composite(servers, "VNP13A1", AFTER)])
    found = replace(source, ndvi="VNP13A1").granules(Product.NDVI, window, [AFTER])
    assert [one.day for one in found] == [AFTER]


def test_the_watch_tells_the_end_once_nothing_comes(
    source: EarthdataSource, servers: StandIn, window: GridWindow
) -> None:
    both = [composite(servers, one, BEFORE) for one in ("VNP13A1", "VJ113A1")]
    servers.settings(earthdata_items=both)
    npp, noaa = replace(source, ndvi="VNP13A1"), replace(source, ndvi="VJ113A1")
    since, first = datetime(2026, 10, 30, tzinfo=UTC), date(2026, 10, 1)
    with pytest.raises(SourceError, match=ENDS):
        npp.listed_since([Product.NDVI], window, since, first)
    assert noaa.listed_since([Product.NDVI], window, since, first) == []
    assert len(npp.listed_since([Product.NDVI], window, None, first)) == 1


def test_the_probe_tells_the_end(source: EarthdataSource, servers: StandIn) -> None:
    both = [composite(servers, one, BEFORE) for one in ("VNP13A1", "VJ113A1")]
    servers.settings(earthdata_items=both)
    _, npp, _ = replace(source, ndvi="VNP13A1").probe([Product.NDVI])
    assert re.search(ENDS, npp.text)
    assert not npp.is_good
    _, noaa, _ = replace(source, ndvi="VJ113A1").probe([Product.NDVI])
    assert noaa.is_good
