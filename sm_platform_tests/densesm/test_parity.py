from dataclasses import replace
from threading import Lock

import numpy as np
import pytest
import torch

from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.member_run import Progress, TrainedMember
from sm_platform.densesm.parity import ParitySettings, train_parity
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.densesm.training import TrainedEnsemble
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.errors import CheckpointError, DataError, RecipeError, UsageError
from sm_platform.schema.recipes import find_recipe
from sm_platform.schema.rows import FeatureRows, take
from sm_platform_tests.densesm.making import FEW, random_checkpoint, random_rows

QUICK = ParitySettings(members=((1, 8), (2, 16)), epochs=4, average_from=2, batch=64)
START = random_checkpoint(*FEW)


class Kept:
    """Snapshots in memory; the process dies before the write of that number, if one is given."""

    def __init__(self, dies_before: int | None = None) -> None:
        self.contents: dict[str, bytes] = {}
        self.left = dies_before
        self.lock = Lock()

    def read(self, name: str) -> bytes | None:
        return self.contents.get(name)

    def write(self, name: str, content: bytes) -> None:
        with self.lock:  # members are trained side by side
            if self.left == 0:
                raise KeyboardInterrupt
            self.left = None if self.left is None else self.left - 1
            self.contents[name] = content


def samples(n: int, seed: int) -> LabelledRows:
    """Moisture of radar and recent rain."""
    rows = replace(random_rows(n, n, seed), series_index=np.arange(n, dtype=np.int32))
    rain = rows.series[:, 2, -4:].mean(axis=1)
    return LabelledRows(rows, 0.1 + 0.2 * rows.scalars[:, 0] + 0.2 * rain)


LEARN, HELD_OUT, COARSE = samples(150, 1), samples(80, 2), samples(90, 3)
TARGET = random_rows(100, 100, 4)


def run(settings: ParitySettings = QUICK, **changes: object) -> TrainedEnsemble:
    arguments: dict[str, object] = {
        "learn": LEARN,
        "held_out": HELD_OUT,
        "start": START,
        "target": TARGET,
    } | changes
    learn, held_out = arguments.pop("learn"), arguments.pop("held_out")
    return train_parity(learn, held_out, settings, **arguments)  # type: ignore[arg-type]


def assert_same_bits(one: TrainedMember, other: TrainedMember) -> None:
    assert one.history == other.history
    assert one.state.keys() == other.state.keys()
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


def error(trained: TrainedEnsemble, labelled: LabelledRows) -> float:
    """RMSE of the mean of the members, through the platform's own prediction."""
    members = tuple(Member(m.name, m.architecture, m.state) for m in trained.members)
    made = Checkpoint("t-1", trained.recipe_id, trained.recipe_fingerprint, members, {})
    found = predict(prepare(made), labelled.rows).mean - labelled.sm_m3m3
    return float(np.sqrt(np.square(found).mean()))


def test_the_defaults_are_the_published_numbers() -> None:
    settings = ParitySettings()
    assert len(set(settings.members)) == 25
    assert (settings.stage, settings.domain, settings.loss) == ("ft12", "coral", "mape")
    assert (settings.alpha, settings.beta, settings.beta_divisor) == (0.7, None, 1.0)
    assert (settings.epochs, settings.batch, settings.average_from) == (500, 1024, 40)
    assert (settings.learning_rate, settings.weight_decay) == (4e-4, 1e-5)
    assert (settings.patience, settings.factor, settings.lowest_rate) == (50, 0.5, 1e-6)


def test_fine_tuning_learns_from_a_random_start_and_tells_of_every_epoch() -> None:
    seen: list[Progress] = []
    settings = replace(QUICK, epochs=30, average_from=20, learning_rate=1e-2, loss="mse", beta=0.0)
    trained = run(settings, start=None, progress=seen.append)
    assert error(trained, HELD_OUT) < 0.9 * float(HELD_OUT.sm_m3m3.std())
    assert [member.name for member in trained.members] == ["1_8", "2_16"]
    assert trained.n_target == 100
    for member in trained.members:
        told = [p for p in seen if p.member == member.name]
        assert [p.epoch for p in told] == list(range(30))
        assert tuple(p.losses for p in told) == member.history
        assert {p.epochs for p in told} == {30}


@pytest.mark.parametrize("stage", ["ft12", "ft13"])
def test_a_training_that_is_killed_goes_on_to_the_same_bits(stage: str) -> None:
    settings = replace(QUICK, stage=stage, patience=0)
    changes = {"coarse": COARSE if stage == "ft13" else None}
    whole = run(settings, **changes)
    for dies_before in (0, 1, 3, 6):
        kept = Kept(dies_before)
        with pytest.raises(KeyboardInterrupt):
            run(settings, snapshots=kept, **changes)
        kept.left, seen = None, []
        again = run(settings, snapshots=kept, progress=seen.append, **changes)
        assert sum(p.is_resumed for p in seen) == dies_before
        for one, other in zip(whole.members, again.members, strict=True):
            assert_same_bits(one, other)


def test_the_seed_and_the_repeat_decide_every_bit() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = run(), run()
    assert torch.equal(torch.get_rng_state(), before)
    for one, other in zip(first.members, second.members, strict=True):
        assert_same_bits(one, other)
    repeated, reseeded = run(replace(QUICK, repeat=2)), run(replace(QUICK, seed=1))
    assert [member.name for member in repeated.members] == ["1_8_r2", "2_16_r2"]
    outs = [each.members[1].state["out.weight"] for each in (first, repeated, reseeded)]
    assert not torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])
    alone = run(replace(QUICK, members=((2, 16),)))
    assert_same_bits(alone.members[0], first.members[1])


def test_a_small_rate_stays_close_to_the_start() -> None:
    settings = replace(QUICK, learning_rate=1e-6, lowest_rate=1e-7)
    for member in run(settings).members:
        start = next(m.state for m in START.members if m.name == member.name)
        for name in ("out.weight", "conv_block.conv2.weight", "conv_block.conv2.bias"):
            apart = float((member.state[name] - start[name]).abs().max())
            assert 0 < apart < 2e-5


def test_labels_outside_the_published_range_are_left_out() -> None:
    wider = samples(170, 1)
    wider.sm_m3m3[:10], wider.sm_m3m3[10:20] = 0.0, 0.71
    kept = np.arange(20, 170)
    rows = replace(
        wider.rows,
        scalars=wider.rows.scalars[kept],
        series=wider.rows.series[kept],
        series_index=np.arange(150, dtype=np.int32),
    )
    narrow = LabelledRows(rows, wider.sm_m3m3[kept])
    one, other = run(learn=wider), run(learn=narrow)
    assert_same_bits(one.members[0], other.members[0])


def test_a_start_of_another_recipe_must_be_named() -> None:
    foreign = random_checkpoint(*FEW, recipe=find_recipe("densesm-2024"))
    with pytest.raises(RecipeError, match=r"'densesm-2024'.*'sm-100m-v1'"):
        run(start=foreign)
    trained = run(start=foreign, start_recipe="densesm-2024")
    assert trained.recipe_id == "sm-100m-v1"


def other_recipe(rows: FeatureRows) -> FeatureRows:
    return replace(rows, recipe_id="eov-2025", recipe_fingerprint="0" * 16)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 1.1}, r"alpha is 1.1: it must be in 0..1"),
        ({"alpha": float("nan")}, "alpha"),
        ({"beta": -1.0}, "beta is -1.0"),
        ({"beta": float("inf")}, "beta is inf"),
        ({"stage": "ft11"}, "no stage 'ft11': choose ft12 or ft13"),
        ({"domain": "none"}, "no domain 'none': choose coral or mmd"),
        ({"loss": "mae"}, "no loss 'mae': choose mape or mse"),
        ({"stage": "ft13"}, "ft13 needs coarse labelled rows"),
        ({"epochs": 2}, "averaged from epoch 2 on, but the epochs are 0..1"),
        ({"batch": 1}, "one row has no covariance"),
        ({"factor": 1.0}, "factor is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"members": ()}, "name at least one"),
        ({"repeat": 0}, "repeat is 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(replace(QUICK, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "error_type", "message"),
    [
        ({"target": random_rows(10, 5)}, DataError, "target region has 10 whole rows of 10"),
        ({"target": other_recipe(TARGET)}, RecipeError, "target rows of 'eov-2025'"),
        ({"coarse": COARSE}, UsageError, "ft12 has no place for coarse rows"),
        ({"target": LEARN.rows}, DataError, "cannot be chosen: bring target rows"),
        ({"target": take(LEARN.rows, np.arange(150)[::-1])}, DataError, "cannot be chosen"),
        ({"learn": replace(LEARN, sm_m3m3=100 * LEARN.sm_m3m3)}, DataError, "percent"),
        ({"learn": replace(LEARN, sm_m3m3=np.full(150, 0.9))}, DataError, "0 training rows"),
        ({"held_out": samples(19, 5)}, DataError, "19 held-out rows: at least 20"),
        ({"learn": replace(LEARN, weight=np.arange(150.0))}, UsageError, "weighs all rows alike"),
        ({"start": random_checkpoint(FEW[0])}, CheckpointError, "has no member 2_16"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    changes: dict[str, object], error_type: type[Exception], message: str
) -> None:
    with pytest.raises(error_type, match=message):
        run(**changes)


def test_a_run_that_diverges_says_so() -> None:
    with pytest.raises(UsageError, match="Member 1_8 diverged in epoch 0"):
        run(replace(QUICK, members=((1, 8),), learning_rate=1e30, loss="mse"))
