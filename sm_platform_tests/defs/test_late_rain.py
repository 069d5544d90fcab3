"""Late rain from the archive to the features: for regions whose recipe declares it, and no others.

A day that is built again when all weather has come holds what was built on its own day, in maps and
at sites alike.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

import sm_platform.definitions  # noqa: F401 - assets are defined without warnings
from benchmarks._sample_lake import site_rows
from sm_platform.defs.assets import drivers, granules, late_rain, scenes, static
from sm_platform.defs.assets.features import write_features
from sm_platform.defs.backfill.planning import Place, Plan, Wanted, plan_region
from sm_platform.defs.feature_inputs import FeatureInputs, open_inputs
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.late_rain import takes_late_rain
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.map_chain import CHAIN, DRIVERS, LATE_RAIN
from sm_platform.defs.resources import LakeResource, ModelsResource, WatchSettings
from sm_platform.defs.site_features import open_sites
from sm_platform.defs.steps import Request, driver_tables
from sm_platform.defs.stored_features import DayFeatures, read_features
from sm_platform.defs.watching.cursor import RegionCursor
from sm_platform.defs.watching.lacking import driver_asks
from sm_platform.defs.watching.region_tick import Watch, tick_region
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_100M
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema import driver_tables as tables
from sm_platform.schema.label_tables import SITE_FEATURES
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import SM_100M_V1, SM_100M_V1_IMERG, Recipe
from sm_platform.schema.region import Region
from sm_platform.schema.rows import dense
from sm_platform.sources.archive import ArchiveSource, advance_clock, archive_regions
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform_tests.densesm.making import random_checkpoint

REGION = RED_RIVER.region_id
FIRST, LAUNCH, TODAY = date(2025, 2, 10), date(2025, 2, 14), date(2025, 3, 8)
PERIOD = Period(FIRST, date(2025, 2, 27), date(2025, 3, 20))
STATIC = [granules.static_granules, static.soil_cells, static.static_drivers]
RADAR = [granules.s1_granules, scenes.s1_scenes, scenes.s1_backscatter]
RAIN = [late_rain.late_rain_granules, late_rain.late_rain]
SKY = [granules.ndvi_granules, drivers.ndvi, granules.weather_granules, drivers.weather, *RAIN]
HOW = WatchSettings(True, 25, 6.0, 8, "02:00", "UTC")


@dataclass(frozen=True, slots=True)
class Seat:
    """An archive with late rain, and a lake of one region that takes it."""

    root: Path
    instance: dg.DagsterInstance
    region: Region

    @property
    def layout(self) -> Layout:
        return Layout(self.root / "lake")

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    def make(self, assets: list[dg.AssetsDefinition], *days: date) -> None:
        """Assets of the region, over the days from first to last, if any."""
        keys = [f"{day}|{REGION}" for day in days]
        result = dg.materialize(
            assets,
            partition_key=None if days else REGION,
            tags={RANGE_START: keys[0], RANGE_END: keys[-1]} if days else {},
            instance=self.instance,
            resources={
                "lake": LakeResource(root=str(self.layout.root)),
                "models": ModelsResource(root=str(self.root / "models")),
            },
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert result.success

    def note(self, day: date) -> dict[str, object]:
        found = store.note_of(self.layout, tables.LATE_RAIN, REGION, day)
        assert found is not None
        return dict(found)

    def inputs(self, day: date, recipe: Recipe) -> FeatureInputs:
        return open_inputs(self.layout, self.region, [day], recipe)

    def built(self, day: date) -> tuple[DayFeatures, pa.Table]:
        """Features of the day's passes, of the map and at four sites, as the lake holds them."""
        inputs = self.inputs(day, SM_100M_V1_IMERG)
        write_features(self.layout, inputs, day, 0.0)
        corner = ease2.corner_cell(LEVEL_100M, self.region.window)
        assert corner is not None
        place = np.array(corner) + np.array([[3, 3], [3, 40], [40, 3], [40, 40]])
        sites = site_rows(self.region.window, LEVEL_100M, place)
        open_sites(inputs, sites, 0.0).write_day(day)
        rows = store.read(self.layout, SITE_FEATURES, REGION, day)
        assert rows is not None
        return read_features(self.layout, REGION, day), rows.rows


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    """The region with all that had come by the archive's today; tests must not change it."""
    root = tmp_path_factory.mktemp("late-rain")
    usual = {"seed": 5, "size": 48, "places": [RED_RIVER], "period": PERIOD, "today": TODAY}
    write_archive(root / "archive", fleet=Fleet(imerg_first=LAUNCH), workers=1, **usual)  # type: ignore[arg-type]
    window = archive_regions(root / "archive")[REGION]
    region = Region(REGION, window, "archive", str(root / "archive"), SM_100M_V1_IMERG.recipe_id)
    save_region(Layout(root / "lake"), region)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [REGION])
        seat = Seat(root, instance, region)
        seat.make([*STATIC, static.land_cover_cells])
        seat.make(SKY, FIRST, TODAY)
        seat.make(RADAR, date(2025, 2, 27), TODAY)
        yield seat


@pytest.fixture
def seat(settled: Seat, tmp_path: Path) -> Seat:
    """A copy of it."""
    root = tmp_path / "seat"
    shutil.copytree(settled.root, root)
    region = replace(settled.region, source_path=str(root / "archive"))
    save_region(Layout(root / "lake"), region)
    return Seat(root, settled.instance, region)


def newest_pass(seat: Seat) -> date:
    """The newest day with measurements."""
    days = store.days_made(seat.layout, tables.S1_BACKSCATTER, REGION)
    notes = {day: store.note_of(seat.layout, tables.S1_BACKSCATTER, REGION, day) for day in days}
    return max(day for day, note in notes.items() if note and note["rows"])


def test_late_rain_lies_in_the_lake_before_the_weather_of_its_day(settled: Seat) -> None:
    eve = TODAY - timedelta(days=1)
    note = settled.note(eve)
    assert (note["status"], note["available_utc"]) == ("made", "2025-03-08T14:00:00+00:00")
    assert (store.note_of(settled.layout, tables.WEATHER, REGION, eve) or {})["rows"] == 0
    made = store.read(settled.layout, tables.LATE_RAIN, REGION, eve)
    assert made is not None
    assert made.rows.column_names == ["cell_id", "precipitation_m", "precipitation_range_code"]


def test_days_of_which_the_source_has_none_are_empty_and_no_failure(settled: Seat) -> None:
    assert settled.note(LAUNCH - timedelta(days=1))["status"] == "none"
    assert settled.note(TODAY)["status"] == "none"  # comes 14 hours after


def test_a_past_day_is_built_as_on_its_own_day_in_maps_and_at_sites(seat: Seat) -> None:
    day = newest_pass(seat)
    maps, sites = seat.built(day)
    note = store.note_of(seat.layout, SITE_FEATURES, REGION, day) or {}
    advance_clock(seat.archive, timedelta(days=12))
    seat.make(SKY, day - timedelta(days=10), TODAY + timedelta(days=8))
    later = store.note_of(seat.layout, tables.WEATHER, REGION, day - timedelta(days=1)) or {}
    assert later["rows"], "ERA5-Land has come since"
    again, at_sites = seat.built(day)
    assert (store.note_of(seat.layout, SITE_FEATURES, REGION, day) or {})["inputs"] != note[
        "inputs"
    ]
    assert at_sites.equals(sites)
    assert maps.scenes
    for name, scene in maps.scenes.items():
        assert (scene.qa & Qa.WEATHER_FILLED).all()
        np.testing.assert_array_equal(dense(again.scenes[name].rows), dense(scene.rows))
        np.testing.assert_array_equal(again.scenes[name].qa, scene.qa)


def test_only_the_rain_of_the_newest_step_tells_the_recipes_apart(seat: Seat) -> None:
    day = newest_pass(seat)
    rows = []
    for recipe in (SM_100M_V1, SM_100M_V1_IMERG):
        write_features(seat.layout, seat.inputs(day, recipe), day, 0.0)
        scenes = read_features(seat.layout, REGION, day).scenes
        rows.append(np.concatenate([dense(scenes[name].rows) for name in sorted(scenes)]))
    np.testing.assert_array_equal(rows[0][:, :152], rows[1][:, :152])
    assert (rows[0][:, 152] != rows[1][:, 152]).mean() > 0.5


def test_other_recipes_are_made_of_the_same_as_before(seat: Seat) -> None:
    """Their hashes do not know of it either: nothing is made anew that was made without."""
    day = newest_pass(seat)
    with_it = seat.inputs(day, SM_100M_V1)
    shutil.rmtree(seat.root / "lake" / "tables" / "late_rain")
    without = seat.inputs(day, SM_100M_V1)
    assert with_it.hash_for(day, []) == without.hash_for(day, [])
    assert list(with_it.drivers.late_rain) == []
    assert with_it.dated_hashes == without.dated_hashes


def test_the_recipe_decides_who_takes_it(
    settled: Seat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_MODELS", str(tmp_path))
    bare = replace(settled.region, recipe_id=None)
    for name, recipe in (("late", SM_100M_V1_IMERG), ("usual", SM_100M_V1)):
        (tmp_path / name).mkdir()
        taught = random_checkpoint(Architecture(1, 8), recipe=recipe)
        save(replace(taught, checkpoint_id=name), tmp_path / name)
    found = {
        "recipe": takes_late_rain(settled.region),
        "said": takes_late_rain(bare, SM_100M_V1_IMERG.recipe_id),
        "said otherwise": takes_late_rain(settled.region, SM_100M_V1.recipe_id),
        "checkpoint": takes_late_rain(replace(bare, checkpoint_id="late")),
        "other checkpoint": takes_late_rain(replace(bare, checkpoint_id="usual")),
        "lost checkpoint": takes_late_rain(replace(bare, checkpoint_id="lost")),
        "nothing": takes_late_rain(bare),
    }
    assert [name for name, is_taken in found.items() if is_taken] == [
        "recipe",
        "said",
        "checkpoint",
    ]
    days = (TODAY, TODAY)
    assert tables.LATE_RAIN in driver_tables(Request(settled.region, *days))
    assert tables.LATE_RAIN not in driver_tables(Request(bare, *days))


def test_the_sensor_lists_and_brings_it_for_those_alone(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_FIRST_DAY", FIRST.isoformat())
    advance_clock(seat.archive, timedelta(hours=14))  # the late rain of today, no weather
    watch = Watch(seat.instance, seat.layout, HOW, datetime(2025, 3, 9, 15, tzinfo=UTC))
    before = RegionCursor(since=datetime(2025, 3, 9, 1, tzinfo=UTC), whole=watch.now)
    asked = {}
    for recipe in (SM_100M_V1, SM_100M_V1_IMERG):
        region = replace(seat.region, recipe_id=recipe.recipe_id)
        found = tick_region(watch, region, before)
        asked[recipe.recipe_id] = [
            {key.to_user_string() for key in one.asset_selection or ()}
            for one in found.requests
            if one.tags["sm_platform/why"] == "drivers"
        ]
    assert asked == {"sm-100m-v1": [], "sm-100m-v1-imerg": [set(LATE_RAIN)]}


def test_a_stretch_of_lacking_days_asks_for_what_lacks(settled: Seat) -> None:
    source, days = ArchiveSource(settled.archive), [date(2025, 3, 1)]
    window = settled.region.window
    rain, sky = (
        source.granules(product, window, days) for product in (Product.LATE_RAIN, Product.WEATHER)
    )
    asked = [next(driver_asks(REGION, some)).assets for some in (rain, sky, [*rain, *sky])]
    assert asked == [LATE_RAIN, DRIVERS, (*DRIVERS, *LATE_RAIN)]


def test_a_backfill_asks_for_it_only_where_it_is_taken(
    settled: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_FIRST_DAY", FIRST.isoformat())
    place, found = Place(settled.layout, settled.instance), {}
    for recipe in (SM_100M_V1, SM_100M_V1_IMERG):
        region = replace(settled.region, recipe_id=recipe.recipe_id)
        own = plan_region(place, region, [TODAY], Wanted())
        found[recipe.recipe_id] = set(Plan([own], CHAIN).keys()) & set(LATE_RAIN)
        assert own.days_of("weather"), "days after today's clock were never made"
    assert found == {"sm-100m-v1": set(), "sm-100m-v1-imerg": set(LATE_RAIN)}
    named = plan_region(place, replace(settled.region, recipe_id=None), [TODAY], Wanted(LATE_RAIN))
    assert list(named.days_of("late_rain")) == []  # it was made
    again = Wanted(LATE_RAIN, is_again=True)
    named = plan_region(place, replace(settled.region, recipe_id=None), [TODAY], again)
    assert list(named.days_of("late_rain")) == [TODAY]
