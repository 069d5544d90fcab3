from dataclasses import replace

import numpy as np
import pytest
import torch

from sm_platform.densesm.training import (
    REDUCED_MEMBERS,
    LabelledRows,
    Progress,
    TrainedEnsemble,
    TrainingSettings,
)
from sm_platform.errors import CheckpointError, DataError, RecipeError, UsageError
from sm_platform_tests.densesm.learning import (
    LEARN,
    QUICK,
    STEER,
    Values,
    checkpoint_of,
    estimate,
    is_same,
    run,
    samples,
)


@pytest.fixture(scope="module")
def trained() -> TrainedEnsemble:
    return run()


def test_training_learns_and_reports_the_loss_of_what_it_returns(trained: TrainedEnsemble) -> None:
    found = estimate(checkpoint_of(trained), STEER.rows)
    for member, values in zip(trained.members, found.T, strict=True):
        loss = float(np.square(values - STEER.sm_m3m3).mean())
        assert loss < 0.35 * STEER.sm_m3m3.var()
        best = member.history[member.best_epoch].validation_loss
        assert loss == pytest.approx(best, rel=1e-3)
        assert best == min(epoch.validation_loss for epoch in member.history)
        assert member.history[-1].train_loss < member.history[0].train_loss


def test_the_seed_and_the_repeat_decide_every_bit(trained: TrainedEnsemble) -> None:
    assert is_same(trained, run())
    for changed in (replace(QUICK, seed=1), replace(QUICK, repeat=2)):
        for one, other in zip(trained.members, run(changed).members, strict=True):
            assert not torch.equal(one.state["out.weight"], other.state["out.weight"])


def test_repeats_have_names_of_their_own(trained: TrainedEnsemble) -> None:
    repeated = run(replace(QUICK, repeat=3, epochs=1))
    assert [member.name for member in trained.members] == ["1_16", "2_8"]
    assert [member.name for member in repeated.members] == ["1_16_r3", "2_8_r3"]


def test_a_member_does_not_depend_on_its_neighbours_or_on_the_global_generator(
    trained: TrainedEnsemble,
) -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    alone = run(replace(QUICK, members=((2, 8),)))
    assert torch.equal(torch.get_rng_state(), before)
    assert is_same(replace(trained, members=trained.members[1:]), alone)


def test_members_side_by_side_are_those_one_after_the_other(trained: TrainedEnsemble) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert is_same(run(device="cpu"), trained)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_progress_tells_of_every_epoch() -> None:
    seen: list[Progress] = []
    for member in run(learn=STEER, progress=seen.append).members:
        told = [p for p in seen if p.member == member.name]
        assert [p.epoch for p in told] == list(range(len(member.history)))
        assert tuple(p.losses for p in told) == member.history
        rates = [p.losses.learning_rate for p in told]
        assert max(rates) <= QUICK.learning_rate
        assert rates[-1] == min(rates[1:])
        assert not any(p.is_resumed for p in told)


def test_a_member_that_gets_no_better_stops_early() -> None:
    noise = np.random.default_rng(0).uniform(0.1, 0.4, 1200).astype(np.float32)
    settings = replace(QUICK, members=((1, 8),), epochs=40, patience=2)
    (member,) = run(settings, LabelledRows(LEARN.rows, noise)).members
    assert len(member.history) == member.best_epoch + 3 < 40


def test_labels_of_weight_zero_teach_nothing() -> None:
    settings = replace(QUICK, members=((1, 8),), epochs=2)
    ignored = np.arange(1200) % 2 == 1
    weight = np.where(ignored, 0.0, 3.0)
    wrong = np.where(ignored, 0.9, LEARN.sm_m3m3)
    plain = run(settings, replace(LEARN, weight=weight))
    assert is_same(plain, run(settings, LabelledRows(LEARN.rows, wrong, weight)))
    assert not is_same(plain, run(settings, LabelledRows(LEARN.rows, wrong)))


def test_published_dropout_in_the_series_branch_still_trains() -> None:
    settings = replace(QUICK, members=((1, 8),), series_dropout=0.5)
    (member,) = run(settings).members
    assert member.history[-1].validation_loss < member.history[0].validation_loss


def test_the_default_is_all_25_members_and_the_reduced_set_five_of_them() -> None:
    members = TrainingSettings().members
    assert len(set(members)) == 25
    assert set(REDUCED_MEMBERS) < set(members)


def spoilt(values: Values, place: object, value: float) -> Values:
    values = values.copy()
    values[place] = value
    return values


@pytest.mark.parametrize("role", ["training", "validation"])
def test_rows_and_labels_that_cannot_teach_are_refused_before_time_is_spent(role: str) -> None:
    plain = samples(100, 3)
    rows, labels = plain.rows, plain.sm_m3m3
    holes = replace(rows, scalars=spoilt(rows.scalars, (5, 2), np.nan))
    gaps = replace(rows, series=spoilt(rows.series, (7, 1, 3), np.nan))
    cases = [
        (LabelledRows(holes, labels), f"1 of 100 {role} rows have a missing input"),
        (LabelledRows(gaps, labels), f"1 of 100 {role} rows have a missing input"),
        (LabelledRows(rows, spoilt(labels, 4, np.nan)), f"1 {role} labels are missing"),
        (LabelledRows(rows, 100 * labels), "percent"),
        (LabelledRows(rows, spoilt(labels, 4, -0.01)), "down to -0.01 m3/m3"),
        (LabelledRows(rows, labels[:50]), f"100 {role} rows have 50 labels"),
        (samples(10, 3), f"10 {role} rows: at least {64 if role == 'training' else 20}"),
    ]
    for given, message in cases:
        with pytest.raises(DataError, match=message):
            run(**{"learn" if role == "training" else "steer": given})


def test_constant_labels_are_refused() -> None:
    constant = LabelledRows(samples(100, 3).rows, np.full(100, 0.25, np.float32))
    with pytest.raises(DataError, match=r"about 0.2500 m3/m3: there is nothing to learn"):
        run(learn=constant)


@pytest.mark.parametrize("weight", [np.zeros(1200), np.full(1200, -1.0), np.full(1200, np.nan)])
def test_weights_that_weigh_nothing_are_refused(weight: Values) -> None:
    with pytest.raises(DataError, match="Weights of training rows"):
        run(learn=replace(LEARN, weight=weight))


def test_validation_rows_of_another_recipe_are_refused() -> None:
    foreign = replace(STEER.rows, recipe_id="eov-2025", recipe_fingerprint="0000")
    with pytest.raises(RecipeError, match="'sm-100m-v1'.*'eov-2025'"):
        run(steer=replace(STEER, rows=foreign))


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(UsageError, match=r"Member 1_8 diverged in epoch 0: .* below 1e\+30"):
        run(replace(QUICK, members=((1, 8),), learning_rate=1e30))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"members": ()}, UsageError),
        ({"members": ((1, 8), (1, 8))}, UsageError),
        ({"members": ((1, 9),)}, CheckpointError),
        ({"epochs": 0}, UsageError),
        ({"repeat": 0}, UsageError),
        ({"learning_rate": -1.0}, UsageError),
        ({"learning_rate": float("nan")}, UsageError),
        ({"weight_decay": -1.0}, UsageError),
        ({"feature_dropout": 1.0}, UsageError),
        ({"series_dropout": -0.1}, UsageError),
        ({"domain_loss": "korral"}, UsageError),
    ],
)
def test_impossible_settings_are_refused(
    changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(replace(QUICK, **changes))  # type: ignore[arg-type]


def test_an_unknown_device_is_refused_and_a_named_one_taken(trained: TrainedEnsemble) -> None:
    with pytest.raises(UsageError, match="no device 'tpu'"):
        run(device="tpu")
    assert is_same(run(device="cpu"), trained)
