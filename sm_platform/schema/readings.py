"""Soil-moisture readings on their way from a provider's file to the platform's judgement.

A format says what stands in the file and what the provider thinks of it; which readings are labels
is decided elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from sm_platform.errors import GridError
from sm_platform.grid.window import Raster

READINGS = pa.schema(
    [
        pa.field("station_id", pa.string(), nullable=False),  # network and station, as written
        pa.field("lon_deg", pa.float64(), nullable=False),
        pa.field("lat_deg", pa.float64(), nullable=False),
        pa.field("depth_from_m", pa.float32()),  # missing: not told
        pa.field("depth_to_m", pa.float32()),
        pa.field("sensor", pa.string()),  # missing: not told
        pa.field("sensed_utc", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("sm_m3m3", pa.float32()),  # missing: the file has none (its fill value included)
        pa.field("provider_reason", pa.string()),  # missing: the provider calls it good
    ]
)
"""Columns of a series at places: one row a reading, in the order of the file."""


@dataclass(frozen=True, slots=True)
class FieldReading:
    """One overpass (or model step) of a gridded product."""

    raster: Raster
    """`sm_m3m3` float32 (NaN where missing) and `is_flagged` bool (the provider rejects it)."""
    sensed_utc: datetime
    """Where the provider gives local solar time: that of the raster's middle, turned to UTC."""
    pass_name: str
    """Tells the fields of one file apart: `am`, `pm`, `0130`; empty when there is one."""

    def __post_init__(self) -> None:
        if not {"sm_m3m3", "is_flagged"} <= set(self.raster.values):
            raise GridError("A field of readings needs the bands sm_m3m3 and is_flagged.")
        if self.sensed_utc.tzinfo is None:
            raise GridError("The time of a field of readings has no zone: give it in UTC.")
