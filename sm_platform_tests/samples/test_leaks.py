from itertools import permutations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.samples.leaks import leaks
from sm_platform_tests.samples.catalogs import FIRST, block

Row = tuple[str, str, int, int, str]
"""Site, pass, day, block, role."""


def table(scheme: str, *rows: Row, support_m: float | None = None) -> pa.Table:
    found = {
        "scheme": [scheme] * len(rows),
        "site_id": [row[0] for row in rows],
        "scene_id": [row[1] for row in rows],
        "sample_day": pa.array([(FIRST + row[2]).item() for row in rows], pa.date32()),
        "block_id": [row[3] for row in rows],
        "role": [row[4] for row in rows],
    }
    extra = {} if support_m is None else {"support_m": [support_m] * len(rows)}
    return pa.table(found | extra)


def test_a_site_a_block_and_a_near_block_are_counted() -> None:
    rows = table(
        "block",
        ("a", "p", 0, block(0, 0), "train"),
        ("a", "q", 9, block(0, 0), "test"),
        ("b", "p", 0, block(0, 5), "train"),
        ("c", "p", 0, block(0, 6), "test"),
        ("d", "p", 0, block(0, 8), "train"),
        ("e", "p", 0, block(0, 7), "buffer"),
    )
    assert leaks(rows) == {"block_sites": 1, "block_blocks": 1, "block_near": 1}
    assert leaks(rows, buffer_blocks=1)["block_near"] == 3
    assert leaks(rows, buffer_blocks=2)["block_near"] == 4


def test_training_and_validation_may_touch() -> None:
    roles = (("a", "p", 0, block(0, 0), "train"), ("b", "p", 0, block(0, 1), "validation"))
    assert leaks(table("block", *roles), buffer_blocks=3)["block_near"] == 0
    assert leaks(table("block", *roles, support_m=9000.0))["block_near"] == 2


def test_areas_of_nine_km_meet_at_two_blocks() -> None:
    roles = (("a", "p", 0, block(0, 0), "train"), ("b", "p", 0, block(0, 2), "test"))
    assert leaks(table("block", *roles, support_m=9000.0))["block_near"] == 2
    assert leaks(table("block", *roles, support_m=1000.0))["block_near"] == 0
    assert leaks(table("block", *roles))["block_near"] == 0


def test_a_table_that_uses_no_row_leaks_nothing() -> None:
    assert set(leaks(table("block", ("a", "p", 0, block(0, 0), "buffer"))).values()) == {0}


ROLES = st.sampled_from(["train", "validation", "calibration", "test", "buffer"])
PLACES = st.tuples(st.integers(0, 9), st.integers(0, 9), ROLES)


@given(st.lists(PLACES, max_size=25), st.integers(0, 3), st.sampled_from([0, 1, 6]))
def test_near_blocks_are_those_of_a_plain_loop(
    places: list[tuple[int, int, str]], buffer_blocks: int, reach: int
) -> None:
    rows = [(str(n), "p", 0, block(row, col), role) for n, (row, col, role) in enumerate(places)]
    found = leaks(
        table("block", *rows, support_m={0: 0.0, 1: 9000.0, 6: 36000.0}[reach]),
        buffer_blocks=buffer_blocks,
    )
    near = set()
    for (row, col, role), (other_row, other_col, other) in permutations(places, 2):
        is_free = {role, other} == {"train", "validation"}
        apart = max(abs(row - other_row), abs(col - other_col))
        limit = 2 * reach + (0 if is_free else buffer_blocks)
        if "buffer" not in (role, other) and role != other and apart <= limit:
            near.add((row, col))
    assert found.get("block_near", 0) == len(near)


def test_a_pass_in_two_roles_and_near_days_are_counted() -> None:
    rows = table(
        "time",
        ("a", "p", 0, block(0, 0), "train"),
        ("b", "p", 0, block(0, 1), "test"),
        ("a", "q", 11, block(0, 0), "test"),
        ("a", "r", 23, block(0, 0), "validation"),
    )
    assert leaks(rows)["time_passes"] == 1
    assert leaks(rows, gap_days=0)["time_days"] == 1
    clean = rows.slice(2)
    assert leaks(clean) == {"time_passes": 0, "time_days": 0}
    assert leaks(clean, gap_days=13)["time_days"] == 1


def test_each_scheme_is_held_to_its_own_promise() -> None:
    row: Row = ("a", "p", 0, block(0, 0), "train")
    other: Row = ("a", "q", 99, block(0, 0), "test")
    rows = pa.concat_tables([table(name, row, other) for name in ("block_time", "time", "random")])
    assert leaks(rows) == {
        "block_time_sites": 1,
        "block_time_blocks": 1,
        "block_time_near": 1,
        "block_time_passes": 0,
        "block_time_days": 0,
        "time_passes": 0,
        "time_days": 0,
    }
    assert leaks(table("region", row, other)) == {"region_others": 1}


def test_what_is_no_table_of_roles_is_refused() -> None:
    with pytest.raises(DataError, match="no column block_id, role"):
        leaks(table("block").drop_columns(["role", "block_id"]))
    with pytest.raises(DataError, match="no scheme 'blocks'"):
        leaks(table("blocks", ("a", "p", 0, 1, "train")))
