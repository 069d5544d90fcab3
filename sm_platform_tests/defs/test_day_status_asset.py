"""The status of a day in SQL is the one that the asset of the maps reports of it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np

import sm_platform.definitions  # noqa: F401 - assets are defined without warnings
from sm_platform.defs.assets import drivers, features, granules, maps, scenes, static
from sm_platform.defs.days import FAILED_DAYS
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.resources import FeatureSettings, LakeResource, ModelsResource
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.families import ALL_TABLES
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.region import Region
from sm_platform.sources.seed_layout import region_window
from sm_platform_tests.defs.seed_folder import (
    FIRST_DAY,
    PASSES,
    RADAR,
    around,
    write,
    write_folder,
)
from sm_platform_tests.densesm.making import random_checkpoint

REGION = "delta"
MAPPED, NO_PASS, NO_DATA, FAILED = PASSES
STATIC = [static.soil_cells, static.static_drivers, static.land_cover_cells]
DRIVERS = [granules.ndvi_granules, granules.weather_granules, drivers.ndvi, drivers.weather]
CHAIN = [
    granules.s1_granules,
    scenes.s1_scenes,
    scenes.s1_backscatter,
    features.scene_features,
    maps.sm_maps,
]


def folder(root: Path) -> Path:
    """A good pass, a day without one, one without a measurement and a damaged one."""
    data = write_folder(root, REGION)
    radar = data / "s1_images"
    (radar / f"S1_{NO_PASS}.tif").unlink()
    nothing = [np.full_like(around(1.0, 6, 1), np.nan)] * len(RADAR)
    write(radar / f"S1_{NO_DATA}.tif", nothing, list(RADAR))
    (radar / f"S1_{FAILED}.tif").write_bytes(b"II*\x00 half a file")
    return root


def made(
    layout: Layout, instance: dg.DagsterInstance, assets: list[dg.AssetsDefinition], *days: date
) -> dg.ExecuteInProcessResult:
    """Assets of the region, over the days from first to last, if any."""
    keys = [f"{day}|{REGION}" for day in days]
    tags = {RANGE_START: keys[0], RANGE_END: keys[-1]} if days else {}
    models = ModelsResource(root=str(layout.root.parent / "models"))
    settings = FeatureSettings(min_lookback_share=0.0)
    lake = LakeResource(root=str(layout.root))
    return dg.materialize(
        assets,
        partition_key=None if days else REGION,
        tags=tags,
        instance=instance,
        resources={"lake": lake, "models": models, "feature_settings": settings},
        raise_on_error=False,
    )


def mapped(root: Path, instance: dg.DagsterInstance) -> tuple[Layout, dg.ExecuteInProcessResult]:
    """The lake, and the run that mapped the four days."""
    instance.add_dynamic_partitions("regions", [REGION])
    layout, source = Layout(root / "lake"), folder(root / "in")
    store = root / "models" / "eov"
    store.mkdir(parents=True)
    checkpoint = random_checkpoint(Architecture(1, 8), recipe=EOV_2025)
    save(replace(checkpoint, checkpoint_id="eov"), store)
    window = region_window(source, REGION)
    save_region(layout, Region(REGION, window, "seed_layout", str(source), checkpoint_id="eov"))
    assert made(layout, instance, [granules.static_granules, *STATIC]).success
    assert made(layout, instance, DRIVERS, FIRST_DAY, PASSES[-1]).success
    return layout, made(layout, instance, CHAIN, PASSES[0], PASSES[-1])


def statuses(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Status of each key of `sm_maps`, as its run recorded it."""
    found = instance.fetch_materializations(maps.sm_maps.key, limit=10).records
    events = [record.asset_materialization for record in found]
    told = {str(one.partition): str(one.metadata["status"].value) for one in events if one}
    (failure,) = result.filter_events(lambda event: event.is_step_failure)
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    return told | dict.fromkeys(data.metadata[FAILED_DAYS].value, "failed")


def verdict_on_days(instance: dg.DagsterInstance, run_id: str) -> dg.AssetCheckEvaluation:
    """What the failed step of the maps says of its days: Dagster runs no check after it."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    events = [entry.get_dagster_event().asset_check_evaluation_data for entry in entries]
    (verdict,) = [one for one in events if one.asset_key == maps.sm_maps.key]
    assert (verdict.check_name, verdict.passed) == ("no_failed_day", False)
    return verdict


def told_reason(verdict: dg.AssetCheckEvaluation) -> str:
    reasons = verdict.metadata["reasons"].value
    assert isinstance(reasons, dict)
    (reason,) = reasons.values()
    return str(reason)


def test_four_ends_are_told_apart_and_the_same_in_both_places(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        layout, result = mapped(tmp_path, instance)
        recorded = statuses(instance, result)
        verdict = verdict_on_days(instance, result.run_id)
    assert verdict.description == f"{REGION}, {FAILED}: {told_reason(verdict)}"
    assert f"S1_{FAILED}.tif" in told_reason(verdict)
    expected = {MAPPED: "mapped", NO_PASS: "no_pass", NO_DATA: "no_data", FAILED: "failed"}
    assert recorded == {f"{day}|{REGION}": status for day, status in expected.items()}
    rows = connect(layout, ALL_TABLES).execute("select day, status, reason from day_status")
    found = {day: (status, reason) for day, status, reason in rows.fetchall()}
    assert {day: status for day, (status, _) in found.items()} == expected
    assert found[MAPPED][1] is None
    assert "no Sentinel-1 pass" in found[NO_PASS][1]
    assert "missing everywhere" in found[NO_DATA][1]
    assert f"S1_{FAILED}.tif" in found[FAILED][1]
