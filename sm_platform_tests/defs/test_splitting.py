"""Roles of stored samples before a cut-off, and the samples that a network is then given."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks._sample_lake import site_rows
from sm_platform.defs.sample_set import gather
from sm_platform.defs.splitting import SplitRules, write_splits
from sm_platform.errors import DataError, MissingInputError, RecipeError, UsageError
from sm_platform.grid.ease2 import LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.leaks import leaks
from sm_platform.samples.split_schemes import Scheme
from sm_platform.schema.label_tables import SAMPLE_SPLITS, TRAINING_SAMPLES
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import DENSESM_2024, SM_100M_V1
from sm_platform.schema.rows import dense
from sm_platform_tests.defs.sample_lake import (
    DAY,
    NAME,
    a_year_of_samples,
    sample_rows,
    spread_sites,
    window,
    with_column,
    write_samples,
)

RULES = SplitRules(seed=1, days=365, source_weights={}, is_balanced=False)
CUT_OFF = DAY + timedelta(360)
SOURCES = ("planet_swc", "planet_series")


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """144 sites in 36 blocks and 30 passes, two sources; read only."""
    layout = Layout(tmp_path_factory.mktemp("lake"))
    a_year_of_samples(layout, spread_sites(layout, 144), sources=SOURCES)
    write_splits(layout, NAME, CUT_OFF, RULES)
    yield layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def roles(layout: Layout, cut_off: date = CUT_OFF) -> pa.Table:
    made = store.read(layout, SAMPLE_SPLITS, NAME, cut_off)
    assert made is not None
    return made.rows


def frame(layout: Layout, scheme: str, cut_off: date = CUT_OFF) -> pd.DataFrame:
    rows = roles(layout, cut_off)
    return rows.filter(pc.equal(rows["scheme"], scheme)).to_pandas()


# What is stored.


def test_every_sample_has_one_role_in_every_scheme(year: Layout) -> None:
    rows = roles(year)
    counts = Counter(rows["scheme"].to_pylist())
    assert counts == {scheme.value: 144 * 30 * 2 for scheme in Scheme}
    keys = rows.select(["scheme", "site_id", "scene_id", "source"]).to_pandas()
    assert not keys.duplicated().any()
    for name in ("block", "time", "block_time", "random"):
        own = set(frame(year, name)["role"]) - {"buffer"}
        assert own == {"train", "validation", "calibration", "test"}
    assert set(frame(year, "region")["role"]) == {"test"}


def test_no_scheme_leaks_and_only_the_random_one_is_for_comparison(year: Layout) -> None:
    assert set(leaks(roles(year)).values()) == {0}
    rows = roles(year).to_pandas()
    assert set(rows.loc[rows["is_comparison_only"], "scheme"]) == {"random"}
    assert (rows["scheme"] == "random").sum() == rows["is_comparison_only"].sum()


def test_the_promises_of_each_scheme_hold_row_by_row(year: Layout) -> None:
    promised = {
        "block": ("site_id", "block_id"),
        "time": ("scene_id", "sample_day"),
        "block_time": ("site_id", "block_id", "scene_id", "sample_day"),
    }
    for scheme, names in promised.items():
        used = frame(year, scheme).query("role != 'buffer'")
        for name in names:
            assert used.groupby(name)["role"].nunique().max() == 1, (scheme, name)
    for scheme in ("time", "block_time"):
        days = frame(year, scheme).query("role != 'buffer'").groupby("role")["sample_day"]
        ends = [
            (days.min()[role], days.max()[role])
            for role in ("train", "validation", "calibration", "test")
        ]
        for (_, last), (first, _) in zip(ends, ends[1:], strict=False):
            assert (first - last).days >= 12


def test_what_lies_between_the_roles_is_told(layout: Layout) -> None:
    a_year_of_samples(layout, spread_sites(layout, 48))
    report = write_splits(layout, NAME, CUT_OFF, RULES)
    assert report.metadata["kept_apart"] == "0 blocks of 3 km, 12 days"
    assert report.metadata["rows_region"] == "1440 test"
    assert "not_possible" not in report.metadata


def test_the_same_samples_have_the_same_roles_and_are_not_split_twice(layout: Layout) -> None:
    a_year_of_samples(layout, spread_sites(layout, 48))
    first = write_splits(layout, NAME, CUT_OFF, RULES)
    part = layout.part(SAMPLE_SPLITS.name, NAME, CUT_OFF)
    before, content = part.stat().st_mtime_ns, part.read_bytes()
    assert write_splits(layout, NAME, CUT_OFF, RULES) == first
    assert part.stat().st_mtime_ns == before
    part.unlink()
    write_splits(layout, NAME, CUT_OFF, RULES)
    assert part.read_bytes() == content
    write_splits(layout, NAME, CUT_OFF, replace(RULES, seed=2))
    assert part.read_bytes() != content


# Which samples.


def test_samples_of_the_days_before_the_cut_off_and_no_label_of_it(layout: Layout) -> None:
    sites = spread_sites(layout, 24)
    a_year_of_samples(layout, sites, n_passes=12)
    cut_off = DAY + timedelta(12 * 8 + 1)
    last = sample_rows(sites, cut_off - timedelta(1), seed=1)
    late = datetime(cut_off.year, cut_off.month, cut_off.day, tzinfo=UTC)
    sensed = [late - timedelta(microseconds=1), late, *last["sensed_utc"].to_pylist()[2:]]
    write_samples(layout, cut_off - timedelta(1), with_column(last, "sensed_utc", sensed))
    write_splits(layout, NAME, cut_off, replace(RULES, days=61))
    counts = Counter(frame(layout, "region", cut_off)["sample_day"])
    days = [cut_off - timedelta(1 + 12 * n) for n in range(6)]
    assert counts == {days[0]: 23} | dict.fromkeys(days[1:], 24)


def test_critical_pixels_and_missing_labels_teach_nothing(layout: Layout) -> None:
    sites = spread_sites(layout, 24)
    (day, *_) = a_year_of_samples(layout, sites, n_passes=12)
    rows = sample_rows(sites, day, seed=1)
    qa = [int(Qa.OPEN_WATER), int(Qa.INUNDATED), int(Qa.NDVI_FILLED)] + [0] * 21
    sm = [0.1, 0.1, 0.1, None] + [0.2] * 20
    write_samples(layout, day, with_column(with_column(rows, "qa", qa), "sm_m3m3", sm))
    write_splits(layout, NAME, CUT_OFF, RULES)
    own = frame(layout, "region").query("sample_day == @day")
    gone = {sites["site_id"][n].as_py() for n in (0, 1, 3)}
    assert set(own["site_id"]) == set(sites["site_id"].to_pylist()) - gone


def test_without_a_sample_the_asset_to_make_is_named(layout: Layout) -> None:
    with pytest.raises(MissingInputError, match="`training_samples` for the days before it"):
        write_splits(layout, NAME, CUT_OFF, RULES)


def test_schemes_that_cannot_be_are_told_and_the_others_made(layout: Layout) -> None:
    a_year_of_samples(layout, spread_sites(layout, 24), n_passes=3)
    report = write_splits(layout, NAME, CUT_OFF, RULES)
    assert set(roles(layout)["scheme"].to_pylist()) == {"block", "region", "random"}
    told = str(report.metadata["not_possible"])
    assert "time: Passes of 3 days over 25 days cannot fill 4 periods" in told
    with pytest.raises(MissingInputError, match=r"not split by scheme 'time' \(there: block, "):
        gather(layout, NAME, CUT_OFF, 100, "time")


def test_a_region_of_two_blocks_and_a_day_is_refused_with_all_reasons(layout: Layout) -> None:
    a_year_of_samples(layout, spread_sites(layout, 4), n_passes=1)
    with pytest.raises(DataError, match="blocks cannot fill 4 roles.*time: Passes of 1 days"):
        write_splits(layout, NAME, CUT_OFF, RULES)


def test_sites_of_9_km_share_their_role_with_all_blocks_within(layout: Layout) -> None:
    fine = spread_sites(layout, 144)
    wide = site_rows(window(), LEVEL_9KM, np.indices((2, 2)).reshape(2, -1).T + (500, 3445))
    for day in a_year_of_samples(layout, fine, n_passes=10):
        rows = [sample_rows(sites, day, seed=1) for sites in (fine, wide)]
        rows[1] = with_column(rows[1], "support_m", [9000.0] * 4)
        write_samples(layout, day, pa.concat_tables(rows))
    write_splits(layout, NAME, CUT_OFF, RULES)
    rows = frame(layout, "block")
    assert set(leaks(roles(layout)).values()) == {0}
    assert "buffer" not in set(rows["role"])
    block = rows["block_id"]
    square = block // 11568 // 3 * 11568 + block % 11568 // 3
    assert rows.groupby(square)["role"].nunique().max() == 1


# Weights.


def test_factors_weigh_the_training_rows_of_their_source_alone(year: Layout) -> None:
    cut_off = CUT_OFF - timedelta(1)
    write_splits(year, NAME, cut_off, replace(RULES, source_weights={"planet_series": 3.0}))
    rows = frame(year, "block", cut_off)
    train = rows[rows["role"] == "train"].groupby("source")["weight"]
    assert train.max()["planet_series"] == pytest.approx(1.5)
    assert train.min()["planet_swc"] == train.max()["planet_swc"] == pytest.approx(0.5)
    assert set(rows.loc[rows["role"] != "train", "weight"]) == {1.0}


def test_the_balanced_option_thins_training_rows_alone(year: Layout) -> None:
    cut_off = CUT_OFF - timedelta(2)
    write_splits(year, NAME, cut_off, replace(RULES, is_balanced=True))
    samples = pd.concat(
        [_labels(year, day) for day in store.days_made(year, TRAINING_SAMPLES, NAME)]
    )
    for scheme in ("block", "time"):
        rows = frame(year, scheme, cut_off).merge(samples, on=["site_id", "scene_id", "source"])
        assert set(rows.loc[rows["role"] != "train", "weight"]) == {1.0}
        train = rows[rows["role"] == "train"]
        sm, kept = train["sm_m3m3"].round(6), train["weight"] > 0
        assert kept[(sm >= 0.3) & (sm <= 0.4)].all()
        assert not kept[(sm < 0.1) | (sm > 0.7)].any()
        for part in ((sm >= 0.1) & (sm < 0.3), (sm > 0.4) & (sm <= 0.7)):
            assert abs(kept[part].sum() - part.sum() / 2) <= 0.5
        assert train.loc[kept, "weight"].mean() == pytest.approx(1)


def _labels(layout: Layout, day: date) -> pd.DataFrame:
    made = store.read(layout, TRAINING_SAMPLES, NAME, day)
    assert made is not None
    return made.rows.select(["site_id", "scene_id", "source", "sm_m3m3"]).to_pandas()


def test_a_scheme_that_balancing_leaves_without_training_is_told(layout: Layout) -> None:
    sites = spread_sites(layout, 48)
    days = a_year_of_samples(layout, sites)
    for n, day in enumerate(days):  # dry until the period of training is over
        rows = sample_rows(sites, day, seed=1)
        write_samples(layout, day, with_column(rows, "sm_m3m3", [0.05 if n < 17 else 0.35] * 48))
    report = write_splits(layout, NAME, CUT_OFF, replace(RULES, is_balanced=True))
    assert "time: No training row has a weight above 0" in str(report.metadata["not_possible"])
    assert "block" in roles(layout)["scheme"].to_pylist()


def test_impossible_rules_are_refused(year: Layout) -> None:
    with pytest.raises(UsageError, match="Seed -1"):
        replace(RULES, seed=-1)
    with pytest.raises(UsageError, match="no label source 'planet'"):
        write_splits(year, NAME, CUT_OFF, replace(RULES, source_weights={"planet": 2.0}))


# The samples of a checkpoint.


def test_the_set_holds_the_rows_of_all_days_with_role_and_weight(year: Layout) -> None:
    found = gather(year, NAME, CUT_OFF, 10**6, "block")
    rows = frame(year, "block")
    assert len(found.rows) == len(found.sm_m3m3) == 144 * 30 * 2
    assert found.recipe == SM_100M_V1
    assert Counter(found.role.tolist()) == Counter(rows["role"])
    assert (found.labels, found.scheme, found.majority_pass) == (("product",), "block", None)
    stored = [store.read(year, TRAINING_SAMPLES, NAME, DAY + timedelta(12 * n)) for n in range(30)]
    tables = pa.concat_tables([part.rows for part in stored if part is not None])
    inputs = tables["inputs"].combine_chunks().flatten().to_numpy().reshape(-1, 153)
    np.testing.assert_array_equal(dense(found.rows), inputs)
    np.testing.assert_array_equal(found.sm_m3m3, tables["sm_m3m3"].to_numpy())
    role = dict(zip(zip(rows["site_id"], rows["scene_id"], strict=True), rows["role"], strict=True))
    keys = zip(tables["site_id"].to_pylist(), tables["scene_id"].to_pylist(), strict=True)
    assert found.role.tolist() == [role[key] for key in keys]


def test_rows_left_out_by_the_scheme_take_no_place_in_the_set(year: Layout) -> None:
    n_used = (frame(year, "block_time")["role"] != "buffer").sum()
    assert 0 < n_used < 144 * 30
    found = gather(year, NAME, CUT_OFF, int(n_used), "block_time")
    assert len(found.sm_m3m3) == n_used
    assert "buffer" not in found.role.tolist()


def test_a_thinned_set_is_as_large_as_asked_and_favours_no_site(year: Layout) -> None:
    """Every 12th of rows that repeat every 288 would be 24 sites of 144."""
    found = gather(year, NAME, CUT_OFF, 720, "block")
    same = gather(year, NAME, CUT_OFF, 720, "block")
    assert len(found.sm_m3m3) == 720
    np.testing.assert_array_equal(dense(found.rows), dense(same.rows))
    whole = gather(year, NAME, CUT_OFF, 10**6, "block")
    place = {row.tobytes(): n for n, row in enumerate(dense(whole.rows))}
    drawn = [place[row.tobytes()] for row in dense(found.rows)]
    assert drawn == sorted(drawn)
    assert len({n % 144 for n in drawn}) > 120
    assert len({n // 288 for n in drawn}) == 30


def test_rows_that_lack_an_input_are_left_out(layout: Layout) -> None:
    sites = spread_sites(layout, 24)
    days = a_year_of_samples(layout, sites, n_passes=6)
    rows = sample_rows(sites, days[0], seed=1)
    inputs = rows["inputs"].to_pylist()
    inputs[0][3], inputs[1][152] = None, float("nan")
    write_samples(layout, days[0], with_column(rows, "inputs", inputs))
    write_splits(layout, NAME, CUT_OFF, RULES)
    found = gather(layout, NAME, CUT_OFF, 10**6, "block")
    assert len(found.rows) == 24 * 6 - 2
    assert not np.isnan(dense(found.rows)).any()


def test_days_of_two_recipes_are_no_set(layout: Layout) -> None:
    sites = spread_sites(layout, 24)
    days = a_year_of_samples(layout, sites, n_passes=6)
    write_samples(layout, days[2], sample_rows(sites, days[2], seed=1), DENSESM_2024)
    write_splits(layout, NAME, CUT_OFF, RULES)
    with pytest.raises(RecipeError, match=r"densesm-2024 \w+, sm-100m-v1 \w+: materialize `site_f"):
        gather(layout, NAME, CUT_OFF, 100, "block")
    changed = replace(SM_100M_V1, only_available=False)
    for day in days:
        write_samples(layout, day, sample_rows(sites, day, seed=1), changed)
    with pytest.raises(RecipeError, match=f"sm-100m-v1 {changed.fingerprint}: materialize"):
        gather(layout, NAME, CUT_OFF, 100, "block")


def test_samples_that_changed_after_their_roles_are_named(layout: Layout) -> None:
    sites = spread_sites(layout, 24)
    days = a_year_of_samples(layout, sites, n_passes=6)
    write_splits(layout, NAME, CUT_OFF, RULES)
    write_samples(layout, days[1], sample_rows(sites.slice(3), days[1], seed=1))
    with pytest.raises(MissingInputError, match=f"3 samples of {days[1]} have changed since"):
        gather(layout, NAME, CUT_OFF, 1, "block")
    layout.part(TRAINING_SAMPLES.name, NAME, days[1]).unlink()
    with pytest.raises(MissingInputError, match=f"24 samples of {days[1]} have changed since"):
        gather(layout, NAME, CUT_OFF, 1, "block")


def test_sets_that_cannot_be_are_refused(year: Layout) -> None:
    with pytest.raises(MissingInputError, match="no roles of its samples before 2025-01-01"):
        gather(year, NAME, date(2025, 1, 1), 100, "block")
    with pytest.raises(UsageError, match="0 samples"):
        gather(year, NAME, CUT_OFF, 0, "block")


def test_labels_beside_water_teach_and_steer_nothing_but_judge_all_the_same(layout: Layout) -> None:
    sites = spread_sites(layout, 144)
    wet = np.arange(144) % 3 == 0
    for n in range(30):
        day = DAY + timedelta(12 * n)
        rows = sample_rows(sites, day, seed=1)
        share = np.where(wet, 0.2, 0.0).astype(np.float32)
        write_samples(layout, day, with_column(rows, "inundated_share", share))
    write_splits(layout, NAME, CUT_OFF, RULES)
    found = frame(layout, "block")
    is_wet = found["site_id"].isin(set(sites["site_id"].filter(pa.array(wet)).to_pylist()))
    is_learnt = found["role"].isin(["train", "validation"])
    assert (found.loc[is_wet & is_learnt, "weight"] == 0).all()
    assert (found.loc[is_wet & ~is_learnt, "weight"] == 1).all()
    assert (found.loc[~is_wet, "weight"] == 1).all()
    write_splits(layout, NAME, CUT_OFF, replace(RULES, most_inundated=0.2))
    assert (frame(layout, "block")["weight"] == 1).all()
