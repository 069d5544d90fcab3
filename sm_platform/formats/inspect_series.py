"""What a file of readings at places, or any table of numbers, holds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from pyproj import Geod

from sm_platform.errors import GranuleError
from sm_platform.formats.inspected import (
    UNKNOWN,
    Inspection,
    Place,
    Variable,
    number_of,
    share_of,
    shortest,
)
from sm_platform.formats.ismn import read_ismn
from sm_platform.formats.planet_csv import read_planet_csv
from sm_platform.formats.series_cells import column_names, numbers, read_cells
from sm_platform.formats.series_file import SeriesFile

CRS = "EPSG:4326"
NEAR_M = 1000.0
"""A station farther than this from the asked place is not that place."""
NOWHERE = (0.0, 0.0)
MOST_NAMED = 30
"""Columns named in a note."""


def inspect_ismn(path: Path, place: Place | None) -> Inspection:
    """Soil moisture of a file, a folder or a zip, one variable a depth; raises GranuleError."""
    return _inspection("ismn", read_ismn(path), place, CRS)


def inspect_planet_csv(path: Path, place: Place | None) -> Inspection:
    """A Planet series, which does not tell its place: the asked one is taken for it."""
    lon, lat = place or NOWHERE
    series = read_planet_csv(path, lon=lon, lat=lat, station_id=path.stem)
    return _inspection("planet_series", series, place, None)


def inspect_table(path: Path) -> Inspection:
    """The number columns of a CSV of unknown meaning; raises GranuleError when it is no table."""
    names = column_names(path)
    unique = [name for name in names if name and names.count(name) == 1]
    frame = read_cells(path, unique).columns
    found = []
    for name in unique:
        n_valid = int(np.isfinite(numbers(frame[name])).sum())
        if n_valid:
            found.append(Variable(name, "", share_of(n_valid, len(frame))))
    notes = (
        f"Columns: {', '.join(names[:MOST_NAMED])}{' ...' * (len(names) > MOST_NAMED)}. Bring soil "
        "moisture of it with `sm-platform labels add-csv`, which is told what the columns mean.",
    )
    return Inspection(UNKNOWN, None, None, None, (len(frame),), tuple(found), notes)


def _inspection(
    product: str, series: SeriesFile, place: Place | None, crs: str | None
) -> Inspection:
    rows = series.readings.sort_by("sensed_utc")
    if not rows.num_rows:
        raise GranuleError(f"This {product} file holds no reading: fetch it again.")
    frame = rows.to_pandas()
    layers = frame.groupby(["depth_from_m", "depth_to_m"], dropna=False, sort=True)
    found = []
    for (upper, lower), own in layers:
        is_good = own["sm_m3m3"].notna() & own["provider_reason"].isna()
        value = _at(own[is_good], place) if place else None
        name = "soil_moisture" if len(layers) == 1 else f"soil_moisture_{upper:g}_{lower:g}m"
        found.append(
            Variable(name, "m3/m3", share_of(int(is_good.sum()), len(own) + series.n_gaps), value)
        )
    moments = pc.min_max(rows["sensed_utc"]).as_py()
    places = frame[["station_id", "lon_deg", "lat_deg"]].drop_duplicates()
    notes = [
        f"{rows.num_rows} readings until {moments['max']:%Y-%m-%dT%H:%MZ}; the value at a place is "
        "the first good one there.",
        *(f"{one.station_id}: {one.lon_deg:g} E, {one.lat_deg:g} N" for one in places.itertuples()),
        *(f"{name}: {why}" for name, why in series.skipped),
    ]
    if crs is None:
        notes[1:2] = ["The file does not tell its place."]
    shape = (rows.num_rows + series.n_gaps,)
    return Inspection(product, moments["min"], crs, None, shape, tuple(found), tuple(notes))


def _at(good: pd.DataFrame, place: Place) -> float | int | None:
    """The first good reading of the nearest station, where one is near."""
    if good.empty:
        return None
    lon, lat = good["lon_deg"].to_numpy(), good["lat_deg"].to_numpy()
    _, _, metres = Geod(ellps="WGS84").inv(
        lon, lat, np.full(len(lon), place[0]), np.full(len(lat), place[1])
    )
    nearest = int(np.argmin(metres))
    if metres[nearest] > NEAR_M:
        return None
    value = good["sm_m3m3"].to_numpy()[nearest]
    return number_of(shortest(value, np.dtype(np.float32)))
