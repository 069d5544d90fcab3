"""Rules over every column of every table: a new column is held to them the day it is born."""

import pkgutil
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from sm_platform import schema
from sm_platform.schema import label_tables, model_tables
from sm_platform.schema.families import ALL_TABLES as TABLES
from sm_platform.schema.recipes import N_INPUTS, SCALARS
from sm_platform.schema.tables import Column, Table, code, flag, moment, number, text, whole
from sm_platform.schema.tables_page import COMMAND, tables_page, type_name

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
COLUMNS = [column for table in TABLES for column in table.columns]
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)

SUFFIX_OF_UNIT = {
    "dB": "_db",
    "deg": "_deg",
    "K": "_k",
    "m": "_m",
    "m/day": "_m",
    "m3/m3": "_m3m3",
    "g/kg": "_g_kg",
    "cg/cm3": "_cg_cm3",
    "d": "_d",
    "h": "_h",
}
"""A depth of water fallen in a partition's day is named as a depth: precipitation_m."""
UNIT_IN_FRONT = {"bytes_total": "B"}
BOUNDS = {"lon_min", "lat_min", "lon_max", "lat_max"}
"""Degrees by their names; the index of maps has them as STAC and GIS users know them."""
SCALED_TOO = {"ndvi", "grid_row", "aspect_sin", "aspect_cos"}
"""Names of the recipes' inputs, scaled in scene_features and scene_series, that stand for the
value itself in other tables."""
OWN_MEANING = {
    "aspect_sin": "scaled to 0..1 where it is a network input",
    "aspect_cos": "scaled to 0..1 where it is a network input",
    "grid_row": "scaled to 0..1 where it is a network input, a row of the grid in the map's index",
    "ndvi": "one value in its own table, 46 scaled ones where it is a network input",
    "cell_id": "counts cells of the grid that the table is about",
    "checkpoint_id": "what is wished for a region, what there is, what made a map",
    "qa": "before a map only the bits that the drivers tell are known",
    "reading_no": "counts within a file; where a file covers many sites, at each site",
    "reason": "why a reading is not used, or why a checkpoint has its stage",
    "recipe_id": "what is wished for a region, what there is, what made a map",
    "scene_id": "explained where passes are listed; an observation's is the nearest pass",
    "scheme": "of a sample's role, of a checkpoint's samples, of the rows it was judged by",
    "series_id": "explained where series are listed",
    "site_id": "explained where sites are listed",
    "sm_m3m3": "a reading may be missing or rejected, the label of a sample is neither",
    "source": "of a region where its granules come from, of a label who measured it",
}
"""Names whose meaning differs between tables, with the reason."""
BEGINS_WITH_A_NAME = r"S1A|EASE-Grid|EPSG|A ascending"
NULL_IN_KEY = {("sm_maps", "map_id"), ("scene_log", "service")}
"""A day without a map has one row and no map to name; who lists a frame was not always noted."""


def is_number(data_type: pa.DataType) -> bool:
    inner = data_type.value_type if is_list(data_type) else data_type
    return bool(pa.types.is_integer(inner) or pa.types.is_floating(inner))


def is_list(data_type: pa.DataType) -> bool:
    return bool(pa.types.is_list(data_type) or pa.types.is_fixed_size_list(data_type))


def test_there_are_tables_with_names_of_their_own() -> None:
    names = [table.name for table in TABLES]
    assert len(names) == len(set(names)) >= 15


def test_every_contract_is_in_a_family() -> None:
    modules = (
        import_module(f"{schema.__name__}.{m.name}") for m in pkgutil.iter_modules(schema.__path__)
    )
    found = {one.name for m in modules for one in vars(m).values() if isinstance(one, Table)}
    assert found == {one.name for one in TABLES}


@each_table
def test_a_table_says_what_it_holds_and_its_keys_are_columns(table: Table) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", table.name)
    assert table.meaning[0].isupper()
    assert not table.meaning.endswith(".")
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names))
    assert table.keys
    assert len(table.keys) == len(set(table.keys))
    assert set(table.keys) <= set(names)
    assert not {"region", "day"} & set(names), "those two are the path's"


@each_table
def test_keys_are_never_missing(table: Table) -> None:
    nullable = {
        (table.name, c.name) for c in table.columns if c.is_nullable and c.name in table.keys
    }
    assert nullable <= NULL_IN_KEY


@each_table
def test_the_arrow_schema_is_the_contract(table: Table) -> None:
    fields = [(field.name, field.type, field.nullable) for field in table.arrow_schema]
    assert fields == [(c.name, c.type, c.is_nullable) for c in table.columns]


@each_table
def test_a_column_has_a_plain_name_and_a_meaning(table: Table) -> None:
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name)
        assert len(column.meaning) >= 4, column.name
        assert re.match(rf"[a-z0-9-]|{BEGINS_WITH_A_NAME}", column.meaning), column.meaning
        assert not re.search(r"\.$|\. |  |\s$|;$|\n", column.meaning), column.meaning
        assert column.meaning.replace(" ", "_") != column.name
        assert not re.match(r"(its|their|null)\b", column.meaning), "is to be understood alone"


@each_table
def test_two_columns_of_a_table_do_not_mean_the_same(table: Table) -> None:
    meanings = defaultdict(list)
    for column in table.columns:
        meanings[column.meaning].append(column.name)
    shared = [names for names in meanings.values() if len(names) > 1]
    assert all(name.endswith("_range_code") for names in shared for name in names), shared


@each_table
def test_numbers_have_a_unit_and_all_else_has_none(table: Table) -> None:
    for column in table.columns:
        if column.name == "affine":  # six numbers of two units, in those of the CRS
            assert column.unit == ""
        elif is_number(column.type):
            assert column.unit, f"{column.name}: a unit, or 1 for a number without one"
        else:
            assert column.unit == "", column.name


@each_table
def test_a_unit_is_said_by_the_end_of_the_name(table: Table) -> None:
    for column in table.columns:
        if column.name in UNIT_IN_FRONT or column.name in BOUNDS:
            assert column.unit == UNIT_IN_FRONT.get(column.name, "deg")
        elif column.unit in ("", "1"):
            ends = [end for end in SUFFIX_OF_UNIT.values() if column.name.endswith(end)]
            assert not ends, f"{column.name}: named like a unit it does not have"
        else:
            assert column.name.endswith(SUFFIX_OF_UNIT[column.unit]), column.name


@each_table
def test_prefix_and_type_go_together(table: Table) -> None:
    for column in table.columns:
        name, kind = column.name, column.type
        assert name.startswith("is_") == bool(pa.types.is_boolean(kind)), column.name
        assert name.endswith("_utc") == (kind == pa.timestamp("us", tz="UTC")), column.name
        if name.endswith("_id"):
            assert kind in (pa.string(), pa.int32())
            assert column.unit == ("" if kind == pa.string() else "1")
        if name.endswith("_code"):
            assert kind in (pa.int8(), pa.uint8())
        if name.startswith("n_"):
            assert kind == pa.int32()
        if name.endswith("_share"):
            assert (column.unit, column.low, column.high) == ("1", 0, 1)


@each_table
def test_a_range_is_of_numbers_and_not_empty(table: Table) -> None:
    for column in table.columns:
        if column.low is not None or column.high is not None:
            assert is_number(column.type), column.name
            assert not is_list(column.type), "lists are not checked on writing"
        if column.low is not None and column.high is not None:
            assert column.low < column.high


@each_table
def test_a_physical_value_that_may_be_missing_is_a_float(table: Table) -> None:
    for column in table.columns:
        is_physical = column.unit not in ("", "1", "B", "d")
        if is_physical:
            assert pa.types.is_floating(column.type), column.name


def test_one_name_is_one_unit_and_type_in_all_tables() -> None:
    seen = defaultdict(set)
    for column in COLUMNS:
        seen[column.name].add((column.unit, str(column.type)))
    assert {name for name, kinds in seen.items() if len(kinds) > 1} <= SCALED_TOO


def test_one_name_is_one_meaning_in_all_tables_or_there_is_a_reason() -> None:
    seen = defaultdict(set)
    for column in COLUMNS:
        seen[column.name].add(column.meaning)
    assert {name for name, meanings in seen.items() if len(meanings) > 1} == set(OWN_MEANING)


def test_one_name_is_one_range_where_it_has_one() -> None:
    seen = defaultdict(set)
    for column in COLUMNS:
        if (column.low, column.high) != (None, None):
            seen[column.name].add((column.low, column.high))
    found = {name for name, ranges in seen.items() if len(ranges) > 1}
    assert found <= SCALED_TOO


def test_exceptions_are_of_columns_that_exist() -> None:
    names = {column.name for column in COLUMNS}
    assert {*UNIT_IN_FRONT, *BOUNDS, *SCALED_TOO} <= names
    assert {(t.name, key) for t in TABLES for key in t.keys} >= NULL_IN_KEY


def test_features_are_the_recipes_scalars_in_order_scaled() -> None:
    scalars = [c for c in model_tables.SCENE_FEATURES.columns if (c.low, c.high) == (0, 1)]
    assert [c.name for c in scalars] == [entry.name for entry in SCALARS]
    assert f"{SCALARS[0].low:g}..{SCALARS[0].high:g}" in scalars[0].meaning
    inputs = next(c for c in label_tables.TRAINING_SAMPLES.columns if c.name == "inputs")
    assert inputs.type.list_size == N_INPUTS


def test_the_page_about_the_tables_is_up_to_date() -> None:
    assert PAGE.read_text() == tables_page(), (
        f"docs/tables.md is not what the schema says: {COMMAND}"
    )


def test_the_page_has_a_section_for_each_table_and_a_line_for_each_column() -> None:
    sections = re.split(r"^### ", tables_page(), flags=re.MULTILINE)[1:]
    assert [section.split("\n")[0] for section in sections] == [table.name for table in TABLES]
    for section, table in zip(sections, TABLES, strict=True):
        assert table.meaning in section
        assert ("region and day" in section) == table.is_dated
        rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, flags=re.MULTILINE)
        assert [name for name, _ in rows] == [column.name for column in table.columns]
        for column, (_, told) in zip(table.columns, rows, strict=True):
            _, unit, _, null, meaning = (cell.strip() for cell in told.split("|"))
            assert (unit, meaning) == (column.unit, column.meaning)
            assert null == ("yes" if column.is_nullable else "no")


def test_the_page_tells_ranges_and_keys() -> None:
    page = tables_page()
    assert "| `vv_db` | float32 | dB | -80..40 | yes | sigma0 VV on the ellipsoid |" in page
    assert "| `sand_g_kg` | float32 | g/kg | 0.. | yes | sand content |" in page
    assert "- Key: `site_id`, `scene_id`, `source`\n" in page


@pytest.mark.parametrize(
    ("data_type", "name"),
    [
        (pa.string(), "text"),
        (pa.timestamp("us", tz="UTC"), "time"),
        (pa.int32(), "int32"),
        (pa.list_(pa.string()), "list of text"),
        (pa.list_(pa.float32(), 46), "46 float32"),
        (pa.map_(pa.string(), pa.float64()), "float64 by text"),
    ],
)
def test_types_have_plain_names(data_type: pa.DataType, name: str) -> None:
    assert type_name(data_type) == name


def test_what_the_makers_of_columns_promise() -> None:
    assert number("a_m", "m", "x", 0, 2) == Column("a_m", pa.float32(), "m", "x", True, 0, 2)
    assert text("a", "x") == Column("a", pa.string(), "", "x", is_nullable=False)
    assert whole("a", "x", is_nullable=True) == Column("a", pa.int32(), "1", "x", is_nullable=True)
    assert flag("is_a", "x") == Column("is_a", pa.bool_(), "", "x", is_nullable=False)
    assert moment("a_utc", "x").type == pa.timestamp("us", tz="UTC")
    assert code("a_code", "x").type == pa.int8()
    assert code("a_code", "x", pa.uint8()).type == pa.uint8()
