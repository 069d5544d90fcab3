"""Regions by the jobs of the UI, and what adding one leaves when it cannot be finished."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import sm_platform.definitions  # noqa: F401 - all settings are known then
from sm_platform.defs.assets.granules import static_granules
from sm_platform.defs.assets.static import land_cover_cells, soil_cells
from sm_platform.defs.jobs import add_region_job, remove_region_job
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.defs.region_origin import Origin
from sm_platform.defs.regions import DIMENSION, MOST_KEYS, add_region
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.source_reach import nothing_of
from sm_platform.defs.talk import LISTENER
from sm_platform.errors import LakeError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS
from sm_platform.schema.region import ARCHIVE, LIVE, Region
from sm_platform.sources.protocol import Product
from sm_platform_tests.defs.region_desk import (
    FARM,
    FARM_AREA,
    FARM_DEG,
    Ask,
    asking,
    land,
    newcomer,
    write_archive,
)


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    return newcomer(tmp_path, monkeypatch)


@pytest.fixture
def ask(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(monkeypatch, capsys)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def done(
    job: dg.JobDefinition, layout: Layout, instance: dg.DagsterInstance, **config: object
) -> dg.ExecuteInProcessResult:
    """A job run as the UI runs it, with its one op so configured."""
    (op,) = job.nodes
    return job.execute_in_process(
        run_config={"ops": {op.name: {"config": config}}},
        resources={"lake": LakeResource(root=str(layout.root))},
        instance=instance,
        raise_on_error=False,
    )


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the one op of a run tells."""
    (event,) = result.filter_events(lambda one: one.is_successful_output)
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    """The message of the one op that failed."""
    (event,) = result.filter_events(lambda one: one.is_step_failure)
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return str(told.description)


def test_a_job_adds_the_region_that_the_command_adds(
    ask: Ask, layout: Layout, instance: dg.DagsterInstance
) -> None:
    told = json.loads(ask("add", "by-command", "--bbox", *FARM).out)
    bbox = list(FARM_DEG)
    shown = metadata(done(add_region_job, layout, instance, name="by-job", bbox=bbox))
    assert "data:image/png;base64," in shown.pop("map")
    assert shown == told | {"region": "by-job"}
    command, job = (find_region(layout, name) for name in ("by-command", "by-job"))
    assert (job.window, job.outline_wkt) == (command.window, command.outline_wkt)
    assert job.source_path == command.source_path
    assert instance.get_dynamic_partitions(DIMENSION) == ["by-job"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"name": "Farm", "country": "VN"}, "'Farm' cannot name a region"),
        ({"name": "farm"}, "none was given"),
        ({"name": "farm", "bbox": [106.3, 20.4, 106.4]}, "four numbers"),
        ({"name": "farm", "country": "VN", "sheet": "D-48-1-A"}, "were given"),
        ({"name": "farm", "bbox": [110.5, 12, 111.5, 13]}, "entirely at sea"),
        ({"name": "farm", "file": "/absent.gpkg"}, "There is no file /absent.gpkg"),
        ({"name": "farm", "country": "VN", "archive": "/absent"}, "There is no folder /absent"),
    ],
)
def test_a_job_refuses_with_the_same_sentence(
    layout: Layout, instance: dg.DagsterInstance, config: dict[str, object], said: str
) -> None:
    assert said in failure(done(add_region_job, layout, instance, **config))
    assert instance.get_dynamic_partitions(DIMENSION) == []
    assert not layout.root.exists()


def test_every_setting_is_explained_in_the_launchpad() -> None:
    found = [*dg.Config.__subclasses__(), *RunSettings.__subclasses__()]
    ours = [one for one in found if one.__module__.startswith("sm_platform.")]
    assert {assets.__name__ for assets in ours} >= {"AddRegion", "SiteConfig", "SplitConfig"}
    fields = {(one, name): field for one in ours for name, field in one.to_fields_dict().items()}
    assert [key for key, field in fields.items() if not (field.description or "").strip()] == []


def test_what_a_region_lacks_is_told_and_stands_where_it_is_missed(
    layout: Layout, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    write_archive(tmp_path / "archive", "elevation", west=106.0)
    config = {"name": "my-farm", "bbox": list(FARM_DEG)}
    told = metadata(done(add_region_job, layout, instance, **config))
    assert "holds no soil, land cover of my-farm: take the region away" in told["lacking"]
    cover = materialized(land_cover_cells, layout, instance)
    (event,) = cover.get_asset_materialization_events()
    assert event.materialization.metadata["status"].value == "none"
    assert "holds no land cover" in str(event.materialization.metadata["lacking"].value)
    soil = materialized(soil_cells, layout, instance)
    (failed,) = soil.filter_events(lambda one: one.is_step_failure)
    assert "holds no soil of my-farm: take" in str(failed.step_failure_data.error)


def test_what_its_source_lacks_is_told_to_who_waits_and_kept_with_the_asset(
    layout: Layout, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    write_archive(tmp_path / "archive", "soil", "elevation", "land_cover", west=100.0)
    instance.add_dynamic_partitions(DIMENSION, ["my-farm"])
    save_region(layout, region_at(106.32, 20.42, ARCHIVE, str(tmp_path / "archive")))
    heard: list[str] = []
    token = LISTENER.set(heard.append)
    try:
        made = materialized(static_granules, layout, instance)
    finally:
        LISTENER.reset(token)
    (event,) = made.get_asset_materialization_events()
    (told,) = heard
    assert "holds no soil, elevation, land cover of my-farm" in told
    assert event.materialization.metadata["lacking"].value == told


def region_at(lon: float, lat: float, source: str, path: str) -> Region:
    return Region("my-farm", window_around(LEVEL_100M, lon, lat, (12, 12)), source, path)


@pytest.mark.parametrize("source", [LIVE, ARCHIVE])
def test_open_sea_is_told_as_such_and_land_beside_it_is_not(source: str) -> None:
    lacking = [Product.ELEVATION, Product.LAND_COVER]
    sea, coast = region_at(-30.0, 0.5, source, ""), region_at(106.40, 20.2, source, "")
    assert "my-farm lies on open sea" in nothing_of(sea, lacking)
    assert "no provider has elevation, land cover: no map" in nothing_of(sea, lacking)
    assert "sea" not in nothing_of(coast, lacking)


def materialized(
    asset: dg.AssetsDefinition, layout: Layout, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    lake = LakeResource(root=str(layout.root))
    return dg.materialize(
        [asset],
        partition_key="my-farm",
        instance=instance,
        resources={"lake": lake},
        raise_on_error=False,
    )


def test_a_job_deletes_data_only_when_the_name_is_written_twice(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    add_region(layout, instance, "my-farm", FARM_AREA, Origin(ARCHIVE, str(layout.root)))
    kept = land(layout, "my-farm")
    take = {"name": "my-farm", "delete_data": True}
    said = failure(done(remove_region_job, layout, instance, **take, confirm="farm"))
    assert "write its name in `confirm`" in said
    assert find_region(layout, "my-farm")
    told = metadata(done(remove_region_job, layout, instance, **take, confirm="my-farm"))
    assert told == {"files": 1, "megabytes": 0.0, "data": "deleted"}
    assert not kept.exists()
    assert "no region" in failure(done(remove_region_job, layout, instance, name="my-farm"))


def test_a_region_that_cannot_be_stored_leaves_no_partition(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    layout.root.write_text("in the way")
    with pytest.raises(LakeError, match="Cannot write"):
        add_region(layout, instance, "my-farm", FARM_AREA, Origin(ARCHIVE, str(layout.root)))
    assert instance.get_dynamic_partitions(DIMENSION) == []


def test_adding_again_goes_on_where_a_kill_ended_it(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    instance.add_dynamic_partitions(DIMENSION, ["my-farm"])
    add_region(layout, instance, "my-farm", FARM_AREA, Origin(ARCHIVE, str(layout.root)))
    assert instance.get_dynamic_partitions(DIMENSION) == ["my-farm"]
    assert store.regions_made(layout, REGIONS) == ["my-farm"]


def test_keys_are_counted_and_too_many_are_warned_of(
    layout: Layout, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SM_FIRST_DAY", "2015-01-01")
    instance.add_dynamic_partitions(DIMENSION, [f"sheet-{n}" for n in range(9)])
    first = add_region(layout, instance, "my-farm", FARM_AREA, Origin(ARCHIVE, str(layout.root)))
    assert first.all_keys == 10 * first.keys
    assert first.warnings == ()
    n_sheets = MOST_KEYS // first.keys
    instance.add_dynamic_partitions(DIMENSION, [f"sheet-{n}" for n in range(n_sheets)])
    warned = add_region(layout, instance, "my-other", FARM_AREA, Origin(ARCHIVE, str(layout.root)))
    assert "more than 100,000: planning becomes slow" in warned.warnings[-1]
