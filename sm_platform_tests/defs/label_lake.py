"""A farm of one 9 km cell and files of labels of it: what the tests of the ground truth share."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pyarrow as pa

from sm_platform.defs.lake_access import save_region
from sm_platform.defs.resources import LakeResource
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.label_tables import SITE_CATALOG, SM_OBSERVATIONS, STATION_READINGS
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table
from sm_platform_tests.formats.smap_files import CORNER

FARM = "farm"
DAY = date(2025, 1, 10)
WINDOW = ease2.window(ease2.LEVEL_100M, CORNER[0] * 90, CORNER[1] * 90, (90, 90))
WEST, SOUTH, EAST, NORTH = lonlat_bounds(WINDOW)
LON, LAT = (WEST + EAST) / 2, (SOUTH + NORTH) / 2
STATION = "NET/field"


def at(hour: float, day: date = DAY) -> datetime:
    """A moment of a day, hours in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


def farm(layout: Layout, window: GridWindow = WINDOW, name: str = FARM) -> Region:
    """The region, stored."""
    region = Region(name, window, "archive", "somewhere")
    save_region(layout, region)
    return region


def write_passes(layout: Layout, starts: Mapping[str, datetime], days: Iterable[date]) -> None:
    """Store the passes of the days; a day without one is stored empty."""
    for day in days:
        rows = [_pass(name, start) for name, start in starts.items() if start.date() == day]
        found = pa.Table.from_pylist(rows, schema=S1_SCENES.arrow_schema)
        note = {"inputs": str(rows), "status": "made", "rows": len(rows)}
        store.write(layout, S1_SCENES, found, region=FARM, day=day, note=note)


def _pass(name: str, start: datetime) -> dict[str, object]:
    return {
        "scene_id": name,
        "start_utc": start,
        "end_utc": start + timedelta(seconds=25),
        "platform": "S1A",
        "orbit_state": "D",
        "relative_orbit": 91,
        "absolute_orbit": 57000,
        "datatake_id": "06A5",
        "is_day_only": False,
        "available_utc": None,
        "granule_ids": [name],
        "granule_sha256s": ["0"],
    }


def write_sites(layout: Layout, *, lon: float = LON, lat: float = LAT) -> None:
    """Store a catalog: the farm's 9 km cell, its 100 m cell in the middle, a station there."""
    rows = [_site("9km-a", "cell", "9km"), _site("100m-a", "cell", "100m")]
    rows.append(_site("st-a", "station", "100m") | {"station_id": STATION})
    rows = [row | {"lon_deg": lon, "lat_deg": lat} for row in rows]
    found = pa.Table.from_pylist(rows, schema=SITE_CATALOG.arrow_schema)
    store.write(layout, SITE_CATALOG, found, region=FARM, note={"inputs": str(rows)})


def _site(site_id: str, kind: str, level: str) -> dict[str, object]:
    return {
        "site_id": site_id,
        "site_kind": kind,
        "level": level,
        "cell_row": 1,
        "cell_col": 1,
        "cell_id": 45 * 90 + 45,
        "land_cover_code": 40,
        "purity": 1.0,
        "texture_code": 2,
        "mean_sm_m3m3": None,
        "block_id": 7,
        "station_id": None,
    }


def materialized(
    layout: Layout,
    assets: Sequence[dg.AssetsDefinition],
    key: str,
    config: Mapping[str, object] | None = None,
) -> dg.ExecuteInProcessResult:
    """The result of a run in this process, good or bad."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("regions", [FARM])
        ops = {asset.key.to_python_identifier(): {"config": dict(config or {})} for asset in assets}
        return dg.materialize(
            assets,
            instance=instance,
            partition_key=key,
            resources={"lake": LakeResource(root=str(layout.root))},
            run_config={
                "ops": ops if config else {},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )


def of_day(day: date = DAY) -> str:
    """Key of a day of the farm."""
    return str(dg.MultiPartitionKey({"day": day.isoformat(), "region": FARM}))


def told(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """What the first materialized asset tells of itself."""
    (event, *_) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def why(result: dg.ExecuteInProcessResult) -> str:
    """What failed, in its own words."""
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data
    assert data.user_failure_data is not None, data.error
    return str(data.user_failure_data.description)


def rows_of(layout: Layout, table: Table, day: date | None = None) -> list[dict[str, object]]:
    """Rows of a partition of the farm, in order of their keys."""
    found = store.read(layout, table, FARM, day)
    assert found is not None, f"{table.name} has not been made"
    rows = found.rows.sort_by([(key, "ascending") for key in table.keys]).to_pylist()
    return [dict(row) for row in rows]


def write_observations(layout: Layout, day: date, rows: Sequence[Mapping[str, object]]) -> None:
    """Store observations by hand: `source`, `site_id`, `sm_m3m3` and what else differs."""
    found = [_observation(n, row) for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(found, schema=SM_OBSERVATIONS.arrow_schema)
    digest = hashlib.sha256(str(found).encode()).hexdigest()
    note = {"inputs": digest, "status": "made", "rows": len(found)}
    store.write(layout, SM_OBSERVATIONS, table, region=FARM, day=day, note=note)


def _observation(number: int, given: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = {
        "granule_id": "granule",
        "reading_no": number,
        "label_type": "product",
        "is_simulated": False,
        "pass_name": "",
        "sensed_utc": at(11),
        "support_m": 100.0,
        "depth_from_m": 0.0,
        "depth_to_m": 0.05,
        "station_id": None,
        "sensor": None,
        "scene_id": "pass",
        "time_difference_h": 0.0,
        "reason": None,
    }
    return plain | dict(given)


def write_readings(layout: Layout, rows: Sequence[Mapping[str, object]], **note: object) -> None:
    """Store readings of stations by hand."""
    plain = {column.name: None for column in STATION_READINGS.columns} | {
        "granule_id": "granule",
        "source": "ismn",
        "label_type": "in_situ",
        "is_simulated": False,
        "station_id": STATION,
        "lon_deg": LON,
        "lat_deg": LAT,
        "depth_to_m": 0.05,
        "sensed_utc": at(0),
        "sm_m3m3": 0.2,
    }
    found = [plain | {"reading_no": n} | dict(row) for n, row in enumerate(rows)]
    table = pa.Table.from_pylist(found, schema=STATION_READINGS.arrow_schema)
    told = {"inputs": str(found), **note}
    store.write(layout, STATION_READINGS, table, region=FARM, note=told)
