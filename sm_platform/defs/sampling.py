"""Samples of a day: labels near a pass with the stored inputs of their sites."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.days import DayReport
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.scenes import Scene, read_scenes
from sm_platform.errors import MissingInputError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.observations.collocation import collocate
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform.schema.label_tables import (
    SITE_CATALOG,
    SITE_FEATURES,
    SM_OBSERVATIONS,
    TRAINING_SAMPLES,
)
from sm_platform.schema.recipes import N_INPUTS

REACH = timedelta(days=1)
"""Labels of the days this far around a pass may be near it."""
SAME = (
    "site_id",
    "source",
    "sm_m3m3",
    "sensed_utc",
    "time_difference_h",
    "label_type",
    "is_simulated",
    "support_m",
    "station_id",
)
_SOURCES = pa.array(list(LABEL_SOURCES), pa.string())
_READ_AT = pa.array([one.level for one in LABEL_SOURCES.values()], pa.string())
"""Level of the sites that each source is a label of; null: of any, as series at places are."""


@dataclass(frozen=True, slots=True)
class SampleRules:
    """Which labels become samples."""

    max_hours: float
    """Farther from the pass than this, a label says too little about what the radar saw."""
    max_depth_m: float
    """Labels of layers that reach deeper are left out: radar sees the top."""
    min_footprint_share: float
    """Least share of a footprint's pixels that the radar saw."""


@dataclass(frozen=True, slots=True)
class SampleMaker:
    """Makes the samples of one region."""

    layout: Layout
    region_id: str
    sites: pa.Table
    rules: SampleRules
    _labels: dict[date, store.Partition | None] = field(default_factory=dict)
    """Observations of the days around, read once."""

    def write_day(self, day: date) -> DayReport:
        """Pair the labels nearest to the day's passes with features and store them.

        Raises:
            MissingInputError: the features of the day have not been made.
        """
        features = self._features(day)
        around = [part for part in self._around(day) if part is not None]
        hashed = hash_of(
            features.note["inputs"], [one.note["inputs"] for one in around], repr(self.rules)
        )
        note = store.note_of(self.layout, TRAINING_SAMPLES, self.region_id, day)
        if note is not None and note["inputs"] == hashed:
            return DayReport(note["status"], note["rows"], note["dropped"])
        rows, dropped = self._samples(day, features, around)
        scenes = features.note["status"] != "no_pass"
        kept = {
            "inputs": hashed,
            "status": "made" if rows.num_rows else "no_label" if scenes else "no_pass",
            "rows": rows.num_rows,
            "dropped": {f"dropped_{name}": n for name, n in sorted(dropped.items())},
            "recipe_id": features.note["recipe_id"],
            "recipe_fingerprint": features.note["recipe_fingerprint"],
        }
        store.write(self.layout, TRAINING_SAMPLES, rows, region=self.region_id, day=day, note=kept)
        return DayReport(str(kept["status"]), rows.num_rows, kept["dropped"])

    def _features(self, day: date) -> store.Partition:
        made = store.read(self.layout, SITE_FEATURES, self.region_id, day)
        if made is None:
            raise MissingInputError(
                f"Features at the sites of {self.region_id} on {day} are not in the lake: "
                "materialize `site_features` for that day first."
            )
        return made

    def _around(self, day: date) -> list[store.Partition | None]:
        days = days_between(day - REACH, day + REACH)
        for when in days:
            if when not in self._labels:
                found = store.read(self.layout, SM_OBSERVATIONS, self.region_id, when)
                self._labels[when] = found
        for when in [one for one in self._labels if one not in days]:
            del self._labels[when]
        return [self._labels[when] for when in days]

    def _samples(
        self, day: date, features: store.Partition, around: list[store.Partition]
    ) -> tuple[pa.Table, Counter[str]]:
        dropped, parts = Counter[str](), [TRAINING_SAMPLES.arrow_schema.empty_table()]
        labels = self._usable(around)
        if features.rows.num_rows and labels.num_rows:
            for scene in read_scenes(self.layout, self.region_id, day):
                own = pc.equal(features.rows["scene_id"], scene.scene_id)
                rows = features.rows.filter(own)
                parts.append(self._of_pass(scene, rows, labels, dropped))
        return pa.concat_tables(parts), dropped

    def _usable(self, around: list[store.Partition]) -> pa.Table:
        """Good labels of the top layer, of sources that are read at their site's support.

        A 9 km value at a 100 m site is no label of that site: it only meets others there.
        """
        empty = SM_OBSERVATIONS.arrow_schema.empty_table()
        labels = pa.concat_tables([empty, *(part.rows for part in around)])
        # Depths are float32 in the lake: 0.1 there is a little more than 0.1.
        is_top = pc.less_equal(
            pc.fill_null(labels["depth_to_m"], 0.0), self.rules.max_depth_m + 1e-6
        )
        labels = labels.filter(pc.and_(pc.is_null(labels["reason"]), is_top))
        place = pc.index_in(labels["site_id"], value_set=self.sites["site_id"].combine_chunks())
        known, place = labels.filter(pc.is_valid(place)), pc.drop_null(place)
        level = self.sites["level"].take(place)
        read_at = _READ_AT.take(pc.index_in(known["source"], value_set=_SOURCES))
        fits = pc.fill_null(pc.equal(read_at, level), True)
        return known.append_column("block_id", self.sites["block_id"].take(place)).filter(fits)

    def _of_pass(
        self, scene: Scene, rows: pa.Table, labels: pa.Table, dropped: Counter[str]
    ) -> pa.Table:
        start = np.array([scene.start_utc.replace(tzinfo=None)], "datetime64[us]")
        times = labels["sensed_utc"].to_numpy().astype("datetime64[us]")
        near = collocate(times, start, max_hours=self.rules.max_hours)
        chosen = _nearest(labels, near.pass_index >= 0, near.time_difference_h)
        place = pc.index_in(chosen["site_id"], value_set=rows["site_id"].combine_chunks())
        is_known = pc.is_valid(place)
        dropped["no_features"] += int(pc.sum(pc.invert(is_known)).as_py() or 0)
        kept = chosen.filter(is_known)
        own = rows.take(pc.drop_null(place))
        is_whole = _is_whole(own["inputs"])
        is_seen = values_of(own["footprint_share"]) >= self.rules.min_footprint_share
        dropped["missing_input"] += int((~is_whole).sum())
        dropped["small_footprint"] += int((is_whole & ~is_seen).sum())
        good = pa.array(is_whole & is_seen)
        kept, own = kept.filter(good), own.filter(good)
        columns = {name: kept[name] for name in (*SAME, "block_id")}
        columns |= {n: own[n] for n in ("scene_id", "footprint_share", "qa", "inputs")}
        names = [column.name for column in TRAINING_SAMPLES.columns]
        return pa.table(columns).select(names).cast(TRAINING_SAMPLES.arrow_schema)


def read_sites(layout: Layout, region: str) -> pa.Table:
    """The region's sites, in order of id; raises MissingInputError."""
    made = store.read(layout, SITE_CATALOG, region)
    if made is None:
        raise MissingInputError(
            f"Region {region} has no sites: materialize `site_catalog` for it first."
        )
    return made.rows.sort_by("site_id")


def _is_whole(inputs: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether each row has all of its inputs."""
    flat = pa.chunked_array([chunk.flatten() for chunk in inputs.chunks], pa.float32())
    return np.asarray(~np.isnan(values_of(flat).reshape(-1, N_INPUTS)).any(axis=1))


def _nearest(labels: pa.Table, is_near: NDArray[np.bool_], hours: NDArray[np.float32]) -> pa.Table:
    """Of each site and source the label nearest in time, with its time difference."""
    place = labels.column_names.index("time_difference_h")
    timed = labels.set_column(place, "time_difference_h", pa.array(hours))
    near = timed.append_column("apart", pc.abs(timed["time_difference_h"])).filter(
        pa.array(is_near)
    )
    keys = ("site_id", "source", "apart", "sensed_utc", "granule_id", "reading_no")
    order = near.sort_by([(name, "ascending") for name in keys])
    of_site = pc.binary_join_element_wise(order["site_id"], order["source"], "|")
    codes = of_site.combine_chunks().dictionary_encode().indices.to_numpy()
    is_first = np.r_[True, codes[1:] != codes[:-1]][: len(codes)]
    return order.filter(pa.array(is_first))
