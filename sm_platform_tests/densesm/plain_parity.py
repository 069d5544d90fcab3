"""The published fine-tuning written down a second time: plain layers, loops, stored states.

Nothing of the platform is imported. State dicts have the published names; batches and dropout masks
are given, so that every number can be compared.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import torch
import torch.nn.functional as nnf
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

State = dict[str, Tensor]
Masks = Sequence[Tensor]


@dataclass
class Kind:
    """Rows of one kind: (n, 153) inputs and, if they have some, (n,) labels."""

    inputs: Tensor
    label: Tensor | None = None


@dataclass
class Way:
    """What may differ between two fine-tunings."""

    domain: str
    loss: str
    alpha: float
    beta: float | None
    divisor: float
    rate: float
    decay: float
    batch: int
    patience: int
    average_from: int


def hidden(state: State, inputs: Tensor, masks: Masks | None, *, learning: bool) -> Tensor:
    """The 32 features; `masks` hold 0 or 2 for each value behind the ReLU of a convolution."""
    series = inputs[:, 15:].reshape(-1, 3, 46)
    x = series
    for k, pool in ((1, 2), (2, 2), (3, 4)):
        weight, bias = (state[f"conv_block.conv{k}.{part}"] for part in ("weight", "bias"))
        x = nnf.conv1d(nnf.pad(x, (2, 2), mode="replicate"), weight, bias)
        x = torch.relu(_norm(state, f"conv_block.bn{k}", x, learning=learning))
        x = x if masks is None else x * masks[k - 1]
        x = nnf.avg_pool1d(x, pool, ceil_mode=k == 3)
    x = torch.cat((inputs[:, :15], series.mean(dim=2), x.flatten(1)), dim=1)
    x = _norm(state, "norm", x, learning=learning)
    block = 0
    while f"dense_layers.{block}.linear1.weight" in state:
        y = x
        for j in (1, 2, 3):
            y = _linear(state, f"dense_layers.{block}.linear{j}", y)
            y = torch.relu(_norm(state, f"dense_layers.{block}.bn{j}", y, learning=learning))
        x = torch.cat((y, x), dim=1)
        block += 1
    x = torch.relu(_linear(state, "fc_layers.0.linear1", x))
    return _norm(state, "fc_layers.0.bn1", x, learning=learning)


def moisture(state: State, features: Tensor) -> Tensor:
    return _linear(state, "out", features).squeeze(1)


def moisture_loss(kind: str, estimate: Tensor, label: Tensor) -> Tensor:
    total = torch.zeros((), dtype=estimate.dtype)
    for one, wanted in zip(estimate, label, strict=True):
        apart = one - wanted
        total = total + (abs(apart) / wanted if kind == "mape" else apart * apart)
    return total / len(label)


def domain_loss(kind: str, source: Tensor, target: Tensor) -> Tensor:
    return _coral(source, target) if kind == "coral" else _mmd(source, target)


def _coral(source: Tensor, target: Tensor) -> Tensor:
    total = (torch.cov(source.T) - torch.cov(target.T)).pow(2).sum()
    return torch.sqrt(total / (4 * source.shape[1] ** 2))


def _mmd(source: Tensor, target: Tensor) -> Tensor:
    both = torch.cat((source, target))
    squares = (both[:, None, :] - both[None, :, :]).pow(2).sum(dim=2)
    width = squares.detach().sum() / (len(both) ** 2 - len(both)) / 4
    kernel = sum(torch.exp(-squares / (width * 2**i)) for i in range(5))
    assert isinstance(kernel, Tensor)
    n = len(source)
    corners = kernel[:n, :n].mean(), kernel[n:, n:].mean(), kernel[:n, n:], kernel[n:, :n]
    return corners[0] + corners[1] - corners[2].mean() - corners[3].mean()


def first_beta(state: State, way: Way, learn: Kind, target: Kind) -> float:
    assert learn.label is not None
    with torch.no_grad():
        ours = hidden(state, learn.inputs, None, learning=False)
        theirs = hidden(state, target.inputs, None, learning=False)
        first = moisture_loss(way.loss, moisture(state, ours), learn.label)
        return float(way.alpha * first / domain_loss(way.domain, ours, theirs))


class Adam:
    """Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1, with L2 decay added to the gradient."""

    def __init__(self, weights: list[Tensor], decay: float) -> None:
        self.weights, self.decay, self.t = weights, decay, 0
        self.first = [torch.zeros_like(w) for w in weights]
        self.second = [torch.zeros_like(w) for w in weights]

    def step(self, grads: Sequence[Tensor], rate: float) -> None:
        self.t += 1
        for k, (weight, grad) in enumerate(zip(self.weights, grads, strict=True)):
            g = grad + self.decay * weight.detach()
            self.first[k] = 0.9 * self.first[k] + 0.1 * g
            self.second[k] = 0.999 * self.second[k] + 0.001 * g * g
            m = self.first[k] / (1 - 0.9**self.t)
            v = self.second[k] / (1 - 0.999**self.t)
            with torch.no_grad():
                weight -= rate * m / (v.sqrt() + 1e-8)


@dataclass
class Tuned:
    state: State
    last: State
    losses: list[list[float]]
    errors: list[float]
    rates: list[float]
    beta: float


def tune(
    start: State,
    way: Way,
    kinds: Sequence[Kind],
    held_out: Kind,
    drawn: tuple[Sequence[Sequence[Tensor]], Masks],
) -> Tuned:
    """Fine-tune on (labelled, target[, coarse]) rows.

    `drawn`: for each epoch the order of each kind's rows, and the masks, three a step.
    """
    state = {k: v.clone() for k, v in start.items()}
    weights = [v.requires_grad_() for k, v in state.items() if k.endswith(("weight", "bias"))]
    beta = first_beta(state, way, *kinds[:2]) if way.beta is None else way.beta
    adam, left = Adam(weights, way.decay), iter(drawn[1])
    clock = torch.optim.SGD([torch.zeros(1)], lr=way.rate)
    plateau = ReduceLROnPlateau(clock, factor=0.5, patience=way.patience, min_lr=1e-6)
    tuned = Tuned({}, state, [], [], [], beta)
    stored: list[State] = []
    for epoch, orders in enumerate(drawn[0]):
        tuned.rates.append(clock.param_groups[0]["lr"])
        losses = []
        for parts in zip(
            torch.split(orders[0], way.batch),
            *(cycle(torch.split(order, way.batch)) for order in orders[1:]),
            strict=False,
        ):
            chosen = [next(left) for _ in range(3)]
            picked = [
                Kind(kind.inputs[part], None if kind.label is None else kind.label[part])
                for kind, part in zip(kinds, parts, strict=True)
            ]
            loss = joint_loss(state, way, beta, picked, chosen)
            adam.step(torch.autograd.grad(loss, weights), tuned.rates[-1])
            losses.append(float(loss.detach()))
        tuned.losses.append(losses)
        tuned.errors.append(_rmse(state, held_out))
        plateau.step(tuned.errors[-1])
        if epoch >= way.average_from:
            stored.append({k: copy.deepcopy(v.detach()) for k, v in state.items()})
    for name in state:
        tuned.state[name] = torch.stack([each[name] for each in stored]).mean(dim=0)
    return tuned


def joint_loss(state: State, way: Way, beta: float, kinds: Sequence[Kind], masks: Masks) -> Tensor:
    features = hidden(state, torch.cat([kind.inputs for kind in kinds]), masks, learning=True)
    parts = torch.split(features, [len(kind.inputs) for kind in kinds])
    both = min(len(parts[0]), len(parts[1]))
    assert kinds[0].label is not None
    loss = way.alpha * moisture_loss(way.loss, moisture(state, parts[0]), kinds[0].label)
    loss = loss + domain_loss(way.domain, parts[0][:both], parts[1][:both]) * beta / way.divisor
    if len(kinds) == 3:
        assert kinds[2].label is not None
        coarse = moisture_loss(way.loss, moisture(state, parts[2]), kinds[2].label)
        loss = loss + (1 - way.alpha) * coarse
    return loss


def _rmse(state: State, held_out: Kind) -> float:
    with torch.no_grad():
        estimate = moisture(state, hidden(state, held_out.inputs, None, learning=False))
        return float((estimate - held_out.label).pow(2).mean().sqrt())


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return nnf.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def _norm(state: State, name: str, x: Tensor, *, learning: bool) -> Tensor:
    mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    return nnf.batch_norm(x, mean, var, weight, bias, training=learning)
