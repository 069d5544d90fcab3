"""Series at places: every file of a region read, judged as a whole, stored with the reasons."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.clocks import clock_warnings
from sm_platform.defs.days import DayReport
from sm_platform.defs.label_readers import SERIES, read_series
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.own_series import label_type_of
from sm_platform.errors import GranuleError
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, quarantine, quarantined
from sm_platform.lake.layout import Layout
from sm_platform.observations.series import judge_series
from sm_platform.schema.label_tables import STATION_READINGS
from sm_platform.schema.readings import READINGS
from sm_platform.schema.region import Region


@dataclass(slots=True)
class _Gathered:
    """What was found in the granules of a region, and what is to be told of them."""

    digests: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    clocks: list[str] = field(default_factory=list)


def gather_readings(layout: Layout, region: Region) -> DayReport:
    """Read, judge and store the series of all granules; a damaged one is set aside and named."""
    gathered = _Gathered()
    parts = [_of_source(layout, region, source_id, gathered) for source_id in SERIES]
    rows = pa.concat_tables([STATION_READINGS.arrow_schema.empty_table(), *parts])
    bounds = lonlat_bounds(region.window)
    note = {
        "inputs": hash_of(gathered.digests, bounds),
        "status": "made" if rows.num_rows else "none",
        "rows": rows.num_rows,
        "skipped": gathered.skipped,
        "clocks": gathered.clocks,
    }
    store.write(layout, STATION_READINGS, rows, region=region.region_id, note=note)
    reasons = Counter(reason or "good" for reason in rows["reason"].to_pylist())
    told: dict[str, object] = {"stations": len(pc.unique(rows["station_id"]))}
    told |= {f"readings_{reason}": n for reason, n in sorted(reasons.items())}
    for name in ("skipped", "clocks"):
        if note[name]:
            told[name] = "\n".join(getattr(gathered, name))
    return DayReport(str(note["status"]), rows.num_rows, told)


def _of_source(layout: Layout, region: Region, source_id: str, gathered: _Gathered) -> pa.Table:
    """All series of one source, judged together: a station may move between two files."""
    earlier = quarantined(layout, source_id, region.region_id, None)
    granules = landed(layout, source_id, region.region_id, None)
    gathered.digests += [granule.sha256 for granule in granules]
    found = [_read(layout, region, granule, gathered) for granule in granules]
    gathered.skipped += [
        f"{granule.granule_id} is damaged and lies in {granule.folder}." for granule in earlier
    ]
    tables = [table for table in found if table is not None]
    if not tables:
        return STATION_READINGS.arrow_schema.empty_table()
    readings = pa.concat_tables(tables)
    judged = judge_series(readings.select(READINGS.names), lonlat_bounds(region.window))
    named = [source_id] * readings.num_rows
    rows = readings.append_column("reason", judged["reason"]).append_column(
        "source", pa.array(named, pa.string())
    )
    for name in ("depth_from_m", "depth_to_m"):
        rows = rows.set_column(rows.column_names.index(name), name, _below_ground(rows[name]))
    return rows.select(STATION_READINGS.arrow_schema.names).cast(STATION_READINGS.arrow_schema)


def _read(
    layout: Layout, region: Region, granule: LandedGranule, gathered: _Gathered
) -> pa.Table | None:
    try:
        found = read_series(granule)
        gathered.clocks += clock_warnings(granule)
    except GranuleError as error:
        place = quarantine(layout, region.region_id, granule, str(error))
        gathered.skipped.append(f"{error} It lies in {place}.")
        return None
    gathered.skipped += [f"{granule.granule_id}: {name}: {why}" for name, why in found.skipped]
    n = found.readings.num_rows
    return (
        found.readings.cast(READINGS)
        .append_column("granule_id", pa.array([granule.granule_id] * n, pa.string()))
        .append_column("reading_no", pa.array(np.arange(n, dtype=np.int32)))
        .append_column("is_simulated", pa.array(np.full(n, granule.is_simulated)))
        .append_column("label_type", pa.array([label_type_of(granule).value] * n, pa.string()))
    )


def _below_ground(depth: pa.ChunkedArray) -> pa.ChunkedArray:
    """A depth above the ground is none; such readings are rejected for it."""
    return pc.if_else(pc.less(depth, 0.0), pa.scalar(None, depth.type), depth)
