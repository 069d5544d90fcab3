"""Two small regions of the archive with networks of random weights: to try the machinery, not maps.

Everything lies below one folder, which the environment names (`environment`).
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import torch

from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.lake.layout import Layout
from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform.schema.region import Region
from sm_platform.sources.archive import ArchiveSource, archive_regions, read_clock
from sm_platform.sources.protocol import Product
from sm_platform.sources.sentinel1_names import parse_frame
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import PLACES

NETWORK = "random"
SEED, SIZE = 7, 48
WATCHED_DAYS = 28
DRIVERS_FIRST, RADAR_FIRST = date(2025, 1, 1), date(2025, 2, 12)


@dataclass(frozen=True, slots=True)
class SmallWorld:
    """Folders of the world."""

    root: Path

    @property
    def layout(self) -> Layout:
        """Its lake."""
        return Layout(self.root / "lake")

    @property
    def home(self) -> Path:
        """Its Dagster home."""
        return self.root / "home"

    @property
    def archive(self) -> Path:
        """Its archive."""
        return self.root / "archive"

    def environment(self) -> Mapping[str, str]:
        """Variables that point commands at this world; look-backs need not be whole in it."""
        return {
            **os.environ,
            "SM_DATA_LAKE": str(self.layout.root),
            "SM_MODELS": str(self.root / "models"),
            "SM_ARCHIVE": str(self.archive),
            "DAGSTER_HOME": str(self.home),
            "SM_FIRST_DAY": DRIVERS_FIRST.isoformat(),
            "SM_MIN_LOOKBACK_SHARE": "0",
            "OMP_NUM_THREADS": "1",
        }


def make_world(root: Path, last: date, today: date | None = None, size: int = SIZE) -> SmallWorld:
    """Write archive, network and regions below a folder; the environment must point there.

    Args:
        root: the folder.
        last: last day of the archive.
        today: where its clock starts; the last day by default.
        size: rows and columns of each region.
    """
    world = SmallWorld(root)
    period = Period(DRIVERS_FIRST, RADAR_FIRST, last)
    write_archive(
        world.archive, seed=SEED, places=PLACES, size=size, period=period, today=today, workers=1
    )
    _save_network(root / "models" / NETWORK)
    instance = open_instance()
    for name, window in archive_regions(world.archive).items():
        region = Region(name, window, "archive", str(world.archive), checkpoint_id=NETWORK)
        save_region(world.layout, region)
        instance.add_dynamic_partitions("regions", [name])
    return world


def watched_passes(world: SmallWorld) -> Iterator[tuple[str, date, str]]:
    """Region, day and scene of the watched passes that are listed now."""
    source, now = ArchiveSource(world.archive), read_clock(world.archive)
    days = [now.today - timedelta(n) for n in range(WATCHED_DAYS)]
    for name in archive_regions(world.archive):
        window = find_region(world.layout, name).window
        for granule in source.granules(Product.S1_GRD, window, days):
            frame = parse_frame(granule.granule_id)
            if frame and granule.day:
                yield name, granule.day, frame.scene_id


def _save_network(folder: Path) -> None:
    if folder.exists():
        return
    torch.manual_seed(SEED)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    told = {"trained_until": DRIVERS_FIRST.isoformat()}
    recipe = DEFAULT_RECIPE
    folder.mkdir(parents=True)
    save(Checkpoint(NETWORK, recipe.recipe_id, recipe.fingerprint, (member,), told), folder)
