import time
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import UsageError
from sm_platform.observations.collocation import NearReadings, keep_near
from sm_platform_tests.observations.rows import START

# Site, sensor, hour of a fortnight, reason: few enough for ties to happen.
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["st-a", "st-b"]),
        st.sampled_from([None, "probe"]),
        st.integers(0, 14 * 24),
        st.sampled_from([None, None, "missing"]),
    ),
    max_size=40,
)
PASSES = st.lists(st.integers(0, 14 * 24), max_size=6, unique=True)
Row = tuple[str, str | None, int, str | None]


def readings(rows: list[Row], source: str = "ismn") -> pa.Table:
    site, sensor, hour, reason = ([row[n] for row in rows] for n in range(4))
    return pa.table(
        {
            "site_id": pa.array(site, pa.string()),
            "source": pa.array([source] * len(rows), pa.string()),
            "sensor": pa.array(sensor, pa.string()),
            "granule_id": pa.array(["g"] * len(rows), pa.string()),
            "reading_no": pa.array(range(len(rows)), pa.int32()),
            "sensed_utc": pa.array(at(hour)).cast(pa.timestamp("us", tz="UTC")),
            "reason": pa.array(reason, pa.string()),
        }
    )


def at(hour: list[int] | list[float]) -> np.ndarray:
    return START + (np.array(hour, float) * 60).astype("timedelta64[m]")


def kept_numbers(found: NearReadings) -> list[int]:
    return list(found.rows["reading_no"].to_pylist())


def test_by_hand() -> None:
    rows: list[Row] = [
        ("st-a", None, 10, None),  # 2 hours before the pass
        ("st-a", None, 13, None),  # 1 hour after: the nearest
        ("st-a", None, 12, "missing"),  # rejected: kept, and no rival
        ("st-a", "probe", 10, None),  # another series
        ("st-b", None, 11, None),  # as near as the next, earlier
        ("st-b", None, 13, None),
        ("st-a", None, 25, None),  # farther than 12 hours
        ("st-a", None, 24, None),  # within, and not the nearest
    ]
    found = keep_near(readings(rows), at([12]))
    assert kept_numbers(found) == [1, 2, 3, 4]
    assert (found.n_without_pass, found.n_not_nearest) == (1, 3)
    assert found.rows["time_difference_h"].to_pylist() == [1, 0, -2, -1]
    assert found.rows["pass_index"].to_pylist() == [0, 0, 0, 0]


def test_two_sources_and_two_layers_do_not_compete() -> None:
    rows: list[Row] = [("st-a", None, 11, None)]
    both = pa.concat_tables([readings(rows), readings(rows, "user_csv")])
    assert keep_near(both, at([12])).rows.num_rows == 2
    layers = pa.concat_tables([both.slice(0, 1)] * 2).append_column("depth_to_m", [[0.05, 0.1]])
    assert keep_near(layers, at([12])).rows.num_rows == 2


def test_reading_between_two_passes_serves_only_the_nearer() -> None:
    found = keep_near(readings([("st-a", None, 15, None)]), at([20, 12]))
    assert found.rows["pass_index"].to_pylist() == [1]
    assert found.rows["time_difference_h"].to_pylist() == [3]


@given(ROWS, PASSES, st.integers(0, 24))
def test_each_pass_gets_the_nearest_good_reading_of_a_series(
    rows: list[Row], passes: list[int], limit: int
) -> None:
    table = readings(rows)
    found = keep_near(table, at(passes), max_hours=limit)
    assert found.rows.num_rows + found.n_without_pass + found.n_not_nearest == len(rows)
    chosen: dict[tuple[str, str | None, int], int] = defaultdict(int)
    pairs = zip(kept_numbers(found), found.rows["pass_index"].to_pylist(), strict=True)
    for number, index in pairs:
        site, sensor, hour, reason = rows[number]
        apart = abs(hour - passes[index])
        assert apart == min(abs(hour - other) for other in passes) <= limit
        if reason is not None:
            continue
        chosen[site, sensor, index] += 1
        rivals = [
            abs(other - passes[index])
            for place, probe, other, why in rows
            if (place, probe, why) == (site, sensor, None)
            # Only those whose own nearest pass this is; of two as near it is the earlier pass.
            and min(passes, key=lambda p, o=other: (abs(o - p), p)) == passes[index]
        ]
        assert apart == min(rivals)
    assert set(chosen.values()) <= {1}


@given(ROWS, PASSES, st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(
    rows: list[Row], passes: list[int], random: object
) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    table = readings(rows)
    forth, back = (
        keep_near(part, at(passes)) for part in (table, table.take(pa.array(order, pa.int64())))
    )
    assert sorted(kept_numbers(forth)) == sorted(kept_numbers(back))
    assert (forth.n_without_pass, forth.n_not_nearest) == (back.n_without_pass, back.n_not_nearest)


def test_no_pass_and_no_reading() -> None:
    found = keep_near(readings([("st-a", None, 1, None), ("st-a", None, 2, "missing")]), at([]))
    assert (found.rows.num_rows, found.n_without_pass, found.n_not_nearest) == (0, 2, 0)
    assert keep_near(readings([]), at([1])).rows.num_rows == 0


def test_a_year_of_hourly_stations_is_quick() -> None:
    rng = np.random.default_rng(1)
    stations, n = 10, 365 * 24
    rows = readings([(f"st-{k}", None, h, None) for k in range(stations) for h in range(n)])
    passes = at(sorted(rng.choice(n, 120, replace=False).tolist()))
    started = time.perf_counter()
    found = keep_near(rows.take(rng.permutation(len(rows))), passes)
    assert time.perf_counter() - started < 5
    assert found.rows.num_rows == stations * len(passes)
    assert set(found.rows["time_difference_h"].to_pylist()) == {0.0}


def test_wrong_use_is_refused() -> None:
    rows = readings([("st-a", None, 1, None)])
    with pytest.raises(UsageError, match="lack the column site_id"):
        keep_near(rows.drop_columns("site_id"), at([1]))
    with pytest.raises(UsageError, match="negative"):
        keep_near(rows, at([1]), max_hours=-1)
