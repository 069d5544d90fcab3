"""Checkpoints: ensembles trained on the samples before a cut-off day, or imported for a region.

What trains is loaded with PyTorch by the run that trains, not by every process that lists assets.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

import dagster as dg
from pydantic import Field

from sm_platform.defs.assets.labels import sample_splits, training_samples
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.estimators import read_card
from sm_platform.defs.model_card import model_card
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, look_back
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.sample_set import FEWEST_BLOCKS, FEWEST_SITES
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import CHECKPOINTS

if TYPE_CHECKING:
    from sm_platform.defs.training_course import Course


class TrainingConfig(RunSettings):
    """What is trained; every setting has the profile's own value unless it is given."""

    source_checkpoint: str | None = None
    """Register this stored checkpoint for the region instead of training one."""
    profile: Literal["recommended", "parity", "trees"] = "recommended"
    """recommended, parity (the published fine-tuning to the letter) or trees (boosted)."""
    scheme: Literal["block", "time", "block_time"] = "block"
    """Split whose roles are used: block, time or block_time; see `sample_splits`."""
    sources: list[str] = []
    """Label sources to learn from; none named: all whose labels stand for at most 1 km."""
    most_rows: int = Field(20_000, ge=1)
    """Samples used at most of each region, drawn at random, the same ones each time."""
    members: int | None = Field(None, ge=1, le=25)
    """The first so many of 25 networks (5 are close to all of them), or fits of trees (5)."""
    repeats: int | None = Field(None, ge=1, le=9)
    """Of all members, each with random numbers and a validation of its own; 1, with parity 3."""
    epochs: int | None = Field(None, ge=1)
    """Passes over the training rows at most; 20, with parity 500. Of trees their number, 300."""
    seed: int = Field(1, ge=0)
    """The same seed trains the same networks on one machine."""
    start: str = ""
    """Stored checkpoint to start from, published or pre-trained here; nothing: random weights."""
    start_recipe: str = ""
    """Its recipe, where it is not that of the samples and that is meant."""
    domain_loss: str | None = None
    """none, coral or mmd: draws features towards those of the region mapped; parity has coral."""
    domain_weight: float = Field(1.0, ge=0)
    """Of the domain loss with the recommended profile."""
    stage: Literal["ft12", "ft13"] = "ft12"
    """Parity: ft12, or ft13 with labels of 9 km besides."""
    loss: Literal["mape", "mse"] = "mape"
    """Parity: mape or mse."""
    alpha: float = Field(0.7, ge=0, le=1)
    """Parity: weight of the soil-moisture loss."""
    beta: float | None = Field(None, ge=0)
    """Parity: weight of the domain loss; nothing: found in the first step."""
    beta_divisor: float = Field(1.0, gt=0)
    """Parity: divides beta; the seed system has 2.5."""
    source_regions: list[str] = []
    """Other regions whose training rows (scheme block, same cut-off) are learnt from as well."""
    own_sites: int | None = Field(None, ge=0)
    """Use the labels of so many own sites only; 0: of none, others teach. Nothing: of all."""
    fewest_sites: int = Field(FEWEST_SITES, ge=1)
    """Sites that each role needs."""
    fewest_blocks: int = Field(FEWEST_BLOCKS, ge=1)
    """Blocks of 3 km that each role needs."""


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
    metadata=column_schema(CHECKPOINTS),
)
def checkpoints(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    lake: LakeResource,
    models: ModelsResource,
) -> dg.MaterializeResult[None]:
    """Ensemble that estimates a region's soil moisture; no label of its cut-off day or later.

    A run that was stopped, started again with the same settings, goes on from the last finished
    epoch of each network.
    """

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        def work(day: date) -> DayReport:
            from sm_platform.defs.training_record import register
            from sm_platform.defs.training_shown import shown_course

            if config.source_checkpoint:
                card = read_card(models.store.folder(config.source_checkpoint))
                row = register(lake.layout, region.region_id, day, card)
                return DayReport("registered", 1, _known(row))
            stores = lake.layout, models.store
            course = shown_course(context, stores, region.region_id, day)
            return _train(course, config)

        return work

    return each_day(context, lake.layout, open_region, is_last=True)


def _train(course: "Course", config: TrainingConfig) -> DayReport:
    from sm_platform.defs.lesson import prepare_lesson
    from sm_platform.defs.training_choice import choice_from
    from sm_platform.defs.training_course import check_storable, take_course
    from sm_platform.defs.training_record import register
    from sm_platform.defs.training_shown import picture_of

    choice = choice_from(config.model_dump(exclude={"source_checkpoint"}))
    check_storable(choice)
    lesson = prepare_lesson(course.layout, course.region_id, course.day, choice)
    made = take_course(course, choice, lesson)
    row = register(course.layout, course.region_id, course.day, made.card)
    place = (course.region_id, course.day, made.card.checkpoint_id)
    figures = {
        "loss_and_scatter": picture_of(made),
        "model_card": dg.MetadataValue.md(model_card(course.layout, course.models, *place)),
        "test_rows": made.tested.score.n if made.tested else 0,
    }
    return DayReport("trained", 1, {**_known(row), **figures})


def _known(row: dict[str, object]) -> dict[str, object]:
    """What a row tells, without what is missing; lists as text."""
    return {
        name: ", ".join(value) if isinstance(value, list) else value
        for name, value in row.items()
        if value is not None
    }
