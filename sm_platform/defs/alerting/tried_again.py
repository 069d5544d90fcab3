"""Failed days that are being tried again by themselves, of which no alert tells so far.

While the quick attempts last nobody is woken, so whoever looks at the alerts is told here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta

import dagster as dg

from sm_platform.defs.alerting.alert_log import NotedAlert
from sm_platform.defs.alerting.finished_runs import tells_of
from sm_platform.defs.home import CONFIG
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.resources import settings
from sm_platform.defs.watching.requests import ATTEMPT_TAG, DAILY
from sm_platform.lake.failures import FailedDay, failures_of
from sm_platform.lake.layout import Layout

RECENT = DAILY + timedelta(hours=2)
"""A day that is tried again has failed so lately: attempts are a day apart at most."""


def days_tried_again(
    layout: Layout, regions: Iterable[str], today: Collection[NotedAlert], now_utc: datetime
) -> int:
    """How many days of regions failed of what may pass, are tried again, and are not told.

    Args:
        layout: the lake.
        regions: that are looked at.
        today: the alerts of today.
        now_utc: of the wall clock.

    Raises:
        LakeError: Dagster's records cannot be read.
    """
    waiting = [one for name in regions for one in _passing(layout, name, now_utc)]
    untold = [one for one in waiting if not any(tells_of(alert, one) for alert in today)]
    if not untold or not (settings().dagster_home / CONFIG).is_file():
        return 0
    with home_explained(), open_instance() as instance:
        asked = {one.request for one in untold if _is_asked_by_sensors(instance, one.request)}
    return len({(one.region_id, one.day) for one in untold if one.request in asked})


def _passing(layout: Layout, region: str, now_utc: datetime) -> Iterator[FailedDay]:
    """Days of which all that failed lately may pass."""
    by_day = defaultdict[date, list[FailedDay]](list)
    for one in failures_of(layout, region):
        if one.failed_utc is not None and now_utc - one.failed_utc < RECENT:
            by_day[one.day].append(one)
    for failed in by_day.values():
        if all(one.is_passing for one in failed):
            yield from failed


def _is_asked_by_sensors(instance: dg.DagsterInstance, request: str) -> bool:
    """Whether a run was asked for by what asks again; a person asks for one once."""
    run = instance.get_run_by_id(request) if request else None
    return run is not None and ATTEMPT_TAG in run.tags
