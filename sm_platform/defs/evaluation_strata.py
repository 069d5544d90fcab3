"""Strata of an evaluation: by what rows are set apart, so that no mean hides where it fails."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import S1_SCENES
from sm_platform.sites.cover_classes import WORLD_COVER

UNKNOWN = "unknown"
SEASONS = np.array(["DJF", "MAM", "JJA", "SON"])
"""Quarters by the initials of their months."""
MOISTURE_ENDS = (0.15, 0.25, 0.35)
"""Ends of the moisture bins in m3/m3."""
MOISTURE_BINS = np.array(["0.00-0.15", "0.15-0.25", "0.25-0.35", "0.35-1.00"])


def seasons(day: NDArray[np.datetime64]) -> NDArray[np.str_]:
    """Quarter of each day (n,)."""
    month = day.astype("datetime64[M]").astype(np.int64) % 12  # 0 is January
    found: NDArray[np.str_] = SEASONS[(month + 1) % 12 // 3]
    return found


def moisture_bins(sm_m3m3: NDArray[np.floating]) -> NDArray[np.str_]:
    """Bin of each reference (n,); the lower end belongs to the bin."""
    found: NDArray[np.str_] = MOISTURE_BINS[np.digitize(sm_m3m3, MOISTURE_ENDS)]
    return found


def flooding(is_flooded: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Whether water stands on each row's site."""
    return np.where(is_flooded, "inundated", "drained")


def land_cover_of(catalog: pd.DataFrame, site_id: pd.Series) -> NDArray[np.str_]:
    """Name of the land cover of each site (n,), its code where the legend has no name."""
    codes = catalog["land_cover_code"].reindex(site_id)
    names = WORLD_COVER.names(tuple(WORLD_COVER.codes.values()))
    found = [UNKNOWN if pd.isna(code) else names.get(int(code), str(int(code))) for code in codes]
    return np.array(found, np.str_)


def track_of(
    layout: Layout, region_id: str, scene_id: pd.Series, day: NDArray[np.datetime64]
) -> NDArray[np.str_]:
    """Track of each pass (n,), as D091; `unknown` where its passes are not in the lake."""
    known: dict[str, str] = {}
    for one in np.unique(day).tolist():
        known |= _tracks(layout, region_id, one)
    return np.array([known.get(scene, UNKNOWN) for scene in scene_id], np.str_)


def _tracks(layout: Layout, region_id: str, day: date) -> Mapping[str, str]:
    names = ["scene_id", "orbit_state", "relative_orbit"]
    stored = store.read(layout, S1_SCENES, region_id, day, columns=names)
    return {
        row["scene_id"]: f"{row['orbit_state']}{row['relative_orbit']:03d}"
        for row in (stored.rows.to_pylist() if stored else [])
        if row["relative_orbit"] is not None
    }


def in_order(values: NDArray[np.str_]) -> list[str]:
    """The values that occur, seasons as in the year."""
    place = {name: number for number, name in enumerate(SEASONS.tolist())}
    return sorted(set(values.tolist()), key=lambda one: (place.get(one, 0), one))
