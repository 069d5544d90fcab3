"""One member fitted from scratch on standardised series and labels, then brought to raw inputs."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sm_platform.densesm.branch import Drop, branch_codes
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.densesm.training_data import Scales, Table, export

DECAY_OF_AVERAGE = 0.99
"""Per step: the average looks back about 100 steps."""
N_FOR_NORMS = 2048
"""Rows over which the norms of the averaged weights are taken."""
RISE = 0.2
"""Share of the steps over which the learning rate rises, before it falls along a cosine."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How an ensemble is trained; defaults were measured on simulated 3 km blocks."""

    members: tuple[tuple[int, int], ...] = ((1, 64), (2, 32), (2, 64), (3, 32), (3, 64))
    """(blocks, width) of each member, all different."""
    epochs: int = 20
    seed: int = 0
    learning_rate: float = 1e-2
    """Highest rate of the one cycle."""
    weight_decay: float = 1e-2
    """AdamW, on matrices and kernels only."""
    batch: int = 256
    feature_dropout: float = 0.1
    """Share of the 30 normalised features hidden from a row in a step."""
    feature_noise: float = 0.3
    """Sd of the noise on the 30 normalised features, in their own sd."""
    series_dropout: float = 0.0
    """After each ReLU of the series branch; 0.5 is the published one, costs accuracy and time."""
    patience: int = 8
    """Epochs without a better validation loss before a member stops."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """Mean squared errors after an epoch, in (m3/m3)^2."""

    train_loss: float
    """Mean over the epoch's steps, with dropout and noise, of the weights as they were."""
    validation_loss: float
    """Of the averaged weights."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedMember:
    """A fitted network and how it got there."""

    architecture: Architecture
    state: dict[str, Tensor]
    """State dict on raw scaled inputs: the averaged weights of the best epoch."""
    history: tuple[Epoch, ...]
    best_epoch: int
    """Place in `history` of the lowest validation loss."""


def fit(
    architecture: Architecture,
    train: Table,
    validation: Table,
    settings: TrainingSettings,
    report: Callable[[int, Epoch], None],
) -> TrainedMember:
    """Train one member; the same arguments give the same bits on one machine.

    `report` is called with the number and the losses of each finished epoch.
    """
    fitting = _Fitting.start(architecture, train, settings)
    history: list[Epoch] = []
    best: dict[str, Tensor] = {}
    best_epoch = 0
    for number in range(settings.epochs):
        train_loss = _run_epoch(fitting, train, settings, number)
        averaged = _averaged(fitting, train)
        errors = _estimate(averaged, validation, fitting.scales) - validation.target
        history.append(Epoch(train_loss, float((validation.weight * errors.square()).mean())))
        report(number, history[-1])
        if not best or history[-1].validation_loss < history[best_epoch].validation_loss:
            best, best_epoch = export(averaged, fitting.scales), number
        if number - best_epoch >= settings.patience:
            break
    return TrainedMember(architecture, best, tuple(history), best_epoch)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Torch's usual start from this generator; biases are 0, norms are neutral."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_parameters()


@dataclass(frozen=True, slots=True, eq=False)
class _Fitting:
    """What changes while a member is fitted; its tensors are updated in place."""

    network: DenseSM
    average: list[Tensor]
    optimiser: torch.optim.AdamW
    generator: torch.Generator
    scales: Scales
    architecture: Architecture

    @staticmethod
    def start(architecture: Architecture, train: Table, settings: TrainingSettings) -> "_Fitting":
        """A new network; its random numbers depend on the seed and its architecture alone."""
        generator = torch.Generator()
        generator.manual_seed(
            1000 * (1000 * settings.seed + architecture.blocks) + architecture.width
        )
        network = _blank(architecture)
        initialise(network, generator)
        weights = list(network.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": settings.weight_decay},
            {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
        average = [weight.detach().clone() for weight in weights]
        return _Fitting(network, average, optimiser, generator, Scales.of(train), architecture)


def _blank(architecture: Architecture) -> DenseSM:
    """A network whose tensors hold nothing yet; torch's global generator is not touched."""
    with torch.device("meta"):
        network = DenseSM(architecture)
    return network.to_empty(device="cpu")


def _run_epoch(fitting: _Fitting, train: Table, settings: TrainingSettings, number: int) -> float:
    """One pass over the shuffled rows; returns the mean loss in (m3/m3)^2."""
    order = torch.randperm(len(train), generator=fitting.generator)
    steps = max(len(train) // settings.batch, 1)
    total = 0.0
    for at in range(steps):
        rows = order[at * settings.batch : (at + 1) * settings.batch]
        step = number * steps + at
        rate = settings.learning_rate * _cycle(step / (settings.epochs * steps))
        total += _step(fitting, train, settings, rows=rows, rate=rate)
        share = max(1 - DECAY_OF_AVERAGE, 1 / (step + 1))
        now = [weight.detach() for weight in fitting.network.parameters()]
        torch._foreach_lerp_(fitting.average, now, share)
    return total / steps * fitting.scales.target_sd**2


def _cycle(done: float) -> float:
    """Share of the highest learning rate when that share of the steps is done."""
    if done < RISE:
        return max(done / RISE, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - RISE) / (1 - RISE)))


def _step(
    fitting: _Fitting, train: Table, settings: TrainingSettings, *, rows: Tensor, rate: float
) -> float:
    for group in fitting.optimiser.param_groups:
        group["lr"] = rate
    scales, generator, network = fitting.scales, fitting.generator, fitting.network

    def drop(x: Tensor) -> Tensor:
        return _dropped(x, settings.series_dropout, generator)

    network.train()
    features = _features(network, train, rows, scales, drop if settings.series_dropout else None)
    noise = torch.randn(features.shape, generator=generator)
    features = features + settings.feature_noise * noise
    estimate = network.dense(_dropped(features, settings.feature_dropout, generator))
    wanted = (train.target[rows] - scales.target_mean) / scales.target_sd
    loss = (train.weight[rows] * (estimate - wanted).square()).mean()
    fitting.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    fitting.optimiser.step()
    return float(loss.detach())


def _features(
    network: DenseSM, table: Table, rows: Tensor, scales: Scales, drop: Drop | None = None
) -> Tensor:
    """Normalised features (rows, 30) of the chosen rows."""
    series = table.series[table.series_index[rows]]  # (rows, 3, 46)
    standard = (series - scales.series_mean) / scales.series_sd
    codes = branch_codes(network.conv_block, standard, drop)
    return network.features(table.scalars[rows], series.mean(dim=2), codes)


def _dropped(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Inverted dropout: each element is 0 with that chance, the others grow to make up for it."""
    kept = torch.rand(x.shape, generator=generator) >= share
    return x * kept / (1 - share)


@torch.no_grad()
def _averaged(fitting: _Fitting, train: Table) -> DenseSM:
    """The averaged weights in a network of their own, norms taken anew without noise."""
    network = _blank(fitting.architecture)
    for weight, average in zip(network.parameters(), fitting.average, strict=True):
        weight.copy_(average)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
            module.momentum = None  # after one pass the running statistics are those of its rows
    rows = torch.linspace(0, len(train) - 1, min(N_FOR_NORMS, len(train))).long()
    network.train()
    network.dense(_features(network, train, rows, fitting.scales))
    return network.eval()


@torch.no_grad()
def _estimate(network: DenseSM, table: Table, scales: Scales) -> Tensor:
    """Soil moisture (n,) in m3/m3."""
    parts = [
        network.dense(_features(network, table, rows, scales))
        for rows in torch.split(torch.arange(len(table)), N_FOR_NORMS)
    ]
    return torch.cat(parts) * scales.target_sd + scales.target_mean
