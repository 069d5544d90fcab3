"""Rules of the ground truth: they warn and block nothing, a person decides.

Each tells in its metadata what it counted in the run's own partitions, or in all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from sm_platform.defs.checking.rules import Matter, Rule, Verdict
from sm_platform.defs.checking.stored import parts_of
from sm_platform.defs.label_report import SERVING, nested
from sm_platform.defs.launch_tags import Scope
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

Found = tuple[bool, Mapping[str, Any]]
"""Whether it passed, and what was counted."""


def _rows(layout: Layout, table: Table, scope: Scope, select: str) -> list[tuple[Any, ...]]:
    """What a query over the scope's rows of a table, named `rows`, finds; none without a file."""
    connection = connect(layout, [table])
    if not connection.execute(f"from duckdb_views() where view_name = '{table.name}'").fetchall():
        return []
    where, values = scope.where(is_dated=table.is_dated)
    query = f"with rows as (from {table.name} where {where}) {select}"
    return connection.execute(query, values).fetchall()


def labels_in_range(layout: Layout, scope: Scope) -> Found:
    """Good labels outside 0..0.7 m3/m3."""
    select = """
        select source, count(*), min(sm_m3m3), max(sm_m3m3),
               count(*) filter (sm_m3m3 is null or sm_m3m3 <= 0 or sm_m3m3 > 0.700001)
        from rows where reason is null group by source order by source"""
    found = _rows(layout, label_tables.SM_OBSERVATIONS, scope, select)
    told = {name: f"{n} from {low:.3f} to {high:.3f}" for name, n, low, high, _ in found}
    return not any(row[-1] for row in found), {"labels": dg.MetadataValue.json(told)}


def no_label_twice(layout: Layout, scope: Scope) -> Found:
    """Rows that share site, granule and number."""
    select = """
        select coalesce(sum(n - 1), 0) from (
            select count(*) as n from rows group by site_id, granule_id, reading_no having n > 1)"""
    return _none_of(layout, label_tables.SM_OBSERVATIONS, scope, select)


def few_rejected(layout: Layout, scope: Scope) -> Found:
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


def few_stuck(layout: Layout, scope: Scope) -> Found:
    """Share of each sensor's readings that stand still (its duty cycle of being stuck)."""
    select = """
        select station_id, coalesce(sensor, '-'), depth_to_m,
               avg((coalesce(reason, '') = 'stuck_sensor')::double)
        from rows group by 1, 2, 3 order by 4 desc, 1"""
    found = _rows(layout, label_tables.STATION_READINGS, scope, select)
    stuck = {f"{who} {what} {depth} m": round(s, 3) for who, what, depth, s in found if s > 0}
    passed = all(share <= MOST_STUCK_SHARE for share in stuck.values())
    return passed, {"stuck_share": dg.MetadataValue.json(stuck), "sensors": len(found)}


def clocks_right(layout: Layout, scope: Scope) -> Found:
    """Series brought with a temperature whose days are warmest at the wrong hour."""
    table = label_tables.STATION_READINGS
    regions = [one for one in store.regions_stored(layout, table) if scope.region in (None, one)]
    notes = [store.note_of(layout, table, region) or {} for region in regions]
    wrong = [sentence for note in notes for sentence in note.get("clocks", [])]
    return not wrong, {"wrong_clocks": dg.MetadataValue.json(wrong)}


def no_site_twice(layout: Layout, scope: Scope) -> Found:
    """Sites that share an id within a region."""
    select = """
        select coalesce(sum(n - 1), 0) from (
            select count(*) as n from rows group by region_id, site_id having n > 1)"""
    return _none_of(layout, label_tables.SITE_CATALOG, scope, select)


def few_without_drivers(layout: Layout, scope: Scope) -> Found:
    """Labels near a pass that became no sample because an input of their site is missing."""
    made, missing, other = 0, 0, 0
    table = label_tables.TRAINING_SAMPLES
    for part in parts_of(layout, table, scope):
        note = store.note_of(layout, table, part.region_id, part.day) or {}
        dropped = note.get("dropped", {})
        made += int(note.get("rows", 0))
        missing += int(dropped.get("dropped_missing_input", 0))
        other += sum(int(n) for n in dropped.values())
    share = missing / max(made + other, 1)
    told = {"samples": made, "without_a_driver": missing, "share_missing": share}
    return share <= MOST_MISSING_SHARE, told


def no_leak(layout: Layout, scope: Scope) -> Found:
    """Sites, blocks and passes in two roles of one scheme."""
    table, found = label_tables.SAMPLE_SPLITS, dict[str, int]()
    for part in parts_of(layout, table, scope):
        made = store.read(layout, table, part.region_id, part.day)
        if made is not None:
            for name, n in leaks(made.rows).items():
                found[name] = found.get(name, 0) + n
    return not any(found.values()), {"in_two_roles": dg.MetadataValue.json(found)}


def _none_of(layout: Layout, table: Table, scope: Scope, select: str) -> Found:
    found = _rows(layout, table, scope, select)
    n = int(found[0][0]) if found else 0
    return n == 0, {"rows_too_many": n}


def _rule(judge: Callable[[Layout, Scope], Found], description: str) -> Rule:
    def judged(matter: Matter) -> Verdict:
        passed, counted = judge(matter.layout, matter.scope)
        return Verdict(passed, counted=counted)

    return Rule(judge.__name__, description, judged)


LABEL_RULES: Mapping[str, Sequence[Rule]] = {
    "sm_observations": [
        _rule(labels_in_range, "Good labels lie above 0 and at most at 0.7 m3/m3."),
        _rule(no_label_twice, "No reading stands twice in the table."),
        _rule(few_rejected, "At most half of a source's passes lack a good reading."),
    ],
    "station_readings": [
        _rule(few_stuck, "At most a tenth of a sensor's readings are stuck."),
        _rule(clocks_right, "Times are UTC wherever a temperature tells."),
    ],
    "site_catalog": [
        _rule(no_site_twice, "Each site stands once in the catalog of its region."),
    ],
    "training_samples": [
        _rule(few_without_drivers, "At most a fifth of the labels lack a driver."),
    ],
    "sample_splits": [
        _rule(no_leak, "No site, block or pass has two roles where the scheme says so."),
    ],
}
"""By asset."""
