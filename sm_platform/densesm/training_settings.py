"""The knobs of the recommended training, each with its measured default."""

from dataclasses import dataclass

from sm_platform.densesm.domain import DOMAIN_LOSSES, NO_DOMAIN_LOSS
from sm_platform.densesm.network import ARCHITECTURES, Architecture
from sm_platform.errors import UsageError

ALL_MEMBERS = tuple((each.blocks, each.width) for each in ARCHITECTURES)
"""(blocks, width) of the 25 published members."""
REDUCED_MEMBERS = ((1, 64), (2, 32), (2, 64), (3, 32), (3, 64))
"""Five that are close to all 25 in accuracy, for tables over many trainings and for demos."""

FEWEST_STEPS = 10
SMALLEST_BATCH = 64


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How an ensemble is trained; defaults were measured on simulated 3 km blocks."""

    members: tuple[tuple[int, int], ...] = ALL_MEMBERS
    """(blocks, width) of each member, all different."""
    repeat: int = 1
    """Number of this repeat, from 1: it changes the random numbers and the members' names."""
    epochs: int = 20
    """Length of the one cycle of the learning rate; `patience` may end a member before."""
    seed: int = 0
    learning_rate: float = 1e-2
    """Highest rate of the cycle."""
    weight_decay: float = 1e-2
    """AdamW, on matrices and kernels only."""
    batch: int = 512
    """Rows a step; with few rows fewer, see `batch_size`."""
    feature_dropout: float = 0.1
    """Share of the 30 normalised features hidden from a row in a step."""
    feature_noise: float = 0.3
    """Sd of the noise on the 30 normalised features, in their own sd."""
    series_dropout: float = 0.0
    """After each ReLU of the series branch; 0.5 is the published one, costs accuracy and time."""
    average_steps: int = 50
    """The averaged weights look back about so many steps; they are what is judged and kept."""
    patience: int = 8
    """Epochs without a better validation loss before a member stops."""
    domain_loss: str = NO_DOMAIN_LOSS
    """"coral" or "mmd": distance of the hidden features of target rows from those of the batch."""
    domain_weight: float = 1.0
    """Of the domain loss beside the squared error in units of the labels' variance."""


def batch_size(settings: TrainingSettings, n: int) -> int:
    """Rows a step of n training rows: at least ten steps an epoch, and no norm of a few rows."""
    return min(settings.batch, max(n // FEWEST_STEPS, SMALLEST_BATCH))


def check_settings(settings: TrainingSettings) -> None:
    """Raise UsageError for a setting that cannot be."""
    if not settings.members or len(set(settings.members)) < len(settings.members):
        raise UsageError(f"Members {settings.members}: name at least one, and none twice.")
    for name in ("repeat", "epochs", "batch", "learning_rate", "patience", "average_steps"):
        if not getattr(settings, name) > 0:
            raise UsageError(f"{name} is {getattr(settings, name)}: it must be above 0.")
    for name in ("weight_decay", "feature_noise", "domain_weight"):
        if not getattr(settings, name) >= 0:
            raise UsageError(f"{name} is {getattr(settings, name)}: it must be 0 or more.")
    for name in ("feature_dropout", "series_dropout"):
        if not 0 <= getattr(settings, name) < 1:
            raise UsageError(f"{name} is {getattr(settings, name)}: it must be in 0..1.")
    if settings.domain_loss not in (NO_DOMAIN_LOSS, *DOMAIN_LOSSES):
        known = ", ".join((NO_DOMAIN_LOSS, *DOMAIN_LOSSES))
        raise UsageError(f"There is no domain loss '{settings.domain_loss}': choose {known}.")


def architectures(settings: TrainingSettings) -> tuple[Architecture, ...]:
    """Of the members, in order; raises CheckpointError for one that does not exist."""
    return tuple(Architecture(blocks, width) for blocks, width in settings.members)


def member_name(architecture: Architecture, repeat: int) -> str:
    """`{blocks}_{width}`, with `_r2`, `_r3` ... for a repeat after the first."""
    return architecture.name if repeat == 1 else f"{architecture.name}_r{repeat}"
