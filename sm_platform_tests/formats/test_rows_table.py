from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import DataError, UsageError
from sm_platform.formats.rows_table import read_rows

NAMES = [str(number) for number in range(153)]


def frame(n: int = 3) -> pd.DataFrame:
    """Random rows; value (row, column) differs everywhere."""
    return pd.DataFrame(np.random.default_rng(1).random((n, 153)), columns=NAMES)


def csv(tmp_path: Path, rows: pd.DataFrame, encoding: str = "utf-8") -> Path:
    path = tmp_path / "rows.csv"
    rows.to_csv(path, index=False, encoding=encoding)
    return path


def parquet(tmp_path: Path, rows: pa.Table, metadata: dict[str, str] | None = None) -> Path:
    path = tmp_path / "rows.parquet"
    pq.write_table(rows.replace_schema_metadata(metadata), path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as error:
        read_rows(path)
    assert path.name in str(error.value)
    return str(error.value)


def test_a_csv_comes_back_as_float32_and_names_no_recipe(tmp_path: Path) -> None:
    found = read_rows(csv(tmp_path, frame()))
    assert found.inputs.dtype == np.float32
    np.testing.assert_array_equal(found.inputs, frame().to_numpy().astype(np.float32))
    assert (found.recipe_id, found.recipe_fingerprint) == (None, None)


def test_columns_are_found_by_name_and_others_passed_over(tmp_path: Path) -> None:
    mixed = frame()[NAMES[::-1]].assign(site="a", **{"153": 9.0, "sm_m3m3": -1.0})
    np.testing.assert_array_equal(
        read_rows(csv(tmp_path, mixed)).inputs, frame().to_numpy().astype(np.float32)
    )


def test_exported_samples_name_their_recipe_in_columns(tmp_path: Path) -> None:
    told = {"recipe_id": "eov-2025", "recipe_fingerprint": "12345e10"}
    for path in (
        csv(tmp_path, frame().assign(**told)),
        parquet(tmp_path, pa.Table.from_pandas(frame().assign(**told))),
    ):
        found = read_rows(path)
        assert (found.recipe_id, found.recipe_fingerprint) == ("eov-2025", "12345e10")


def test_rows_of_several_recipes_are_refused(tmp_path: Path) -> None:
    rows = frame().assign(recipe_id=["a", "a", "b"], recipe_fingerprint="1")
    assert "several recipes (a, b)" in refused(csv(tmp_path, rows))
    lacking = frame().assign(recipe_id=["a", "a", None], recipe_fingerprint="1")
    assert "several recipes" in refused(csv(tmp_path, lacking))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_mark_of_byte_order_or_spaces_do_not_hide_a_column(tmp_path: Path, encoding: str) -> None:
    path = csv(tmp_path, frame().rename(columns={"7": " 7 "}), encoding)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    assert read_rows(path).inputs.shape == (3, 153)


def test_an_empty_cell_is_missing(tmp_path: Path) -> None:
    rows = frame()
    rows.iloc[1, 4] = np.nan
    for path in (csv(tmp_path, rows), parquet(tmp_path, pa.Table.from_pandas(rows))):
        found = read_rows(path).inputs
        assert np.argwhere(np.isnan(found)).tolist() == [[1, 4]]


def test_a_column_without_any_value_is_missing_throughout(tmp_path: Path) -> None:
    found = read_rows(csv(tmp_path, frame().assign(**{"12": None}))).inputs
    assert np.isnan(found[:, 12]).all()
    assert np.isnan(found).sum() == 3


def test_no_rows_are_rows(tmp_path: Path) -> None:
    empty = frame(0)
    assert read_rows(csv(tmp_path, empty)).inputs.shape == (0, 153)
    assert read_rows(parquet(tmp_path, pa.Table.from_pandas(empty))).inputs.shape == (0, 153)


def test_parquet_brings_its_recipe(tmp_path: Path) -> None:
    told = {"recipe_id": "sm-100m-v1", "recipe_fingerprint": "0123456789abcdef"}
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    found = read_rows(parquet(tmp_path, table, told))
    assert (found.recipe_id, found.recipe_fingerprint) == ("sm-100m-v1", "0123456789abcdef")
    np.testing.assert_array_equal(found.inputs, frame().to_numpy().astype(np.float32))
    unnamed = read_rows(parquet(tmp_path, table))
    assert (unnamed.recipe_id, unnamed.recipe_fingerprint) == (None, None)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int8()])
def test_parquet_may_hold_any_kind_of_number(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({name: pa.array([0, 1, None], kind) for name in NAMES})
    expected = np.repeat(np.array([[0], [1], [np.nan]], np.float32), 153, axis=1)
    np.testing.assert_array_equal(read_rows(parquet(tmp_path, table)).inputs, expected)


def test_with_152_columns_the_absent_one_is_named(tmp_path: Path) -> None:
    told = refused(csv(tmp_path, frame().drop(columns="152")))
    assert "152 of the 153 columns 0..152; absent: 152." in told
    told = refused(parquet(tmp_path, pa.Table.from_pandas(frame().drop(columns="0"))))
    assert "absent: 0." in told


def test_of_many_absent_columns_five_are_named(tmp_path: Path) -> None:
    told = refused(csv(tmp_path, frame()[NAMES[8:]]))
    assert "145 of the 153" in told
    assert "absent: 0, 1, 2, 3, 4, ...." in told


def test_text_in_a_number_names_row_and_column(tmp_path: Path) -> None:
    rows = frame(5).astype({"17": object})
    rows.loc[3, "17"] = "wet"
    rows.loc[1, "17"] = np.nan
    assert "row 4, column 17 holds 'wet', not a number" in refused(csv(tmp_path, rows))


def test_text_in_a_parquet_column_is_refused_and_digits_are_numbers(tmp_path: Path) -> None:
    table = pa.table({name: pa.array(["0.5", "n.a."]) for name in NAMES})
    assert "row 2, column 0 holds 'n.a.'" in refused(parquet(tmp_path, table))
    digits = pa.table({name: pa.array(["0.5", None]) for name in NAMES})
    assert read_rows(parquet(tmp_path, digits)).inputs[0, 9] == 0.5


@pytest.mark.parametrize(
    ("value", "said"), [(-0.01, "-0.01"), (1.01, "1.01"), (-9999.0, "-9999"), (np.inf, "inf")]
)
def test_a_value_outside_0_to_1_names_row_and_column(
    tmp_path: Path, value: float, said: str
) -> None:
    rows = frame()
    rows.iloc[2, 60] = value
    told = refused(csv(tmp_path, rows))
    assert f"row 3, column 60 is {said}, outside 0..1 (1 such values): scale the rows" in told


def test_rounding_beyond_the_bounds_is_clipped(tmp_path: Path) -> None:
    rows = frame()
    rows.iloc[0, 0], rows.iloc[0, 1] = -5e-7, 1 + 5e-7
    found = read_rows(csv(tmp_path, rows)).inputs
    assert found[0, :2].tolist() == [0, 1]
    assert "row 1, column 0" in refused(csv(tmp_path, rows.assign(**{"0": -2e-6})))


def test_a_field_more_than_the_header_does_not_shift_the_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, frame())
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{line}," for line in lines)]))
    np.testing.assert_array_equal(read_rows(path).inputs, frame().to_numpy().astype(np.float32))
    path.write_text("\n".join([header, *(f"{n},{line}" for n, line in enumerate(lines))]))
    assert "Length of header" in refused(path)
    path.write_text("\n".join([header, lines[0], f"{lines[1]},0.5"]))
    assert "line 3, saw 154" in refused(path)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    twice = pa.table([pa.array([0.5])] * 154, names=[*NAMES, " 3"])
    assert "column 3 twice" in refused(parquet(tmp_path, twice))


def test_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    csv_path, parquet_path = tmp_path / "rows.csv", tmp_path / "rows.parquet"
    parquet_path.write_text("0,1,2\n")
    assert "cannot be read as Parquet" in refused(parquet_path)
    for content in (b"", b"\xff\xfe0\x00,\x001\x00", b'0,"1\n2,3'):
        csv_path.write_bytes(content)
        refused(csv_path)


def test_an_absent_file_or_another_kind_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read_rows(tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="no file"):
        read_rows(tmp_path)
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"rows\.xlsx is neither \.csv nor \.parquet"):
        read_rows(tmp_path / "rows.xlsx")


def test_the_ending_may_be_in_capitals(tmp_path: Path) -> None:
    for path in (csv(tmp_path, frame()), parquet(tmp_path, pa.Table.from_pandas(frame()))):
        loud = path.rename(path.with_suffix(path.suffix.upper()))
        assert read_rows(loud).inputs.shape == (3, 153)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 4))
def test_csv_and_parquet_of_the_same_rows_are_the_same_inputs(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int
) -> None:
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("rows")
    values = rng.random((n, 153), np.float32)
    values[rng.random((n, 153)) < 0.05] = np.nan
    rows = pd.DataFrame(values, columns=NAMES)
    for path in (csv(folder, rows), parquet(folder, pa.Table.from_pandas(rows))):
        np.testing.assert_array_equal(read_rows(path).inputs, values)
