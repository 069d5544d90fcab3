"""One member under the published fine-tuning, an epoch at a time; `parity` says what that is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from sm_platform.densesm.branch import Drop
from sm_platform.densesm.dropping import dropped
from sm_platform.densesm.member_run import Epoch, TrainedMember, random_numbers
from sm_platform.densesm.network import DROPOUT, Architecture, DenseSM
from sm_platform.densesm.parity_settings import ParitySettings
from sm_platform.densesm.parity_step import (
    Batch,
    ParityRows,
    batches,
    first_beta,
    held_out_error,
    joint_loss,
)
from sm_platform.densesm.training_settings import member_name
from sm_platform.errors import UsageError

THRESHOLD = 1e-4
"""An error counts as lower when it is by this share; torch's default, which was used."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """The learning rate and why it is what it is; torch's ReduceLROnPlateau as a value."""

    rate: float
    lowest: float = math.inf
    """Lowest held-out error so far."""
    waited: int = 0
    """Epochs since then, or since the rate last fell."""

    def after(self, error: float, settings: ParitySettings) -> "Plateau":
        """What follows an epoch of that held-out error."""
        if error < self.lowest * (1 - THRESHOLD):
            return replace(self, lowest=error, waited=0)
        if self.waited < settings.patience:
            return replace(self, waited=self.waited + 1)
        fallen = max(self.rate * settings.factor, settings.lowest_rate)
        return replace(self, rate=min(fallen, self.rate), waited=0)


@dataclass(slots=True, eq=False)
class ParityRun:
    """A `MemberRun`; its tensors are updated in place."""

    name: str
    architecture: Architecture
    settings: ParitySettings
    rows: ParityRows
    network: DenseSM
    optimiser: torch.optim.Adam
    average: dict[str, Tensor]
    """Equal mean of the state after each epoch from `settings.average_from` on."""
    generator: torch.Generator
    drop: Drop
    plateau: Plateau
    beta: float
    history: list[Epoch] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Exactly so many: nothing in the published way ends it before."""
        return self.settings.epochs

    def is_finished(self) -> bool:
        """Whether all epochs are done."""
        return len(self.history) >= self.epochs

    def advance(self) -> Epoch:
        """One pass over the labelled rows, then the held-out error and the average.

        Raises:
            UsageError: the weights grew beyond all bounds.
        """
        steps = batches(self.rows, self.settings.batch, self.generator)
        losses = [self._step(batch) for batch in steps]
        loss, error = sum(losses) / len(losses), held_out_error(self.network, self.rows.held_out)
        self._check(loss + error)
        rate = self.plateau.rate
        self.plateau = self.plateau.after(error, self.settings)
        self._set_rate()
        count = len(self.history) - self.settings.average_from + 1
        if count > 0:
            state = _floating(self.network)
            for name, mean in self.average.items():
                mean.lerp_(state[name], 1 / count)
        self.history.append(Epoch(loss, error**2, rate))
        return self.history[-1]

    def snapshot(self) -> dict[str, Tensor]:
        """Copies of the network, the average, Adam's moments, random numbers, rate and history."""
        held = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        held |= {f"average/{name}": value for name, value in self.average.items()}
        for place, moments in self.optimiser.state_dict()["state"].items():
            held |= {f"adam/{place}/{name}": value for name, value in moments.items()}
        plateau = [self.plateau.rate, self.plateau.lowest, float(self.plateau.waited)]
        past = [[e.train_loss, e.validation_loss, e.learning_rate] for e in self.history]
        held["generator"] = self.generator.get_state()
        held["plateau"] = torch.tensor(plateau, dtype=torch.float64)
        held["history"] = torch.tensor(past, dtype=torch.float64).view(-1, 3)
        return {name: value.detach().clone() for name, value in held.items()}

    def restore(self, kept: dict[str, Tensor]) -> None:
        """Become what `snapshot` saw."""
        self.network.load_state_dict(_below(kept, "network"))
        for name, value in _below(kept, "average").items():
            self.average[name].copy_(value)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(kept, "adam").items():
            place, _, kind = name.partition("/")
            moments.setdefault(int(place), {})[kind] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        rate, lowest, waited = kept["plateau"].tolist()
        self.plateau = Plateau(rate, lowest, int(waited))
        self._set_rate()
        self.generator.set_state(kept["generator"].cpu())
        self.history[:] = [Epoch(*losses) for losses in kept["history"].tolist()]

    def result(self) -> TrainedMember:
        """The average; its counters, which nothing reads, are those of the last epoch."""
        state = {**self.network.state_dict(), **self.average}
        state = {name: value.detach().cpu().clone() for name, value in state.items()}
        last = len(self.history) - 1
        return TrainedMember(self.name, self.architecture, state, tuple(self.history), last)

    def _step(self, batch: Batch) -> float:
        self.network.train()
        loss = joint_loss(
            self.network, self.rows, batch, self.settings, beta=self.beta, drop=self.drop
        )
        self.optimiser.zero_grad(set_to_none=False)  # convolution biases keep their zeros
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return float(loss.detach())

    def _set_rate(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.plateau.rate

    def _check(self, total: float) -> None:
        if not math.isfinite(total):
            raise UsageError(
                f"Member {self.name} diverged in epoch {len(self.history)}: choose a learning rate "
                f"below {self.settings.learning_rate:g}, or another beta."
            )


def begin(
    architecture: Architecture,
    rows: ParityRows,
    settings: ParitySettings,
    start: Mapping[str, Tensor] | None,
) -> ParityRun:
    """A run before its first epoch, on the device and in the precision of the rows.

    Args:
        architecture: of the member.
        rows: checked rows.
        settings: checked settings.
        start: state dict to go on from; None for torch's usual random start.
    """
    name, like = member_name(architecture, settings.repeat), rows.learn.target
    generator = random_numbers(like.device, settings.seed, name)
    network = _network(architecture, start, generator).to(like.device, like.dtype)
    beta = first_beta(network, rows, settings) if settings.beta is None else settings.beta
    for k in (1, 2, 3):  # the norms behind make these gradients 0, which decay alone then changes
        bias = network.conv_block.get_parameter(f"conv{k}.bias")
        bias.grad = torch.zeros_like(bias)
    return ParityRun(
        name=name,
        architecture=architecture,
        settings=settings,
        rows=rows,
        network=network,
        optimiser=torch.optim.Adam(
            network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        ),
        average={key: torch.zeros_like(value) for key, value in _floating(network).items()},
        generator=generator,
        drop=lambda x: dropped(x, DROPOUT, generator),
        plateau=Plateau(settings.learning_rate),
        beta=beta,
    )


def _network(
    architecture: Architecture, start: Mapping[str, Tensor] | None, generator: torch.Generator
) -> DenseSM:
    with torch.device("meta"):
        network = DenseSM(architecture)
    network.to_empty(device="cpu")
    if start is not None:
        network.load_state_dict(start)
    else:
        _start_at_random(network, generator)
    return network


def _start_at_random(network: DenseSM, generator: torch.Generator) -> None:
    """Weights and biases uniform within 1 / sqrt(number of inputs), norms neutral: torch's own."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            bound = module.weight[0].numel() ** -0.5
            for weight in module.parameters():
                drawn = torch.rand(weight.shape, generator=generator, device=generator.device)
                weight.data.copy_(bound * (2 * drawn - 1))
        elif isinstance(module, nn.BatchNorm1d):
            module.reset_parameters()


def _floating(network: DenseSM) -> dict[str, Tensor]:
    """The state without its counters."""
    state: dict[str, Tensor] = network.state_dict()
    return {name: value for name, value in state.items() if value.is_floating_point()}


def _below(kept: Mapping[str, Tensor], folder: str) -> dict[str, Tensor]:
    front = f"{folder}/"
    return {name[len(front) :]: value for name, value in kept.items() if name.startswith(front)}
