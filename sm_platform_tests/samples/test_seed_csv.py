import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.samples.seed_csv import column_names, read_csv, write_csv

TYPES = {"station": pa.string(), "sm": pa.float32(), "qa": pa.uint16()}
PLAIN = "station,extra,sm,qa\nA,x,0.25,7\nB,y,,8\n"
EXPECTED = {"station": ["A", "B"], "sm": [0.25, None], "qa": [7, 8]}


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";").replace("0.25", "0,25"),
        PLAIN.replace(",", "\t").replace("0.25", "0,25"),
        PLAIN.replace("station", '"station"').replace("A", '"A"'),
        PLAIN.replace("station", " station "),
        PLAIN.replace("station,", ",station,").replace("A,", "0,A,").replace("B,", "1,B,"),
        PLAIN.rstrip("\n"),
    ],
)
def test_files_of_all_habits_say_the_same(tmp_path: Path, content: str) -> None:
    assert read_csv(written(tmp_path, content), TYPES).to_pydict() == EXPECTED


def test_columns_that_are_not_there_are_not_made_up(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN)
    assert read_csv(path, TYPES | {"lat": pa.float64()}).column_names == ["station", "sm", "qa"]
    assert column_names(path) == ("station", "extra", "sm", "qa")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (PLAIN.replace("0.25", "0.2.5"), "row 1, column sm holds '0.2.5', which is not a number"),
        (PLAIN.replace("8", "-8"), "row 2, column qa holds '-8', which is not a whole number"),
        (PLAIN + "C,z,0.1\n", "Expected 4 columns, got 3"),
        (PLAIN + "C,z,0.1,9,9\n", "each row needs 4 cells"),
        (PLAIN.replace("extra", "sm"), "column sm twice"),
        (PLAIN.replace("station", "name").replace("sm", "vwc"), "no column station, sm"),
        ("", "no header"),
        ("\n\n", "no header"),
        (PLAIN.encode("utf-16"), "not text in UTF-8"),
        ("station,sm,qa\nTrạm,0.1,1\n".encode("cp1258", errors="replace") + b"\xff", "UTF-8"),
    ],
)
def test_broken_files_are_refused_by_place(
    tmp_path: Path, content: str | bytes, match: str
) -> None:
    with pytest.raises(DataError, match=re.escape(match)):
        read_csv(written(tmp_path, content), TYPES, ("station", "sm"))


def test_the_first_of_many_rows_is_named(tmp_path: Path) -> None:
    rows = [f"s{n},x,{'?' if n in (70_001, 80_000) else 0.1},1" for n in range(100_000)]
    path = written(tmp_path, "\n".join(["station,extra,sm,qa", *rows]))
    with pytest.raises(DataError, match="row 70002, column sm"):
        read_csv(path, TYPES)


def test_lines_within_texts_do_not_part_rows_of_a_large_file(tmp_path: Path) -> None:
    values = [f"station {n}\n,second line" for n in range(100_000)]
    write_csv(pa.table({"station": values}), tmp_path / "rows.csv")
    assert read_csv(tmp_path / "rows.csv", TYPES)["station"].to_pylist() == values


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file rows\.csv"):
        read_csv(tmp_path / "rows.csv", TYPES)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_every_float32_comes_back(tmp_path_factory: pytest.TempPathFactory, v: list[float]) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    write_csv(pa.table({"sm": pa.array(v, pa.float32())}), path)
    found = read_csv(path, {"sm": pa.float32()})["sm"].to_numpy()
    np.testing.assert_array_equal(found, np.array(v, np.float32))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.none()))
def test_every_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, values: list[str | None]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    table = pa.table({"station": pa.array(values, pa.string()), "qa": pa.array([1] * len(values))})
    write_csv(table, path)
    assert read_csv(path, TYPES)["station"].to_pylist() == values
