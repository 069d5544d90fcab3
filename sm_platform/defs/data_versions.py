"""Data versions of assets that have one partition a region: made anew from the same, still in sync.

Dagster marks what lies below an asset as unsynced when its data version changes, and without one
every run makes a new version. Dated assets run over ranges, where a result carries one for all.
"""

from collections.abc import Iterable

import dagster as dg

from sm_platform.defs.lake_access import hash_of
from sm_platform.lake import store
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.tables import Table


def version_of_table(layout: Layout, table: Table, region: str) -> dg.DataVersion | None:
    """By the inputs that the stored partition was made from; None when it does not tell them."""
    note = store.note_of(layout, table, region) or {}
    return dg.DataVersion(note["inputs"]) if note.get("inputs") else None


def version_of_granules(layout: Layout, products: Iterable[str], region: str) -> dg.DataVersion:
    """By the content of all undated granules of the products."""
    found = [one.sha256 for name in products for one in landed(layout, name, region, None)]
    return dg.DataVersion(hash_of(found))
