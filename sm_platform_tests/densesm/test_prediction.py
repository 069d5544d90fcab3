from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.network import ARCHITECTURES
from sm_platform.densesm.prediction import Ensemble, predict, prepare
from sm_platform.densesm.published import read_published
from sm_platform.errors import RecipeError, UsageError
from sm_platform.schema.recipes import DEFAULT_RECIPE, DENSESM_2024, EOV_2025, Recipe
from sm_platform.schema.rows import FeatureRows, dense, take
from sm_platform_tests.densesm.making import random_checkpoint, random_rows, rows_of
from sm_platform_tests.densesm.plain_numpy import evaluate

Shared = Callable[..., Path]


def published(shared: Shared, recipe: Recipe) -> Checkpoint:
    states = read_published(shared("weights", "DenseSM_9km"))
    members = tuple(Member(a.name, a, state) for a, state in states.items())
    return Checkpoint("published", recipe.recipe_id, recipe.fingerprint, members, {})


@pytest.fixture
def ensemble() -> Ensemble:
    return prepare(random_checkpoint())


def test_the_published_members_give_the_published_numbers(shared: Shared) -> None:
    golden = np.load(shared("golden", "roi_and_inference.npz"))
    ensemble = prepare(published(shared, EOV_2025))
    assert list(ensemble.names) == golden["member_names"].tolist()
    for inputs, members in (
        ("random_features", "random_members"),
        ("features_2025-01-03", "members_2025-01-03"),
        ("features_2025-01-27", "members_2025-01-27"),
    ):
        found = predict(ensemble, rows_of(golden[inputs], EOV_2025), members=True)
        expected = golden[members]
        assert found.members is not None
        np.testing.assert_allclose(found.members, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.mean, expected.mean(axis=1), rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.sd, expected.std(axis=1, ddof=0), rtol=0, atol=1e-5)


def test_real_rows_agree_with_the_formulas_written_out(shared: Shared) -> None:
    path = shared("realdata", "densesm", "samples_107x153.csv")
    raw = np.loadtxt(path, delimiter=",", skiprows=1)
    low, high = (
        np.array([getattr(i, end) for i in DENSESM_2024.scalars]) for end in ("low", "high")
    )
    inputs = raw.copy()
    inputs[:, :15] = np.clip((raw[:, :15] - low) / (high - low), 0, 1)
    checkpoint = published(shared, DENSESM_2024)
    found = predict(prepare(checkpoint), rows_of(inputs, DENSESM_2024), members=True).members
    assert inputs.shape == (107, 153)
    assert found is not None and np.isfinite(found).all()
    inputs = inputs.astype(np.float32).astype(np.float64)
    for k, member in enumerate(checkpoint.members):
        state = {name: tensor.double().numpy() for name, tensor in member.state.items()}
        np.testing.assert_allclose(found[:, k], evaluate(state, inputs), rtol=0, atol=1e-5)


def test_all_members_agree_with_the_formulas_written_out() -> None:
    checkpoint, rows = random_checkpoint(*ARCHITECTURES), random_rows(40, 9)
    found = predict(prepare(checkpoint), rows, members=True)
    states = [{k: t.double().numpy() for k, t in m.state.items()} for m in checkpoint.members]
    expected = np.stack([evaluate(s, dense(rows).astype(np.float64)) for s in states], axis=1)
    np.testing.assert_allclose(found.members, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.mean, expected.mean(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.sd, expected.std(axis=1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 7, 64, 4096])
def test_the_batch_does_not_matter(ensemble: Ensemble, batch: int) -> None:
    rows = random_rows(150, 40)
    whole, parts = predict(ensemble, rows), predict(ensemble, rows, batch=batch)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=0, atol=1e-5)
    np.testing.assert_allclose(parts.sd, whole.sd, rtol=0, atol=1e-5)


def test_more_series_than_go_through_the_branch_at_once(ensemble: Ensemble) -> None:
    rows = random_rows(700, 600)
    some = np.arange(0, 700, 7)
    apart, together = predict(ensemble, take(rows, some)), predict(ensemble, rows)
    np.testing.assert_allclose(apart.mean, together.mean[some], rtol=0, atol=1e-5)


def test_shared_series_equal_their_copies(ensemble: Ensemble) -> None:
    rows = random_rows(200, 11)
    copies = replace(
        rows, series=rows.series[rows.series_index], series_index=np.arange(200, dtype=np.int32)
    )
    np.testing.assert_allclose(
        predict(ensemble, rows).mean, predict(ensemble, copies).mean, rtol=0, atol=1e-6
    )


def test_each_result_stays_with_its_row(ensemble: Ensemble) -> None:
    rows, order = random_rows(90, 20), np.random.default_rng(5).permutation(90)
    shuffled = predict(ensemble, take(rows, order), members=True)
    plain = predict(ensemble, rows, members=True)
    assert plain.members is not None and shuffled.members is not None
    np.testing.assert_allclose(shuffled.members, plain.members[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("column", [0, 14, 15, 60, 107, 152])
def test_one_missing_input_makes_its_row_missing_and_no_other(
    ensemble: Ensemble, column: int
) -> None:
    inputs = dense(random_rows(20, 20))
    whole = predict(ensemble, rows_of(inputs))
    inputs[3, column] = np.nan
    found = predict(ensemble, rows_of(inputs), members=True)
    assert found.members is not None
    for values in (found.mean, found.sd, found.members.sum(axis=1)):
        assert np.flatnonzero(np.isnan(values)).tolist() == [3]
    rest = np.arange(20) != 3
    np.testing.assert_allclose(found.mean[rest], whole.mean[rest], rtol=0, atol=1e-5)


def test_no_rows_and_only_missing_rows_have_results_too(ensemble: Ensemble) -> None:
    none = predict(ensemble, take(random_rows(5, 2), np.zeros(5, bool)), members=True)
    assert none.members is not None
    assert (none.mean.shape, none.members.shape) == ((0,), (0, 3))
    rows = random_rows(5, 2)
    missing = replace(rows, scalars=np.full_like(rows.scalars, np.nan))
    assert np.isnan(predict(ensemble, missing).mean).all()


def test_results_are_float32_and_one_member_has_no_spread() -> None:
    found = predict(prepare(random_checkpoint(ARCHITECTURES[0])), random_rows(9, 3))
    assert found.mean.dtype == found.sd.dtype == np.float32
    assert found.members is None
    assert (found.sd == 0).all()


def test_rows_of_another_recipe_are_refused_by_both_names(ensemble: Ensemble) -> None:
    rows: FeatureRows = random_rows(5, 2)
    foreign = replace(rows, recipe_id="eov-2025", recipe_fingerprint=EOV_2025.fingerprint)
    with pytest.raises(RecipeError, match="'sm-100m-v1'.*'eov-2025'"):
        predict(ensemble, foreign)
    with pytest.raises(RecipeError, match=f"{DEFAULT_RECIPE.fingerprint}.*0000"):
        predict(ensemble, replace(rows, recipe_fingerprint="0000"))


def test_impossible_devices_and_batches_are_refused(ensemble: Ensemble) -> None:
    with pytest.raises(UsageError, match="no device 'tpu'"):
        prepare(random_checkpoint(), device="tpu")
    with pytest.raises(UsageError, match="batch of 0"):
        predict(ensemble, random_rows(5, 2), batch=0)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="No CUDA device"):
            prepare(random_checkpoint(), device="cuda")


def test_the_thread_count_of_torch_is_left_as_it_was(ensemble: Ensemble) -> None:
    before = torch.get_num_threads()
    predict(ensemble, random_rows(50, 10), batch=10)
    assert torch.get_num_threads() == before
