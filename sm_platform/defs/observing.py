"""Observations of a day: every label source read at the sites, judged, kept near a radar pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.days import DayReport
from sm_platform.defs.label_readers import GRIDDED, SERIES, read_fields
from sm_platform.defs.lake_access import hash_of
from sm_platform.errors import DataError, MissingInputError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, quarantined
from sm_platform.lake.layout import Layout
from sm_platform.observations.collocation import NearReadings, keep_near
from sm_platform.observations.fields import SiteReader
from sm_platform.observations.rejection import count_reasons
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.schema.label_sources import LabelSource, find_source
from sm_platform.schema.label_tables import SITE_CATALOG, SM_OBSERVATIONS, STATION_READINGS
from sm_platform.schema.readings import FieldReading
from sm_platform.schema.region import Region

STATION = "station"
REACH = timedelta(days=1)
"""Passes of the days this far around a reading may be near it."""
READING = pa.schema(
    [
        pa.field(column.name, column.type)
        for column in SM_OBSERVATIONS.columns
        if column.name not in ("scene_id", "time_difference_h")
    ]
)
"""An observation before its pass is known."""


@dataclass(frozen=True, slots=True)
class _Readers:
    """Sites that a gridded source is read at."""

    site_id: pa.ChunkedArray
    reader: SiteReader


@dataclass(frozen=True, slots=True)
class _Passes:
    """Radar passes, n."""

    scene_id: pa.Array
    start_utc: NDArray[np.datetime64]

    @property
    def hashed(self) -> str:
        """Which passes, and when."""
        return hash_of(self.scene_id.to_pylist(), [str(one) for one in self.start_utc])


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads the labels of one region."""

    layout: Layout
    region: Region
    sites: pa.Table
    station_rows: pa.Table
    """Judged readings of the stations that are sites, with their `site_id`."""
    station_hash: str | None
    site_hash: str | None
    sources: tuple[str, ...]
    max_hours: float
    _readers: dict[str, _Readers] = field(default_factory=dict)

    def write_day(self, day: date) -> DayReport:
        """Read, judge and store the labels sensed on a UTC day.

        A damaged granule is set aside and told; the others are read.

        Raises:
            MissingInputError: the passes of the day have not been extracted.
            DataError: all granules of the day are damaged.
        """
        granules = self._granules(day)
        passes = self._passes(day)
        asked = (self.sources, self.max_hours, self.site_hash, self.station_hash)
        hashed = hash_of([one.sha256 for one in granules], asked, passes.hashed)
        note = store.note_of(self.layout, SM_OBSERVATIONS, self.region.region_id, day)
        if note is not None and note["inputs"] == hashed:
            return DayReport(note["status"], note["rows"], note["told"])
        found = read_fields(self.layout, self.region, granules)
        parts = [self._at_sites(granule, one, n) for n, (granule, one) in _numbered(found.fields)]
        readings = pa.concat_tables([*parts, self._of_stations(day)])
        kept = keep_near(readings, passes.start_utc, max_hours=self.max_hours)
        rows = _with_scenes(kept, passes)
        told: dict[str, object] = {name: n for name, n in count_reasons(rows).items() if n}
        left = {"without_pass": kept.n_without_pass, "not_nearest": kept.n_not_nearest}
        told |= {name: n for name, n in left.items() if n}
        return self._write(day, rows, told, (hashed, self._damaged(day, found.damaged)))

    def _write(
        self, day: date, rows: pa.Table, told: dict[str, object], how: tuple[str, list[str]]
    ) -> DayReport:
        hashed, damaged = how
        if damaged:
            told["damaged"] = "\n".join(damaged)
        status = "made" if rows.num_rows else "damaged" if damaged else "none"
        note = {"inputs": hashed, "status": status, "rows": rows.num_rows, "told": told}
        store.write(
            self.layout, SM_OBSERVATIONS, rows, region=self.region.region_id, day=day, note=note
        )
        if damaged and not rows.num_rows:
            raise DataError(" ".join(damaged))
        return DayReport(status, rows.num_rows, told)

    def _granules(self, day: date) -> list[LandedGranule]:
        wanted = [name for name in GRIDDED if name in self.sources]
        found = (landed(self.layout, name, self.region.region_id, day) for name in wanted)
        return [granule for granules in found for granule in granules]

    def _damaged(self, day: date, now: Sequence[str]) -> list[str]:
        """What is set aside of the day, now and earlier."""
        earlier = [
            f"{granule.granule_id} is damaged and lies in {granule.folder}."
            for name in GRIDDED
            if name in self.sources
            for granule in quarantined(self.layout, name, self.region.region_id, day)
            if not any(granule.granule_id in sentence for sentence in now)
        ]
        return [*now, *earlier]

    def _passes(self, day: date) -> _Passes:
        """Passes of the day and the days around it."""
        name, table = self.region.region_id, S1_SCENES
        days = days_between(day - REACH, day + REACH)
        stored = {when: store.read(self.layout, table, name, when) for when in days}
        if stored[day] is None:
            raise MissingInputError(
                f"Sentinel-1 passes of {name} on {day} are not in the lake: "
                "run --download and --extract for that day first."
            )
        parts = [part.rows for part in stored.values() if part is not None]
        rows = pa.concat_tables(parts).select(["scene_id", "start_utc"])
        moments = rows["start_utc"].to_numpy().astype("datetime64[us]")
        return _Passes(rows["scene_id"].combine_chunks(), moments)

    def _at_sites(self, granule: LandedGranule, reading: FieldReading, number: int) -> pa.Table:
        source = find_source(granule.product)
        own = self._reader_of(source)
        found = own.reader.observe(reading)
        n = found.num_rows
        constant = {
            "granule_id": granule.granule_id,
            "source": source.source_id,
            "label_type": source.label_type.value,
            "pass_name": reading.pass_name,
        }
        numbers = {
            "support_m": source.support_m,
            "depth_from_m": source.depth_from_m,
            "depth_to_m": source.depth_to_m,
        }
        columns = {
            name: found[name] for name in ("sensed_utc", "sm_m3m3", "provider_reason", "reason")
        }
        columns |= {name: pa.array([value] * n, pa.string()) for name, value in constant.items()}
        columns |= {name: np.full(n, value, np.float32) for name, value in numbers.items()}
        columns |= {name: pa.nulls(n, pa.string()) for name in ("station_id", "sensor")}
        columns |= {
            "site_id": own.site_id,
            "reading_no": np.full(n, number, np.int32),
            "is_simulated": np.full(n, granule.is_simulated),
        }
        return pa.table(columns).select(READING.names).cast(READING)

    def _reader_of(self, source: LabelSource) -> _Readers:
        """Cells of the source's own level, and all stations: there it meets the others."""
        if source.source_id not in self._readers:
            is_own = pc.or_(
                pc.equal(self.sites["level"], source.level),
                pc.equal(self.sites["site_kind"], STATION),
            )
            own = self.sites.filter(is_own)
            places = (own[name].to_numpy() for name in ("lon_deg", "lat_deg"))
            self._readers[source.source_id] = _Readers(own["site_id"], SiteReader(*places))
        return self._readers[source.source_id]

    def _of_stations(self, day: date) -> pa.Table:
        first = np.datetime64(day, "us")
        moments = self.station_rows["sensed_utc"].to_numpy().astype("datetime64[us]")
        is_own = (moments >= first) & (moments < first + np.timedelta64(1, "D"))
        return self.station_rows.filter(pa.array(is_own))


def _with_scenes(kept: NearReadings, passes: _Passes) -> pa.Table:
    """The kept readings as observations."""
    scenes = passes.scene_id.take(kept.rows["pass_index"].combine_chunks())
    rows = kept.rows.append_column("scene_id", scenes)
    names = [column.name for column in SM_OBSERVATIONS.columns]
    return rows.select(names).cast(SM_OBSERVATIONS.arrow_schema)


def open_observer(
    layout: Layout, region: Region, sites: pa.Table, sources: Sequence[str], max_hours: float
) -> Observer:
    """Read what all days share: the sites and the judged series of their stations.

    Raises:
        UsageError: a source that does not exist.
    """
    wanted = tuple(find_source(name).source_id for name in sources) or (*GRIDDED, *SERIES)
    own = sites.filter(pc.greater_equal(sites["cell_id"], 0))  # imported ones may lie elsewhere
    stored = store.read(layout, STATION_READINGS, region.region_id)
    site_note = store.note_of(layout, SITE_CATALOG, region.region_id) or {}
    rows = stored.rows if stored else STATION_READINGS.arrow_schema.empty_table()
    return Observer(
        layout=layout,
        region=region,
        sites=own,
        station_rows=_at_stations(rows, own, wanted),
        station_hash=stored.note["inputs"] if stored else None,
        site_hash=site_note.get("inputs"),
        sources=wanted,
        max_hours=max_hours,
    )


def _at_stations(rows: pa.Table, sites: pa.Table, sources: Sequence[str]) -> pa.Table:
    """Readings of the stations among the sites, as observations without their pass."""
    of_site = sites.filter(pc.equal(sites["site_kind"], STATION))
    is_wanted = pc.is_in(rows["source"], value_set=pa.array(sources, pa.string()))
    place = pc.index_in(rows["station_id"], value_set=of_site["station_id"].combine_chunks())
    is_own = pc.and_(is_wanted, pc.is_valid(place))
    own = rows.filter(is_own)
    supports = [find_source(name).support_m for name in own["source"].to_pylist()]
    return (
        own.append_column("site_id", of_site["site_id"].take(place.filter(is_own)))
        .append_column("support_m", pa.array(supports, pa.float32()))
        .append_column("pass_name", pa.array([""] * own.num_rows, pa.string()))
        .select(READING.names)
        .cast(READING)
    )


def _numbered(
    fields: Sequence[tuple[LandedGranule, FieldReading]],
) -> list[tuple[int, tuple[LandedGranule, FieldReading]]]:
    """Each field with its number within its granule."""
    seen: dict[str, int] = {}
    found = []
    for granule, one in fields:
        found.append((seen.get(granule.granule_id, 0), (granule, one)))
        seen[granule.granule_id] = found[-1][0] + 1
    return found
