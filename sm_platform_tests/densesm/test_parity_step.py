"""The platform's fine-tuning against `plain_parity`, number by number, in float64."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sm_platform.densesm.admission import admit, admit_target
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.densesm.parity_run import ParityRun, Plateau, begin
from sm_platform.densesm.parity_settings import ParitySettings
from sm_platform.densesm.parity_step import ParityRows, batches
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.schema.rows import FeatureRows, dense
from sm_platform_tests.densesm import plain_parity as plain
from sm_platform_tests.densesm.making import random_rows, random_state

ARCHITECTURE = Architecture(2, 8)
SHORT = ParitySettings(
    members=((2, 8),), epochs=4, average_from=1, batch=32, patience=0, learning_rate=3e-3
)
CPU = torch.device("cpu")
EXACT = torch.float64


def labelled(n: int, seed: int) -> LabelledRows:
    moisture = np.random.default_rng(seed).uniform(0.05, 0.6, n)
    return LabelledRows(random_rows(n, 50, seed), moisture)


LEARN, HELD_OUT, COARSE = labelled(81, 1), labelled(70, 2), labelled(66, 3)
TARGET = replace(random_rows(64, 40, 4), scalars=random_rows(64, 40, 4).scalars ** 2)


def exact_state(seed: int = 5) -> dict[str, Tensor]:
    state = random_state(ARCHITECTURE, seed)
    return {k: v.to(EXACT) if v.is_floating_point() else v for k, v in state.items()}


def exact_rows(settings: ParitySettings) -> ParityRows:
    return ParityRows(
        learn=admit("training", LEARN, CPU, EXACT),
        held_out=admit("held-out", HELD_OUT, CPU, EXACT),
        target=admit_target(TARGET, CPU, EXACT),
        coarse=admit("coarse", COARSE, CPU, EXACT) if settings.stage == "ft13" else None,
    )


def recorded(run: ParityRun) -> list[Tensor]:
    """Fills with the masks that the run draws, in the plain layout (n, channel, step)."""
    masks: list[Tensor] = []
    inner = run.drop

    def drop(x: Tensor) -> Tensor:
        mask = inner(torch.ones_like(x))
        masks.append(mask.permute(2, 1, 0))
        return x * mask

    run.drop = drop
    return masks


def plain_way(settings: ParitySettings) -> plain.Way:
    return plain.Way(
        settings.domain,
        settings.loss,
        settings.alpha,
        settings.beta,
        settings.beta_divisor,
        settings.learning_rate,
        settings.weight_decay,
        settings.batch,
        settings.patience,
        settings.average_from,
    )


def inputs(rows: FeatureRows) -> Tensor:
    return torch.tensor(dense(rows), dtype=EXACT)


def kind(rows: LabelledRows) -> plain.Kind:
    return plain.Kind(inputs(rows.rows), torch.tensor(rows.sm_m3m3, dtype=EXACT))


def tuned(settings: ParitySettings) -> tuple[ParityRun, plain.Tuned]:
    """Ours run to its end, and the plain one with the same numbers drawn."""
    run = begin(ARCHITECTURE, exact_rows(settings), settings, exact_state())
    masks, orders = recorded(run), []
    kinds = [kind(LEARN), plain.Kind(inputs(TARGET))]
    kinds += [kind(COARSE)] if settings.stage == "ft13" else []
    for _ in range(settings.epochs):
        generator = torch.Generator()
        generator.set_state(run.generator.get_state())
        orders.append([torch.randperm(len(each.inputs), generator=generator) for each in kinds])
        run.advance()
    state = {k: v for k, v in exact_state().items() if v.is_floating_point()}
    drawn = orders, masks
    return run, plain.tune(state, plain_way(settings), kinds, kind(HELD_OUT), drawn)


def assert_same(ours: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value.detach(), rtol=1e-6, atol=1e-6, msg=name)


@pytest.mark.parametrize("stage", ["ft12", "ft13"])
@pytest.mark.parametrize(("domain", "loss"), [("coral", "mape"), ("mmd", "mse")])
def test_one_step_is_that_of_the_plain_formulas(stage: str, domain: str, loss: str) -> None:
    settings = replace(
        SHORT, stage=stage, domain=domain, loss=loss, batch=100, epochs=1, average_from=0
    )
    run, expected = tuned(settings)
    assert run.beta == pytest.approx(expected.beta, rel=1e-6)
    assert run.history[0].train_loss == pytest.approx(expected.losses[0][0], rel=1e-6)
    assert_same(run.network.state_dict(), expected.last)
    moved = (
        exact_state()["dense_layers.0.linear2.weight"]
        - expected.last["dense_layers.0.linear2.weight"]
    )
    assert float(moved.detach().abs().min()) > 1e-4  # so that a gradient of the wrong sign shows


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stage": "ft13", "domain": "mmd"},
        {"stage": "ft13", "loss": "mse", "alpha": 0.4, "beta": 0.3, "beta_divisor": 2.5},
    ],
)
def test_epochs_with_short_batches_plateau_and_average_are_the_plain_ones(
    changes: dict[str, object],
) -> None:
    run, expected = tuned(replace(SHORT, **changes))  # type: ignore[arg-type]
    assert [len(losses) for losses in expected.losses] == [3, 3, 3, 3]  # of 32, 32 and 17 rows
    for ours, losses, error in zip(run.history, expected.losses, expected.errors, strict=True):
        assert ours.train_loss == pytest.approx(np.mean(losses), rel=1e-6)
        assert ours.validation_loss == pytest.approx(error**2, rel=1e-6)
    assert [each.learning_rate for each in run.history] == expected.rates
    assert_same(run.network.state_dict(), expected.last)
    result = run.result()
    assert_same(result.state, expected.state)
    assert result.best_epoch == 3
    assert int(result.state["norm.num_batches_tracked"]) == 7 + 4 * 3


def test_beta_weighs_the_domain_loss_and_its_divisor_divides_it() -> None:
    once = replace(SHORT, batch=100, epochs=1, average_from=0)
    losses = [
        tuned(replace(once, beta=beta, beta_divisor=divisor))[0].history[0].train_loss
        for beta, divisor in ((0.0, 1.0), (1.0, 1.0), (5.0, 2.5))
    ]
    assert losses[2] - losses[0] == pytest.approx(2 * (losses[1] - losses[0]))
    assert losses[1] > losses[0]


def test_each_labelled_row_comes_once_and_others_start_over() -> None:
    rows, generator = exact_rows(replace(SHORT, stage="ft13")), torch.Generator().manual_seed(0)
    found = list(batches(rows, 16, generator))  # 81 rows: five of 16, one alone is left out
    assert [len(batch.learn) for batch in found] == [16] * 5
    assert len(set(torch.cat([batch.learn for batch in found]).tolist())) == 80
    assert sorted(torch.cat([batch.target for batch in found[:4]]).tolist()) == list(range(64))
    assert torch.equal(found[4].target, found[0].target)
    coarse = torch.cat([batch.coarse for batch in found if batch.coarse is not None])
    assert sorted(coarse.tolist()) == list(range(66))
    assert not torch.equal(next(batches(rows, 16, generator)).learn, found[0].learn)


def test_what_is_restored_is_what_was_kept() -> None:
    settings = replace(SHORT, patience=5, learning_rate=0.05)
    run, other = (begin(ARCHITECTURE, exact_rows(settings), settings, exact_state()) for _ in "ab")
    for _ in range(3):
        run.advance()
    kept = run.snapshot()
    other.restore({name: value.clone() for name, value in kept.items()})
    assert other.plateau == run.plateau
    assert run.plateau.waited > 0
    assert math.isfinite(run.plateau.lowest)
    run.advance()
    assert other.history == run.history[:3]
    for name, value in other.snapshot().items():
        assert torch.equal(value, kept[name]), name
    assert other.advance() == run.history[3]


def test_the_rate_falls_in_the_epoch_in_which_torch_lets_it_fall() -> None:
    rng = np.random.default_rng(0)
    errors = 0.06 + 0.04 * np.exp(-np.arange(600) / 60) + rng.normal(0, 0.002, 600)
    errors[200] = math.nan
    for settings in (ParitySettings(), replace(SHORT, patience=3, factor=0.3, lowest_rate=2e-4)):
        clock = torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate)
        reference = ReduceLROnPlateau(
            clock,
            factor=settings.factor,
            patience=settings.patience,
            min_lr=settings.lowest_rate,
        )
        plateau = Plateau(settings.learning_rate)
        rates = set()
        for error in errors:
            plateau = plateau.after(float(error), settings)
            reference.step(float(error))
            assert plateau.rate == clock.param_groups[0]["lr"]
            rates.add(plateau.rate)
        assert len(rates) > 3


def test_each_value_behind_a_convolution_is_dropped_with_chance_a_half() -> None:
    drop = begin(ARCHITECTURE, exact_rows(SHORT), replace(SHORT, beta=1.0), None).drop
    masks = torch.stack([drop(torch.ones(5, 7, 1003)) for _ in range(4)])
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    n = masks.numel()
    assert abs(float(masks.mean()) - 1) < 4 / n**0.5
    for apart in (1, 8, 64, 1003, masks[0].numel()):  # neighbours do not know of each other
        flat = masks.flatten() - 1
        assert abs(float((flat[apart:] * flat[:-apart]).mean())) < 4 / n**0.5


def test_random_starts_spread_as_torch_spreads_them() -> None:
    rows, like = exact_rows(SHORT), DenseSM(ARCHITECTURE).state_dict()
    state = begin(ARCHITECTURE, rows, replace(SHORT, beta=1.0), None).network.state_dict()
    for name in ("conv_block.conv2", "dense_layers.1.linear1", "out"):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        bound = weight[0].numel() ** -0.5
        assert 0.8 * bound < float(weight.abs().max()) <= bound
        assert 0 < float(bias.abs().max()) <= bound
        assert float(like[f"{name}.weight"].abs().max()) <= bound
    assert torch.equal(state["norm.weight"], torch.ones(30, dtype=EXACT))
