"""Every table of the lake, by what it is about."""

from collections.abc import Mapping
from types import ModuleType

from sm_platform.schema import (
    alert_tables,
    driver_tables,
    label_tables,
    model_tables,
    registry_tables,
    watch_tables,
)
from sm_platform.schema.tables import Table


def _tables_of(module: ModuleType) -> tuple[Table, ...]:
    """The tables of a module, in its order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Table))


FAMILIES: Mapping[str, tuple[Table, ...]] = {
    "Regions, scenes and drivers": _tables_of(driver_tables),
    "Ground truth": _tables_of(label_tables),
    "Checkpoints": _tables_of(registry_tables),
    "Features and maps": _tables_of(model_tables),
    "What runs by itself": (*_tables_of(watch_tables), *_tables_of(alert_tables)),
}
ALL_TABLES = tuple(table for family in FAMILIES.values() for table in family)
