"""What is asked of a training, whoever asks; checked before anything is read."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sm_platform.defs.sample_set import FEWEST_BLOCKS, FEWEST_SITES
from sm_platform.densesm.domain import DOMAIN_LOSSES, NO_DOMAIN_LOSS
from sm_platform.densesm.parity_settings import FINE, MULTI_SCALE
from sm_platform.densesm.published_losses import SOIL_MOISTURE_LOSSES
from sm_platform.densesm.training_settings import ALL_MEMBERS, REDUCED_MEMBERS
from sm_platform.errors import UsageError
from sm_platform.samples.split_schemes import Scheme
from sm_platform.schema.label_sources import find_source

MEMBER_ORDER = (*REDUCED_MEMBERS, *(one for one in ALL_MEMBERS if one not in REDUCED_MEMBERS))
"""(blocks, width): `members = n` means the first n; the first five are close to all 25."""
PUBLISHED_ONLY = ("stage", "loss", "alpha", "beta", "beta_divisor")
"""Settings of the published fine-tuning, which mean nothing elsewhere."""
N_TREES = 5
"""Fits of an ensemble of trees."""


class Profile(StrEnum):
    """A way to train."""

    RECOMMENDED = "recommended"
    """Networks by the best practice that was measured."""
    PARITY = "parity"
    """Networks by the published fine-tuning, to the letter."""
    TREES = "trees"
    """Gradient boosting on the same rows."""
    PRETRAIN = "pretrain"
    """Networks by the recommended way on labels of 9 km, as a start for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingChoice:
    """What is trained on which samples; None leaves a number to the profile."""

    profile: str = Profile.RECOMMENDED.value
    scheme: str = Scheme.BLOCK.value
    sources: tuple[str, ...] = ()
    """Label sources; none named: all whose labels stand for at most 1 km."""
    most_rows: int = 20_000
    """Samples used at most of each region."""
    members: int | None = None
    """The first n of `MEMBER_ORDER`; all 25, or 5 fits of trees."""
    repeats: int | None = None
    """Of all members; 1, with parity 3."""
    epochs: int | None = None
    seed: int = 1
    start: str = ""
    """A stored checkpoint whose weights are the first; nothing: random ones."""
    start_recipe: str = ""
    """Its recipe, where it differs from the samples' and that is meant."""
    domain_loss: str | None = None
    """none, coral or mmd; none, with parity coral."""
    domain_weight: float = 1.0
    """Of the domain loss with the recommended profile."""
    stage: str = "ft12"
    loss: str = "mape"
    alpha: float = 0.7
    beta: float | None = None
    beta_divisor: float = 1.0
    """The last five are parity's; see `ParitySettings`."""
    source_regions: tuple[str, ...] = ()
    """Other regions to learn from."""
    own_sites: int | None = None
    """Labelled sites of the own region at most; 0: its labels are not used. None: all."""
    fewest_sites: int = FEWEST_SITES
    fewest_blocks: int = FEWEST_BLOCKS

    def __post_init__(self) -> None:
        _check_names(self)
        _check_numbers(self)
        _check_meant(self)
        if self.own_sites == 0 and not self.source_regions:
            raise UsageError(
                "Without labels of its own (own_sites 0) a region learns from others: name "
                "source_regions."
            )
        if self.profile == Profile.PARITY and self.domain == NO_DOMAIN_LOSS:
            raise UsageError("The published way has a domain loss: choose coral or mmd.")

    @property
    def is_trees(self) -> bool:
        """Whether no network is trained."""
        return self.profile == Profile.TREES

    @property
    def n_members(self) -> int:
        """Members of one repeat."""
        return self.members or (N_TREES if self.is_trees else len(MEMBER_ORDER))

    @property
    def n_repeats(self) -> int:
        """The published ensemble has three repeats."""
        return self.repeats or (3 if self.profile == Profile.PARITY else 1)

    @property
    def domain(self) -> str:
        """The domain loss that is used."""
        is_parity = self.profile == Profile.PARITY
        return self.domain_loss or ("coral" if is_parity else NO_DOMAIN_LOSS)


def choice_from(told: Mapping[str, Any]) -> TrainingChoice:
    """A choice from its JSON values, as a checkpoint's metadata or a run's settings keep them.

    Raises:
        UsageError: a name is not known, or a value cannot be.
    """
    known = {field.name for field in fields(TrainingChoice)}
    strange = sorted(set(told) - known)
    if strange:
        raise UsageError(f"A training has no {', '.join(strange)}: choose of {', '.join(known)}.")
    lists = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return TrainingChoice(**{**told, **lists})


_NO_REGION = (
    "Scheme region has no training rows: train by block, and name the other regions in "
    "source_regions with own_sites 0."
)


def _check_names(choice: TrainingChoice) -> None:
    known: dict[str, tuple[str, ...]] = {
        "profile": tuple(Profile),
        "scheme": tuple(Scheme),
        "domain_loss": (NO_DOMAIN_LOSS, *DOMAIN_LOSSES),
        "stage": (FINE, MULTI_SCALE),
        "loss": tuple(SOIL_MOISTURE_LOSSES),
    }
    for name, there in known.items():
        value = getattr(choice, name)
        if value is not None and value not in there:
            raise UsageError(f"There is no {name} '{value}': choose of {', '.join(there)}.")
    if choice.scheme == Scheme.REGION:
        raise UsageError(_NO_REGION)
    for source in choice.sources:
        find_source(source)


def _check_numbers(choice: TrainingChoice) -> None:
    bounds: dict[str, tuple[int, int | None]] = {
        "members": (1, len(MEMBER_ORDER)),
        "repeats": (1, 9),
        "epochs": (1, None),
        "most_rows": (1, None),
        "seed": (0, None),
        "own_sites": (0, None),
        "fewest_sites": (1, None),
        "fewest_blocks": (1, None),
        "alpha": (0, 1),
        "beta": (0, None),
        "domain_weight": (0, None),
    }
    for name, (low, high) in bounds.items():
        value = getattr(choice, name)
        if value is not None and (value < low or (high is not None and value > high)):
            rule = f"{low} or more" if high is None else f"{low} to {high}"
            raise UsageError(f"{name} is {value}: give {rule}.")


def _check_meant(choice: TrainingChoice) -> None:
    """Refuse what would be left aside in silence."""
    if choice.start_recipe and not choice.start:
        raise UsageError(
            f"start_recipe {choice.start_recipe} without a start means nothing: name its start."
        )
    if choice.is_trees and (choice.start or choice.repeats not in (None, 1)):
        raise UsageError("Trees start from nothing and have no repeats: ask for more members.")
    if choice.is_trees and choice.domain != NO_DOMAIN_LOSS:
        raise UsageError("Trees have no domain loss: leave domain_loss out, or train networks.")
    if choice.profile == Profile.PARITY:
        return
    asked = {field.name: field.default for field in fields(choice) if field.name in PUBLISHED_ONLY}
    strange = [name for name, usual in asked.items() if getattr(choice, name) != usual]
    if strange:
        raise UsageError(
            f"Profile {choice.profile} has no {', '.join(strange)}: leave that out, or choose "
            "profile parity."
        )
