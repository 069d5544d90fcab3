"""A small archive and a lake beside it, where ticks of the sensor and their runs can be tried."""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from sm_platform.defs.assets import drivers, features, granules, maps, scenes, static
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.defs.map_index import Row, read_index
from sm_platform.defs.resources import (
    FeatureSettings,
    LakeResource,
    ModelsResource,
    WatchSettings,
)
from sm_platform.defs.watching.cursor import Cursor, read_cursor
from sm_platform.defs.watching.region_tick import Watch
from sm_platform.defs.watching.sensor import tick
from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.recipes import DEFAULT_RECIPE
from sm_platform.schema.region import Region
from sm_platform.sources.archive import advance_clock, archive_regions, read_clock
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER

REGION = RED_RIVER.region_id
FIRST_DAY = date(2025, 1, 14)
PERIOD = Period(date(2025, 1, 1), date(2025, 2, 12), date(2025, 4, 1))
TODAY = date(2025, 3, 8)
HOW = WatchSettings(True, 25, 6.0, 8, "02:00", "UTC")
ASSETS = dg.load_assets_from_modules([granules, scenes, drivers, static, features, maps])


@dataclass(frozen=True, slots=True)
class Seat:
    """Folders of one try; the instance is in memory."""

    root: Path
    instance: dg.DagsterInstance

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def layout(self) -> Layout:
        return Layout(self.root / "lake")

    @property
    def region(self) -> Region:
        return find_region(self.layout, REGION)

    @property
    def region_here(self) -> Region:
        """The region with the archive of this try."""
        return replace(self.region, source_path=str(self.archive))

    def tick(
        self, cursor: str | None = None, *, now: datetime | None = None, how: WatchSettings = HOW
    ) -> tuple[dg.SensorResult, list[str]]:
        """One tick of the sensor over the region."""
        watch = Watch(self.instance, self.layout, how, now or datetime.now(UTC))
        return tick(watch, [self.region_here], read_cursor(cursor) if cursor else Cursor())

    def run(self, requests: list[dg.RunRequest] | None) -> list[bool]:
        """Carry requests out as the daemon does, a run key once; whether each went well."""
        save_region(self.layout, self.region_here)
        done = []
        for one in requests or []:
            tags = {**one.tags, "dagster/run_key": str(one.run_key)}
            if self.instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": str(one.run_key)})):
                continue
            result = dg.materialize(
                ASSETS,
                selection=one.asset_selection,
                instance=self.instance,
                partition_key=one.partition_key,
                tags=tags,
                raise_on_error=False,
                resources={
                    "lake": LakeResource(root=str(self.layout.root)),
                    "models": ModelsResource(root=str(self.root / "models")),
                    "feature_settings": FeatureSettings(min_lookback_share=0.0),
                },
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            done.append(result.success)
        return done

    def settle(self, cursor: str | None = None) -> str:
        """Tick and run until there is nothing left to ask for; the cursor then."""
        for _ in range(6):
            result, notes = self.tick(cursor)
            cursor = str(result.cursor)
            if not result.run_requests and not any("waits" in note for note in notes):
                return cursor
            self.run(list(result.run_requests or []))
        raise AssertionError("the sensor never rests")

    def advance(self, **step: int) -> None:
        advance_clock(self.archive, timedelta(**step))

    def source_now(self) -> datetime:
        return read_clock(self.archive).now_utc

    def maps(self, day: date | None = None) -> list[Row]:
        """Rows of maps of the index, all days or one."""
        days = store.days_made(self.layout, SM_MAPS, REGION) if day is None else [day]
        rows = [row for one in days for row in read_index(self.layout, REGION, one)]
        return [row for row in rows if row["map_id"]]

    def index(self) -> pa.Table:
        return pq.read_table(self.archive / "index.parquet")

    def frames(self) -> list[dict[str, object]]:
        """Rows of the archive's index that are frames, in order of availability."""
        table = self.index()
        own = table.filter(pc.equal(table["product"], "s1_grd")).to_pylist()
        return sorted(own, key=lambda row: row["available_utc"])

    def rewrite(self, rows: list[dict[str, object]]) -> None:
        """Put these rows in the place of those of their granules, or beside them."""
        table = self.index()
        names = pa.array([row["granule_id"] for row in rows])
        kept = table.filter(pc.invert(pc.is_in(table["granule_id"], names)))
        more = pa.Table.from_pylist(rows, schema=table.schema)
        pq.write_table(pa.concat_tables([kept, more]), self.archive / "index.parquet")


def make_seat(root: Path) -> None:
    """An archive of five weeks, its region in the lake with a network of random weights."""
    write_archive(
        root / "archive",
        seed=5,
        size=48,
        places=[RED_RIVER],
        period=PERIOD,
        today=TODAY,
        workers=1,
    )
    shutil.rmtree(root / "archive" / "truth")
    torch.manual_seed(1)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    told = {"trained_until": "2025-01-01"}
    recipe = DEFAULT_RECIPE
    folder = root / "models" / "random"
    folder.mkdir(parents=True)
    save(Checkpoint("random", recipe.recipe_id, recipe.fingerprint, (member,), told), folder)
    window = archive_regions(root / "archive")[REGION]
    region = Region(REGION, window, "archive", str(root / "archive"), checkpoint_id="random")
    save_region(Layout(root / "lake"), region)
