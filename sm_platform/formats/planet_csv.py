"""The CSV series of Planet Soil Water Content: six `#` lines, then day and value.

A day's value is that of one overpass. The name of the value's column tells which: `ASC` is the
afternoon's (13:30 local solar time), `DESC` or nothing the night's (01:30). The place is not told.
"""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

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
    title, days, sm = _rows(path)
    overpass = AFTERNOON if "ASC" in title.upper().split("_")[0].split("-") else NIGHT
    moments = [_utc(day, overpass, lon) for day in days]
    n = len(days)
    columns = {
        "station_id": pa.array([station_id] * n, pa.string()),
        "lon_deg": np.full(n, lon),
        "lat_deg": np.full(n, lat),
        "depth_from_m": np.zeros(n, np.float32),
        "depth_to_m": np.full(n, 0.05, np.float32),
        "sensor": pa.array([title] * n, pa.string()),
        "sensed_utc": pa.array(moments, pa.timestamp("us", tz="UTC")),
        "sm_m3m3": pa.array(sm.astype(np.float32)),
        "provider_reason": pa.nulls(n, pa.string()),
    }
    return SeriesFile(pa.table(columns, schema=READINGS), ())


def _rows(path: Path) -> tuple[str, list[pd.Timestamp], np.ndarray]:
    """Title of the value's column, days and values without the gaps."""
    try:
        is_m3m3 = UNIT_LINE in [line.strip() for line in path.read_text("utf-8").splitlines()]
        table = pd.read_csv(path, comment="#", header=0)
        title = str(table.columns[1])
        days = pd.to_datetime(table.iloc[:, 0], format="%Y-%m-%d")
        values = table.iloc[:, 1].astype("float64")
    except (OSError, ValueError, IndexError) as error:
        raise GranuleError(f"{path.name}: is no series of days: fetch it again.") from error
    if not is_m3m3:
        raise GranuleError(f"{path.name}: unit m3/m3 is missing: fetch it again.")
    known = values.notna()
    return title, list(days[known]), values[known].to_numpy()


def _utc(day: pd.Timestamp, overpass: time, lon: float) -> datetime:
    local = datetime.combine(day.date(), overpass, UTC)
    return local - timedelta(seconds=round(lon / 15 * 3600))
