"""Samples of a day: labels near a pass, with the features of their sites."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.days import DayReport
from sm_platform.defs.feature_inputs import FeatureInputs
from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.scenes import Scene
from sm_platform.errors import MissingInputError
from sm_platform.features.build import Features, build
from sm_platform.features.drivers import ScenePass
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.observations.collocation import collocate
from sm_platform.samples.pairing import pair
from sm_platform.schema.model_tables import SITE_CATALOG, SM_OBSERVATIONS, TRAINING_SAMPLES
from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.rows import dense


@dataclass(frozen=True, slots=True)
class SampleMaker:
    """Makes the samples of one region."""

    inputs: FeatureInputs
    sites: pa.Table
    min_lookback_share: float
    reach: timedelta
    """Labels of the days this far around a pass may be near it."""

    def write_day(self, day: date) -> DayReport:
        """Pair the labels nearest to the day's passes with features and store them."""
        layout, region = self.inputs.layout, self.inputs.region.region_id
        passes = self.inputs.passes(day)
        labels = self._labels(day)
        hashed = hash_of(
            self.inputs.hash_for(day, [scene for scene, _ in passes]),
            self.sites["site_id"].to_pylist(),
            [label["inputs"] for label in self._label_notes(day)],
            self.min_lookback_share,
        )
        note = store.note_of(layout, TRAINING_SAMPLES, region, day)
        if note is not None and note["inputs"] == hashed:
            return DayReport(note["status"], note["rows"])
        parts = [self._of_pass(scene, seen, labels) for scene, seen in passes] if labels else []
        rows = pa.concat_tables(parts) if parts else TRAINING_SAMPLES.arrow_schema.empty_table()
        status = "made" if rows.num_rows else "no_pass" if not passes else "no_label"
        kept = {
            "inputs": hashed,
            "status": status,
            "rows": rows.num_rows,
            "recipe_id": self.inputs.recipe.recipe_id,
            "recipe_fingerprint": self.inputs.recipe.fingerprint,
        }
        store.write(layout, TRAINING_SAMPLES, rows, region=region, day=day, note=kept)
        return DayReport(status, rows.num_rows)

    def _days(self, day: date) -> list[date]:
        return days_between(day - self.reach, day + self.reach)

    def _label_notes(self, day: date) -> list[dict[str, object]]:
        layout, region = self.inputs.layout, self.inputs.region.region_id
        notes = [store.note_of(layout, SM_OBSERVATIONS, region, when) for when in self._days(day)]
        return [note for note in notes if note is not None]

    def _labels(self, day: date) -> pa.Table | None:
        """Good labels of the days around; None when there are none."""
        layout, region = self.inputs.layout, self.inputs.region.region_id
        parts = [store.read(layout, SM_OBSERVATIONS, region, when) for when in self._days(day)]
        rows = [part.rows for part in parts if part is not None and part.rows.num_rows]
        if not rows:
            return None
        labels = pa.concat_tables(rows)
        good = labels.filter(pc.is_null(labels["reason"]))
        return good if good.num_rows else None

    def _of_pass(self, scene: Scene, seen: ScenePass, labels: pa.Table) -> pa.Table:
        times = labels["sensed_utc"].to_numpy().astype("datetime64[us]")
        start = np.array([scene.start_utc.replace(tzinfo=None)], "datetime64[us]")
        near = collocate(times, start)
        chosen = _nearest(labels, near.pass_index >= 0, near.time_difference_h)
        cells = self.sites["cell_id"].to_numpy().astype(np.int64)
        features = build(
            self.inputs.recipe,
            self.inputs.prepared,
            seen,
            cells=cells,
            min_lookback_share=self.min_lookback_share,
        )
        return self._table(scene, features, chosen)

    def _table(self, scene: Scene, features: Features, labels: pa.Table) -> pa.Table:
        site_ids = self.sites["site_id"].to_numpy()
        samples = pair(
            labels["site_id"].to_numpy(), values_of(labels["sm_m3m3"]), features.rows, site_ids
        )
        kept = labels.take(pa.array(samples.label_index))
        row = np.searchsorted(site_ids, kept["site_id"].to_numpy())
        inputs = pa.FixedSizeListArray.from_arrays(dense(samples.rows).ravel(), N_INPUTS)
        return pa.table(
            {
                "site_id": kept["site_id"],
                "scene_id": pa.array([scene.scene_id] * len(samples), pa.string()),
                "block_id": self.sites["block_id"].to_numpy()[row],
                "sm_m3m3": samples.sm_m3m3,
                "time_difference_h": kept["time_difference_h"],
                "source": kept["source"],
                "label_type": kept["label_type"],
                "qa": features.qa[row],
                "inputs": inputs,
            }
        )


def read_sites(layout: Layout, region: str) -> pa.Table:
    """The region's sites, in order of id; raises MissingInputError."""
    made = store.read(layout, SITE_CATALOG, region)
    if made is None:
        raise MissingInputError(
            f"Region {region} has no sites: materialize `site_catalog` for it first."
        )
    return made.rows.sort_by("site_id")


def _nearest(labels: pa.Table, is_near: NDArray[np.bool_], hours: NDArray[np.float32]) -> pa.Table:
    """Of each site the label nearest in time, with its time difference."""
    near = labels.append_column("time_difference_h", pa.array(hours)).filter(pa.array(is_near))
    apart = near.append_column("apart", pc.abs(near["time_difference_h"]))
    order = apart.sort_by([("site_id", "ascending"), ("apart", "ascending")])
    sites = order["site_id"].to_numpy()
    first = np.r_[True, sites[1:] != sites[:-1]] if len(sites) else np.zeros(0, bool)
    return order.filter(pa.array(first)).drop_columns(["apart"])
