"""The pieces of the experiments that could make a figure wrong without anybody noticing."""

import numpy as np
import pytest

from experiments.arguments import parse
from experiments.radar_worth import RADAR, VARIANTS, spoilt
from experiments.random_world import random_truth
from experiments.samples import Samples
from experiments.splits import NOISE, NOISE_SD, PRODUCT, few_sites, folds, split, with_labels
from experiments.tables import Results, against, over_repeats, pairs
from sm_platform.samples.split_schemes import Scheme
from sm_platform.schema.recipes import SM_100M_V1
from sm_platform.schema.rows import from_dense

N_SITES, N_DAYS = 60, 30
N = N_SITES * N_DAYS


@pytest.fixture(scope="module")
def samples() -> Samples:
    """60 sites in 20 blocks seen on 30 days, a row each; some of them under water."""
    rng = np.random.default_rng(0)
    site, day = (part.ravel() for part in np.indices((N_SITES, N_DAYS)))
    truth = rng.uniform(0.1, 0.4, N).astype(np.float32)
    return Samples(
        rows=from_dense(rng.random((N, 153)), SM_100M_V1.recipe_id, SM_100M_V1.fingerprint),
        label=(truth + 0.04).astype(np.float32),
        truth=truth,
        is_flooded=rng.random(N) < 0.2,
        site_id=site.astype(str),
        scene_id=day.astype(str),
        block_id=site // 3,
        coarse_id=site // 30,
        day=np.datetime64("2025-01-01") + day,
        support_m=np.full(N, 100.0),
        is_beside_water=np.zeros(N, np.bool_),
        products={"spl4smgp": np.where(site < 30, truth, np.nan)},
    )


def test_noisy_labels_are_the_truth_of_drained_pixels_with_independent_noise(
    samples: Samples,
) -> None:
    noisy = with_labels(samples, NOISE, 3)
    assert not noisy.is_flooded.any()
    assert len(noisy) == (~samples.is_flooded).sum()
    error = noisy.label - noisy.truth
    assert error.std() == pytest.approx(NOISE_SD, rel=0.1)
    assert abs(error.mean()) < 0.005
    assert not np.array_equal(with_labels(samples, NOISE, 4).label, noisy.label)
    assert with_labels(samples, PRODUCT, 3) is samples


def test_lessons_share_no_block_and_are_judged_on_drained_rows(samples: Samples) -> None:
    lesson = split(samples, Scheme.BLOCK, 1, most=200)
    blocks = [set(part.block_id) for part in (lesson.learn, lesson.steer, lesson.test)]
    assert not blocks[0] & blocks[1] | blocks[0] & blocks[2] | blocks[1] & blocks[2]
    assert len(lesson.learn) == 200
    assert not lesson.test.is_flooded.any()
    assert lesson.learn.is_flooded.any()  # what the platform would learn from, too


def test_folds_test_every_drained_row_once(samples: Samples) -> None:
    tested = []
    for lesson in folds(samples, 5, 0, most=N):
        assert not set(lesson.test.block_id) & (set(lesson.learn.block_id))
        assert not set(lesson.test.block_id) & (set(lesson.steer.block_id))
        tested += list(zip(lesson.test.site_id, lesson.test.scene_id, strict=True))
    assert len(set(tested)) == len(tested) == (~samples.is_flooded).sum()


def test_radar_is_removed_or_dealt_out_and_nothing_else_changes(samples: Samples) -> None:
    def radar(variant: str) -> np.ndarray:
        changed = spoilt(samples, variant, 2)
        rest = slice(RADAR.stop, None)
        np.testing.assert_array_equal(changed.rows.scalars[:, rest], samples.rows.scalars[:, rest])
        return changed.rows.scalars[:, RADAR]

    own = samples.rows.scalars[:, RADAR]
    found = {variant: radar(variant) for variant in VARIANTS}
    np.testing.assert_array_equal(found["with radar"], own)
    assert np.ptp(found["without"]) == 0
    for variant, groups in (("shuffled within days", samples.day), ("shuffled", np.zeros(N))):
        assert (found[variant] == own).all(axis=1).mean() < 0.1
        for group in np.unique(groups):
            of_group = groups == group
            dealt, had = (np.sort(part[of_group, 0]) for part in (found[variant], own))
            np.testing.assert_array_equal(dealt, had)  # the same cards, none twice
            assert np.isin(found[variant][of_group], own[of_group]).all()


def test_random_truth_is_drained_and_tells_nothing(samples: Samples) -> None:
    dealt = random_truth(samples, 1).truth
    assert np.isin(dealt, samples.truth[~samples.is_flooded]).all()
    assert abs(np.corrcoef(dealt, samples.truth)[0, 1]) < 0.07


def test_few_sites_are_whole_sites(samples: Samples) -> None:
    few = few_sites(samples, 10, 0)
    assert len(set(few.site_id)) == 10
    assert len(few) == 10 * N_DAYS


def test_scores_are_against_the_truth_and_pairs_know_both_sides(samples: Samples) -> None:
    scores = against(samples, lambda _: samples.truth + np.float32(0.01))
    assert scores["RMSE"] == pytest.approx(0.01, abs=1e-6)
    assert scores["bias"] == pytest.approx(0.01, abs=1e-6)
    assert scores["RMSE to labels"] == pytest.approx(0.03, abs=1e-6)
    found = pairs(samples, samples.products["spl4smgp"])
    assert len(found) == N / 2
    np.testing.assert_array_equal(found.predicted, found.reference)


def test_repeats_become_a_mean_with_students_interval() -> None:
    assert over_repeats([1.0, 2.0, 3.0]) == "2.0000 [-0.4841, 4.4841]"  # t(2) = 4.3027, sd 1
    assert over_repeats([0.25]) == "0.2500"
    assert over_repeats([np.nan]) == "-"


def test_a_table_has_a_row_a_key_and_compares_repeat_by_repeat(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Results(("who",))
    for one, other in ((1.0, 3.0), (2.0, 5.0)):
        found.add(("a",), RMSE=one)
        found.add(("b",), RMSE=other, R=0.5)
    assert found.compare("RMSE", ("b",), ("a",)) == [2.0, 3.0]
    found.show("Two")
    told = capsys.readouterr().out.splitlines()
    assert "(reference=simulated)" in told[1]
    assert told[3:5] == ["| who | RMSE | R |", "|---|---|---|"]
    assert told[5].startswith("| a | 1.5000 [")
    assert told[5].endswith("| - |")


def test_quick_is_little() -> None:
    told = parse("Why?", ["--quick", "--seeds", "9", "--members", "25"])
    assert (told.seeds, len(told.members)) == ((0,), 1)
    usual = parse("Why?", ["--members", "25"])
    assert (usual.seeds, len(usual.members)) == ((0, 1, 2), 25)
    assert usual.training(4, domain_loss="coral").domain_loss == "coral"
    assert usual.training(4).seed == 4
