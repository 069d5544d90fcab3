"""Evaluations: how well the checkpoints of a region do on rows that were not used for them.

What judges is loaded with PyTorch by the run that judges, not by every process that lists assets.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from sm_platform.defs.assets.checkpoints import checkpoints
from sm_platform.defs.assets.labels import sample_splits
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.run_settings import RunSettings
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.serving.pools import MEMORY
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import EVALUATIONS

if TYPE_CHECKING:
    from sm_platform.defs.evaluating import EvaluationChoice, Judged


class EvaluationConfig(RunSettings):
    """What is judged, and how far."""

    checkpoint: str | None = None
    """One checkpoint of the cut-off; none named: all that are not retired."""
    schemes: list[str] = []
    """Further splits, as ["time", "random"]: the same is trained anew on each, with few members."""
    other_regions: list[str] = []
    """Regions that it has not learned from, for scheme region."""
    members: int = Field(5, ge=1, le=25)
    """Members of what is trained anew."""
    tree_members: int = Field(5, ge=0, le=25)
    """Fits of the boosted trees that it is compared with; 0: none."""

    def choice(self) -> "EvaluationChoice":
        """The same, checked."""
        from sm_platform.defs.baselines import TreesAsked
        from sm_platform.defs.evaluating import EvaluationChoice
        from sm_platform.defs.evaluation_retraining import Reduced

        return EvaluationChoice(
            checkpoint=self.checkpoint,
            schemes=tuple(self.schemes),
            other_regions=tuple(self.other_regions),
            reduced=Reduced(members=self.members),
            trees=TreesAsked(members=self.tree_members) if self.tree_members else None,
        )


@dg.asset(
    partitions_def=REGION_DAYS,
    backfill_policy=ONE_MONTH,
    deps=[dg.AssetDep(checkpoints), dg.AssetDep(sample_splits)],
    group_name="checkpoint",
    kinds={"parquet"},
    owners=["team:sm-platform"],
    tags={"step": "evaluate"},
    pool=MEMORY,
    metadata=column_schema(EVALUATIONS),
)
def evaluations(
    context: dg.AssetExecutionContext,
    config: EvaluationConfig,
    lake: LakeResource,
    models: ModelsResource,
) -> dg.MaterializeResult[None]:
    """Scores of the checkpoints of a cut-off and their baselines, with 95 % intervals."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        from sm_platform.defs.evaluating import entries_to_judge, judge_all, store_scores
        from sm_platform.defs.training_watch import LOG

        choice, layout = config.choice(), lake.layout

        def say(line: str) -> None:
            context.log.info(line)
            LOG.info(line)

        def work(day: date) -> DayReport:
            chosen = entries_to_judge(layout, region.region_id, day, choice.checkpoint)
            stores = (layout, models.store)
            judged = judge_all(stores, region, chosen, choice, say)
            n_rows = store_scores(layout, region.region_id, day, judged)
            return DayReport("evaluated", n_rows, _told(judged))

        return work

    return each_day(context, lake.layout, open_region, is_last=True)


def _told(judged: "Sequence[Judged]") -> dict[str, Any]:
    """Figures of the last checkpoint, tables of all."""
    from sm_platform.defs.evaluation_figure import evaluation_figure
    from sm_platform.defs.evaluation_table import NOTE, as_markdown_table, sheets

    newest = judged[-1]
    tables = [as_markdown_table(sheet) for one in judged for sheet in sheets(one.scores)]
    told: dict[str, Any] = {
        "checkpoint": newest.subject.name,
        "tables": dg.MetadataValue.md("\n\n".join([*tables, NOTE])),
        "remarks": "\n".join(dict.fromkeys(line for one in judged for line in one.remarks)) or "-",
    }
    if newest.told is not None:
        ground = newest.told.ground
        told |= newest.told.figures
        told |= {"reference": ground.reference, "source": ground.source, "scheme": ground.scheme}
        told |= {"pooling": ground.pooling}
    if newest.told is not None and newest.pairs is not None:
        picture = evaluation_figure(newest.pairs, newest.scores, newest.told)
        told["picture"] = dg.MetadataValue.md(as_markdown(picture, "scatter and strata"))
    return told
