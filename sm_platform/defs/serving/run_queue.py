"""The queue of runs, as long as the environment of the daemon says.

dagster.yaml can only take a number from a variable that is always set; here it has a default.
"""

from dagster._core.run_coordinator.queued_run_coordinator import (
    QueuedRunCoordinator,
    RunQueueConfig,
)

from sm_platform.defs.resources import run_limits


class RunQueue(QueuedRunCoordinator):
    """Dagster's queue with SM_MAX_RUNS as its limit."""

    def get_run_queue_config(self) -> RunQueueConfig:
        """The queue's settings; raises UsageError when the variable is wrong."""
        return super().get_run_queue_config()._replace(max_concurrent_runs=run_limits().runs)
