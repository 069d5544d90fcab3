"""How one overflight is cut into slices of 25 s, and the names its granules bear."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor
from zlib import crc32

import numpy as np

from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.simulated.passes import Pass

SLICE_S = 25.0
"""Length of a slice, some 170 km."""
GROUND_M_S = 6800.0
"""Speed of the swath over the ground."""
BORDER_PHASE_S = {55: 19.0, 91: 3.1, 120: 10.0}
"""Seconds of the day, modulo 25, at which slices of an orbit begin; orbit 91 is cut inside
red-river, so that its passes come as two granules."""
OTHER_PHASE_S = 6.0
OVERLAP_ROWS = 1
"""Rows by which each of two slices reaches over their border."""
METRES_PER_DEGREE = 110_600.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = {"A": "ASCENDING", "D": "DESCENDING"}


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of an overflight; rows first..stop - 1 of the place's window lie in it."""

    start_utc: datetime
    stop_utc: datetime
    first_row: int
    stop_row: int


def slices(window: GridWindow, pass_: Pass) -> list[Slice]:
    """The slices that hold rows of the window, in order of time."""
    n_rows = window.shape[0]
    seconds = _row_seconds(window, pass_)
    phase = BORDER_PHASE_S.get(pass_.relative_orbit, OTHER_PHASE_S)
    number = np.floor((seconds - phase) / SLICE_S).astype(int)
    found = []
    for one in np.unique(number):
        rows = np.flatnonzero(number == one)
        start = EPOCH + timedelta(seconds=phase + SLICE_S * int(one))
        found.append(
            Slice(
                start,
                start + timedelta(seconds=SLICE_S),
                max(int(rows[0]) - OVERLAP_ROWS, 0),
                min(int(rows[-1]) + 1 + OVERLAP_ROWS, n_rows),
            )
        )
    return found


def _row_seconds(window: GridWindow, pass_: Pass) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """When the radar sees each row, seconds since 1970; the centre at the pass's start."""
    _, south, _, north = lonlat_bounds(window)
    rows = window.shape[0]
    southward_m = ((np.arange(rows) + 0.5) / rows - 0.5) * (north - south) * METRES_PER_DEGREE
    sign = 1 if pass_.orbit_state == "D" else -1
    return (pass_.start_utc - EPOCH).total_seconds() + sign * southward_m / GROUND_M_S


def granule_id(pass_: Pass, part: Slice, making: int = 0) -> str:
    """Id of a slice; a second making of the same slice differs in its last four digits only."""
    start, stop = (f"{floor(moment.timestamp())}" for moment in (part.start_utc, part.stop_utc))
    unique = crc32(f"{pass_.pass_id}/{start}/{stop}/{making}".encode()) & 0xFFFF
    return (
        f"{pass_.platform}_IW_GRDH_1SDV_{part.start_utc:%Y%m%dT%H%M%S}_"
        f"{part.stop_utc:%Y%m%dT%H%M%S}_{pass_.absolute_orbit:06d}_{pass_.datatake_id}_{unique:04X}"
    )


def properties(pass_: Pass, part: Slice, name: str) -> dict[str, object]:
    """The properties of the Earth Engine image of a slice (catalogue page of COPERNICUS/S1_GRD)."""
    found: dict[str, object] = {
        "familyName": "SENTINEL-1",
        "instrument": "Synthetic Aperture Radar",
        "instrumentMode": "IW",
        "instrumentSwath": "IW",
        "missionDataTakeID": int(pass_.datatake_id, 16),
        "orbitNumber_start": pass_.absolute_orbit,
        "orbitNumber_stop": pass_.absolute_orbit,
        "orbitProperties_pass": _STATES[pass_.orbit_state],
        "platform_number": pass_.platform[-1],
        "productType": "GRD",
        "relativeOrbitNumber_start": pass_.relative_orbit,
        "relativeOrbitNumber_stop": pass_.relative_orbit,
        "resolution": "H",
        "resolution_meters": 10,
        "system:index": name,
        "system:time_end": ceil(part.stop_utc.timestamp() * 1000),
        "system:time_start": floor(part.start_utc.timestamp() * 1000),
        "transmitterReceiverPolarisation": ["VV", "VH"],
    }
    if pass_.is_invented:
        found["simulation"] = "invented pass: no satellite flies this orbit over the place"
    return found
