"""The queue of runs, as long as the environment of the daemon says.

dagster.yaml can only take a number from a variable that is always set; here it has a default.
"""

import dagster as dg
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import (
    QueuedRunCoordinator,
    RunQueueConfig,
)
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_START_TAG,
    MULTIDIMENSIONAL_PARTITION_PREFIX,
)

from sm_platform.defs.resources import run_limits


class RunQueue(QueuedRunCoordinator):
    """Dagster's queue with SM_MAX_RUNS as its limit; runs of several days keep all their days."""

    def get_run_queue_config(self) -> RunQueueConfig:
        """The queue's settings; raises UsageError when the variable is wrong."""
        return super().get_run_queue_config()._replace(max_concurrent_runs=run_limits().runs)

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Put a run into the queue.

        A backfill that begins at a job's page gives a run of several days the tags of its first day
        besides those of the range, and its steps would then make that day alone and succeed. A run
        is stored anew without them; its tags cannot be taken away otherwise.
        """
        run = context.dagster_run
        tags = tags_of_range(run)
        if run.status is dg.DagsterRunStatus.NOT_STARTED and len(tags) < len(run.tags):
            run = run.with_tags(tags)
            storage = self._instance.run_storage
            storage.delete_run(run.run_id)
            storage.add_run(run)
        return super().submit_run(context._replace(dagster_run=run))


def tags_of_range(run: dg.DagsterRun) -> dict[str, str]:
    """Tags of a run, without those of one day where it is of a range of days."""
    is_range = ASSET_PARTITION_RANGE_START_TAG in run.tags
    return {
        name: value
        for name, value in run.tags.items()
        if not (is_range and name.startswith(MULTIDIMENSIONAL_PARTITION_PREFIX))
    }
