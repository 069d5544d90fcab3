"""What Dagster loads: the assets of the platform with their resources."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
# Figures have a policy of their own on purpose (partitions.py), also in a job with their maps.
warnings.filterwarnings("ignore", message="Asset job .* varying BackfillPolicies")

from sm_platform.defs.alerting.sensors import ALERT_SENSORS  # noqa: E402
from sm_platform.defs.assets import (  # noqa: E402 - the warnings come while assets are defined
    checkpoints,
    drivers,
    evaluations,
    features,
    granules,
    label_granules,
    labels,
    late_rain,
    maps,
    pretraining,
    reports,
    scenes,
    sites,
    static,
)
from sm_platform.defs.checks import CHECKS  # noqa: E402
from sm_platform.defs.gate_check import gate  # noqa: E402
from sm_platform.defs.jobs import add_region_job, remove_region_job  # noqa: E402
from sm_platform.defs.resources import resources  # noqa: E402
from sm_platform.defs.watching import sweep  # noqa: E402
from sm_platform.defs.watching.guard import resume_backfills  # noqa: E402
from sm_platform.defs.watching.sensor import JOBS, SENSORS  # noqa: E402

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [
            granules,
            label_granules,
            scenes,
            drivers,
            late_rain,
            static,
            features,
            sites,
            labels,
            reports,
            pretraining,
            checkpoints,
            evaluations,
            maps,
            sweep,
        ]
    ),
    asset_checks=[*CHECKS, gate],
    sensors=[*SENSORS, *ALERT_SENSORS, resume_backfills],
    schedules=sweep.SCHEDULES,
    jobs=[*JOBS, add_region_job, remove_region_job],
    resources=resources(),
    executor=dg.in_process_executor,
)
