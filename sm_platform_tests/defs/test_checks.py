"""Checks of the ground truth: each passes on good tables and says what it found in bad ones."""

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sm_platform.defs.checking.rules import WARN, Verdict
from sm_platform.defs.launch_tags import Scope
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SAMPLE_SPLITS, SITE_CATALOG, TRAINING_SAMPLES
from sm_platform_tests.defs.checked import failed, judged, of_days, value
from sm_platform_tests.defs.label_lake import (
    DAY,
    FARM,
    at,
    write_observations,
    write_readings,
    write_sites,
)

Row = dict[str, object]
OBSERVATIONS, READINGS = "sm_observations", "station_readings"
DRIVERS = "few_without_drivers"


def label(number: int = 0, sm: float = 0.2, **more: object) -> Row:
    return {"source": "ismn", "site_id": f"s{number}", "sm_m3m3": sm, **more}


def write_splits(layout: Layout, rows: Sequence[tuple[str, str, str, int]]) -> None:
    """Scheme, site, role and block of samples on passes of their own."""
    found = [
        {
            "scheme": scheme,
            "site_id": site,
            "scene_id": f"pass-{site}",
            "source": "ismn",
            "sample_day": DAY,
            "block_id": block,
            "support_m": 0.0,
            "role": role,
            "weight": 1.0,
            "is_comparison_only": scheme == "random",
        }
        for scheme, site, role, block in rows
    ]
    table = pa.Table.from_pylist(found, schema=SAMPLE_SPLITS.arrow_schema)
    store.write(layout, SAMPLE_SPLITS, table, region=FARM, day=DAY, note={"inputs": "x"})


def write_sampled(layout: Layout, rows: int, day: date = DAY, **dropped: int) -> None:
    """A day of samples of which only the note counts."""
    empty = TRAINING_SAMPLES.arrow_schema.empty_table()
    note = {"inputs": "x", "rows": rows, "dropped": dropped}
    store.write(layout, TRAINING_SAMPLES, empty, region=FARM, day=day, note=note)


def test_good_tables_pass_every_check(layout: Layout) -> None:
    write_sites(layout)
    write_observations(layout, DAY, [label(n) for n in range(4)] + [label(9, 0.9, reason="x")])
    write_readings(layout, [{"sensed_utc": at(n)} for n in range(9)])
    write_sampled(layout, 80, dropped_missing_input=20)
    write_splits(layout, [("block", "a", "train", 1), ("block", "b", "test", 90_000)])
    tables = (OBSERVATIONS, READINGS, "site_catalog", "training_samples", "sample_splits")
    results: dict[str, Verdict] = {}
    for asset in tables:
        found = judged(layout, asset)
        assert failed(found) == set(), asset
        assert all(
            one.severity is WARN
            for name, one in found.items()
            if name not in ("no_failed_day", "fits_contract")
        )
        results |= found
    assert value(results, "few_rejected", "rejected_share") == {"ismn": pytest.approx(0.2)}
    assert value(results, "few_stuck", "sensors") == 1
    assert value(results, "few_without_drivers", "share_missing") == pytest.approx(0.2)


@pytest.mark.parametrize("sm", [0.0, -0.1, 0.71, None])
def test_a_good_label_out_of_range_is_found(sm: float | None, layout: Layout) -> None:
    write_observations(layout, DAY, [label(0, 0.3), label(1) | {"sm_m3m3": sm}])
    assert failed(judged(layout, OBSERVATIONS)) == {"labels_in_range"}


def test_a_label_that_stands_twice_is_found(layout: Layout) -> None:
    for day in (DAY, DAY + timedelta(1)):
        write_observations(layout, day, [label(0), label(1, granule_id=str(day))])
    results = judged(layout, OBSERVATIONS)
    assert failed(results) == {"no_label_twice"}
    assert value(results, "no_label_twice", "rows_too_many") == 1


def test_a_source_that_is_mostly_rejected_is_named_with_its_reasons(layout: Layout) -> None:
    bad = [label(n, source="user_csv", reason="unit_percent") for n in range(2)]
    write_observations(layout, DAY, [label(), label(8, source="user_csv"), *bad])
    results = judged(layout, OBSERVATIONS)
    assert failed(results) == {"few_rejected"}
    shares = {"ismn": 0.0, "user_csv": pytest.approx(2 / 3)}
    assert value(results, "few_rejected", "rejected_share") == shares
    why = {"ismn": {"good": 1}, "user_csv": {"good": 1, "unit_percent": 2}}
    assert value(results, "few_rejected", "why") == why


def test_rejected_readings_around_a_good_one_of_the_same_pass_reject_no_pass(
    layout: Layout,
) -> None:
    """An hourly station: of a pass without any good reading the nearest one's reason counts."""
    around = [
        label(0, reading_no=number, time_difference_h=float(number), reason="missing")
        for number in range(1, 6)
    ]
    lost = [
        label(1, reading_no=7, time_difference_h=-3.0, reason="missing"),
        label(1, reading_no=8, time_difference_h=2.0, reason="stuck_sensor"),
    ]
    write_observations(layout, DAY, [label(0), *around, *lost])
    results = judged(layout, OBSERVATIONS)
    assert failed(results) == set()
    assert value(results, "few_rejected", "worst_share") == 0.5
    why = {"ismn": {"good": 1, "stuck_sensor": 1}}
    assert value(results, "few_rejected", "why") == why


def test_a_sensor_that_stands_still_is_named_with_its_share(layout: Layout) -> None:
    """Two of ten readings of one depth are stuck; the other depth is as it should be."""
    deep = [{"depth_to_m": 0.2, "reason": "stuck_sensor" if n < 2 else None} for n in range(10)]
    write_readings(layout, [{"depth_to_m": 0.05, "sensor": "probe"} for _ in range(10)] + deep)
    results = judged(layout, READINGS)
    assert failed(results) == {"few_stuck"}
    (told,) = value(results, "few_stuck", "stuck_share").items()  # type: ignore[attr-defined]
    assert told[1] == pytest.approx(0.2)
    assert "0.2" in told[0]
    assert value(results, "few_stuck", "sensors") == 2


def test_a_clock_that_is_not_utc_is_told_again(layout: Layout) -> None:
    write_readings(layout, [{}], clocks=["plot: its times run 7 h ahead of UTC"])
    results = judged(layout, READINGS)
    assert failed(results) == {"clocks_right"}
    assert failed(judged(layout, READINGS, Scope("hills"))) == set(), "another region's run"
    assert value(results, "clocks_right", "wrong_clocks") == [
        "plot: its times run 7 h ahead of UTC"
    ]


def test_a_site_that_stands_twice_is_found(layout: Layout) -> None:
    """The store refuses such rows today: a file of another hand may hold them."""
    write_sites(layout)
    catalog = store.read(layout, SITE_CATALOG, FARM)
    assert catalog is not None
    twice = pa.concat_tables([catalog.rows, catalog.rows.slice(0, 1)])
    pq.write_table(twice, layout.part(SITE_CATALOG.name, FARM, None))
    results = judged(layout, "site_catalog")
    assert failed(results) == {"no_site_twice", "fits_contract"}
    assert value(results, "no_site_twice", "rows_too_many") == 1


def test_labels_without_drivers_are_a_share_of_all_labels(layout: Layout) -> None:
    write_sampled(layout, 70, dropped_missing_input=25, dropped_far=5)
    results = judged(layout, "training_samples")
    assert failed(results) == {"few_without_drivers"}
    assert value(results, "few_without_drivers", "share_missing") == pytest.approx(0.25)


def test_a_site_in_two_roles_is_a_leak_but_not_in_the_random_split(layout: Layout) -> None:
    write_splits(layout, [("random", "a", "train", 1), ("random", "a2", "test", 1)])
    assert failed(judged(layout, "sample_splits")) == set()
    write_splits(layout, [("block", "a", "train", 1), ("block", "a2", "test", 1)])
    results = judged(layout, "sample_splits")
    assert failed(results) == {"no_leak"}
    assert value(results, "no_leak", "in_two_roles")


def test_a_run_is_judged_by_its_own_partitions(layout: Layout) -> None:
    later = DAY + timedelta(1)
    write_observations(layout, DAY, [label()])
    write_observations(layout, later, [label(1) | {"sm_m3m3": 0.9}])
    write_sampled(layout, 0, later, dropped_missing_input=9)
    earlier, both = of_days(FARM, DAY), of_days(FARM, DAY, later)
    for asset, name in ((OBSERVATIONS, "labels_in_range"), ("training_samples", DRIVERS)):
        assert failed(judged(layout, asset)) == {name}
        assert failed(judged(layout, asset, earlier)) == set()
        assert failed(judged(layout, asset, of_days(FARM, later))) == {name}
        assert failed(judged(layout, asset, both)) == {name}
        assert failed(judged(layout, asset, of_days("hills", later))) == set()
