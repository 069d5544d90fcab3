"""Pools: how many steps of one kind run at once, over all runs of an instance.

Dagster keeps the limits in its own database, so whoever starts a daemon sets them there.
"""

from collections.abc import Mapping

import dagster as dg

from sm_platform.defs.resources import run_limits

MEMORY = "memory"
"""Steps that hold much memory."""
SENTINEL1 = "sentinel1"
VEGETATION = "vegetation"
WEATHER = "weather"
LATE_RAIN = "late_rain"
STATIC = "static"
LABELS = "labels"
PROVIDERS = (SENTINEL1, VEGETATION, WEATHER, LATE_RAIN, STATIC, LABELS)
"""Steps that fetch, a pool for each kind of provider: one that throttles us slows no other."""


def wanted_limits() -> dict[str, int]:
    """Slots of each pool as the environment says; raises UsageError naming a wrong variable."""
    limits = run_limits()
    return {MEMORY: limits.memory_steps, **dict.fromkeys(PROVIDERS, limits.provider_steps)}


def limits_of(instance: dg.DagsterInstance) -> dict[str, int]:
    """Slots of each pool as the instance holds them; a pool that nobody has set is left out."""
    found = instance.event_log_storage.get_pool_limits()
    return {pool.name: pool.limit for pool in found if not pool.from_default}


def set_limits(instance: dg.DagsterInstance, wanted: Mapping[str, int]) -> None:
    """Give the pools so many slots; slots that are held stay held until their step ends."""
    found = limits_of(instance)
    for name, slots in wanted.items():
        if found.get(name) != slots:
            instance.event_log_storage.set_concurrency_slots(name, slots)
