"""Checks of the ground truth, run after its assets: of the run's own partitions where it has some.

They warn and block nothing: a person decides. Each tells in its metadata what it counted.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from sm_platform.defs.assets.labels import sample_splits, sm_observations, training_samples
from sm_platform.defs.assets.sites import site_catalog, station_readings
from sm_platform.defs.label_report import SERVING, nested
from sm_platform.defs.launch_tags import Scope, scope_of
from sm_platform.defs.resources import LakeResource
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.samples.leaks import leaks
from sm_platform.schema import label_tables
from sm_platform.schema.tables import Table

MOST_STUCK_SHARE = 0.1
"""Of a sensor's readings: more, and it is a sensor to be looked at."""
MOST_REJECTED_SHARE = 0.5
"""Of the passes at a source's sites."""
MOST_MISSING_SHARE = 0.2
"""Of the labels: more lack a driver, and drivers are to be looked at."""

Counted = Mapping[str, Any]


def _check(
    asset: dg.AssetsDefinition, name: str, description: str
) -> Callable[[Callable[[Layout, Scope], tuple[bool, Counted]]], dg.AssetChecksDefinition]:
    """Make an asset check of a function from lake and scope to passed and what was counted."""

    def make(judge: Callable[[Layout, Scope], tuple[bool, Counted]]) -> dg.AssetChecksDefinition:
        @dg.asset_check(asset=asset, name=name, description=description)
        def run(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
            passed, counted = judge(lake.layout, scope_of(context.run.tags))
            return dg.AssetCheckResult(
                passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=dict(counted)
            )

        return run

    return make


def _rows(layout: Layout, table: Table, scope: Scope, select: str) -> list[tuple[Any, ...]]:
    """What a query over the scope's rows of a table, named `rows`, finds; none without a file."""
    connection = connect(layout, [table])
    if not connection.execute(f"from duckdb_views() where view_name = '{table.name}'").fetchall():
        return []
    where, values = scope.where(is_dated=table.is_dated)
    query = f"with rows as (from {table.name} where {where}) {select}"
    return connection.execute(query, values).fetchall()


@_check(sm_observations, "labels_in_range", "Good labels lie above 0 and at most at 0.7 m3/m3.")
def labels_in_range(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Good labels outside 0..0.7 m3/m3."""
    select = """
        select source, count(*), min(sm_m3m3), max(sm_m3m3),
               count(*) filter (sm_m3m3 is null or sm_m3m3 <= 0 or sm_m3m3 > 0.700001)
        from rows where reason is null group by source order by source"""
    found = _rows(layout, label_tables.SM_OBSERVATIONS, scope, select)
    told = {name: f"{n} from {low:.3f} to {high:.3f}" for name, n, low, high, _ in found}
    return not any(row[-1] for row in found), {"labels": dg.MetadataValue.json(told)}


@_check(sm_observations, "no_label_twice", "No reading stands twice in the table.")
def no_label_twice(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Rows that share site, granule and number."""
    select = """
        select coalesce(sum(n - 1), 0) from (
            select count(*) as n from rows group by site_id, granule_id, reading_no having n > 1)"""
    return _none_of(layout, label_tables.SM_OBSERVATIONS, scope, select)


@_check(sm_observations, "few_rejected", "At most half of a source's passes lack a good reading.")
def few_rejected(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Share of the passes at each source's sites whose readings are all rejected, and why."""
    select = SERVING.format(rows="rows")
    counts = nested(_rows(layout, label_tables.SM_OBSERVATIONS, scope, select))
    shares = {name: 1 - one.get("good", 0) / sum(one.values()) for name, one in counts.items()}
    told = {
        "worst_share": max(shares.values(), default=0.0),
        "rejected_share": dg.MetadataValue.json(shares),
        "why": dg.MetadataValue.json(counts),
    }
    return all(share <= MOST_REJECTED_SHARE for share in shares.values()), told


@_check(station_readings, "few_stuck", "At most a tenth of a sensor's readings are stuck.")
def few_stuck(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Share of each sensor's readings that stand still (its duty cycle of being stuck)."""
    select = """
        select station_id, coalesce(sensor, '-'), depth_to_m,
               avg((coalesce(reason, '') = 'stuck_sensor')::double)
        from rows group by 1, 2, 3 order by 4 desc, 1"""
    found = _rows(layout, label_tables.STATION_READINGS, scope, select)
    stuck = {f"{who} {what} {depth} m": round(s, 3) for who, what, depth, s in found if s > 0}
    passed = all(share <= MOST_STUCK_SHARE for share in stuck.values())
    return passed, {"stuck_share": dg.MetadataValue.json(stuck), "sensors": len(found)}


@_check(station_readings, "clocks_right", "Times are UTC wherever a temperature tells.")
def clocks_right(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Series brought with a temperature whose days are warmest at the wrong hour."""
    table = label_tables.STATION_READINGS
    regions = [one for one in store.regions_stored(layout, table) if scope.region in (None, one)]
    notes = [store.note_of(layout, table, region) or {} for region in regions]
    wrong = [sentence for note in notes for sentence in note.get("clocks", [])]
    return not wrong, {"wrong_clocks": dg.MetadataValue.json(wrong)}


@_check(site_catalog, "no_site_twice", "Each site stands once in the catalog of its region.")
def no_site_twice(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Sites that share an id within a region."""
    select = """
        select coalesce(sum(n - 1), 0) from (
            select count(*) as n from rows group by region_id, site_id having n > 1)"""
    return _none_of(layout, label_tables.SITE_CATALOG, scope, select)


@_check(training_samples, "few_without_drivers", "At most a fifth of the labels lack a driver.")
def few_without_drivers(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Labels near a pass that became no sample because an input of their site is missing."""
    made, missing, other = 0, 0, 0
    for region, day in _stored_days(layout, scope):
        note = store.note_of(layout, label_tables.TRAINING_SAMPLES, region, day) or {}
        dropped = note.get("dropped", {})
        made += int(note.get("rows", 0))
        missing += int(dropped.get("dropped_missing_input", 0))
        other += sum(int(n) for n in dropped.values())
    share = missing / max(made + other, 1)
    told = {"samples": made, "without_a_driver": missing, "share_missing": share}
    return share <= MOST_MISSING_SHARE, told


@_check(sample_splits, "no_leak", "No site, block or pass has two roles where the scheme says so.")
def no_leak(layout: Layout, scope: Scope) -> tuple[bool, Counted]:
    """Sites, blocks and passes in two roles of one scheme."""
    table, found = label_tables.SAMPLE_SPLITS, dict[str, int]()
    for region, day in _stored_days(layout, scope, table):
        part = store.read(layout, table, region, day)
        if part is not None:
            for name, n in leaks(part.rows).items():
                found[name] = found.get(name, 0) + n
    return not any(found.values()), {"in_two_roles": dg.MetadataValue.json(found)}


def _none_of(
    layout: Layout, table: Table, scope: Scope, select: str
) -> tuple[bool, dict[str, int]]:
    found = _rows(layout, table, scope, select)
    n = int(found[0][0]) if found else 0
    return n == 0, {"rows_too_many": n}


def _stored_days(
    layout: Layout, scope: Scope, table: Table = label_tables.TRAINING_SAMPLES
) -> list[tuple[str, date]]:
    return [
        (region, day)
        for region in store.regions_stored(layout, table)
        for day in store.days_made(layout, table, region)
        if scope.holds(region, day)
    ]


CHECKS = [
    labels_in_range,
    no_label_twice,
    few_rejected,
    few_stuck,
    clocks_right,
    no_site_twice,
    few_without_drivers,
    no_leak,
]
