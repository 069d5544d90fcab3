"""Samples of a day: each reading counts once, for its nearest pass, with its site's inputs."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._sample_lake import label_rows, site_rows, write_labels, write_passes, write_sites
from sm_platform.defs.days import DayReport
from sm_platform.defs.sampling import SampleMaker, SampleRules, read_sites
from sm_platform.errors import MissingInputError
from sm_platform.features.drivers import ScenePass
from sm_platform.grid.ease2 import LEVEL_9KM, LEVEL_100M
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import TRAINING_SAMPLES
from sm_platform.schema.recipes import DENSESM_2024, SM_100M_V1
from sm_platform_tests.defs.sample_lake import (
    ASCENDING,
    COL,
    DAY,
    DESCENDING,
    NAME,
    ROW,
    window,
    with_column,
    write_inputs,
)
from sm_platform_tests.features import small

NAN = float("nan")
RULES = SampleRules(max_hours=12.0, max_depth_m=0.1, min_footprint_share=0.5)
SITES = [f"100m-{ROW}-{COL + n}" for n in range(4)]
UP, DOWN = ("S1A_UP", ASCENDING), ("S1A_DOWN", DESCENDING)
EVENING = datetime(2025, 3, 7, 18, 25, tzinfo=UTC)
H = timedelta(hours=1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Four sites of 100 m and one of 9 km, and the descending pass that saw them all."""
    return story(tmp_path)


def story(root: Path) -> Layout:
    layout = Layout(root)
    fine = site_rows(window(), LEVEL_100M, [(ROW, COL + n) for n in range(4)])
    write_sites(
        layout, NAME, pa.concat_tables([fine, site_rows(window(), LEVEL_9KM, [(500, 3445)])])
    )
    passes(layout, DAY, DOWN)
    write_inputs(layout, DAY, [(site, "S1A_DOWN", 1.0, 0.25) for site in SITES])
    return layout


def passes(layout: Layout, day: date, *found: tuple[str, datetime]) -> None:
    scene = small.scene()
    seen = [
        (name, ScenePass(start, "D" if start.hour > 12 else "A", scene.backscatter))
        for name, start in found
    ]
    write_passes(layout, NAME, day, seen)


def made(layout: Layout, day: date = DAY, rules: SampleRules = RULES) -> DayReport:
    return SampleMaker(layout, NAME, read_sites(layout, NAME), rules).write_day(day)


def samples(layout: Layout, day: date = DAY) -> list[tuple[str, str, str, float, float]]:
    """Site, pass, source, label and hours of each stored sample."""
    part = store.read(layout, TRAINING_SAMPLES, NAME, day)
    assert part is not None
    names = ("site_id", "scene_id", "source", "sm_m3m3", "time_difference_h")
    rows = zip(*(part.rows[name].to_pylist() for name in names), strict=True)
    return sorted((a, b, c, round(sm, 4), round(h, 4)) for a, b, c, sm, h in rows)


def test_a_sample_is_a_label_with_the_inputs_of_its_site_and_the_recipe(layout: Layout) -> None:
    write_inputs(layout, DAY, [(SITES[1], "S1A_DOWN", 0.75, 0.5), (SITES[0], "S1A_DOWN", 1, 0.25)])
    write_labels(layout, NAME, DAY, label_rows(SITES[:2], [0.2, 0.3], EVENING, DOWN))
    assert made(layout) == DayReport(
        "made",
        2,
        {"dropped_missing_input": 0, "dropped_no_features": 0, "dropped_small_footprint": 0},
    )
    part = store.read(layout, TRAINING_SAMPLES, NAME, DAY)
    assert part is not None
    first, second = part.rows.to_pylist()
    assert first["inputs"] == [0.25] * 153 and second["inputs"] == [0.5] * 153
    assert (first["footprint_share"], second["footprint_share"]) == (1, 0.75)
    assert first["sm_m3m3"] == np.float32(0.2)
    assert first["sensed_utc"] == EVENING
    assert first["time_difference_h"] == pytest.approx(-(4 + 26 / 60))
    assert (first["label_type"], first["support_m"], first["is_simulated"]) == ("product", 100, 1)
    catalog = read_sites(layout, NAME).to_pylist()
    assert first["block_id"] == catalog[0]["block_id"]
    told = part.note["recipe_id"], part.note["recipe_fingerprint"]
    assert told == ("sm-100m-v1", SM_100M_V1.fingerprint)


# Which pass a reading is for.


def test_of_two_passes_a_day_each_has_its_own_reading_and_none_is_used_twice(
    layout: Layout,
) -> None:
    passes(layout, DAY, UP, DOWN)
    write_inputs(layout, DAY, [(SITES[0], name, 1.0, 0.1) for name, _ in (UP, DOWN)])
    noon, evening = ASCENDING + H, DESCENDING - 4 * H
    write_labels(
        layout,
        NAME,
        DAY,
        label_rows(SITES[:1], [0.2], noon, UP, source="ismn"),
        label_rows(SITES[:1], [0.3], evening, DOWN, source="ismn"),
        label_rows(SITES[:1], [0.4], evening, DOWN),  # 7.8 h after the ascending pass, too
    )
    made(layout)
    assert samples(layout) == [
        (SITES[0], "S1A_DOWN", "ismn", 0.3, -4),
        (SITES[0], "S1A_DOWN", "planet_swc", 0.4, -4),
        (SITES[0], "S1A_UP", "ismn", 0.2, 1),
    ]


def test_a_reading_between_passes_of_two_days_is_a_sample_of_one_day(layout: Layout) -> None:
    """Sensed at 02:00 after the evening's pass and before that of the next morning."""
    next_day, night = DAY + timedelta(1), DESCENDING + 4 * H
    morning = ("S1A_NEXT", DESCENDING + 10 * H)
    passes(layout, next_day, morning)
    write_inputs(layout, next_day, [(site, "S1A_NEXT", 1.0, 0.5) for site in SITES])
    write_labels(layout, NAME, next_day, label_rows(SITES[:1], [0.2], night, DOWN))
    made(layout)
    assert samples(layout) == [(SITES[0], "S1A_DOWN", "planet_swc", 0.2, 4)]
    assert made(layout, next_day).status == "no_label"
    assert samples(layout, next_day) == []


@pytest.mark.parametrize(
    ("apart", "is_kept"),
    [
        (timedelta(hours=12), True),
        (timedelta(hours=-12), True),
        (timedelta(hours=12, seconds=1), False),
        (timedelta(hours=-12, microseconds=-1), False),
    ],
)
def test_twelve_hours_are_kept_and_no_moment_more(
    layout: Layout, apart: timedelta, is_kept: bool
) -> None:
    sensed = DESCENDING + apart
    write_labels(layout, NAME, sensed.date(), label_rows(SITES[:1], [0.2], sensed, DOWN))
    made(layout)
    assert len(samples(layout)) == is_kept


def test_of_several_readings_of_a_source_the_nearest_counts_the_earlier_of_equals(
    layout: Layout,
) -> None:
    hours = {SITES[0]: (-3, 2, 4), SITES[1]: (3, -3, 11)}
    parts = [
        label_rows([site], [0.1 * (n + 1)], DESCENDING + h * H, DOWN, source="ismn")
        for site, apart in hours.items()
        for n, h in enumerate(apart)
    ]
    days = (DAY, DAY + timedelta(1))
    for day in days:
        own = [part for part in parts if part["sensed_utc"][0].as_py().date() == day]
        write_labels(layout, NAME, day, *own[::-1])
    made(layout)
    assert [(row[0], row[3], row[4]) for row in samples(layout)] == [
        (SITES[0], 0.2, 2),
        (SITES[1], 0.2, -3),
    ]


# Which labels are of use.


def test_labels_that_are_rejected_deep_or_of_another_support_are_no_samples(
    layout: Layout,
) -> None:
    labels = label_rows(SITES, [0.1, 0.2, 0.3, 0.4], EVENING, DOWN)
    labels = with_column(labels, "reason", ["out_of_range", None, None, None])
    labels = with_column(labels, "depth_to_m", [0.05, 0.1, 0.1001, None])
    other = label_rows(SITES[1:2], [0.5], EVENING, DOWN, source="nsidc_0779")
    write_labels(layout, NAME, DAY, labels, other)
    made(layout)
    assert [(row[0], row[3]) for row in samples(layout)] == [(SITES[1], 0.2), (SITES[3], 0.4)]


def test_each_source_is_a_label_of_the_sites_of_its_level(layout: Layout) -> None:
    wide = "9km-500-3445"
    write_inputs(layout, DAY, [(wide, "S1A_DOWN", 1.0, 0.5), (SITES[0], "S1A_DOWN", 1.0, 0.5)])
    parts = [
        label_rows([wide, SITES[0]], [0.2, 0.3], EVENING, DOWN, source=source)
        for source in ("planet_swc", "spl3smp_e", "planet_series", "user_csv")
    ]
    write_labels(layout, NAME, DAY, *parts)
    made(layout)
    assert {(row[0], row[2]) for row in samples(layout)} == {
        (SITES[0], "planet_swc"),
        (wide, "spl3smp_e"),
        *((site, source) for site in (SITES[0], wide) for source in ("planet_series", "user_csv")),
    }


def test_what_lacks_inputs_or_was_hardly_seen_is_counted(layout: Layout) -> None:
    shares = [0.5, 0.49999, NAN]
    rows = [(site, "S1A_DOWN", share, 0.5) for site, share in zip(SITES, shares, strict=False)]
    write_inputs(layout, DAY, [*rows[:2], (SITES[2], "S1A_DOWN", 1.0, NAN)])
    write_labels(layout, NAME, DAY, label_rows(SITES, [0.2] * 4, EVENING, DOWN))
    assert made(layout).metadata == {
        "dropped_missing_input": 1,
        "dropped_no_features": 1,
        "dropped_small_footprint": 1,
    }
    assert [row[0] for row in samples(layout)] == [SITES[0]]


def test_a_share_that_float32_cannot_hold_is_still_enough(layout: Layout) -> None:
    """0.7 is a little less in the lake than in the settings."""
    write_inputs(layout, DAY, [(SITES[0], "S1A_DOWN", 0.7, 0.5)])
    write_labels(layout, NAME, DAY, label_rows(SITES[:1], [0.2], EVENING, DOWN))
    assert made(layout, rules=SampleRules(12.0, 0.1, 0.7)).rows == 1


def test_labels_of_sites_that_are_gone_are_passed_over(layout: Layout) -> None:
    write_labels(layout, NAME, DAY, label_rows([SITES[0], "100m-1-1"], [0.2, 0.3], EVENING, DOWN))
    assert made(layout).rows == 1


# Days.


def test_days_without_a_pass_a_label_or_features_say_so(layout: Layout) -> None:
    assert made(layout).status == "no_label"
    passes(layout, DAY + timedelta(1))
    write_inputs(layout, DAY + timedelta(1), [])
    assert made(layout, DAY + timedelta(1)).status == "no_pass"
    with pytest.raises(MissingInputError, match="`site_features` for that day first"):
        made(layout, DAY + timedelta(2))
    with pytest.raises(MissingInputError, match="has no sites: materialize `site_catalog`"):
        read_sites(layout, "elsewhere")


def test_unchanged_days_are_kept_and_a_changed_recipe_or_rule_is_not(layout: Layout) -> None:
    write_labels(layout, NAME, DAY, label_rows(SITES, [0.2] * 4, EVENING, DOWN))
    first = made(layout)
    part = layout.part(TRAINING_SAMPLES.name, NAME, DAY)
    before = part.stat().st_mtime_ns
    assert made(layout) == first
    assert part.stat().st_mtime_ns == before
    write_inputs(layout, DAY, [(SITES[0], "S1A_DOWN", 1.0, 0.5)], DENSESM_2024)
    assert made(layout).rows == 1
    note = store.note_of(layout, TRAINING_SAMPLES, NAME, DAY)
    assert note is not None and note["recipe_id"] == "densesm-2024"
    assert made(layout, rules=SampleRules(1.0, 0.1, 0.5)).rows == 0


# The law.


@settings(max_examples=15)
@given(st.integers(0, 2**31))
def test_every_site_source_and_pass_has_its_nearest_good_reading(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Against a plain loop over all readings of the days around."""
    rng = np.random.default_rng(seed)
    layout = story(tmp_path_factory.mktemp("lake"))
    passes(layout, DAY, UP, DOWN)
    has_inputs = [(site, name) for site in SITES for name, _ in (UP, DOWN) if rng.random() < 0.8]
    write_inputs(layout, DAY, [(site, name, 1.0, 0.5) for site, name in has_inputs])
    readings = []
    for n in range(int(rng.integers(0, 25))):
        name, start = (UP, DOWN)[rng.integers(0, 2)]
        sensed = start + timedelta(minutes=int(rng.integers(-800, 800)))
        source = str(rng.choice(["planet_swc", "ismn"]))
        readings.append((str(rng.choice(SITES)), source, name, sensed, start, round(0.01 * n, 2)))
    for day in (DAY - timedelta(1), DAY, DAY + timedelta(1)):
        parts = [
            label_rows([site], [sm], sensed, (name, start), source=source)
            for site, source, name, sensed, start, sm in readings
            if sensed.date() == day
        ]
        write_labels(layout, NAME, day, *parts)
    expected: dict[tuple[str, str, str], tuple[timedelta, datetime]] = {}
    for site, source, name, sensed, start, _ in readings:
        rank = abs(sensed - start), sensed
        if rank[0] <= 12 * H and (site, name) in has_inputs:
            key = site, name, source
            expected[key] = min(expected.get(key, rank), rank)
    made(layout)
    part = store.read(layout, TRAINING_SAMPLES, NAME, DAY)
    assert part is not None
    found = {
        (r["site_id"], r["scene_id"], r["source"]): r["sensed_utc"] for r in part.rows.to_pylist()
    }
    assert len(found) == part.rows.num_rows
    assert found == {key: sensed for key, (_, sensed) in expected.items()}
