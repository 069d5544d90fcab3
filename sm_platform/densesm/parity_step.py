"""One step of the published fine-tuning as functions of a network and rows.

Labelled, target and coarse rows go through the network together, so that its norms see all of them
at once, as published. Values are those of the plain layers within rounding; the series branch runs
in the fast layout of `branch`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, repeat

import torch
from torch import Tensor, nn

from sm_platform.densesm.branch import Drop, branch_codes
from sm_platform.densesm.domain import DOMAIN_LOSSES
from sm_platform.densesm.network import DenseSM, SeriesBranch
from sm_platform.densesm.parity_settings import ParitySettings
from sm_platform.densesm.published_losses import SOIL_MOISTURE_LOSSES
from sm_platform.densesm.training_data import Inputs, Table
from sm_platform.errors import DataError

AT_ONCE = 2048
"""Rows evaluated together outside training, and of each kind in the first domain loss: the MMD's
matrices of all pairs would take gigabytes of memory for all rows."""

SAME = 1e-5
"""A first domain loss that small is rounding: other rows differ by 1e-3 and more by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class ParityRows:
    """What a member sees."""

    learn: Table
    held_out: Table
    """Steers the learning rate and nothing else."""
    target: Inputs
    coarse: Table | None
    """With ft13."""

    @property
    def device(self) -> torch.device:
        """Where everything is."""
        return self.learn.target.device


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Places of the rows of one step."""

    learn: Tensor
    target: Tensor
    coarse: Tensor | None


def batches(rows: ParityRows, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Each labelled row once, in new order; target and coarse batches start over when used up.

    A last batch may be short, but one row alone, which has no covariance, is left out.
    """
    learn = _shuffled(len(rows.learn), size, generator)
    target = cycle(_shuffled(len(rows.target), size, generator))
    if rows.coarse is None:
        return map(Batch, learn, target, repeat(None))
    return map(Batch, learn, target, cycle(_shuffled(len(rows.coarse), size, generator)))


def joint_loss(
    network: DenseSM,
    rows: ParityRows,
    batch: Batch,
    settings: ParitySettings,
    *,
    beta: float,
    drop: Drop,
) -> Tensor:
    """The loss of a step (equation 3); `network` is in training mode.

    alpha * SM(labelled) + beta / divisor * D(labelled, target) [+ (1 - alpha) * SM(coarse)], D over
    equally many features of both, the first of either.
    """
    picked = [rows.learn.inputs.pick(batch.learn), rows.target.pick(batch.target)]
    if rows.coarse is not None and batch.coarse is not None:
        picked.append(rows.coarse.inputs.pick(batch.coarse))
    scalars, series = (torch.cat(parts) for parts in zip(*picked, strict=True))
    hidden = _hidden(network, scalars, series, drop)
    estimate = network.out(hidden)[:, 0]
    n, m = len(batch.learn), len(batch.target)
    both = min(n, m)
    moisture_loss = SOIL_MOISTURE_LOSSES[settings.loss]
    loss = settings.alpha * moisture_loss(estimate[:n], rows.learn.target[batch.learn])
    apart = DOMAIN_LOSSES[settings.domain](hidden[:both], hidden[n : n + both])
    loss = loss + beta / settings.beta_divisor * apart
    if rows.coarse is not None and batch.coarse is not None:
        coarse = moisture_loss(estimate[n + m :], rows.coarse.target[batch.coarse])
        loss = loss + (1 - settings.alpha) * coarse
    return loss


def first_beta(network: DenseSM, rows: ParityRows, settings: ParitySettings) -> float:
    """The weight that levels both losses before the first step (equation 4), without dropout.

    Raises:
        DataError: the features of both kinds of rows do not differ, or are not finite.
    """
    network.eval()
    hidden = _evaluated(network, rows.learn.inputs)
    estimate = _moisture(network, hidden)
    moisture_loss = float(SOIL_MOISTURE_LOSSES[settings.loss](estimate, rows.learn.target))
    target = _evaluated(network, rows.target)
    apart = float(DOMAIN_LOSSES[settings.domain](_spread(hidden), _spread(target)))
    if not (apart > SAME and math.isfinite(moisture_loss / apart)):
        raise DataError(
            f"The first {settings.domain} loss between labelled and target rows is {apart:g}, so "
            "beta cannot be chosen: bring target rows that are other rows, or give beta."
        )
    return settings.alpha * moisture_loss / apart


def held_out_error(network: DenseSM, held_out: Table) -> float:
    """RMSE in m3/m3 of the weights as they are, without dropout."""
    network.eval()
    estimate = _moisture(network, _evaluated(network, held_out.inputs))
    return float((estimate - held_out.target).square().mean().sqrt())


def _shuffled(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    order = torch.randperm(n, generator=generator, device=generator.device)
    return [part for part in torch.split(order, size) if len(part) > 1]


def _hidden(network: DenseSM, scalars: Tensor, series: Tensor, drop: Drop | None = None) -> Tensor:
    """The 32 features before the last layer, (n, 32)."""
    with _biases_in_means(network.conv_block):
        codes = branch_codes(network.conv_block, series, drop)
    return network.hidden(network.features(scalars, series.mean(dim=2), codes))


@contextmanager
def _biases_in_means(branch: SeriesBranch) -> Iterator[None]:
    """Run `branch_codes`, which leaves convolution biases out, on norms that leave them out too.

    A running mean of values plus a bias is that of the values, plus the bias. New tensors, because
    the backward pass still holds the ones in use.
    """
    pairs: list[tuple[nn.Module, Tensor]] = [
        (branch.get_submodule(f"bn{k}"), branch.get_parameter(f"conv{k}.bias").detach())
        for k in (1, 2, 3)
    ]
    for norm, bias in pairs:
        norm.running_mean = norm.get_buffer("running_mean") - bias
    try:
        yield
    finally:
        for norm, bias in pairs:
            norm.running_mean = norm.get_buffer("running_mean") + bias


@torch.no_grad()
def _evaluated(network: DenseSM, inputs: Inputs) -> Tensor:
    """The 32 features of all rows, (n, 32)."""
    places = torch.arange(len(inputs), device=inputs.scalars.device)
    return torch.cat(
        [_hidden(network, *inputs.pick(part)) for part in torch.split(places, AT_ONCE)]
    )


@torch.no_grad()
def _moisture(network: DenseSM, hidden: Tensor) -> Tensor:
    moisture: Tensor = network.out(hidden)[:, 0]
    return moisture


def _spread(features: Tensor) -> Tensor:
    """At most so many rows, evenly over all of them."""
    places = torch.linspace(0, len(features) - 1, min(AT_ONCE, len(features)))
    return features[places.long()]
