"""Coarse products at fine sites: what one would know there without any downscaling."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.grid.ease2 import LEVELS, Level, cells, project
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform.schema.label_tables import SM_OBSERVATIONS

PRODUCTS = ("nsidc_0779", "spl3smp_e", "spl4smgp")
MAX_HOURS = 12.0
"""A reading farther than this from the pass says little about it."""
_NAMES = ["site_id", "source", "sm_m3m3", "scene_id", "time_difference_h", "reason"]
_OF_LEVEL = {level.name: level for level in LEVELS}


def product_readings(
    layout: Layout, region_id: str, catalog: pd.DataFrame, place: pd.DataFrame
) -> Mapping[str, NDArray[np.float32]]:
    """Each product at the cell that holds a row's site, nearest in time to the row's pass.

    A product is read at the sites of its own level and at stations; one of these must lie in the
    cell. Products with no value at any row are left out.

    Args:
        layout: the lake.
        region_id: the region.
        catalog: its sites, by `site_id`.
        place: n rows with `site_id`, `scene_id` and `sample_day`.

    Returns:
        (n,) m3/m3 by source, NaN where no good reading lies within 12 hours.
    """
    read = _observations(layout, region_id, place)
    found = {}
    for source in PRODUCTS:
        level = _OF_LEVEL[str(LABEL_SOURCES[source].level)]
        values = _at_cells(read[read["source"] == source], catalog, place, level)
        if np.isfinite(values).any():
            found[source] = values
    return found


def _observations(layout: Layout, region_id: str, place: pd.DataFrame) -> pd.DataFrame:
    """Good readings of the products near the rows' passes, nearest first."""
    around = (timedelta(days=n) for n in (-1, 0, 1))
    days = {day + step for step in around for day in set(place["sample_day"])}
    parts = [SM_OBSERVATIONS.arrow_schema.empty_table().select(_NAMES)]
    for day in sorted(days):
        stored = store.read(layout, SM_OBSERVATIONS, region_id, day, columns=_NAMES)
        if stored is not None:
            parts.append(stored.rows.select(_NAMES).filter(_is_good(stored.rows)))
    rows: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    apart = rows["time_difference_h"].abs()
    near = rows[(apart <= MAX_HOURS) & rows["scene_id"].isin(place["scene_id"])]
    found: pd.DataFrame = near.assign(apart_h=apart).sort_values("apart_h", kind="stable")
    return found


def _is_good(rows: pa.Table) -> pa.Array:
    is_known = pc.and_(pc.is_null(rows["reason"]), pc.is_valid(rows["sm_m3m3"]))
    return pc.and_(is_known, pc.is_in(rows["source"], value_set=pa.array(PRODUCTS)))


def _at_cells(
    read: pd.DataFrame, catalog: pd.DataFrame, place: pd.DataFrame, level: Level
) -> NDArray[np.float32]:
    if not len(read) or not len(catalog):
        return np.full(len(place), np.nan, np.float32)
    row, col = cells(level, *project(catalog["lon_deg"], catalog["lat_deg"]))
    cell = pd.Series(row * level.shape[1] + col, index=catalog.index)
    near = read.assign(cell=cell.reindex(read["site_id"]).to_numpy()).dropna(subset="cell")
    of_cell = near.drop_duplicates(["cell", "scene_id"]).set_index(["cell", "scene_id"])["sm_m3m3"]
    wanted = pd.MultiIndex.from_arrays(
        [cell.reindex(place["site_id"]).to_numpy(float), place["scene_id"]]
    )
    return np.asarray(of_cell.reindex(wanted).to_numpy(), np.float32)
