"""A small graph for tests of daemon and workers: a step holds its slot until a file lets it go."""

import os
import time
from pathlib import Path

import dagster as dg

from sm_platform.defs.serving.pools import STATIC

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-05")
GO = "go"
WORKERS = "workers"
"""Folder in the Dagster home with a file for each process that has held the slot."""


@dg.asset(partitions_def=DAYS, pool=STATIC, backfill_policy=dg.BackfillPolicy.multi_run(4))
def held(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Days that are made once the file is there; meanwhile it writes to the event log."""
    home = Path(os.environ["DAGSTER_HOME"])
    (home / WORKERS).mkdir(exist_ok=True)
    (home / WORKERS / str(os.getpid())).touch()
    while not (home / GO).exists():
        context.log.info("waiting")
        time.sleep(0.2)
    for key in context.partition_keys:
        context.add_asset_metadata({"pid": os.getpid()}, partition_key=key)
    return dg.MaterializeResult()


defs = dg.Definitions(assets=[held], executor=dg.in_process_executor)
