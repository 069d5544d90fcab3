"""A little content for a lake, and what is to be seen of it."""

from datetime import date
from pathlib import Path

import pyarrow as pa

from sm_platform.lake import store
from sm_platform.lake.atomic import replacing_folder
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import WEATHER
from sm_platform_tests.lake.dying import NAMES, SIZE

DAY = date(2025, 3, 7)


def visible(root: Path) -> set[str]:
    """Every file below the lake but those aside."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and ".aside" not in path.parts
    }


def content(root: Path) -> str:
    """The one letter that the files in `made` hold throughout; fails when one is not whole."""
    texts = {path.read_text() for path in (root / "made").iterdir()}
    (text,) = texts
    assert text == text[0] * SIZE
    return text[0]


def weather(n: int) -> pa.Table:
    columns = {
        "cell_id": pa.array(range(n), pa.int32()),
        "temperature_k": pa.array([300.0] * n),
        "precipitation_m": pa.array([0.01] * n),
        "temperature_range_code": pa.array([0] * n),
        "precipitation_range_code": pa.array([0] * n),
        "is_preliminary": pa.array([False] * n),
    }
    return pa.table(columns)


def put(layout: Layout, n: int) -> Path:
    return store.write(layout, WEATHER, weather(n), region="red-river", day=DAY)


def rows_of(layout: Layout) -> int:
    found = store.read(layout, WEATHER, "red-river", DAY)
    assert found is not None
    return int(found.rows.num_rows)


def folder_of(root: Path, text: str) -> None:
    with replacing_folder(root / "made", root / ".aside") as draft:
        for name in NAMES:
            (draft / name).write_text(text * SIZE)
