"""The knobs of the published fine-tuning; each default is the published value."""

import math
from dataclasses import dataclass

from sm_platform.densesm.domain import DOMAIN_LOSSES
from sm_platform.densesm.published_losses import SOIL_MOISTURE_LOSSES
from sm_platform.densesm.training_settings import ALL_MEMBERS
from sm_platform.errors import UsageError

FINE = "ft12"
"""Labels of fine support and unlabelled target rows."""
MULTI_SCALE = "ft13"
"""The same and coarse labels of 9 km."""


@dataclass(frozen=True, slots=True)
class ParitySettings:
    """How the published networks were fine-tuned (Zhu et al. 2024, RSE 301:113944).

    Weight decay and the falling learning rate are those of the seed system that this platform
    replaces; the authors' own code has a constant rate and no decay.
    """

    members: tuple[tuple[int, int], ...] = ALL_MEMBERS
    """(blocks, width) of each member, all different."""
    repeat: int = 1
    """Number of this repeat, from 1: the published ensemble is three repeats of 25 members, which
    differ in their random numbers alone."""
    stage: str = FINE
    """"ft12" or "ft13"."""
    domain: str = "coral"
    """"coral" or "mmd"."""
    loss: str = "mape"
    """"mape" or "mse"."""
    alpha: float = 0.7
    """Weight of the soil-moisture loss, 0..1; with ft13 coarse labels weigh 1 - alpha."""
    beta: float | None = None
    """Weight of the domain loss; None: alpha * first soil-moisture loss / first domain loss."""
    beta_divisor: float = 1.0
    """Divides beta: 1 in the paper's equation 4, 2.5 in the seed system with ft12."""
    epochs: int = 500
    batch: int = 1024
    """Rows of each kind in a step."""
    learning_rate: float = 4e-4
    weight_decay: float = 1e-5
    """Added to the gradient (L2), of all weights alike."""
    patience: int = 50
    """Epochs without a lower held-out error that the learning rate endures before it falls."""
    factor: float = 0.5
    """By which it falls."""
    lowest_rate: float = 1e-6
    average_from: int = 40
    """First epoch, from 0, whose state enters the average that is returned."""
    seed: int = 0


def check_parity(settings: ParitySettings) -> None:
    """Raise UsageError for a setting that cannot be."""
    if not settings.members or len(set(settings.members)) < len(settings.members):
        raise UsageError(f"Members {settings.members}: name at least one, and none twice.")
    for name in ("repeat", "epochs", "learning_rate", "beta_divisor", "lowest_rate"):
        _check(name, getattr(settings, name), "above 0", getattr(settings, name) > 0)
    for name in ("weight_decay", "patience"):
        _check(name, getattr(settings, name), "0 or more", getattr(settings, name) >= 0)
    _check("batch", settings.batch, "2 or more: one row has no covariance", settings.batch > 1)
    _check("alpha", settings.alpha, "in 0..1", 0 <= settings.alpha <= 1)
    _check("factor", settings.factor, "above 0 and below 1", 0 < settings.factor < 1)
    if settings.beta is not None:
        is_weight = settings.beta >= 0 and math.isfinite(settings.beta)
        _check("beta", settings.beta, "0 or more, or None for the automatic one", is_weight)
    _check_average(settings)
    for name, known in (
        ("stage", (FINE, MULTI_SCALE)),
        ("domain", tuple(DOMAIN_LOSSES)),
        ("loss", tuple(SOIL_MOISTURE_LOSSES)),
    ):
        if getattr(settings, name) not in known:
            choice = " or ".join(known)
            raise UsageError(f"There is no {name} '{getattr(settings, name)}': choose {choice}.")


def _check(name: str, value: float, rule: str, is_kept: bool) -> None:  # noqa: FBT001  one rule a line
    if not is_kept:
        raise UsageError(f"{name} is {value}: it must be {rule}.")


def _check_average(settings: ParitySettings) -> None:
    if not 0 <= settings.average_from < settings.epochs:
        raise UsageError(
            f"Weights are to be averaged from epoch {settings.average_from} on, but the epochs are "
            f"0..{settings.epochs - 1}: give more epochs, or an earlier start of the average."
        )
