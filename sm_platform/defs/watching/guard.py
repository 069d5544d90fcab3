"""The sensor that lets backfills go on which lost runs; it runs whatever SM_AUTOMATION says."""

from datetime import UTC, datetime

import dagster as dg

from sm_platform.defs.resources import LakeResource


@dg.sensor(
    name="resume_backfills",
    description="Asks again for the days that a backfill lost when processes were killed or a "
    "service was away; days of wrong data stay failed.",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def resume_backfills(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SkipReason:
    """One look at the backfills of the last days."""
    # Planning looks at the loaded definitions, of which this sensor is a part.
    from sm_platform.defs.backfill.planning import Place
    from sm_platform.defs.backfill.resuming import resume_backfills as resume

    told = resume(Place(lake.layout, context.instance), datetime.now(UTC))
    return dg.SkipReason(" ".join(told) or "No backfill has lost anything.")
