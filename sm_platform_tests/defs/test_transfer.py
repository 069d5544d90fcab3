"""What a training reads when a region has few labels, or none: others' samples and its own rows."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sm_platform.defs.lesson import Lesson, prepare_lesson
from sm_platform.defs.sample_set import SampleSet, gather, read_roles
from sm_platform.defs.splitting import write_splits
from sm_platform.defs.training_choice import Profile, TrainingChoice
from sm_platform.defs.transfer import pooled
from sm_platform.defs.unlabelled import unlabelled_rows
from sm_platform.errors import DataError, MissingInputError, RecipeError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.schema.label_tables import TRAINING_SAMPLES
from sm_platform.schema.recipes import DENSESM_2024, SM_100M_V1
from sm_platform.schema.rows import dense
from sm_platform_tests.defs.sample_lake import NAME, with_column, write_inputs, write_samples
from sm_platform_tests.defs.taught_lake import (
    CUT_OFF,
    ELSEWHERE,
    RULES,
    coarse_samples,
    passes,
    taught_region,
)

ALL = TrainingChoice()
OTHER = (ELSEWHERE,)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two regions of 144 sites and four passes; read only."""
    layout = Layout(tmp_path_factory.mktemp("taught"))
    taught_region(layout)
    taught_region(layout, ELSEWHERE)
    return layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A lake of one's own."""
    own = Layout(tmp_path)
    taught_region(own)
    return own


def lesson(layout: Layout, **asked: object) -> Lesson:
    return prepare_lesson(layout, NAME, CUT_OFF, replace(ALL, **asked))


def sites(samples: SampleSet, role: str) -> set[str]:
    return set(np.array(samples.about["site_id"].to_pylist())[samples.role == role])


def of_region(layout: Layout, name: str) -> set[str]:
    return set(gather(layout, name, CUT_OFF, 10**6, "block").about["site_id"].to_pylist())


def stored(layout: Layout, day: date) -> pa.Table:
    made = store.read(layout, TRAINING_SAMPLES, NAME, day)
    assert made is not None
    return made.rows


def changed(layout: Layout, day: date, column: str, value: object) -> None:
    """Write a day's samples again with one value in a column."""
    rows = stored(layout, day)
    write_samples(layout, day, with_column(rows, column, [value] * rows.num_rows))


# Whose samples.


def test_without_others_the_roles_are_those_that_are_stored(lake: Layout) -> None:
    found = lesson(lake)
    own = gather(lake, NAME, CUT_OFF, 10**6, "block")
    (taught,) = found.repeats
    for rows, role in ((taught.learn, "train"), (taught.steer, "validation")):
        wanted = own.sm_m3m3[own.role == role]
        assert np.array_equal(rows.sm_m3m3, wanted)
    assert set(found.samples.role) == {"train", "validation"}, "no other row can be learnt from"
    assert len(taught.block_id) == len(taught.learn)
    assert found.target is None
    assert found.coarse is None


def test_others_add_their_training_rows_and_the_own_validation_steers(lake: Layout) -> None:
    alone, both = lesson(lake), lesson(lake, source_regions=OTHER)
    theirs = gather(lake, ELSEWHERE, CUT_OFF, 10**6, "block")
    n_theirs = int((theirs.role == "train").sum())
    assert len(both.repeats[0].learn) == len(alone.repeats[0].learn) + n_theirs
    assert np.array_equal(both.repeats[0].steer.sm_m3m3, alone.repeats[0].steer.sm_m3m3)
    added = dense(theirs.rows)[theirs.role == "train"]
    wanted = np.concatenate([dense(alone.repeats[0].learn.rows), added])
    assert np.array_equal(dense(both.repeats[0].learn.rows), wanted)


def test_without_own_labels_none_is_used_and_others_steer(lake: Layout) -> None:
    found = lesson(lake, source_regions=OTHER, own_sites=0)
    elsewhere = of_region(lake, ELSEWHERE)
    assert sites(found.samples, "train") <= elsewhere
    assert sites(found.samples, "validation") <= elsewhere
    assert found.own is not None
    assert sites(found.own, "test") <= of_region(lake, NAME), "the own region still judges it"


def test_a_region_nobody_has_labelled_is_taught_by_others_and_not_judged(lake: Layout) -> None:
    found = prepare_lesson(
        lake, "nowhere", CUT_OFF, replace(ALL, source_regions=(NAME,), own_sites=0)
    )
    assert found.own is None
    assert len(found.repeats[0].learn) == 320


@pytest.mark.parametrize(("others", "n_steering"), [(OTHER, 0), ((), 18)])
def test_few_labels_are_of_so_many_sites(
    lake: Layout, others: tuple[str, ...], n_steering: int
) -> None:
    found = lesson(lake, source_regions=others, own_sites=54)
    ours = of_region(lake, NAME)
    assert len(sites(found.samples, "train") & ours) == 54
    assert len(sites(found.samples, "validation") & ours) == n_steering


def test_the_few_are_the_same_each_time_and_others_by_another_seed(lake: Layout) -> None:
    drawn = [
        sites(lesson(lake, source_regions=OTHER, own_sites=9, seed=s).samples, "train")
        for s in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_ground_that_the_own_region_is_judged_on_teaches_nothing(layout: Layout) -> None:
    """A second region on the same ground: its blocks held back by the first are left out."""
    twin = "twin"
    for day in passes(4):
        write_samples(layout, day, stored(layout, day), name=twin)
    write_splits(layout, twin, CUT_OFF, replace(RULES, seed=5))
    found = lesson(layout, source_regions=(twin,))
    roles = read_roles(layout, NAME, CUT_OFF, "block")
    held = pc.is_in(roles["role"], value_set=pa.array(["calibration", "test"]))
    blocks = set(values_of(roles.filter(held)["block_id"]).tolist())
    assert not blocks & set(found.repeats[0].block_id.tolist())
    assert len(found.repeats[0].learn) > 320


def test_samples_of_two_recipes_are_not_pooled(lake: Layout) -> None:
    one = gather(lake, NAME, CUT_OFF, 100, "block")
    with pytest.raises(RecipeError, match="sm-100m-v1 and of densesm-2024 cannot be learnt"):
        pooled([one, replace(one, recipe=DENSESM_2024)])


# Repeats.


def test_other_blocks_steer_each_repeat_but_not_of_the_published_way(lake: Layout) -> None:
    first, second = lesson(lake, repeats=2).repeats
    assert set(first.block_id.tolist()) != set(second.block_id.tolist())
    assert len(first.learn) + len(first.steer) == len(second.learn) + len(second.steer)
    assert np.array_equal(lesson(lake).repeats[0].learn.sm_m3m3, first.learn.sm_m3m3)
    published = lesson(lake, profile=Profile.PARITY.value, repeats=2).repeats
    assert np.array_equal(published[0].learn.sm_m3m3, published[1].learn.sm_m3m3)
    assert published[0].learn.weight is None, "no row weighs more than another"


def test_a_row_that_comes_to_train_weighs_what_its_source_does(layout: Layout) -> None:
    for day in passes(4)[:2]:
        changed(layout, day, "source", "planet_series")
    rules = replace(RULES, source_weights={"planet_series": 3.0})
    write_splits(layout, NAME, CUT_OFF, rules)
    for taught in lesson(layout, repeats=2).repeats:
        assert taught.learn.weight is not None
        assert len(np.unique(taught.learn.weight)) == 2
        assert taught.learn.weight.max() == pytest.approx(3 * taught.learn.weight.min(), rel=1e-5)


def test_the_fingerprint_follows_labels_and_roles(layout: Layout) -> None:
    before = lesson(layout).fingerprint
    assert lesson(layout).fingerprint == before
    write_splits(layout, NAME, CUT_OFF, replace(RULES, seed=2))
    after = lesson(layout).fingerprint
    assert after != before


# Coarse labels.


def test_labels_of_9_km_are_not_mixed_in_and_teach_the_second_stage(layout: Layout) -> None:
    taught_region(layout, n_passes=12, every=30)
    coarse_samples(layout)
    assert set(lesson(layout).samples.about["source"].to_pylist()) == {"planet_swc"}
    found = lesson(layout, profile=Profile.PARITY.value, stage="ft13", scheme="time")
    assert found.coarse is not None
    assert found.coarse.weight is None
    assert 64 < len(found.coarse) < 240
    only = gather(layout, NAME, CUT_OFF, 10**6, "time", support_m=(1500.0, 10_000.0))
    assert set(only.about["source"].to_pylist()) == {"spl4smgp"}


# Constant labels.


def test_constant_labels_teach_nothing(layout: Layout) -> None:
    for day in passes(4):
        changed(layout, day, "sm_m3m3", 0.25)
    write_splits(layout, NAME, CUT_OFF, RULES)
    with pytest.raises(DataError, match=r"All 320 training labels are about 0\.2500 m3/m3"):
        lesson(layout)


# Rows that nobody has labelled.


def test_unlabelled_rows_are_whole_ones_of_fine_sites_before_the_cut_off(layout: Layout) -> None:
    ids = sorted(of_region(layout, NAME))[:4]
    day = CUT_OFF - timedelta(3)
    rows = [(ids[0], "a", 1.0, 0.25), (ids[1], "a", 1.0, float("nan")), ("9km-1-1", "a", 1.0, 0.5)]
    write_inputs(layout, day, rows)
    write_inputs(layout, CUT_OFF, [(ids[2], "b", 1.0, 0.75)])
    write_inputs(layout, CUT_OFF - timedelta(366), [(ids[3], "c", 1.0, 0.75)])
    found = unlabelled_rows(layout, NAME, CUT_OFF, SM_100M_V1)
    assert np.array_equal(dense(found), np.full((1, 153), 0.25, np.float32))


@pytest.mark.parametrize("scheme", ["block", "time"])
def test_rows_that_judge_are_no_target(layout: Layout, scheme: str) -> None:
    """By block a site of each role, by time a pass of each; the row of the test is worth 1/4."""
    taught_region(layout, n_passes=12, every=30)
    roles = read_roles(layout, NAME, CUT_OFF, scheme).to_pandas().groupby("role").first()
    value = {"train": 0.5, "validation": 0.75, "calibration": 0.125, "test": 0.25}
    days = {role: CUT_OFF - timedelta(n + 1) for n, role in enumerate(value)}
    for role, told in value.items():
        site, scene = roles.loc[role, ["site_id", "scene_id"]]
        write_inputs(layout, days[role], [(site, scene, 1.0, told)])
    choice = replace(ALL, domain_loss="coral", scheme=scheme)
    target = prepare_lesson(layout, NAME, CUT_OFF, choice).target
    assert target is not None
    assert sorted(target.scalars[:, 0].tolist()) == [0.5, 0.75]


def test_at_most_so_many_are_drawn_the_same_each_time(layout: Layout) -> None:
    ids = sorted(of_region(layout, NAME))
    for n in range(4):
        rows = [(name, "a", 1.0, k / 200) for k, name in enumerate(ids)]
        write_inputs(layout, CUT_OFF - timedelta(1 + n), rows)
    drawn = [unlabelled_rows(layout, NAME, CUT_OFF, SM_100M_V1, most=50) for _ in range(2)]
    assert len(drawn[0]) == 50
    assert np.array_equal(dense(drawn[0]), dense(drawn[1]))
    assert len(np.unique(drawn[0].scalars[:, 0])) > 30, "of all days and sites"


def test_a_region_without_radar_rows_names_the_steps(lake: Layout) -> None:
    with pytest.raises(MissingInputError, match="no radar rows .* `s1_backscatter`, `site_c"):
        unlabelled_rows(lake, NAME, CUT_OFF, SM_100M_V1)


def test_rows_of_another_recipe_are_refused(layout: Layout) -> None:
    ids = sorted(of_region(layout, NAME))
    write_inputs(layout, CUT_OFF - timedelta(1), [(ids[0], "a", 1.0, 0.5)], DENSESM_2024)
    with pytest.raises(RecipeError, match="are of recipe densesm-2024, the samples of sm-100m-v1"):
        unlabelled_rows(layout, NAME, CUT_OFF, SM_100M_V1)


# What is asked.


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"members": 26}, "members is 26: give 1 to 25"),
        ({"repeats": 0}, "repeats is 0: give 1 to 9"),
        ({"epochs": 0}, "epochs is 0: give 1 or more"),
        ({"profile": "parity", "domain_loss": "none"}, "has a domain loss: choose coral or mmd"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(ALL, **asked)
