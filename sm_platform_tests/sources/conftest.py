"""One tiny archive for all tests of the room: 48 x 48 pixels, six weeks of radar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rasterio

from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import PLACES
from sm_platform.sources.simulated.world import World, simulate
from sm_platform_tests.servers import StandIn, standing_in

SEED, SIZE = 7, 48
TINY = Period(date(2024, 12, 15), date(2025, 3, 1), date(2025, 4, 12))
"""New Year's composite, final and preliminary weather, both platforms' passes."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive; tests must not change it."""
    folder = tmp_path_factory.mktemp("archive") / "tiny"
    write_archive(folder, seed=SEED, size=SIZE, period=TINY, workers=1)
    return folder


@pytest.fixture(scope="session")
def worlds() -> dict[str, World]:
    """The truth behind the archive."""
    return {place.region_id: simulate(place, SEED, size=SIZE) for place in PLACES}


@pytest.fixture(scope="session")
def listed(tiny: Path) -> Callable[[Product, str], list[tuple[Granule, Path]]]:
    """Granules of a product and region with the folders in which their files lie."""
    source, windows = ArchiveSource(tiny), archive_regions(tiny)
    static = (Product.SOIL, Product.ELEVATION, Product.LAND_COVER)

    def find(product: Product, region_id: str) -> list[tuple[Granule, Path]]:
        days = None if product in static else TINY.driver_days
        granules = source.granules(product, windows[region_id], days)
        return [(one, tiny / product / region_id / one.granule_id) for one in granules]

    return find


@pytest.fixture(scope="session")
def running(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The providers' stand-ins over the archive."""
    with standing_in(tiny, tmp_path_factory.mktemp("stand_ins")) as servers:
        yield servers


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The raster, opened without any reader of ours."""
    with rasterio.open(path) as file:
        yield file
