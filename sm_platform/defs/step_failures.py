"""Failed steps of a run as people are told of them: days with their reasons, without stacks."""

import re
from collections.abc import Mapping
from datetime import date

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

from sm_platform.defs.days import FAILED_DAYS
from sm_platform.errors import SmPlatformError

OURS = re.compile(rf"^{re.escape(SmPlatformError.__module__)}\.\w+: ")
"""How Dagster begins the message of an error of ours."""


def named_days(failure: dg.DagsterEvent) -> dict[date, str]:
    """The days that `days.each_day` named, with their reasons; {} of a step that failed whole."""
    data = failure.step_failure_data.user_failure_data
    told = data.metadata.get(FAILED_DAYS) if data else None
    if not isinstance(told, dg.JsonMetadataValue) or not isinstance(told.value, Mapping):
        return {}
    return {date.fromisoformat(key.split("|")[0]): str(why) for key, why in told.value.items()}


def why(failure: dg.DagsterEvent) -> str:
    """What a step says of its failure."""
    data = failure.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    return OURS.sub("", raised(failure)[1])


def raised(failure: dg.DagsterEvent) -> tuple[str, str]:
    """Class and message of what a step raised, without Dagster's own error around it."""
    error = failure.step_failure_data.error
    cause = error.cause or error if error else None
    if cause is None:
        return "", f"{failure.step_key} failed"
    return str(cause.cls_name), cause.message.strip()


def is_verdict(failure: dg.DagsterEvent) -> bool:
    """Whether a blocking check said no: its asset was made, so no day has failed."""
    error = failure.step_failure_data.error
    verdict = DagsterAssetCheckFailedError.__name__
    return error is not None and verdict in (error.cls_name, raised(failure)[0])
