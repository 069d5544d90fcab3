from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.training import Progress, TrainedEnsemble, TrainingSettings, train
from sm_platform.errors import CheckpointError, DataError, RecipeError, UsageError
from sm_platform.schema.rows import FeatureRows
from sm_platform_tests.densesm.making import random_rows

QUICK = TrainingSettings(members=((1, 16), (2, 8)), epochs=6, batch=128)
Values = NDArray[np.float32]


def moisture(rows: FeatureRows) -> Values:
    """Of radar and recent rain, as a field would have it: one scalar, one end of one series."""
    rain = rows.series[rows.series_index, 2, -4:].mean(axis=1)
    return np.asarray(0.1 + 0.2 * rows.scalars[:, 0] + 0.2 * rain, dtype=np.float32)


def samples(n: int, seed: int) -> tuple[FeatureRows, Values]:
    """Rain is small and temperature lies high, so that standardisation has something to do."""
    rows = replace(random_rows(n, n, seed), series_index=np.arange(n, dtype=np.int32))
    rows.series[:, 1] = 0.8 + 0.05 * rows.series[:, 1]
    rows.series[:, 2] *= rows.series[:, 2, -1:]
    return rows, moisture(rows)


def run(settings: TrainingSettings = QUICK, **changes: object) -> TrainedEnsemble:
    rows, target = samples(1200, 1)
    validation_rows, validation_target = samples(300, 2)
    arguments = {
        "validation_rows": validation_rows,
        "validation_target": validation_target,
    } | changes
    rows, target = arguments.pop("rows", rows), arguments.pop("target", target)
    return train(rows, target, settings, **arguments)  # type: ignore[arg-type]


def estimate(trained: TrainedEnsemble, rows: FeatureRows) -> Values:
    members = tuple(Member(m.architecture.name, m.architecture, m.state) for m in trained.members)
    recipe = trained.recipe_id, trained.recipe_fingerprint
    found = predict(prepare(Checkpoint("trained", *recipe, members, {})), rows, members=True)
    assert found.members is not None
    return found.members


def test_training_learns_and_reports_the_loss_of_what_it_returns() -> None:
    trained = run()
    rows, target = samples(300, 2)
    for member, values in zip(trained.members, estimate(trained, rows).T, strict=True):
        loss = float(np.square(values - target).mean())
        assert loss < 0.35 * target.var()
        best = member.history[member.best_epoch].validation_loss
        assert loss == pytest.approx(best, rel=1e-3)
        assert best == min(epoch.validation_loss for epoch in member.history)
        assert member.history[-1].train_loss < member.history[0].train_loss


def test_the_seed_decides_every_bit() -> None:
    first, second, other = run(), run(), run(replace(QUICK, seed=1))
    for one, same, different in zip(first.members, second.members, other.members, strict=True):
        assert one.history == same.history
        assert all(torch.equal(one.state[k], same.state[k]) for k in one.state)
        assert not torch.equal(one.state["out.weight"], different.state["out.weight"])


def test_a_member_does_not_depend_on_its_neighbours_or_on_the_global_generator() -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    alone = run(replace(QUICK, members=((2, 8),)))
    assert torch.equal(torch.get_rng_state(), before)
    together = run().members[1]
    assert torch.equal(alone.members[0].state["out.weight"], together.state["out.weight"])


def test_progress_tells_of_every_epoch() -> None:
    seen: list[Progress] = []
    trained = run(progress=seen.append)
    for member in trained.members:
        told = [p for p in seen if p.member == member.architecture.name]
        assert [p.epoch for p in told] == list(range(len(member.history)))
        assert tuple(p.losses for p in told) == member.history


def test_a_member_that_gets_no_better_stops_early() -> None:
    rows, _ = samples(1200, 1)
    noise = np.random.default_rng(0).uniform(0.1, 0.4, 1200).astype(np.float32)
    settings = replace(QUICK, members=((1, 8),), epochs=40, patience=2)
    (member,) = run(settings, rows=rows, target=noise).members
    assert len(member.history) == member.best_epoch + 3 < 40


def test_labels_of_weight_zero_teach_nothing() -> None:
    settings = replace(QUICK, members=((1, 8),), epochs=2)
    _, target = samples(1200, 1)
    ignored = np.arange(1200) % 2 == 1
    weights = np.where(ignored, 0.0, 3.0)
    plain = run(settings, weights=weights)
    wrong = run(settings, weights=weights, target=np.where(ignored, 0.9, target))
    all_count = run(settings, target=np.where(ignored, 0.9, target))
    outs = [t.members[0].state["out.weight"] for t in (plain, wrong, all_count)]
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[1], outs[2])


def test_published_dropout_in_the_series_branch_still_trains() -> None:
    settings = replace(QUICK, members=((1, 8),), series_dropout=0.5, epochs=2)
    (member,) = run(settings).members
    assert np.isfinite(member.history[-1].validation_loss)


def spoilt(values: Values, place: object, value: float) -> Values:
    values = values.copy()
    values[place] = value
    return values


@pytest.mark.parametrize("role", ["training", "validation"])
def test_rows_and_labels_that_cannot_teach_are_refused_before_time_is_spent(role: str) -> None:
    rows, target = samples(100, 3)
    names = {"training": ("rows", "target"), "validation": ("validation_rows", "validation_target")}
    key, label = names[role]
    holes = replace(rows, scalars=spoilt(rows.scalars, (5, 2), np.nan))
    gaps = replace(rows, series=spoilt(rows.series, (7, 1, 3), np.nan))
    few, few_target = samples(10, 3)
    cases = [
        ({key: holes, label: target}, f"1 of 100 {role} rows have a missing input"),
        ({key: gaps, label: target}, f"1 of 100 {role} rows have a missing input"),
        ({key: rows, label: spoilt(target, 4, np.nan)}, f"1 {role} labels are missing"),
        ({key: rows, label: 100 * target}, "percent"),
        ({key: rows, label: spoilt(target, 4, -0.01)}, "down to -0.01 m3/m3"),
        ({key: rows, label: target[:50]}, f"100 {role} rows have 50 labels"),
        ({key: few, label: few_target}, f"10 {role} rows: at least 64"),
    ]
    for changes, message in cases:
        with pytest.raises(DataError, match=message):
            run(**changes)


def test_constant_labels_are_refused() -> None:
    rows, _ = samples(100, 3)
    with pytest.raises(DataError, match=r"about 0.2500 m3/m3: there is nothing to learn"):
        run(rows=rows, target=np.full(100, 0.25, np.float32))


@pytest.mark.parametrize("weights", [np.zeros(1200), np.full(1200, -1.0), np.full(1200, np.nan)])
def test_weights_that_weigh_nothing_are_refused(weights: Values) -> None:
    with pytest.raises(DataError, match="Weights of training rows"):
        run(weights=weights)


def test_validation_rows_of_another_recipe_are_refused() -> None:
    rows, target = samples(100, 3)
    foreign = replace(rows, recipe_id="eov-2025", recipe_fingerprint="0000")
    with pytest.raises(RecipeError, match="'sm-100m-v1'.*'eov-2025'"):
        run(validation_rows=foreign, validation_target=target)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"members": ()}, UsageError),
        ({"members": ((1, 8), (1, 8))}, UsageError),
        ({"members": ((1, 9),)}, CheckpointError),
        ({"epochs": 0}, UsageError),
        ({"learning_rate": -1.0}, UsageError),
        ({"feature_dropout": 1.0}, UsageError),
        ({"series_dropout": -0.1}, UsageError),
    ],
)
def test_impossible_settings_are_refused(
    changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(replace(QUICK, **changes))  # type: ignore[arg-type]
