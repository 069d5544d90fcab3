"""`sm-platform train` and `pretrain`: from samples to a checkpoint, through Dagster."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg

from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.lesson import check_profile
from sm_platform.defs.partitions import parse_cut_off
from sm_platform.defs.pretraining import PretrainingChoice
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.defs.training_choice import choice_from
from sm_platform.defs.training_course import check_storable, open_start
from sm_platform.defs.training_watch import LOG
from sm_platform.errors import DataError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.label_tables import SAMPLE_SPLITS

Options = Mapping[str, Any]
"""Settings of the asset that were said."""
SHOWN = (
    *("checkpoint_id", "checkpoint_fingerprint", "kind", "profile", "recipe_id", "n_members"),
    *("n_samples", "label_sources", "source", "parent_id", "scheme", "reference", "rmse_m3m3"),
    *("bias_m3m3", "r", "test_rows"),
)


@home_explained()
def train_command(name: str, day: str, options: Options, say: Say) -> None:
    """Give the samples their roles if need be, train, and print the checkpoint.

    Raises:
        UsageError: a setting, the region or the start is not known.
        DataError: a step failed, saying why.
    """
    choice, cut_off = choice_from(options), parse_cut_off(day)
    check_profile(choice)
    check_storable(choice)
    open_start(ModelStore(settings().models), choice.start, cut_off)
    regions = [name] if choice.own_sites != 0 else []
    launcher = _launcher([name, *choice.source_regions], name, say)
    _split(launcher, [*regions, *choice.source_regions], cut_off)
    told = _trained(launcher, "checkpoints", cut_off, options)
    _print(told)
    say(f"Next: sm-platform evaluate --region {name} --day {cut_off}")


@home_explained()
def pretrain_command(name: str, day: str, options: Options, say: Say) -> None:
    """The same with labels of 9 km; what comes out is a start for `train`.

    Raises:
        UsageError: a setting or the region is not known.
        DataError: a step failed, saying why.
    """
    lists = {key: tuple(value) for key, value in options.items() if isinstance(value, list)}
    choice, cut_off = PretrainingChoice(**{**options, **lists}), parse_cut_off(day)
    regions = [name, *choice.more_regions]
    launcher = _launcher(regions, name, say)
    _split(launcher, regions, cut_off)
    told = _trained(launcher, "pretrained_checkpoints", cut_off, options)
    _print(told)
    say(f"Next: sm-platform train --region {name} --day {cut_off} --start {told['checkpoint_id']}")


def _launcher(regions: Sequence[str], name: str, say: Say) -> Launcher:
    """Starts runs of the region; raises UsageError when one of the regions is not stored."""
    layout = Layout(settings().data_lake)
    for region in regions:
        find_region(layout, region)
    launcher = Launcher(open_instance(), name, say)
    launcher.instance.add_dynamic_partitions("regions", list(regions))
    return launcher


def _split(launcher: Launcher, regions: Sequence[str], cut_off: date) -> None:
    """Give the samples of the regions their roles under the cut-off, where they have none."""
    layout = Layout(settings().data_lake)
    for region in regions:
        if store.note_of(layout, SAMPLE_SPLITS, region, cut_off) is None:
            own = Launcher(launcher.instance, region, launcher.say)
            _run(own, "sample_splits", cut_off)


def _trained(launcher: Launcher, asset: str, cut_off: date, options: Options) -> dict[str, Any]:
    """Run the asset, its lines passed on meanwhile; what it says of the checkpoint."""
    with lines_to(launcher.say):
        _run(launcher, asset, cut_off, options)
    key = dg.MultiPartitionKey({"day": cut_off.isoformat(), "region": launcher.region_id})
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key])
    records = launcher.instance.fetch_materializations(wanted, limit=1).records
    made = records[0].asset_materialization if records else None
    if made is None:
        raise DataError(f"The run of {asset} left no record: see it in the UI.")
    return {name: value.value for name, value in made.metadata.items() if name in SHOWN}


def _run(launcher: Launcher, asset: str, cut_off: date, options: Options | None = None) -> None:
    launcher.over([asset], [cut_off], {asset: options} if options else None)
    if launcher.failures:
        raise DataError("\n".join(launcher.failures.values()))


@contextmanager
def lines_to(say: Say) -> Iterator[None]:
    """Passes the lines of a training in this process on to a person."""

    class Saying(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    handler, level = Saying(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)


def _print(told: Mapping[str, Any]) -> None:
    """What is known of a checkpoint, a line each, to stdout."""
    for name in SHOWN:
        if name in told:
            value = told[name]
            print(f"{name}  {value:.4f}" if isinstance(value, float) else f"{name}  {value}")
