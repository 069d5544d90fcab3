from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_BACKSCATTER
from sm_platform.schema.tables import Column, Table, flag, moment, number, text, whole

DAY = date(2025, 3, 7)
THINGS = Table(
    "things",
    "rows of a test",
    ("cell_id",),
    (
        whole("cell_id", "cell"),
        text("scene_id", "pass"),
        text("reason", "why not", is_nullable=True),
        number("vv_db", "dB", "backscatter", -80, 40),
        number("elevation_m", "m", "elevation"),
        Column("depth_m", pa.float64(), "m", "depth", low=0),
        flag("is_preliminary", "not final"),
        moment("start_utc", "start", is_nullable=True),
        Column("granule_ids", pa.list_(pa.string()), "", "frames"),
    ),
)


def things(n: int = 3, **changed: pa.Array) -> pa.Table:
    columns: dict[str, Any] = {
        "cell_id": pa.array(range(n), pa.int32()),
        "scene_id": pa.array(["s"] * n, pa.string()),
        "reason": pa.array([None] * n, pa.string()),
        "vv_db": pa.array(np.linspace(-20, -5, n), pa.float32()),
        "elevation_m": pa.array([5.0] * n, pa.float32()),
        "depth_m": pa.array([0.05] * n, pa.float64()),
        "is_preliminary": pa.array([True] * n),
        "start_utc": pa.array([None] * n, pa.timestamp("us", tz="UTC")),
        "granule_ids": pa.array([["a", "b"]] * n, pa.list_(pa.string())),
    }
    return pa.table(columns | changed)


def backscatter(n: int = 400) -> pa.Table:
    rng = np.random.default_rng(1)
    return pa.table(
        {
            "scene_id": ["s"] * n,
            "cell_id": np.arange(n, dtype=np.int32),
            "vv_db": rng.normal(-10, 2, n),
            "vh_db": rng.normal(-16, 2, n),
            "angle_deg": rng.uniform(30, 40, n),
        }
    )


def put(layout: Layout, rows: pa.Table, note: dict[str, Any] | None = None) -> Path:
    return store.write(layout, THINGS, rows, region="red-river", day=DAY, note=note)


def got(layout: Layout, *, columns: Sequence[str] | None = None) -> store.Partition:
    found = store.read(layout, THINGS, "red-river", DAY, columns=columns)
    assert found is not None
    return found


def test_rows_come_back_in_the_contracts_order_and_types(layout: Layout) -> None:
    mixed = things(vv_db=pa.array([-20.0, -12.5, -5.0], pa.float64()), extra=pa.array([1, 2, 3]))
    put(layout, mixed.select(list(reversed(mixed.column_names))), {"status": "made", "rows": 3})
    found = got(layout)
    assert found.rows.schema.remove_metadata() == THINGS.arrow_schema
    assert found.rows.to_pylist() == things().to_pylist()
    assert found.note == {"status": "made", "rows": 3}


def test_chosen_columns_alone_are_read(layout: Layout) -> None:
    put(layout, things())
    assert got(layout, columns=["vv_db"]).rows.column_names == ["vv_db"]


def test_nothing_written_is_none_not_an_error(layout: Layout) -> None:
    assert store.read(layout, THINGS, "red-river", DAY) is None
    assert store.note_of(layout, THINGS, "red-river", DAY) is None
    assert store.days_made(layout, THINGS, "red-river") == []
    assert store.regions_made(layout, THINGS) == []


def test_no_rows_and_no_note_are_a_partition(layout: Layout) -> None:
    put(layout, THINGS.arrow_schema.empty_table())
    assert got(layout).rows.num_rows == 0
    assert got(layout).note == {}


REFUSED: dict[str, tuple[pa.Table, str]] = {
    "missing column": (things().drop_columns(["vv_db"]), "no column vv_db"),
    "fraction for a whole number": (things(cell_id=pa.array([0.5, 1, 2])), "truncated"),
    "word for a number": (things(vv_db=pa.array(["low", "a", "b"])), "vv_db is string"),
    "digits as text": (things(cell_id=pa.array(["0", "1", "2"])), "cell_id is string, not int32"),
    "number for a text": (things(scene_id=pa.array([1, 2, 3])), "scene_id is int64, not string"),
    "number for a list": (things(granule_ids=pa.array([1, 2, 3])), "contract of things"),
    "null": (things(cell_id=pa.array([0, None, 2], pa.int32())), "cell_id.*null"),
    "null text": (things(scene_id=pa.array(["s", None, "s"])), "scene_id.*null"),
    "NaN that must not be missing": (things(depth_m=pa.array([0, np.nan, 1.0])), "depth_m.*1 rows"),
    "too low": (things(vv_db=pa.array([-80.1, 0, 0])), r"vv_db holds -80.1..0, outside -80..40"),
    "too high": (things(vv_db=pa.array([0, 0, 40.1])), r"vv_db holds 0..40.1, outside -80..40"),
    "below its only bound": (things(depth_m=pa.array([-1.0, 0, 1])), "depth_m holds -1..1"),
    "the same keys": (things(cell_id=pa.array([0, 2, 2])), "1 rows twice: cell_id tell"),
    "infinite": (things(vv_db=pa.array([0, 0, np.inf])), "vv_db holds"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_rows_that_break_the_contract_are_refused_and_not_written(layout: Layout, why: str) -> None:
    rows, told = REFUSED[why]
    put(layout, things(1))
    with pytest.raises(LakeError, match=told) as error:
        put(layout, rows)
    assert "things" in str(error.value)
    assert got(layout).rows.num_rows == 1


def test_rows_whose_key_names_nothing_may_be_several(layout: Layout) -> None:
    """As the days without a map have it."""
    table = replace(THINGS, keys=("cell_id", "reason"))
    rows = things(cell_id=pa.array([0, 0, 0]), reason=pa.array([None, None, "dry"]))
    store.write(layout, table, rows, region="red-river", day=DAY)
    assert got(layout).rows.num_rows == 3


def test_bounds_themselves_are_inside(layout: Layout) -> None:
    put(layout, things(vv_db=pa.array([-80.0, 40.0, None])))
    assert got(layout).rows["vv_db"].to_pylist() == [-80, 40, None]


def test_nan_is_stored_as_null(layout: Layout) -> None:
    put(layout, things(vv_db=pa.array([np.nan, 1.0, None]), elevation_m=pa.array([np.nan] * 3)))
    assert got(layout).rows["vv_db"].to_pylist() == [None, 1, None]
    assert got(layout).rows["elevation_m"].null_count == 3


def test_a_column_of_nothing_fits_where_missing_is_allowed(layout: Layout) -> None:
    put(layout, things(reason=pa.nulls(3), vv_db=pa.nulls(3), start_utc=pa.nulls(3)))
    assert got(layout).rows["reason"].null_count == 3


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 400), max_size=4), names=st.permutations(["a", "b", "c"]))
def test_same_rows_and_note_same_bytes_however_they_were_put_together(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], names: list[str]
) -> None:
    layout, rows = Layout(tmp_path_factory.mktemp("lake")), backscatter()
    edges = [0, *sorted(cuts), 400]
    pieces = [rows.slice(a, b - a) for a, b in zip(edges, edges[1:], strict=False)]
    options: dict[str, Any] = {"region": "red-river", "day": DAY}
    note = {"a": 1, "b": 2, "c": 3}
    first = store.write(layout, S1_BACKSCATTER, rows, note=note, **options).read_bytes()
    again = store.write(
        layout,
        S1_BACKSCATTER,
        pa.concat_tables(pieces),
        note={name: note[name] for name in names},
        **options,
    )
    assert again.read_bytes() == first


def test_a_partition_is_replaced_whole_and_alone(layout: Layout) -> None:
    put(layout, things(5), {"a": 1})
    store.write(layout, THINGS, things(4), region="highland", day=DAY)
    part = put(layout, things(2), {"b": 2})
    assert (got(layout).rows.num_rows, got(layout).note) == (2, {"b": 2})
    other = store.read(layout, THINGS, "highland", DAY)
    assert other is not None
    assert other.rows.num_rows == 4
    assert list(part.parent.iterdir()) == [part]
    assert not list(layout.aside.glob("*/*"))


def test_days_and_regions_made_are_those_with_a_file_in_order(layout: Layout) -> None:
    for day in (date(2025, 3, 9), date(2024, 12, 31), DAY):
        store.write(layout, THINGS, things(), region="red-river", day=day)
    layout.part("things", "red-river", date(2025, 4, 1)).parent.mkdir()
    (layout.table("things") / "region=red-river" / "day=later").mkdir()
    made = [date(2024, 12, 31), DAY, date(2025, 3, 9)]
    assert store.days_made(layout, THINGS, "red-river") == made
    for region in ("red-river", "highland"):
        store.write(layout, THINGS, things(), region=region)
    assert store.regions_made(layout, THINGS) == ["highland", "red-river"]
    assert store.days_made(layout, THINGS, "red-river") == made


def test_regions_stored_are_those_with_a_partition_of_the_tables_kind(layout: Layout) -> None:
    undated = replace(THINGS, name="lasting", is_dated=False)
    assert store.regions_stored(layout, THINGS) == []
    for region in ("red-river-2", "red-river", "highland"):
        store.write(layout, THINGS, things(), region=region, day=DAY)
        store.write(layout, undated, things(), region=region)
    for table in (THINGS, undated):
        (layout.table(table.name) / "region=emptied").mkdir()
        (layout.table(table.name) / "region=half" / "day=2025-03-07").mkdir(parents=True)
        (layout.table(table.name) / "region=file").write_text("no folder")
        (layout.table(table.name) / "notes").mkdir()
        assert store.regions_stored(layout, table) == ["highland", "red-river", "red-river-2"]
    layout.part("things", "highland", DAY).unlink()
    layout.part("lasting", "highland", None).unlink()
    for table in (THINGS, undated):
        assert store.regions_stored(layout, table) == ["red-river", "red-river-2"]


def spoil_pages(part: Path) -> None:
    """Overwrite the data pages; the footer, which holds schema and note, stays."""
    content = bytearray(part.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little") + 8
    content[4 : len(content) - footer] = bytes(len(content) - footer - 4)
    part.write_bytes(content)


def test_the_note_is_read_without_the_rows(layout: Layout) -> None:
    spoil_pages(put(layout, things(), {"inputs": "abc"}))
    assert store.note_of(layout, THINGS, "red-river", DAY) == {"inputs": "abc"}
    with pytest.raises(LakeError):
        store.read(layout, THINGS, "red-river", DAY)


@pytest.mark.parametrize("kept", [0, 3, 100, -1])
def test_a_cut_file_is_an_error_that_names_it(layout: Layout, kept: int) -> None:
    part = put(layout, things(), {"inputs": "abc"})
    part.write_bytes(part.read_bytes()[:kept])
    for ask in (store.read, store.note_of):
        with pytest.raises(LakeError, match="cannot be read.*run its step again") as error:
            ask(layout, THINGS, "red-river", DAY)
        assert str(part) in str(error.value)


def test_a_flipped_bit_in_the_rows_does_not_pass(layout: Layout) -> None:
    part = store.write(layout, S1_BACKSCATTER, backscatter(), region="red-river", day=DAY)
    column = pq.ParquetFile(part).metadata.row_group(0).column(2)
    whole_file = part.read_bytes()
    middle = column.data_page_offset + column.total_compressed_size // 2
    content = bytearray(whole_file)
    content[middle] ^= 1
    part.write_bytes(content)
    with pytest.raises(LakeError, match="cannot be read"):
        store.read(layout, S1_BACKSCATTER, "red-river", DAY)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), flips=st.integers(1, 30))
def test_damage_anywhere_ends_in_words(
    tmp_path_factory: pytest.TempPathFactory, seed: int, flips: int
) -> None:
    layout, rng = Layout(tmp_path_factory.mktemp("lake")), np.random.default_rng(seed)
    part = put(layout, things(), {"inputs": "abc"})
    content = np.frombuffer(part.read_bytes(), np.uint8).copy()
    content[rng.integers(0, content.size, flips)] ^= np.uint8(1 << rng.integers(0, 8))
    part.write_bytes(content.tobytes())
    try:
        store.read(layout, THINGS, "red-river", DAY)
    except LakeError as error:
        assert str(part) in str(error)
