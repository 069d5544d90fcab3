"""Loss curves in the UI while a training goes: observations of the asset with a picture."""

from datetime import date

import dagster as dg

from sm_platform.defs.learned import Curves
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.training_figure import curves_figure
from sm_platform.defs.training_watch import Show


def show_curves(context: dg.AssetExecutionContext, region_id: str, day: date) -> Show:
    """What reports the curves so far as an observation of the partition under way."""
    key = dg.MultiPartitionKey({"day": day.isoformat(), "region": region_id})

    def show(curves: Curves, line: str) -> None:
        picture = as_markdown(curves_figure(curves), "loss curves so far")
        metadata = {"now": dg.MetadataValue.text(line), "loss_curves": dg.MetadataValue.md(picture)}
        context.log_event(dg.AssetObservation(context.asset_key, partition=key, metadata=metadata))

    return show
