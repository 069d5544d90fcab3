"""One member fitted on standardised series and labels, then brought to raw inputs."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sm_platform.densesm.averaging import estimate, take_norms
from sm_platform.densesm.branch import branch_codes
from sm_platform.densesm.dropping import dropped
from sm_platform.densesm.member_run import Epoch, TrainedMember, random_numbers
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.densesm.new_network import blank, initialise, without_statistics
from sm_platform.densesm.task import Task
from sm_platform.densesm.training_data import enter, export
from sm_platform.densesm.training_settings import batch_size, member_name
from sm_platform.densesm.weights import Weights
from sm_platform.errors import UsageError

RISE = 0.2
"""Share of the steps over which the learning rate rises, before it falls along a cosine."""


@dataclass(slots=True, eq=False)
class MemberFit:
    """A member on its way, a `MemberRun`."""

    name: str
    architecture: Architecture
    task: Task
    network: DenseSM
    """Its norms have no running statistics: they are taken anew from the averaged weights."""
    weights: Weights
    """Of `network`."""
    averaged: DenseSM
    """Judged and kept."""
    average: Weights
    """Of `averaged`: the running average of `weights`."""
    optimiser: torch.optim.AdamW
    generator: torch.Generator
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    """State of the best epoch, on raw inputs."""
    best_epoch: int = 0

    @property
    def epochs(self) -> int:
        """At most so many."""
        return self.task.settings.epochs

    def is_finished(self) -> bool:
        """After all epochs, or so many without a better validation loss."""
        done = len(self.history)
        return done >= self.epochs or done - self.best_epoch > self.task.settings.patience

    def advance(self) -> Epoch:
        """Run one epoch; raises UsageError when the weights grew beyond all bounds."""
        number, task = len(self.history), self.task
        train_loss, rate = _run_epoch(self, number)
        sources = [task.learn.inputs, *([task.target] if task.target is not None else [])]
        take_norms(self.averaged, sources, task.scales)
        errors = estimate(self.averaged, task.steer.inputs, task.scales) - task.steer.target
        epoch = Epoch(train_loss, float((task.steer.weight * errors.square()).mean()), rate)
        if not math.isfinite(epoch.train_loss + epoch.validation_loss):
            raise UsageError(
                f"Member {self.name} diverged in epoch {number}: choose a learning rate below "
                f"{task.settings.learning_rate:g}."
            )
        self.history.append(epoch)
        if not self.best or epoch.validation_loss < self.history[self.best_epoch].validation_loss:
            self.best, self.best_epoch = export(self.averaged, task.scales), number
        return epoch

    def hidden_features(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Last hidden layer (k, 32) of k learning rows and of as many target rows, or of none.

        Both go through the network together: with norms of their own they would look alike in mean
        and variance before anything is learnt.
        """
        task, settings, k = self.task, self.task.settings, rows.shape[0]
        scalars, series = task.learn.inputs.pick(rows)
        if task.target is not None:
            drawn = torch.randint(
                len(task.target), (k,), generator=self.generator, device=rows.device
            )
            more_scalars, more_series = task.target.pick(drawn)
            scalars, series = torch.cat((scalars, more_scalars)), torch.cat((series, more_series))

        def drop(x: Tensor) -> Tensor:
            return dropped(x, settings.series_dropout, self.generator)

        codes = branch_codes(
            self.network.conv_block, series, drop if settings.series_dropout else None
        )
        features = self.network.features(scalars, task.scales.raw_means(series), codes)
        noise = torch.randn(features.shape, generator=self.generator, device=rows.device)
        features = features + settings.feature_noise * noise
        hidden = self.network.hidden(dropped(features, settings.feature_dropout, self.generator))
        return hidden[:k], hidden[k:]

    def snapshot(self) -> dict[str, Tensor]:
        """All that changes, by name."""
        kept = {f"best/{key}": tensor for key, tensor in self.best.items()}
        for at, part in enumerate(self.weights.parts):
            kept[f"{at}/weights"], kept[f"{at}/average"] = part, self.average.parts[at]
            kept |= {f"{at}/moments/{k}": one for k, one in self.optimiser.state[part].items()}
        told = [(e.train_loss, e.validation_loss, e.learning_rate) for e in self.history]
        kept["history"] = torch.tensor(told, dtype=torch.float64)
        kept["best_epoch"] = torch.tensor(self.best_epoch)
        kept["generator"] = self.generator.get_state()
        return kept

    def restore(self, kept: dict[str, Tensor]) -> None:
        """Become what `snapshot` saw."""
        for at, part in enumerate(self.weights.parts):
            part.copy_(kept[f"{at}/weights"])
            self.average.parts[at].copy_(kept[f"{at}/average"])
            moments = _below(kept, f"{at}/moments")
            self.optimiser.state[part] = {k: one.to(part.device) for k, one in moments.items()}
        self.best = _below(kept, "best")
        self.history = [Epoch(*values) for values in kept["history"].tolist()]
        self.best_epoch = int(kept["best_epoch"])
        self.generator.set_state(kept["generator"])

    def result(self) -> TrainedMember:
        """The averaged weights of the best epoch."""
        history = tuple(self.history)
        return TrainedMember(self.name, self.architecture, self.best, history, self.best_epoch)


def begin(
    architecture: Architecture, task: Task, start: Mapping[str, Tensor] | None = None
) -> MemberFit:
    """A member before its first epoch, from the `start` state or at random.

    Its random numbers depend on the seed, the repeat and its architecture alone.
    """
    settings = task.settings
    what = (settings.seed, settings.repeat, architecture.name)
    network = blank(architecture)
    initialise(network, random_numbers(torch.device("cpu"), *what, "weights"))
    network = network.to(task.device)
    if start is not None:
        network.load_state_dict(enter(start, task.scales))
    averaged = copy.deepcopy(network)
    weights = Weights.of(without_statistics(network).train())
    groups = [
        {"params": [weights.matrices], "weight_decay": settings.weight_decay},
        {"params": [weights.vectors], "weight_decay": 0.0},
    ]
    return MemberFit(
        name=member_name(architecture, settings.repeat),
        architecture=architecture,
        task=task,
        network=network,
        weights=weights,
        averaged=averaged,
        average=Weights.of(averaged),
        optimiser=torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True),
        generator=random_numbers(task.device, *what, "steps"),
    )


def _below(kept: dict[str, Tensor], folder: str) -> dict[str, Tensor]:
    """Entries whose name begins with `folder/`, by the rest of it."""
    prefix = f"{folder}/"
    return {k.removeprefix(prefix): tensor for k, tensor in kept.items() if k.startswith(prefix)}


def _run_epoch(fit: MemberFit, number: int) -> tuple[float, float]:
    """One pass over the shuffled rows; returns the mean loss in (m3/m3)^2 and the last rate."""
    settings, n = fit.task.settings, len(fit.task.learn)
    order = torch.randperm(n, generator=fit.generator, device=fit.task.device)
    size = batch_size(settings, n)
    steps = max(n // size, 1)
    total, rate = torch.zeros((), device=fit.task.device), 0.0
    for at in range(steps):
        rows = order[at * size : (at + 1) * size]
        step = number * steps + at
        rate = settings.learning_rate * _cycle(step / (settings.epochs * steps))
        total += _step(fit, rows, rate)
        share = max(1 / settings.average_steps, 1 / (step + 1))
        for average, part in zip(fit.average.parts, fit.weights.parts, strict=True):
            average.lerp_(part, share)
    return float(total) / steps * fit.task.scales.target_sd**2, rate


def _cycle(done: float) -> float:
    """Share of the highest learning rate when that share of the steps is done."""
    if done < RISE:
        return max(done / RISE, 0.01)
    return 0.5 * (1 + math.cos(math.pi * (done - RISE) / (1 - RISE)))


def _step(fit: MemberFit, rows: Tensor, rate: float) -> Tensor:
    """One step on these rows; returns the squared error in units of the labels' variance."""
    for group in fit.optimiser.param_groups:
        group["lr"] = rate
    task, (hidden, others) = fit.task, fit.hidden_features(rows)
    estimate = fit.network.out(hidden)[:, 0]
    wanted = (task.learn.target[rows] - task.scales.target_mean) / task.scales.target_sd
    error: Tensor = (task.learn.weight[rows] * (estimate - wanted).square()).mean()
    loss = error
    if task.domain_loss is not None:
        loss = error + task.settings.domain_weight * task.domain_loss(hidden, others)
    fit.weights.take_gradient(loss)
    fit.optimiser.step()
    return error.detach()
