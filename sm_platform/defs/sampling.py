"""Samples of a day: labels near a pass with the stored inputs of their sites."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.days import DayReport
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.scenes import Scene, read_scenes
from sm_platform.errors import MissingInputError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.observations.collocation import collocate
from sm_platform.samples.pairing import nearest, pair
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform.schema.label_tables import (
    SITE_CATALOG,
    SITE_FEATURES,
    SM_OBSERVATIONS,
    TRAINING_SAMPLES,
)

REVISION = 2
"""Of the rules of pairing: raised when the same labels and inputs would give other samples."""
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
OF_SITE = ("scene_id", "footprint_share", "qa", "inundated_share", "inputs")
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
            features.note["inputs"],
            [one.note["inputs"] for one in around],
            repr(self.rules),
            REVISION,
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
        """Samples of a pass: a reading belongs to the pass nearest to it, never to another."""
        own = labels.filter(pc.equal(labels["scene_id"], scene.scene_id))
        start = np.array([scene.start_utc.replace(tzinfo=None)], "datetime64[us]")
        times = own["sensed_utc"].to_numpy().astype("datetime64[us]")
        near = collocate(times, start, max_hours=self.rules.max_hours)
        place = own.column_names.index("time_difference_h")
        timed = own.set_column(place, "time_difference_h", pa.array(near.time_difference_h))
        chosen = nearest(timed.filter(pa.array(near.pass_index >= 0)))
        found = pair(chosen, rows, min_footprint_share=self.rules.min_footprint_share)
        dropped.update(found.dropped)
        columns = {name: found.labels[name] for name in (*SAME, "block_id")}
        columns |= {name: found.rows[name] for name in OF_SITE}
        return (
            pa.table(columns)
            .select(TRAINING_SAMPLES.arrow_schema.names)
            .cast(TRAINING_SAMPLES.arrow_schema)
        )


def read_sites(layout: Layout, region: str) -> pa.Table:
    """The region's sites, in order of id; raises MissingInputError."""
    made = store.read(layout, SITE_CATALOG, region)
    if made is None:
        raise MissingInputError(
            f"Region {region} has no sites: materialize `site_catalog` for it first."
        )
    return made.rows.sort_by("site_id")
