"""Learning from labels of 9 km before there are finer ones: a start without foreign weights.

A region of 15 km has a few cells of 9 km, too few for blocks: the split is by time. Such a
checkpoint is a start only, never one that maps choose: it needs no intervals, and the rows that
would calibrate them steer as well.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from sm_platform.defs.lesson import Lesson, lesson_of
from sm_platform.defs.sample_set import COARSE_M, FINE_M, gather
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.defs.transfer import pooled
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.label_sources import find_source

PRETRAIN = "pretrain"
SOURCES = ("spl4smgp", "spl3smp_e")


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingChoice:
    """What is learnt from."""

    source: str = SOURCES[0]
    more_regions: tuple[str, ...] = ()
    """Beside the own one."""
    most_rows: int = 20_000
    members: int | None = None
    epochs: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not FINE_M < find_source(self.source).support_m <= COARSE_M:
            raise UsageError(
                f"Labels of {self.source} do not stand for 9 km: name {' or '.join(SOURCES)}."
            )

    @property
    def training(self) -> TrainingChoice:
        """The same as a training: the recommended way, a split by time, few places suffice."""
        return TrainingChoice(
            profile=PRETRAIN,
            scheme=Scheme.TIME.value,
            sources=(self.source,),
            most_rows=self.most_rows,
            members=self.members,
            epochs=self.epochs,
            seed=self.seed,
            source_regions=self.more_regions,
            fewest_sites=1,
            fewest_blocks=1,
        )


def prepare_pretraining(
    layout: Layout, region: str, cut_off: date, choice: PretrainingChoice
) -> Lesson:
    """Samples of 9 km of the region and the others, each by its own periods.

    Raises:
        MissingInputError: a region has no such samples, or no roles of scheme time.
        DataError: a role is empty, or the labels are one constant.
    """
    names = (region, *choice.more_regions)
    if len(set(names)) < len(names):
        raise UsageError(f"Regions {', '.join(names)}: name each once.")
    samples = pooled(
        [
            gather(
                layout,
                name,
                cut_off,
                choice.most_rows,
                Scheme.TIME.value,
                sources=(choice.source,),
                support_m=(FINE_M, COARSE_M),
            )
            for name in names
        ]
    )
    is_spare = samples.role == Role.CALIBRATION.value
    role = np.where(is_spare, Role.VALIDATION.value, samples.role)
    taught = replace(samples, role=role.astype(samples.role.dtype))
    return lesson_of(taught, taught, choice.training)
