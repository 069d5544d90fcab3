"""The catalog of sites as the asset of a region: what it stores, tells and refuses."""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from sm_platform.defs.assets.sites import site_catalog
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.site_choice import IMPORTED
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SITE_CATALOG, STATION_READINGS
from sm_platform.schema.region import Region
from sm_platform_tests.defs.site_lake import (
    EAST,
    LAT,
    LON,
    NAME,
    NORTHERN_HALF,
    WEST,
    fill,
    land_swc,
    reading,
)
from sm_platform_tests.sites.land import REGION, cover, mixed, pure

DAYS = (date(2025, 3, 7), date(2025, 3, 8))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        made.add_dynamic_partitions("regions", [NAME])
        yield made


def made(layout: Layout, instance: dg.DagsterInstance, **config: object) -> dict[str, Any]:
    """What the asset tells when it is materialized so configured."""
    result = run(layout, instance, config)
    assert result.success, failure(result)
    (event,) = result.get_asset_materialization_events()
    told = event.materialization.metadata
    return {name: value.value for name, value in told.items()}


def run(
    layout: Layout, instance: dg.DagsterInstance, config: Mapping[str, object]
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [site_catalog],
        partition_key=NAME,
        instance=instance,
        resources={"lake": LakeResource(root=str(layout.root))},
        run_config={"ops": {"site_catalog": {"config": dict(config)}}},
        raise_on_error=False,
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    """The message of the run that failed."""
    (event,) = result.filter_events(lambda one: one.is_step_failure)
    return str(event.step_failure_data.error)


def rows(layout: Layout) -> pa.Table:
    part = store.read(layout, SITE_CATALOG, NAME)
    assert part is not None
    return part.rows


def test_the_catalog_is_stored_and_tells_classes_and_why_cells_were_rejected(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, mixed(1), NORTHERN_HALF)
    told = made(layout, instance, count=60, min_purity=0.7)
    sites = rows(layout).to_pandas()
    assert (told["rows"], told["stations"], len(sites)) == (60, 0, 60)
    by_class = sites["land_cover_code"].value_counts().to_dict()
    assert told["sites_per_class"]["100m"] == {
        "shrub": 0, "grass": by_class[30], "crop": by_class[40], "bare": 0, "wetland": 0
    }  # fmt: skip
    rejected = told["rejected_cells"]["100m"]
    assert sum(rejected.values()) + 60 == REGION.size
    assert rejected["outside_region"] == REGION.size / 2
    assert min(rejected[reason] for reason in ("other_class", "mixed", "not_drawn")) > 500
    assert sites["purity"].min() >= 0.7
    assert (sites["lat_deg"] > NORTHERN_HALF.bounds[1]).all()
    assert set(sites["texture_code"]) == {1, 3}
    is_west = sites["lon_deg"] < (WEST + EAST) / 2
    assert (sites["texture_code"][is_west] == 1).mean() > 0.9
    head, text = told["map"].rstrip(")").split("base64,")
    assert head.startswith("![map of the sites]")
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        assert min(picture.size) > 300


def test_the_same_seed_gives_the_same_catalog_and_another_one_another(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, mixed(2))
    part = layout.part(SITE_CATALOG.name, NAME, None)
    content = []
    for seed in (7, 7, 8):
        made(layout, instance, count=40, seed=seed)
        content.append(part.read_bytes())
    assert content[0] == content[1] != content[2]


def test_what_is_made_anew_from_the_same_keeps_its_version(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    """Else all that lies below would be marked as unsynced."""
    fill(layout, mixed(2))

    def version(seed: int) -> str:
        result = run(layout, instance, {"count": 20, "seed": seed})
        (event,) = result.get_asset_materialization_events()
        tags = event.materialization.tags
        assert tags is not None
        return tags["dagster/data_version"]

    first = version(7)
    assert version(7) == first
    assert version(8) != first


def test_sites_of_imported_samples_outlive_a_new_choice(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, mixed(2))
    made(layout, instance, count=10, seed=7)
    first = rows(layout)
    imported, other = first["site_id"].to_pylist()[:2]
    store.write(layout, SITE_CATALOG, first, region=NAME, note={IMPORTED: [imported]})
    for _ in range(2):
        told = made(layout, instance, count=10, seed=8)
        ids = rows(layout)["site_id"].to_pylist()
        assert (imported in ids, other in ids) == (True, False)
        assert told["rows"] == len(ids) == 11


def test_sites_of_several_levels_stand_in_one_catalog(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, pure(40))
    more = {"1km": 4, "3km": 1}
    told = made(layout, instance, count=20, spacing_km=2, more_levels=more)
    sites = rows(layout).to_pandas()
    assert sites["level"].value_counts().to_dict() == {"100m": 20, **more}
    squares = sites.loc[sites["level"] == "100m", ["cell_row", "cell_col"]] // 20
    assert not squares.duplicated().any()
    assert {level: counts["crop"] for level, counts in told["sites_per_class"].items()} == {
        "100m": 20,
        **more,
    }


def test_flooded_rice_is_kept_and_water_is_not(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    code = np.where(np.arange(90)[:, None] < 45, np.uint8(90), np.uint8(80))
    land_cover = cover(np.broadcast_to(code, REGION.shape), np.ones(REGION.shape, np.float32))
    fill(layout, land_cover)
    told = made(layout, instance, count=30)
    assert told["sites_per_class"]["100m"]["wetland"] == 30
    assert told["rejected_cells"]["100m"]["other_class"] == REGION.size / 2


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "None of the 8100 cells of 100m can be a site: 8100 are of another class than"),
        ({"classes": [10], "min_purity": 1}, "8100 have no class with 100% or more"),
        (
            {"level": "9km", "min_valid_share_9km": 0.9},
            r"cells of 9km can be a site: \d have less than 90% of their pixels",
        ),
        ({"classes": [45]}, "class 45 is not in WorldCover v200: use 10 tree"),
        ({"spacing_km": 0.25}, "spacing of 0.25 km does not fit cells of 100 m"),
        ({"count": -1}, "count is -1, allowed is at least 0"),
    ],
)
def test_without_a_site_the_rule_that_took_them_is_named_and_the_old_catalog_stays(
    layout: Layout, instance: dg.DagsterInstance, config: dict[str, object], said: str
) -> None:
    trees = cover(np.full(REGION.shape, 10, np.uint8), np.full(REGION.shape, 0.95, np.float32))
    fill(layout, trees)
    made(layout, instance, count=5, classes=[10])
    before = layout.part(SITE_CATALOG.name, NAME, None).read_bytes()
    result = run(layout, instance, config)
    assert not result.success
    assert re.search(said, failure(result)), failure(result)
    assert layout.part(SITE_CATALOG.name, NAME, None).read_bytes() == before


def test_before_land_cover_has_been_made_the_step_is_named(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    save_region(layout, Region(NAME, REGION, "archive", "somewhere"))
    assert "land_cover_cells of delta has not been made: run --extract" in failure(
        run(layout, instance, {})
    )


def test_stations_in_the_region_are_sites_and_the_others_are_named(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, mixed(3))
    inside, moved = (float(LON[9, 9]), float(LAT[9, 9])), (float(LON[20, 20]), float(LAT[20, 20]))
    readings = [
        reading("VDS Kinda", *inside, reason="frozen"),
        reading("far", 100.0, 20.0),
        reading("gone", *moved, reason="station_moved"),
    ]
    table = pa.Table.from_pylist(readings, STATION_READINGS.arrow_schema)
    store.write(layout, STATION_READINGS, table, region=NAME)
    told = made(layout, instance, count=5)
    (station,) = [row for row in rows(layout).to_pylist() if row["site_kind"] == "station"]
    assert (station["station_id"], station["cell_id"]) == ("VDS Kinda", 9 * 90 + 9)
    assert (told["rows"], told["stations"]) == (6, 1)
    assert told["stations_left_out"] == {"far": "outside_region"}


def test_mean_moisture_of_the_good_labels_spreads_the_sites(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, pure(40))
    thirds = np.repeat(np.array([[100, 200, 300]], np.uint16), 2, axis=0)
    for day, more in zip(DAYS, (0, 20), strict=True):
        land_swc(layout, day, thirds + np.uint16(more))
    land_swc(layout, date(2025, 3, 9), thirds + np.uint16(500), flags=0x80)
    made(layout, instance, count=90)
    sites = rows(layout).to_pandas()
    third = np.clip(((sites["lon_deg"] - WEST) / (EAST - WEST) * 3).astype(int), 0, 2)
    np.testing.assert_allclose(sites["mean_sm_m3m3"], 0.11 + 0.1 * third, atol=1e-6)
    assert third.value_counts().min() >= 15
    made(layout, instance, count=90, moisture_granules=0)
    assert rows(layout)["mean_sm_m3m3"].null_count == 90


def test_a_damaged_label_is_set_aside_and_named(
    layout: Layout, instance: dg.DagsterInstance
) -> None:
    fill(layout, pure(40))
    land_swc(layout, DAYS[0], np.full((2, 3), 250, np.uint16))
    folder = land_swc(layout, DAYS[1], np.full((2, 3), 250, np.uint16))
    (folder / f"{folder.name}_swc.tiff").write_bytes(b"cut")
    (sentence,) = made(layout, instance, count=5)["set_aside"]
    assert f"{folder.name}_swc.tiff" in sentence
    assert "quarantine" in sentence
    assert not folder.exists()
    part = layout.part(SITE_CATALOG.name, NAME, None)
    before = part.read_bytes()
    assert made(layout, instance, count=5)["set_aside"] == []
    assert part.read_bytes() == before
