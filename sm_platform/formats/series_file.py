"""What a file of series at places holds, as its reader found it."""

from dataclasses import dataclass

import pyarrow as pa

from sm_platform.errors import GranuleError
from sm_platform.schema.readings import READINGS


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """Readings of one file, or of all files of one folder or zip."""

    readings: pa.Table
    """Columns of `READINGS`, in the order of the file."""
    skipped: tuple[tuple[str, str], ...]
    """What could not be read: member or row, and why."""
    n_gaps: int = 0
    """Rows of a regular series that stand there without a value: gaps, not readings."""

    def __post_init__(self) -> None:
        if self.readings.schema.names != READINGS.names:
            raise GranuleError(f"Readings have the columns {self.readings.schema.names}.")
