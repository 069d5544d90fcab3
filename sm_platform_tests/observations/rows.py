"""Series written down in a few words, for the tests of this room."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.schema.readings import READINGS

START = np.datetime64("2025-06-01T00:00", "us")


def hours(count: int, step: float = 1.0) -> NDArray[np.datetime64]:
    """Times from the start on, `step` hours apart."""
    return START + (np.arange(count) * step * 60).astype("timedelta64[m]")


def series(
    sm: Sequence[float | None] | NDArray[np.float64],
    times: NDArray[np.datetime64] | None = None,
    **columns: object,
) -> pa.Table:
    """Readings of one station at 106.5 E, 20.5 N; each column one value or a list."""
    n = len(sm)
    given = {
        "station_id": "net/one",
        "lon_deg": 106.5,
        "lat_deg": 20.5,
        "depth_from_m": 0.0,
        "depth_to_m": 0.05,
        "sensor": "probe",
        "provider_reason": None,
    } | columns
    rows = {k: v if isinstance(v, list) else [v] * n for k, v in given.items()}
    moments = hours(n) if times is None else times
    rows |= {"sm_m3m3": pa.array(sm, pa.float32()), "sensed_utc": pa.array(moments)}
    arrays = {f.name: pa.array(rows[f.name]).cast(f.type) for f in READINGS}
    return pa.table(arrays, schema=READINGS)
