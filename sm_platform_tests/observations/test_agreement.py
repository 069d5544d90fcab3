from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import UsageError
from sm_platform.observations.agreement import common_origin, paired
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform_tests.observations.rows import START

HOURS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=12, unique=True)
DAY = "2025-06-01T"


def readings(rows: list[tuple[str, float, float | None]], **columns: list[str | None]) -> pa.Table:
    site, hour, sm = ([row[n] for row in rows] for n in range(3))
    moments = START + (np.array(hour, float) * 60).astype("timedelta64[m]")
    return pa.table(
        {
            "site_id": pa.array(site, pa.string()),
            "sensed_utc": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
            "sm_m3m3": pa.array(sm, pa.float32()),
            **columns,
        }
    )


def test_nearest_at_the_same_site_by_hand() -> None:
    a = readings([("x", 6, 0.2), ("x", 30, 0.3), ("y", 6, 0.4), ("z", 6, 0.1)])
    b = readings([("y", 8, 0.41), ("x", 5, 0.22), ("x", 4, 0.9), ("x", 32.5, 0.33), ("w", 6, 0.1)])
    found = paired(a, b, max_hours=2)
    assert found.site_id == ["x", "y"]
    np.testing.assert_allclose(found.a_m3m3, [0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(found.b_m3m3, [0.22, 0.41], rtol=1e-6)
    assert found.difference_h.tolist() == [-1, 2]
    assert len(paired(a, b, max_hours=2.5).a_m3m3) == 3


def test_rejected_and_missing_readings_do_not_meet() -> None:
    a = readings([("x", 6, 0.2), ("x", 9, None)], reason=["stuck_sensor", None])
    b = readings([("x", 6, 0.2), ("x", 9, 0.2)])
    assert len(paired(a, b, max_hours=12).a_m3m3) == 0
    assert len(paired(a, b).a_m3m3) == 0


def test_days_are_paired_by_their_means() -> None:
    a = readings([("x", 1, 0.1), ("x", 23, 0.3), ("x", 25, 0.25)])
    b = readings([("x", 12, 0.4), ("x", 50, 0.5)])
    found = paired(a, b)
    np.testing.assert_allclose([found.a_m3m3, found.b_m3m3], [[0.2], [0.4]], rtol=1e-6)
    assert found.difference_h.tolist() == [0]


def test_staggered_series_meet_once_each() -> None:
    steps = readings([("x", 3 * n, 0.1) for n in range(9)])
    between = readings([("x", 3 * n + 1.5, 0.2) for n in range(8)])
    found = paired(steps, between, max_hours=3)
    assert len(found.a_m3m3) == 8
    assert set(np.abs(found.difference_h)) == {1.5}


@given(HOURS, HOURS, st.integers(0, 8))
def test_none_is_used_twice_and_sides_can_be_exchanged(
    a: list[tuple[str, int]], b: list[tuple[str, int]], limit: int
) -> None:
    # Values number the readings; a third of an hour apart, so that no two are as near.
    first = readings([(site, hour, n / 100) for n, (site, hour) in enumerate(a)])
    second = readings([(site, hour + 1 / 3, n / 100) for n, (site, hour) in enumerate(b)])
    forth, back = (paired(*sides, max_hours=limit) for sides in ((first, second), (second, first)))
    pairs = {*zip(forth.a_m3m3.tolist(), forth.b_m3m3.tolist(), strict=True)}
    assert pairs == {*zip(back.b_m3m3.tolist(), back.a_m3m3.tolist(), strict=True)}
    assert len({one for one, _ in pairs}) == len({one for _, one in pairs}) == len(pairs)
    assert all(abs(hours) <= limit for hours in forth.difference_h)
    np.testing.assert_allclose(np.sort(-back.difference_h), np.sort(forth.difference_h))
    nearest = [
        min((abs(hour - other - 1 / 3) for place, other in b if place == site), default=99.0)
        for site, hour in a
    ]
    met = [round(one * 100) for one in forth.a_m3m3.tolist()]
    hours = np.abs(forth.difference_h).tolist()
    assert hours == pytest.approx([nearest[n] for n in met], abs=0.02)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 100)), min_size=1, max_size=30))
def test_days_equal_a_plain_group_by(rows: list[tuple[str, int]]) -> None:
    first = [(site, hour, hour / 200) for site, hour in rows]
    second = [(site, hour + 7, hour / 150) for site, hour in rows]
    daily = [
        pd.DataFrame(side, columns=["site", "hour", "sm"])
        .assign(day=lambda t: t["hour"] // 24)
        .groupby(["site", "day"])["sm"]
        .mean()
        for side in (first, second)
    ]
    both = pd.concat(daily, axis=1, join="inner").sort_index()
    found = paired(readings(first), readings(second))
    np.testing.assert_allclose(found.a_m3m3, both.iloc[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.b_m3m3, both.iloc[:, 1], rtol=1e-6)


def test_wrong_use_is_refused() -> None:
    rows = readings([("x", 1, 0.1)])
    with pytest.raises(UsageError, match="lack the column sm_m3m3"):
        paired(rows, rows.drop_columns("sm_m3m3"))
    with pytest.raises(UsageError, match="negative"):
        paired(rows, rows, max_hours=-1)


def test_products_of_one_radiometer_share_it_and_stations_share_nothing() -> None:
    assert common_origin("planet_swc", "nsidc_0779") == {"smap_radiometer"}
    assert common_origin("spl4smgp", "spl4smau") > common_origin("spl4smgp", "spl3smp_e")
    for one, other in combinations(LABEL_SOURCES, 2):
        assert common_origin(one, other) == common_origin(other, one)
        if "ismn" in (one, other):
            assert not common_origin(one, other)
    with pytest.raises(UsageError, match="no label source 'smap'"):
        common_origin("ismn", "smap")
