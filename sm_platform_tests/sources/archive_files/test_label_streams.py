"""Labels in the archive: each product for itself, same bytes, and available when it is."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.archive_index import Entry
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.archive_files.full_labels import WRITERS, folder_of
from sm_platform_tests.sources.conftest import TINY

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("product", WRITERS)
def test_a_product_written_alone_has_the_bytes_it_has_beside_all_others(
    tiny: Path, worlds: dict[str, World], tmp_path: Path, product: Product
) -> None:
    for region, world in worlds.items():
        alone = WRITERS[product](tmp_path, world, TINY)
        home = tiny / product / region
        assert sorted(one.granule_id for one in alone) == sorted(p.name for p in home.iterdir())
        for one in alone:
            assert content(folder_of(tmp_path, one)) == content(home / one.granule_id)


def end_of_content(entry: Entry) -> datetime:
    """The end of the UTC day; of a month of stations, of its last day."""
    day = entry.day
    if day is None:
        dates = [name.removesuffix(".stm")[-8:] for name in entry.files]
        day = datetime.strptime(max(dates), "%Y%m%d").date()
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("product", "least_days", "most_days"),
    [
        (Product.SWC, 1, 1),
        (Product.SPL3SMP_E, 2, 2),
        (Product.SPL4SMGP, 3, 3),
        (Product.NSIDC_0779, 14, 42),
        (Product.ISMN, 1, 60),
    ],
)
def test_a_product_comes_as_late_as_its_provider_is(
    worlds: dict[str, World], tmp_path: Path, product: Product, least_days: int, most_days: int
) -> None:
    for entry in WRITERS[product](tmp_path, worlds["highland"], TINY):
        assert entry.available_utc is not None
        late = (entry.available_utc - end_of_content(entry)) / timedelta(days=1)
        assert least_days <= late <= most_days


def test_stations_are_listed_by_the_month_without_a_day(tiny: Path) -> None:
    window = archive_regions(tiny)["red-river"]
    found = ArchiveSource(tiny).granules(Product.ISMN, window, None)
    assert [one.granule_id for one in found] == ["ISMN_SIM_red-river_202503"]


@pytest.mark.parametrize("product", WRITERS)
def test_labels_tell_their_format_licence_and_place(
    worlds: dict[str, World], tmp_path: Path, product: Product
) -> None:
    world = worlds["red-river"]
    for entry in WRITERS[product](tmp_path, world, TINY):
        west, south, east, north = entry.bounds
        assert west < world.place.lon < east
        assert south < world.place.lat < north
        assert entry.licence.endswith("(simulated)")
        assert sorted(entry.files) == sorted(content(folder_of(tmp_path, entry)))
