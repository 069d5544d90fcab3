"""A training in the UI: loss curves while it goes, as observations, and a picture at its end."""

from datetime import date

import dagster as dg

from sm_platform.defs.learned import Curves
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.training_course import Course, Graduate
from sm_platform.defs.training_figure import curves_figure, training_figure
from sm_platform.defs.training_watch import Show
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore


def shown_course(
    context: dg.AssetExecutionContext, stores: tuple[Layout, ModelStore], region_id: str, day: date
) -> Course:
    """A training of the asset under way, told in its log and shown at its partition."""
    show = _show_curves(context, region_id, day)
    return Course(*stores, region_id, day, context.log.info, show)


def picture_of(made: Graduate) -> dg.MetadataValue:
    """Loss curves and scatter of a training that is done."""
    figure = training_figure(made.learned.curves, made.tested)
    return dg.MetadataValue.md(as_markdown(figure, "loss and scatter"))


def _show_curves(context: dg.AssetExecutionContext, region_id: str, day: date) -> Show:
    """What reports the curves so far as an observation of the partition under way."""
    key = dg.MultiPartitionKey({"day": day.isoformat(), "region": region_id})

    def show(curves: Curves, line: str) -> None:
        picture = as_markdown(curves_figure(curves), "loss curves so far")
        metadata = {"now": dg.MetadataValue.text(line), "loss_curves": dg.MetadataValue.md(picture)}
        context.log_event(dg.AssetObservation(context.asset_key, partition=key, metadata=metadata))

    return show
