"""Pre-training on labels of 9 km: a start of one's own where the published weights may not be.

What trains is loaded with PyTorch by the run that trains, not by every process that lists assets.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from sm_platform.defs.assets.labels import sample_splits, training_samples
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, look_back
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.schema.region import Region

if TYPE_CHECKING:
    from sm_platform.defs.training_course import Course


class PretrainingConfig(RunSettings):
    """What a start is learnt from."""

    source: Literal["spl4smgp", "spl3smp_e"] = "spl4smgp"
    """Labels of 9 km: spl4smgp or spl3smp_e."""
    more_regions: list[str] = []
    """Regions beside the own one, with samples of the same recipe and the same cut-off."""
    most_rows: int = Field(20_000, ge=1)
    """Samples used at most of each region, drawn at random, the same ones each time."""
    members: int | None = Field(None, ge=1, le=25)
    """The first so many of 25 networks; whoever starts from it trains some of these."""
    epochs: int | None = Field(None, ge=1)
    """Passes over the training rows at most; 20 if nothing is said."""
    seed: int = Field(1, ge=0)
    """The same seed trains the same networks on one machine."""


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[
        dg.AssetDep(sample_splits),
        dg.AssetDep(training_samples, partition_mapping=look_back(-364, -1)),
    ],
    group_name="checkpoint",
    kinds={"pytorch"},
    owners=["team:sm-platform"],
    tags={"step": "train"},
    pool=MEMORY,
)
def pretrained_checkpoints(
    context: dg.AssetExecutionContext,
    config: PretrainingConfig,
    lake: LakeResource,
    models: ModelsResource,
) -> dg.MaterializeResult[None]:
    """Networks taught by labels of 9 km before the day, as a `start` for `checkpoints`.

    Stored by name, registered for no region: maps never choose it.
    """

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        def work(day: date) -> DayReport:
            from sm_platform.defs.training_shown import shown_course

            stores = lake.layout, models.store
            course = shown_course(context, stores, region.region_id, day)
            return _pretrain(course, config)

        return work

    return each_day(context, lake.layout, open_region, is_last=True)


def _pretrain(course: "Course", config: PretrainingConfig) -> DayReport:
    from sm_platform.defs.pretraining import PRETRAIN, PretrainingChoice, prepare_pretraining
    from sm_platform.defs.training_course import take_course
    from sm_platform.defs.training_shown import picture_of

    told = config.model_dump() | {"more_regions": tuple(config.more_regions)}
    choice = PretrainingChoice(**told)
    lesson = prepare_pretraining(course.layout, course.region_id, course.day, choice)
    made = take_course(course, choice.training, lesson, PRETRAIN)
    metadata: dict[str, object] = {
        "checkpoint_id": made.card.checkpoint_id,
        "checkpoint_fingerprint": made.card.fingerprint,
        "source": choice.source,
        "n_samples": len(lesson.repeats[0].learn),
        "n_members": len(made.card.members),
        "loss_and_scatter": picture_of(made),
    }
    if made.tested is not None:
        score = made.tested.score
        metadata |= {"rmse_m3m3": score.rmse, "bias_m3m3": score.bias, "test_rows": score.n}
    return DayReport("trained", 1, metadata)
