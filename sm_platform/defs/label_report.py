"""Counts, histograms and agreement of the labels of one region, from the lake's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sm_platform.errors import MissingInputError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.label_sources import find_source
from sm_platform.schema.label_tables import SM_OBSERVATIONS
from sm_platform.schema.region import Region
from sm_platform.trust.metrics import agreement

if TYPE_CHECKING:
    import duckdb

    from sm_platform.maps.label_figures import Meeting

FEWEST_PAIRS = 10
"""With fewer common labels nothing is said about two sources."""
TOP_M = 0.1001
"""Lower end of layers that are compared: the top, where all products look."""

COUNTS = """
select source, coalesce(reason, 'good') as reason, count(*) as n
from sm_observations where region_id = ? group by all order by all"""
SERVING = """
select source, reason, count(*) as n from (
    select source, case when bool_or(reason is null) then 'good'
        else arg_min(reason, abs(time_difference_h)) end as reason
    from {rows}
    group by site_id, source, station_id, sensor, depth_from_m, depth_to_m, scene_id)
group by all order by all"""
"""Of each series and pass: good when one reading of it is, else why the nearest is none. A station
that reads every hour has many rejected readings around a pass, and one that serves it."""
GOOD = """
select source, sm_m3m3 from sm_observations
where region_id = ? and reason is null and sm_m3m3 is not null order by source"""
PAIRS = """
with top as (
    select site_id, scene_id, source, avg(sm_m3m3) as sm_m3m3 from sm_observations
    where region_id = ? and reason is null and coalesce(depth_to_m, 0) <= ? group by all)
select a.sm_m3m3, b.sm_m3m3 from top a join top b using (site_id, scene_id)
where a.source = ? and b.source = ? order by site_id, scene_id"""


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What is shown of a region's labels."""

    n_readings: int
    counts: Mapping[str, Mapping[str, int]]
    """Readings by source and reason, `good` among them."""
    per_pass: Mapping[str, Mapping[str, int]]
    """The same of the passes at each site: what the reading was that could have served it."""
    agreement: list[dict[str, Any]]
    """A row for each two sources that meet."""
    pictures: Mapping[str, bytes]
    """PNG by name."""


def label_report_of(layout: Layout, region: Region) -> LabelReport:
    """Look at all stored observations of the region.

    Raises:
        MissingInputError: there are none.
    """
    from sm_platform.maps.label_figures import draw_histograms, draw_meetings, draw_rejections

    counts = counts_of(layout, region.region_id)
    connection = connect(layout, [SM_OBSERVATIONS])
    own = "(from sm_observations where region_id = ?)"
    per_pass = nested(connection.execute(SERVING.format(rows=own), [region.region_id]).fetchall())
    meetings, told = _meetings(connection, region.region_id, list(counts))
    pictures = {
        "histograms": draw_histograms(_good(connection, region.region_id)),
        "rejections": draw_rejections(per_pass),
    }
    if meetings:
        pictures["agreement"] = draw_meetings(meetings)
    total = sum(n for reasons in counts.values() for n in reasons.values())
    return LabelReport(total, counts, per_pass, told, pictures)


def counts_of(layout: Layout, region: str) -> dict[str, dict[str, int]]:
    """Readings of a region by source and reason, `good` among them; raises MissingInputError."""
    found: dict[str, dict[str, int]] = {}
    if region in store.regions_stored(layout, SM_OBSERVATIONS):
        found = nested(connect(layout, [SM_OBSERVATIONS]).execute(COUNTS, [region]).fetchall())
    if not found:
        raise MissingInputError(
            f"Region {region} has no observations: materialize `sm_observations` first."
        )
    return found


def nested(rows: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Numbers by source and reason from rows of the three."""
    found: dict[str, dict[str, int]] = {}
    for source, reason, n in rows:
        found.setdefault(source, {})[reason] = n
    return found


def _good(connection: duckdb.DuckDBPyConnection, region: str) -> dict[str, np.ndarray]:
    found = connection.execute(GOOD, [region]).fetchnumpy()
    sources, sm = np.asarray(found["source"], dtype=str), np.asarray(found["sm_m3m3"])
    return {name: sm[sources == name] for name in sorted(set(sources.tolist()))}


def _meetings(
    connection: duckdb.DuckDBPyConnection, region: str, sources: list[str]
) -> tuple[list[Meeting], list[dict[str, Any]]]:
    from sm_platform.maps.label_figures import Meeting

    meetings, told = [], []
    for first, second in combinations(sources, 2):
        rows = connection.execute(PAIRS, [region, TOP_M, first, second]).fetchnumpy()
        x, y = (np.asarray(values, np.float64) for values in rows.values())
        if len(x) < FEWEST_PAIRS:
            continue
        score = agreement(x, y)
        shared = find_source(first).made_from & find_source(second).made_from
        line = f"n {score.n}, x - y {score.bias:+.3f}, ubRMSD {score.ubrmse:.3f}, R {score.r:.2f}"
        meetings.append(Meeting(first, second, x, y, line))
        told.append(
            {
                "first": first,
                "second": second,
                "n": score.n,
                "bias_m3m3": score.bias,
                "rmsd_m3m3": score.rmse,
                "ubrmsd_m3m3": score.ubrmse,
                "r": None if np.isnan(score.r) else score.r,
                "errors_in_common": sorted(shared),
            }
        )
    return meetings, told
