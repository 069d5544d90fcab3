"""Checkpoints: ensembles trained on the samples before a cut-off day, or imported for a region."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import pyarrow as pa
from pydantic import Field

from sm_platform.defs.assets.labels import sample_splits, training_samples
from sm_platform.defs.days import DayReport, Worker, each_day
from sm_platform.defs.partitions import ONE_MONTH, REGION_DAYS, look_back
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.sample_set import gather
from sm_platform.defs.schemas import column_schema
from sm_platform.defs.training import Trained, fit
from sm_platform.defs.training_figure import training_figure
from sm_platform.densesm.checkpoint import Checkpoint, load, save
from sm_platform.densesm.training import TrainingSettings
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import CHECKPOINTS


class TrainingConfig(dg.Config, use_attribute_docstrings=True):
    """What is trained; the defaults are reduced, for a first checkpoint in a minute."""

    source_checkpoint: str | None = None
    """Register this stored checkpoint for the region instead of training one."""
    members: int = Field(5, ge=1, le=5)
    """Networks in the ensemble."""
    epochs: int = Field(20, ge=1, le=500)
    """Passes over the training rows, at most."""
    most_rows: int = Field(9000, ge=1)
    """Samples used at most, drawn at random, the same ones each time."""
    scheme: str = "block"
    """Split whose roles are used: block, time or block_time; see `sample_splits`."""
    seed: int = 1
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
    metadata=column_schema(CHECKPOINTS),
)
def checkpoints(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    lake: LakeResource,
    models: ModelsResource,
) -> dg.MaterializeResult[None]:
    """DenseSM ensemble of a region; no label of its cut-off day or later was used."""

    def open_region(region: Region, _: Sequence[date]) -> Worker:
        def work(day: date) -> DayReport:
            if config.source_checkpoint:
                name = config.source_checkpoint
                return _register(lake.layout, region, day, load(models.store.folder(name)))
            return _train(context, config, (lake.layout, models.store), (region, day))

        return work

    return each_day(context, lake.layout, open_region)


def _train(
    context: dg.AssetExecutionContext,
    config: TrainingConfig,
    stores: tuple[Layout, ModelStore],
    place: tuple[Region, date],
) -> DayReport:
    (layout, models), (region, day) = stores, place
    samples = gather(layout, region.region_id, day, config.most_rows, config.scheme)
    stem = f"{region.region_id}-{day:%Y%m%d}-{samples.recipe.recipe_id}"
    told: dict[str, object] = {"trained_until": day.isoformat(), "region": region.region_id}
    networks = TrainingSettings().members[: config.members]
    settings = TrainingSettings(members=networks, epochs=config.epochs, seed=config.seed)
    made = fit(samples, stem, settings, told=told, progress=context.log.info)
    name = made.checkpoint.checkpoint_id
    if name not in models.names():  # the same weights have the same name
        models.add(name, lambda folder: save(made.checkpoint, folder))
    report = _register(layout, region, day, made.checkpoint, made)
    picture = as_markdown(training_figure(made), "loss and scatter")
    figures = {"loss_and_scatter": dg.MetadataValue.md(picture), "test_rows": made.test.n}
    return DayReport(report.status, 1, {**report.metadata, **figures})


def _register(
    layout: Layout,
    region: Region,
    day: date,
    checkpoint: Checkpoint,
    made: Trained | None = None,
) -> DayReport:
    row = {
        "checkpoint_id": checkpoint.checkpoint_id,
        "checkpoint_fingerprint": checkpoint.fingerprint,
        "recipe_id": checkpoint.recipe_id,
        "recipe_fingerprint": checkpoint.recipe_fingerprint,
        "n_members": len(checkpoint.members),
        "n_samples": made.n_samples if made else None,
        "reference": str(checkpoint.metadata["reference"]) if made else None,
        "rmse_m3m3": made.test.rmse if made else None,
        "bias_m3m3": made.test.bias if made else None,
        "r": made.test.r if made else None,
    }
    stored = store.read(layout, CHECKPOINTS, region.region_id, day)
    others = [
        other
        for other in (stored.rows.to_pylist() if stored else [])
        if other["checkpoint_id"] != checkpoint.checkpoint_id
    ]
    rows = pa.Table.from_pylist([*others, row], schema=CHECKPOINTS.arrow_schema)
    note = {"inputs": checkpoint.fingerprint, "status": "made", "rows": rows.num_rows}
    store.write(layout, CHECKPOINTS, rows, region=region.region_id, day=day, note=note)
    told = {name: value for name, value in row.items() if value is not None}
    return DayReport("trained" if made else "registered", 1, told)
