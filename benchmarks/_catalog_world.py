"""Thirty regions with eight years of days recorded: one real month, and copies of it.

`python -m benchmarks._catalog_world FOLDER` makes it; the environment must point there. One region
of the small world is mapped for a month through Dagster. Its lake is linked for the other regions,
its records are stored again for all days of all regions, and the archive's index gets as many rows
as eight years have.
"""

import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks._recorded_years import Recorded, record_years
from experiments.small_world import DRIVERS_FIRST, RADAR_FIRST, SmallWorld, make_world
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.partitions import LOOK_BACK_DAYS
from sm_platform.defs.steps import Request, Step, run_steps
from sm_platform.grid.calendar import days_between
from sm_platform.sources.simulated.places import PLACES

N_REGIONS = 30
YEARS = 8
N_INDEX_ROWS = 150_000
MONTH = 31
PATTERN = PLACES[0].region_id
LAST = RADAR_FIRST + timedelta(MONTH - 1)
REGIONS = tuple(f"area-{number:02d}" for number in range(N_REGIONS))
FIRST = LAST - timedelta(365 * YEARS + 2)
"""Two of the years have a day more."""
LOOKED_BACK_TO = RADAR_FIRST - timedelta(LOOK_BACK_DAYS)
"""First day that the lake must hold for the month."""


def make(root: Path) -> int:
    """Write it all; the number of materializations recorded."""
    world = make_world(root, LAST)
    days = days_between(RADAR_FIRST, LAST)
    with open_instance() as instance:
        launcher = Launcher(instance, PATTERN, lambda _: None)
        region = find_region(world.layout, PATTERN)
        run_steps(launcher, Request(region, days[0], days[-1]), list(Step))
    n_made = record_years(world.home, Recorded(PATTERN, days), REGIONS, days_between(FIRST, LAST))
    _link_lake(world)
    _fill_index(world.archive / "index.parquet")
    return n_made


def _link_lake(world: SmallWorld) -> None:
    """All that lies in a folder named after the region, under the other names."""
    folders = [
        *world.layout.root.glob(f"*/region={PATTERN}"),
        *world.layout.root.glob(f"tables/*/region={PATTERN}"),
        *world.layout.root.glob(f"granules/*/{PATTERN}"),
        *world.layout.root.glob(f"maps/*/{PATTERN}"),
    ]
    region = find_region(world.layout, PATTERN)
    for name in REGIONS:
        for folder in folders:
            other = folder.with_name(folder.name.replace(PATTERN, name))
            shutil.copytree(folder, other, copy_function=_link)
        shutil.rmtree(world.layout.part("regions", name, None).parent)
        save_region(world.layout, replace(region, region_id=name))
    with open_instance() as instance:
        for one in PLACES[1:]:
            instance.delete_dynamic_partition("regions", one.region_id)
        instance.add_dynamic_partitions("regions", list(REGIONS))


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _fill_index(path: Path) -> None:
    """Granules of earlier years and of places elsewhere, by their rows alone.

    None of them is of a day that maps of the month look back to: all such drivers are landed.
    """
    real = pq.read_table(path)
    parts, span = [real], (LAST - DRIVERS_FIRST).days + 1
    shifts = range(LOOK_BACK_DAYS // span + 1, 365 * YEARS // span)
    while sum(part.num_rows for part in parts) < N_INDEX_ROWS:
        place, number = divmod(len(parts) - 1, len(shifts))
        earlier = timedelta(span * shifts[number])
        parts.append(_moved(real, earlier, 5.0 * place, f"-{len(parts)}"))
    pq.write_table(pa.concat_tables(parts), path)


def _moved(rows: pa.Table, earlier: timedelta, east: float, suffix: str) -> pa.Table:
    """The rows with another time, place and name."""
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            unit = pa.scalar(earlier, pa.duration("s"))
            moved = pc.subtract(column.cast(pa.timestamp("us", "UTC")), unit).cast(column.type)
        elif name in ("west", "east"):
            moved = pc.add(column, east)
        elif name == "granule_id":
            moved = pc.binary_join_element_wise(column, suffix, "")
        else:
            continue
        rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), moved)
    return rows


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
