"""The CSV series of Planet Soil Water Content: six `#` lines, then day and value.

A day's value is that of one overpass. The name of the value's column tells which: `ASC` is the
afternoon's (13:30 local solar time), `DESC` or nothing the night's (01:30). The place is not told.
"""

import io
from datetime import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.series_file import SeriesFile
from sm_platform.schema.readings import READINGS

UNIT_LINE = "# Unit m3/m3"
NIGHT, AFTERNOON = time(1, 30), time(13, 30)


def read_planet_csv(path: Path, *, lon: float, lat: float, station_id: str) -> SeriesFile:
    """Readings of the place; a blank is a gap and no reading.

    Args:
        path: the file.
        lon: of the place, degrees east within -180..180.
        lat: of the place, degrees north.
        station_id: what to call the place.

    Raises:
        GranuleError: the header does not state m3/m3, or a row is no day and number.
        UsageError: the place is not on the globe.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise UsageError(f"Place {lon} E, {lat} N is not on the globe: longitude comes first.")
    title, days, sm, n_gaps = _rows(path)
    overpass = AFTERNOON if "ASC" in title.upper().split("_")[0].split("-") else NIGHT
    n = len(days)
    local = days + np.timedelta64(overpass.hour * 60 + overpass.minute, "m")
    moments = local - np.timedelta64(round(lon / 15 * 3600), "s")
    columns = {
        "station_id": pa.array([station_id] * n, pa.string()),
        "lon_deg": np.full(n, lon),
        "lat_deg": np.full(n, lat),
        "depth_from_m": np.zeros(n, np.float32),
        "depth_to_m": np.full(n, 0.05, np.float32),
        "sensor": pa.array([title] * n, pa.string()),
        "sensed_utc": pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
        "sm_m3m3": pa.array(sm.astype(np.float32)),
        "provider_reason": pa.nulls(n, pa.string()),
    }
    return SeriesFile(pa.table(columns, schema=READINGS), (), n_gaps)


def _rows(path: Path) -> tuple[str, NDArray[np.datetime64], NDArray[np.float64], int]:
    """Title of the value's column, days and values without the gaps, and how many gaps."""
    try:
        text = path.read_text("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), comment="#", header=0)
        title = str(table.columns[1])
        days = pd.to_datetime(table.iloc[:, 0], format="%Y-%m-%d")
        values = table.iloc[:, 1].astype("float64")
    except (OSError, ValueError, IndexError) as error:
        raise GranuleError(f"{path.name}: is no series of days: fetch it again.") from error
    if UNIT_LINE not in [line.strip() for line in text.splitlines()]:
        raise GranuleError(f"{path.name}: unit m3/m3 is missing: fetch it again.")
    known = values.notna()
    if days[known].isna().any():
        raise GranuleError(f"{path.name}: a value has no day: fetch it again.")
    moments = np.asarray(days[known], "datetime64[us]")
    return title, moments, np.asarray(values[known], np.float64), int((~known).sum())
