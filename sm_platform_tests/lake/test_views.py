import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sm_platform.lake import store
from sm_platform.lake.granules import land
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.driver_tables import NDVI, REGIONS, S1_SCENES, SOIL
from sm_platform.schema.tables import Table

TABLES = (NDVI, REGIONS, S1_SCENES, SOIL)
DAYS = (date(2025, 1, 1), date(2025, 1, 9))
OF_DAYS = [("day_status",), ("failed_days",)]
"""Views that every lake has."""


def ndvi(values: list[float | None]) -> pa.Table:
    n = len(values)
    zeros = pa.array([0] * n, pa.int8())
    return pa.table(
        {
            "cell_id": pa.array(range(n), pa.int32()),
            "ndvi": pa.array(values, pa.float32()),
            "ndvi_range_code": zeros,
            "reliability_code": zeros,
            "observed_day": pa.array([739000] * n, pa.int32()),
        }
    )


def fill(layout: Layout) -> None:
    """Two regions with vegetation on two days, one region with soil."""
    for region in ("red-river", "007"):
        for number, day in enumerate(DAYS):
            rows = ndvi([0.5, None, 0.25 * number])
            store.write(layout, NDVI, rows, region=region, day=day)
    soil = {"cell_id": [0], "sand_g_kg": [400.0], "clay_g_kg": [300.0]}
    rows = pa.table(soil | {"bulk_density_cg_cm3": [130.0]})
    store.write(layout, SOIL, rows, region="red-river")


def columns(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    told = connection.execute(f"describe {view}").fetchall()
    return {row[0]: row[1] for row in told}


def one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:  # noqa: ANN401
    return connection.execute(query).fetchall()


def test_a_dated_view_gains_region_and_day_of_their_types(layout: Layout) -> None:
    fill(layout)
    assert columns(connect(layout, TABLES), "ndvi") == {
        "region_id": "VARCHAR",
        "cell_id": "INTEGER",
        "ndvi": "FLOAT",
        "ndvi_range_code": "TINYINT",
        "reliability_code": "TINYINT",
        "observed_day": "INTEGER",
        "day": "DATE",
    }


def test_an_undated_view_gains_the_region_alone(layout: Layout) -> None:
    fill(layout)
    found = columns(connect(layout, TABLES), "soil_cells")
    assert found["region_id"] == "VARCHAR"
    assert "day" not in found
    assert "region" not in found


def test_questions_by_region_and_day_are_answered_with_null_for_missing(layout: Layout) -> None:
    fill(layout)
    query = """
        select region_id, day, count(*), count(ndvi), sum(ndvi) from ndvi
        where day > date '2025-01-01' group by all order by region_id
    """
    expected = [("007", DAYS[1], 3, 2, 0.75), ("red-river", DAYS[1], 3, 2, 0.75)]
    assert one(connect(layout, TABLES), query) == expected


def test_a_table_that_names_its_region_shows_it_once(layout: Layout) -> None:
    row = {
        "region_id": "red-river",
        "crs": "EPSG:6933",
        "affine": [1.0, 0, 0, 0, -1, 0],
        "rows": 1,
        "cols": 1,
        "source": "archive",
        "source_path": "/a",
        "recipe_id": None,
        "checkpoint_id": None,
    }
    rows = pa.Table.from_pylist([row], schema=REGIONS.arrow_schema)
    store.write(layout, REGIONS, rows, region="red-river")
    connection = connect(layout, TABLES)
    assert list(columns(connection, "regions")) == [c.name for c in REGIONS.columns]
    assert one(connection, "select region_id, affine[1] from regions") == [("red-river", 1.0)]


def test_times_are_shown_in_utc(layout: Layout) -> None:
    start = datetime(2025, 1, 1, 22, 45, 12, tzinfo=UTC)
    row = {c.name: None for c in S1_SCENES.columns} | {
        "scene_id": "s",
        "start_utc": start,
        "end_utc": start,
        "platform": "S1A",
        "orbit_state": "D",
        "datatake_id": "0A1B2C",
        "is_day_only": False,
        "granule_ids": ["g"],
        "granule_sha256s": ["0"],
    }
    rows = pa.Table.from_pylist([row], schema=S1_SCENES.arrow_schema)
    store.write(layout, S1_SCENES, rows, region="red-river", day=DAYS[0])
    connection = connect(layout, TABLES)
    assert columns(connection, "s1_scenes")["start_utc"] == "TIMESTAMP WITH TIME ZONE"
    found = one(connection, "select start_utc::varchar, start_utc from s1_scenes")
    assert found[0][0] == "2025-01-01 22:45:12+00"
    assert found[0][1] == start


def test_an_empty_lake_answers_and_has_no_tables(layout: Layout) -> None:
    connection = connect(layout, TABLES)
    assert one(connection, "select 1") == [(1,)]
    assert one(connection, "show tables") == OF_DAYS
    with pytest.raises(duckdb.CatalogException, match="ndvi does not exist"):
        connection.execute("select * from ndvi")  # not the function of this module either


def test_folders_without_a_file_yet_make_no_view(layout: Layout) -> None:
    layout.part("ndvi", "red-river", DAYS[0]).parent.mkdir(parents=True)
    layout.granule("soil", "red-river", None, "g").mkdir(parents=True)
    assert one(connect(layout, TABLES), "show tables") == OF_DAYS


@pytest.mark.parametrize("name", ["it's", "a[1]", "st*r", "what?", "two words", "ä"])
def test_a_lake_may_lie_in_any_folder(tmp_path: Path, name: str) -> None:
    other, layout = Layout(tmp_path / "a1"), Layout(tmp_path / name / "lake")
    fill(other)
    fill(layout)
    land_one(layout)
    connection = connect(layout, TABLES)
    assert one(connection, "select count(*) from ndvi") == [(12,)]
    assert one(connection, "select count(*) from granule_log") == [(1,)]


def land_one(layout: Layout, **changed: object) -> None:
    sidecar: dict[str, Any] = {
        "product": "ndvi",
        "granule_id": "MOD13Q1.A1",
        "day": "2025-01-01",
        "format": "mod13q1",
        "files": ["a.tif", "b.tif"],
        "available_utc": "2025-01-25T00:00:00+00:00",
        "licence": "CC0-1.0",
        "source": "archive",
    }

    def fetch(folder: Path) -> None:
        for name in sidecar["files"]:
            (folder / name).write_bytes(b"abc")

    land(layout, "red-river", sidecar | changed, fetch)


def test_the_granule_log_lists_what_has_landed(layout: Layout) -> None:
    land_one(layout)
    land_one(layout, product="soil", granule_id="soil", day=None, available_utc=None)
    connection = connect(layout, [])
    found = columns(connection, "granule_log")
    expected = {"region_id": "VARCHAR", "day": "DATE", "size_bytes": "BIGINT"}
    expected |= {"files": "VARCHAR[]", "available_utc": "TIMESTAMP WITH TIME ZONE"}
    assert found.items() >= expected.items()
    query = """
        select region_id, granule_id, day, files, size_bytes, epoch(available_utc)
        from granule_log order by product
    """
    available = datetime(2025, 1, 25, tzinfo=UTC).timestamp()
    files = ["a.tif", "b.tif"]
    assert one(connection, query) == [
        ("red-river", "MOD13Q1.A1", DAYS[0], files, 6, available),
        ("red-river", "soil", None, files, 6, None),
    ]


def test_the_granule_log_shows_every_word_of_the_sidecar(layout: Layout) -> None:
    land_one(layout)
    (sidecar,) = (layout.root / "granules").glob("*/*/*/*/granule.json")
    told = set(json.loads(sidecar.read_text()))
    of_services = {"citation", "hrefs", "requests", "received_bytes", "eecu_s"}
    shown = set(columns(connect(layout, []), "granule_log"))
    assert shown == told - {"region"} | {"region_id"} | of_services


def test_the_files_are_the_truth_not_the_connection(layout: Layout) -> None:
    fill(layout)
    connection = connect(layout, TABLES)
    store.write(layout, NDVI, ndvi([0.1]), region="red-river", day=DAYS[0])
    assert one(connection, "select count(*) from ndvi") == [(10,)]
    assert not list(layout.root.rglob("*.duckdb"))


def test_names_of_views_are_the_tables(layout: Layout) -> None:
    fill(layout)
    shown = {row[0] for row in one(connect(layout, TABLES), "show tables")}
    made: set[Table] = {NDVI, SOIL}
    assert shown == {table.name for table in made} | {name for (name,) in OF_DAYS}


def test_a_lake_in_which_nothing_failed_can_be_asked_what_failed(layout: Layout) -> None:
    empty = connect(layout, [])
    assert one(empty, "select asset, day, reason from failed_days where region_id = 'a'") == []
    assert one(empty, "select status from day_status where day > '2025-01-01'") == []
    kind = "select data_type from duckdb_columns() where column_name = 'day'"
    assert one(empty, kind) == [("DATE",), ("DATE",)]


def test_tables_and_columns_tell_meaning_and_unit(layout: Layout) -> None:
    fill(layout)
    connection = connect(layout, TABLES)
    views = "select comment from duckdb_views() where view_name = 'ndvi'"
    assert one(connection, views) == [(NDVI.meaning,)]
    columns = "select column_name, comment from duckdb_columns() where table_name = 'soil_cells'"
    told = dict(one(connection, columns))
    assert told["region_id"] is None
    assert {name: told[name] for name in (column.name for column in SOIL.columns)} == {
        column.name: column.described for column in SOIL.columns
    }
    assert told["sand_g_kg"].endswith("[g/kg]")
