from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError
from sm_platform.observations.rejection import count_reasons
from sm_platform.observations.series import judge_series
from sm_platform_tests.observations.rows import START, hours, series

# The region of the judged series: the station of `series` lies in its middle.
BOUNDS = (106.0, 20.0, 107.0, 21.0)
DAY = np.timedelta64(1, "D")


def judged(*parts: pa.Table) -> list[str | None]:
    return list(judge_series(pa.concat_tables(parts), BOUNDS)["reason"].to_pylist())


def drying(count: int, first: float = 0.4) -> list[float]:
    """No two values are the same."""
    return [first - 0.0004 * n for n in range(count)]


def test_values_by_hand() -> None:
    sm = [0.25, None, -9999, 65535, -999.99, 0.0, 0.7, 0.701, -0.1, 1e20, float("nan")]
    expected = [None, "missing", *["fill_value"] * 3, "out_of_range", None]
    expected += ["out_of_range", "out_of_range", "fill_value", "missing"]
    assert judged(series(sm)) == expected


def test_rows_and_columns_stay_as_they_were() -> None:
    rows = series([0.2, None, 30, 0.3]).append_column("granule_id", pa.array(list("dcba")))
    found = judge_series(rows)
    assert found.drop_columns("reason").equals(rows)
    assert found.schema.field("reason").type == pa.string()
    assert judge_series(found).equals(found), "judging again changes nothing"
    assert judge_series(rows.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        (0.0, 0.05, None),
        (0.05, 0.05, None),
        (None, None, None),
        (None, 0.05, None),
        (-0.05, -0.05, "impossible_depth"),
        (0.0, -0.1, "impossible_depth"),
        (0.2, 0.1, "impossible_depth"),
    ],
)
def test_a_layer_above_the_ground_or_upside_down_is_none(
    upper: float | None, lower: float | None, expected: str | None
) -> None:
    assert judged(series([0.2], depth_from_m=upper, depth_to_m=lower)) == [expected]
    outside = series([0.2], depth_from_m=upper, depth_to_m=lower, lon_deg=1.0)
    assert judged(outside) == ["out_of_bounds"]


def test_provider_reasons_are_flags_unless_they_name_one_of_ours() -> None:
    said = [None, "C03,D10", "unit_percent", "swapped_lonlat", "D05", "C03", "stuck_sensor"]
    said += ["unit_fraction"]
    found = judged(series([0.2, 0.3, 0.35, 0.25, None, 0.9, 0.22, 0.002], provider_reason=said))
    expected = [None, "provider_flag", "unit_percent", "swapped_lonlat", "missing", "out_of_range"]
    assert found == [*expected, "stuck_sensor", "unit_fraction"]


@pytest.mark.parametrize("lon", [-106.5, 106.5])
@pytest.mark.parametrize("lat", [-20.5, 20.5])
def test_exchanged_coordinates_are_told_from_a_place_outside(lon: float, lat: float) -> None:
    place = {"lon_deg": lat, "lat_deg": lon}
    expected = "swapped_lonlat" if lon > 0 and lat > 0 else "out_of_bounds"
    assert judged(series([0.2, None], **place)) == [expected, expected]
    without_region = judge_series(series([0.2, None], **place))["reason"].to_pylist()
    assert without_region == [None, "missing"]


def test_region_across_the_antimeridian_holds_both_sides() -> None:
    rows = series([0.2] * 4, lon_deg=[179.5, -179.5, 178.5, 0.0], lat_deg=-17.0)
    rows = rows.set_column(0, "station_id", pa.array(list("abcd")))
    found = judge_series(rows, (179.0, -18.0, -179.0, -16.0))["reason"].to_pylist()
    assert found == [None, None, "out_of_bounds", "out_of_bounds"]


def test_percent_is_found_in_each_series_and_not_converted() -> None:
    percent = series([30.0, 0.6, None, -9999, 120.0, 41.0], sensor="A")
    right = series([0.30, 0.6, 30.0, 0.2, 0.25], sensor="B")
    assert judged(percent) == [
        *("unit_percent", "unit_percent", "missing"),
        *("fill_value", "out_of_range", "unit_percent"),
    ]
    assert judged(percent, right)[6:] == [None, None, "out_of_range", None, None]
    table = judge_series(percent, BOUNDS)
    assert table["sm_m3m3"].to_pylist()[0] == 30.0
    assert set(judged(series([250.0, 260.0, 40.0]))) == {"out_of_range"}, "another unit"


def test_percent_is_told_by_readings_that_the_provider_calls_good() -> None:
    said = ["C02", "C02", "C02", None, None]
    expected = ["out_of_range"] * 3 + [None, None]
    assert judged(series([30, 31, 32, 0.2, 0.3], provider_reason=said)) == expected


def test_equal_readings_of_one_time_count_once_and_different_ones_not_at_all() -> None:
    times = hours(3)[[0, 0, 1, 1, 2, 2, 2]]
    sm = [0.2, 0.2, 0.2, 0.21, 0.3, None, 0.9]
    expected = [None, "duplicate_time", "duplicate_time", "duplicate_time", None, "missing"]
    assert judged(series(sm, times)) == [*expected, "out_of_range"]
    depths = [0.05, 0.1, 0.05, 0.1, 0.05, 0.1, 0.2]
    assert judged(series(sm, times, depth_to_m=depths))[:5] == [None] * 5, "other layers"


@pytest.mark.parametrize(("count", "step", "is_stuck"), [
    (121, 1.0, False),  # 5 days exactly
    (122, 1.0, True),
    (19, 24.0, False),  # daily: too few
    (20, 24.0, True),
    (20, 6.0, False),  # 4.75 days
])  # fmt: skip
def test_stuck_sensor(count: int, step: float, is_stuck: bool) -> None:
    moving = drying(30)
    sm = [*moving, *[0.3331] * count, *drying(30, 0.2)]
    found = judged(series(sm, hours(len(sm), step)))
    assert found[:30] == found[30 + count :] == [None] * 30
    assert found[30 : 30 + count] == ["stuck_sensor" if is_stuck else None] * count


def test_stuck_sensor_is_seen_through_gaps_flags_and_noise_but_not_across_series() -> None:
    sm = np.full(200, 0.3331) + np.tile([0, 4e-7], 100)
    gaps = [None if n % 10 == 3 else float(v) for n, v in enumerate(sm)]
    said = ["D10" if n % 10 == 7 else None for n in range(200)]
    found = Counter(judged(series(gaps, provider_reason=said)))
    assert found == {"stuck_sensor": 160, "missing": 20, "provider_flag": 20}
    two = [["A", "B"][n // 100] for n in range(200)]
    assert set(judged(series(sm, sensor=two))) == {None}
    assert set(judged(series(0.3331 + np.tile([0, 4e-6], 100)))) == {None}


def test_readings_told_twice_are_not_more_of_a_stuck_sensor() -> None:
    times = np.repeat(hours(11, 13.0), 2)
    assert judged(series([0.3] * 22, times)) == [None, "duplicate_time"] * 11


def test_station_stays_where_most_of_its_good_readings_are() -> None:
    days = START + np.arange(10) * DAY
    lon = [106.5] * 3 + [106.502] * 7
    moved = ["station_moved"] * 3 + [None] * 7
    assert judged(series(drying(10), days, lon_deg=lon)) == moved
    flags = [None] * 3 + ["D05"] * 5 + [None] * 2
    expected = [None] * 3 + ["provider_flag"] * 5 + ["station_moved"] * 2
    assert judged(series(drying(10), days, lon_deg=lon, provider_reason=flags)) == expected
    half = judged(series(drying(6), days[:6], lon_deg=lon[:6]))
    assert half == [None] * 3 + ["station_moved"] * 3, "of two as many the one read first"


@pytest.mark.parametrize(("metres", "reason"), [(97, None), (103, "station_moved")])
def test_a_hundred_metres_are_a_move(metres: float, reason: str | None) -> None:
    degree = 111_195
    north = [20.5] * 4 + [20.5 + metres / degree]
    assert judged(series(drying(5), lat_deg=north))[4] == reason
    east = [106.5] * 4 + [106.5 - metres / degree / np.cos(np.radians(20.5))]
    assert judged(series(drying(5), lon_deg=east))[4] == reason


def test_station_on_the_antimeridian_does_not_move_around_the_globe() -> None:
    lon = [179.9999, -179.9999, 179.9999]
    assert judge_series(series(drying(3), lon_deg=lon))["reason"].to_pylist() == [None] * 3


def test_another_station_elsewhere_is_no_move() -> None:
    other = series(drying(3), station_id="net/two", lon_deg=106.9)
    assert judged(series(drying(3)), other) == [None] * 6


def test_damaged_tables_are_refused() -> None:
    rows = series([0.2])
    with pytest.raises(DataError, match="lack the column sensor"):
        judge_series(rows.drop_columns("sensor"))
    timeless = pa.array([None], pa.timestamp("us", tz="UTC"))
    with pytest.raises(DataError, match="no sensed_utc"):
        judge_series(rows.set_column(6, "sensed_utc", timeless))


READING = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from([106.5, 106.51, 20.5, 150.0]),
    st.sampled_from([None, "probe"]),
    st.integers(0, 40),
    st.sampled_from([None, -9999.0, 0.0, 0.2, 0.3, 0.3, 0.9, 25.0, 40.0]),
    st.sampled_from([None, None, None, "D05", "unit_percent"]),
)


@given(st.lists(READING, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter_and_counts_add_up(
    rows: list[tuple[str, float, str | None, int, float | None, str | None]], random: object
) -> None:
    station, lon, sensor, hour, sm, said = (list(part) for part in zip(*rows, strict=True))
    times = START + np.array(hour, "timedelta64[h]") * 12
    columns = {"station_id": station, "lon_deg": lon, "sensor": sensor, "provider_reason": said}
    table = series(sm, times, **columns, lat_deg=[106.5 if x == 20.5 else 20.5 for x in lon])
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    forth, back = (judge_series(part, BOUNDS) for part in (table, table.take(order)))
    assert _multiset(forth) == _multiset(back)
    assert sum(count_reasons(forth).values()) == len(rows)


def _multiset(rows: pa.Table) -> Counter[str]:
    return Counter(repr(sorted(row.items())) for row in rows.to_pylist())
