"""Tables with lists of many floats: the same bytes however they were put together."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SITE_FEATURES
from sm_platform.schema.recipes import N_INPUTS

DAY = date(2025, 3, 7)


def site_features(n: int) -> pa.Table:
    inputs = np.random.default_rng(1).random(n * N_INPUTS, np.float32)
    columns = {
        "site_id": [f"100m-{row}-7" for row in range(n)],
        "scene_id": ["s"] * n,
        "footprint_share": np.ones(n, np.float32),
        "qa": np.zeros(n, np.uint16),
        "inundated_share": np.zeros(n, np.float32),
        "inputs": pa.FixedSizeListArray.from_arrays(inputs, N_INPUTS),
    }
    return pa.table(columns)


def test_lists_of_several_pages_are_the_same_bytes_in_one_piece_in_many_and_cut_out(
    layout: Layout,
) -> None:
    rows = site_features(4000)
    pieces = pa.concat_tables([rows.slice(0, 100), rows.slice(100, 2500), rows.slice(2600)])
    cut_out = pa.concat_tables([rows.slice(0, 9), rows]).combine_chunks().slice(9)
    found = set()
    for each in (rows, pieces, cut_out):
        part = store.write(layout, SITE_FEATURES, each, region="red-river", day=DAY)
        found.add(part.read_bytes())
    assert len(found) == 1
    read = store.read(layout, SITE_FEATURES, "red-river", DAY)
    assert read is not None
    assert read.rows["inputs"].to_pylist() == rows["inputs"].to_pylist()


def test_texts_and_codes_have_dictionaries_and_floats_and_lists_none(layout: Layout) -> None:
    part = store.write(layout, SITE_FEATURES, site_features(50), region="red-river", day=DAY)
    group = pq.ParquetFile(part).metadata.row_group(0)
    columns = (group.column(number) for number in range(group.num_columns))
    has = {column.path_in_schema.split(".")[0]: column.has_dictionary_page for column in columns}
    assert has == {
        "site_id": True,
        "scene_id": True,
        "footprint_share": False,
        "qa": True,
        "inundated_share": False,
        "inputs": False,
    }
