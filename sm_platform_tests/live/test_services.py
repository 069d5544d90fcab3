"""Each service, for each driver that it brings: a window listed, its smallest granule landed, read.

The place lies in the Red River delta. Spans of days are tried in turn, as some products end.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.fetching import Patience
from sm_platform.defs.label_readers import FIELD_READERS, read_fields
from sm_platform.defs.landing import Landing
from sm_platform.defs.live_sources import configuration, open_service
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import source_credentials
from sm_platform.defs.source_reach import STATIC_PRODUCTS
from sm_platform.grid.calendar import days_between
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import Raster
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.configuration import CHOICES, DRIVERS, Choice, Configuration
from sm_platform.sources.protocol import Granule, LiveSource, Source
from sm_platform_tests.live.accounts import lacking

pytestmark = [pytest.mark.live, pytest.mark.enable_socket]

FOLDERS = ("archive", "folder")
SPANS = (
    (date(2025, 3, 22), date(2025, 4, 2)),
    (date(2022, 3, 22), date(2022, 4, 2)),
)
REGION = Region("live-test", window_around(LEVEL_100M, 106.43, 20.45, (40, 40)), LIVE, "")
PATIENCE = Patience(tries=4, deadline_s=900.0)
PHYSICAL = {
    "vv_db": (-40.0, 15.0),
    "vh_db": (-50.0, 10.0),
    "angle_deg": (25.0, 50.0),
    "vv_gamma0_db": (-40.0, 15.0),
    "vh_gamma0_db": (-50.0, 10.0),
    "ndvi": (-0.2, 1.0),
    "temperature_k": (270.0, 320.0),
    "precipitation_m": (0.0, 0.5),
    "sand_g_kg": (0.0, 1000.0),
    "clay_g_kg": (0.0, 1000.0),
    "bulk_density_cg_cm3": (50.0, 200.0),
    "elevation_m": (-20.0, 60.0),
    "land_cover_code": (0.0, 100.0),
    "sm_m3m3": (0.0, 1.0),
}
"""Lowest and highest value that this place can have, by band."""
LEAST_INSIDE = 0.99
"""Share of the values within these: radar of still water falls below the noise of the sensor."""


@dataclass(frozen=True, slots=True)
class Case:
    """A driver from a service."""

    driver: str
    choice: Choice

    def opened(self, work: Path) -> Source:
        """The service alone, with the options that SM_SOURCES tells of it."""
        told = configuration()
        options = {} if told is None else told.options
        return open_service(
            Configuration({DRIVERS[self.driver]: self.choice}, options), DRIVERS[self.driver], work
        )

    def listed(self, landing: Landing) -> list[Granule]:
        """What the service has of the place: static, or of the first span with anything."""
        product = DRIVERS[self.driver]
        if product in STATIC_PRODUCTS:
            return landing.listed(product, None)
        found = (landing.listed(product, days_between(*span)) for span in SPANS)
        return next((one for one in found if one), [])


CASES = [
    Case(driver, Choice(service, variant or None))
    for driver, texts in CHOICES.items()
    for service, _, variant in (text.partition(":") for text in texts)
    if service not in FOLDERS
]


def name_of(case: Case) -> str:
    return f"{case.driver}-{case.choice.told.replace(':', '-')}"


@pytest.fixture(autouse=True)
def account(request: pytest.FixtureRequest) -> None:
    """Skip where nobody has the account."""
    why = lacking(request.getfixturevalue("case").choice.service, source_credentials())
    if why is not None:
        pytest.skip(why)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_smallest_granule_is_landed_and_holds_what_can_be(case: Case, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "lake")
    landing = Landing(layout, REGION, case.opened(tmp_path / "work"), PATIENCE)
    granules = case.listed(landing)
    assert granules, f"{case.choice.told} has nothing of {case.driver} at this place"
    one = min(granules, key=_size)
    landing.land([one])
    rasters = _read(layout, one)
    assert rasters, f"{one.granule_id} has nothing of the region"
    for raster in rasters:
        _check(raster)


def _size(granule: Granule) -> int:
    return granule.size_bytes or granule.estimated_bytes or 0


def _read(layout: Layout, granule: Granule) -> Sequence[Raster]:
    found = landed(layout, granule.product.value, REGION.region_id, granule.day)
    own = [one for one in found if one.granule_id == granule.granule_id]
    if granule.format not in FIELD_READERS:
        return [read_all(layout, REGION.region_id, own, REGION.window)]
    read = read_fields(layout, REGION, own)
    assert not read.damaged
    return [field.raster for _, field in read.fields]


def _check(raster: Raster) -> None:
    bands = PHYSICAL.keys() & raster.values.keys()
    assert bands, f"no known band among {sorted(raster.values)}"
    for name in bands:
        values = np.asarray(raster.values[name], dtype=np.float64)
        lowest, highest = PHYSICAL[name]
        there = values[np.isfinite(values)]
        assert there.size or name == "sm_m3m3", f"{name} has no value at all"
        outside = (there < lowest) | (there > highest)
        assert outside.sum() <= (1 - LEAST_INSIDE) * there.size, f"{name}: {there[outside][:5]}"


PROBED = {case.choice.service: case for case in CASES}


@pytest.mark.parametrize("case", PROBED.values(), ids=PROBED.keys())
def test_the_service_answers_whoever_looks(case: Case, tmp_path: Path) -> None:
    """As `doctor --live` asks; what it finds wrong, for example an old collection, is shown."""
    source = case.opened(tmp_path)
    assert isinstance(source, LiveSource)
    products = [DRIVERS[one.driver] for one in CASES if one.choice == case.choice]
    found = list(source.probe(products))
    assert any(one.is_good for one in found), found
    for one in found:
        if not one.is_good:
            warnings.warn(one.text, stacklevel=1)
