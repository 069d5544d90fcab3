"""Series at places: every file of a region read, judged as a whole, stored with the reasons."""

from collections import Counter

import numpy as np
import pyarrow as pa

from sm_platform.defs.days import DayReport
from sm_platform.defs.label_readers import SERIES, read_series
from sm_platform.defs.lake_access import hash_of
from sm_platform.errors import GranuleError
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, quarantine
from sm_platform.lake.layout import Layout
from sm_platform.observations.series import judge_series
from sm_platform.schema.label_sources import find_source
from sm_platform.schema.label_tables import STATION_READINGS
from sm_platform.schema.readings import READINGS
from sm_platform.schema.region import Region


def gather_readings(layout: Layout, region: Region) -> DayReport:
    """Read, judge and store the series of all granules; a damaged one is set aside and named."""
    parts, skipped = list[pa.Table](), list[str]()
    digests = []
    for source_id in SERIES:
        granules = landed(layout, source_id, region.region_id, None)
        found = [_read(layout, region, granule, skipped) for granule in granules]
        tables = [table for table in found if table is not None]
        digests += [granule.sha256 for granule in granules]
        if tables:
            parts.append(_judged(pa.concat_tables(tables), region, source_id))
    rows = pa.concat_tables(parts) if parts else STATION_READINGS.arrow_schema.empty_table()
    note = {
        "inputs": hash_of(digests),
        "status": "made" if rows.num_rows else "none",
        "rows": rows.num_rows,
        "skipped": skipped,
    }
    store.write(layout, STATION_READINGS, rows, region=region.region_id, note=note)
    reasons = Counter(reason or "good" for reason in rows["reason"].to_pylist())
    stations = len(set(rows["station_id"].to_pylist()))
    told: dict[str, object] = {"stations": stations}
    told |= {f"readings_{reason}": n for reason, n in sorted(reasons.items())}
    if skipped:
        told["skipped"] = "\n".join(skipped)
    return DayReport(note["status"], rows.num_rows, told)


def _read(
    layout: Layout, region: Region, granule: LandedGranule, skipped: list[str]
) -> pa.Table | None:
    try:
        found = read_series(granule)
    except GranuleError as error:
        place = quarantine(layout, region.region_id, granule, str(error))
        skipped.append(f"{error} It lies in {place}.")
        return None
    skipped += [f"{granule.granule_id}: {name}: {why}" for name, why in found.skipped]
    n = found.readings.num_rows
    return (
        found.readings.cast(READINGS)
        .append_column("granule_id", pa.array([granule.granule_id] * n, pa.string()))
        .append_column("reading_no", pa.array(np.arange(n, dtype=np.int32)))
        .append_column("is_simulated", pa.array(np.full(n, granule.is_simulated)))
    )


def _judged(readings: pa.Table, region: Region, source_id: str) -> pa.Table:
    """All series of one source, judged together: a station may move between two files."""
    source, n = find_source(source_id), readings.num_rows
    judged = judge_series(readings.select(READINGS.names), lonlat_bounds(region.window))
    return (
        readings.append_column("reason", judged["reason"])
        .append_column("source", pa.array([source_id] * n, pa.string()))
        .append_column("label_type", pa.array([source.label_type.value] * n, pa.string()))
        .select([column.name for column in STATION_READINGS.columns])
    )
