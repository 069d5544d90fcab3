"""What a training reads, gathered and checked before any time is spent on it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.sample_set import COARSE_M, FINE_M, SampleSet, gather
from sm_platform.defs.training_choice import Profile, TrainingChoice
from sm_platform.defs.transfer import judging_names, own_samples, taught_samples
from sm_platform.defs.unlabelled import unlabelled_rows
from sm_platform.densesm.admission import TRAINING, check_number
from sm_platform.densesm.domain import NO_DOMAIN_LOSS
from sm_platform.densesm.parity_settings import MULTI_SCALE
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.errors import DataError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.repeats import redraw
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.rows import FeatureRows, take

TAUGHT_BY = (Role.TRAIN, Role.VALIDATION)
NARROWEST_SD = 1e-4
"""m3/m3: labels whose sd is smaller are one constant."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """Rows of one repeat."""

    learn: LabelledRows
    steer: LabelledRows
    block_id: NDArray[np.int64]
    """(n,): 3 km block of each row that is learnt from."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """All that a training reads, whatever its profile."""

    samples: SampleSet
    """Of roles train and validation, of all regions learnt from."""
    own: SampleSet | None
    """The region's own samples in all roles; None where it has none."""
    repeats: tuple[Taught, ...]
    """The first has the roles as stored."""
    target: FeatureRows | None
    """Unlabelled rows of the region to be mapped, where a domain loss wants them."""
    coarse: LabelledRows | None
    """Labels of 9 km, where the stage wants them."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over rows, labels, weights and roles."""
        kept, digest = self.samples, hashlib.sha256(self.samples.recipe.fingerprint.encode())
        rows = kept.rows
        arrays = (rows.scalars, rows.series, rows.series_index, kept.sm_m3m3, kept.weight)
        for array in (*arrays, kept.role.astype("<U11")):
            digest.update(f"|{array.dtype.str}{array.shape}|".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]


def prepare_lesson(layout: Layout, region: str, cut_off: date, choice: TrainingChoice) -> Lesson:
    """Gather what the choice asks for.

    Raises:
        MissingInputError: samples, their roles or the target's rows have not been made.
        DataError: a role has too few sites or blocks, or the labels are one constant.
        RecipeError: rows of several recipes.
        UsageError: the profile is that of pre-training.
    """
    check_profile(choice)
    own = own_samples(layout, region, cut_off, choice)
    samples = taught_samples(layout, region, cut_off, choice, own)
    return lesson_of(
        samples,
        own,
        choice,
        target=_target(layout, region, cut_off, choice, samples),
        coarse=_coarse(layout, region, cut_off, choice) if choice.stage == MULTI_SCALE else None,
    )


def check_profile(choice: TrainingChoice) -> None:
    """Raise UsageError for the profile of pre-training."""
    if choice.profile == Profile.PRETRAIN:
        raise UsageError(
            "Pre-training is an asset of its own: materialize `pretrained_checkpoints` "
            "(`sm-platform pretrain`)."
        )


def lesson_of(
    samples: SampleSet,
    own: SampleSet | None,
    choice: TrainingChoice,
    *,
    target: FeatureRows | None = None,
    coarse: LabelledRows | None = None,
) -> Lesson:
    """A lesson of gathered samples; `own` are those whose test rows judge it.

    Raises:
        DataError: a role has too few sites or blocks, or the labels are one constant.
    """
    _check_few(samples, (Role.TRAIN, Role.VALIDATION), choice)
    if own is not None:
        _check_few(own, (Role.TEST,), choice)
    repeats = [_taught(samples, choice, number + 1) for number in range(choice.n_repeats)]
    for taught in repeats:
        _check_rows(taught)
    _check_varied(repeats[0].learn)
    return Lesson(samples, own, tuple(repeats), target, coarse)


def labelled(samples: SampleSet, role: Role, *, is_weighted: bool = True) -> LabelledRows:
    """The samples of a role that count; those that train with their weight."""
    rows = _rows_of(samples, role)
    weight = samples.weight[rows] if is_weighted and role is Role.TRAIN else None
    return LabelledRows(take(samples.rows, rows), samples.sm_m3m3[rows], weight)


def _rows_of(samples: SampleSet, role: Role) -> NDArray[np.intp]:
    counts = samples.weight > 0 if role in TAUGHT_BY else ~samples.is_of_water
    return np.flatnonzero((samples.role == role.value) & counts)


def _taught(samples: SampleSet, choice: TrainingChoice, repeat: int) -> Taught:
    """The rows of a repeat.

    The published repeats share one split, and weigh all rows alike. By time the periods stand.
    """
    is_published = choice.profile == Profile.PARITY
    block_id = values_of(samples.about["block_id"]).astype(np.int64)
    if choice.scheme == Scheme.BLOCK and not is_published:
        samples = _redrawn(samples, block_id, choice.seed, repeat)
    return Taught(
        learn=labelled(samples, Role.TRAIN, is_weighted=not is_published),
        steer=labelled(samples, Role.VALIDATION),
        block_id=block_id[_rows_of(samples, Role.TRAIN)],
    )


def _redrawn(samples: SampleSet, block_id: NDArray[np.int64], seed: int, repeat: int) -> SampleSet:
    """Other blocks steer; a row that now trains weighs what its source does, or nothing still."""
    role = redraw(samples.role, block_id, seed=seed, repeat=repeat)
    is_new = (role == Role.TRAIN.value) & (samples.role != Role.TRAIN.value) & (samples.weight > 0)
    source = np.array(samples.about["source"].to_pylist(), np.str_)
    weight = samples.weight.copy()
    for name in np.unique(source[is_new]):
        trained = samples.weight[(source == name) & (samples.role == Role.TRAIN.value)]
        weight[is_new & (source == name)] = trained.max(initial=0) if len(trained) else 1.0
    return replace(samples, role=role, weight=weight)


def _target(
    layout: Layout, region: str, cut_off: date, choice: TrainingChoice, samples: SampleSet
) -> FeatureRows | None:
    """Rows of the region to be mapped that judge nothing; none with parity on its own labels."""
    is_published = choice.profile == Profile.PARITY and not choice.source_regions
    if choice.is_trees or is_published or choice.domain == NO_DOMAIN_LOSS:
        return None
    held = judging_names(layout, region, cut_off, choice.scheme)
    return unlabelled_rows(layout, region, cut_off, samples.recipe, held=held)


def _coarse(layout: Layout, region: str, cut_off: date, choice: TrainingChoice) -> LabelledRows:
    """Training rows of 9 km of the same region."""
    size = (FINE_M, COARSE_M)
    found = gather(layout, region, cut_off, choice.most_rows, choice.scheme, support_m=size)
    return labelled(found, Role.TRAIN, is_weighted=False)


def _check_few(samples: SampleSet, roles: Sequence[Role], choice: TrainingChoice) -> None:
    site = np.array(samples.about["site_id"].to_pylist(), np.str_)
    block = values_of(samples.about["block_id"])
    for role in roles:
        rows = _rows_of(samples, role)
        n_sites, n_blocks = len(np.unique(site[rows])), len(np.unique(block[rows]))
        if n_sites < choice.fewest_sites or n_blocks < choice.fewest_blocks:
            raise DataError(
                f"Role {role.value} of scheme {choice.scheme} has {n_sites} sites in {n_blocks} "
                f"blocks of 3 km, at least {choice.fewest_sites} in {choice.fewest_blocks} are "
                "needed: add sites or a larger region, or lower fewest_sites and fewest_blocks "
                "and take its figures for chance."
            )


def _check_rows(taught: Taught) -> None:
    """Every repeat, so that none fails after those before it were trained."""
    for role, rows in ((TRAINING, taught.learn), ("validation", taught.steer)):
        check_number(role, len(rows))


def _check_varied(learn: LabelledRows) -> None:
    if len(learn) and float(np.std(learn.sm_m3m3.astype(np.float64))) < NARROWEST_SD:
        raise DataError(
            f"All {len(learn)} training labels are about {float(learn.sm_m3m3[0]):.4f} m3/m3: "
            "there is nothing to learn; choose more days, sites or sources."
        )
