"""Reading fields of soil moisture at sites: the cell that holds the site, never its neighbour."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.grid.calendar import utc
from sm_platform.grid.window import GridWindow, Raster, cell_index, reproject_points
from sm_platform.observations.rejection import Rejection, first_reason
from sm_platform.observations.values import PERCENT, is_fill, is_percent, reasons_of_values
from sm_platform.schema.readings import FieldReading

FLAGGED = "flagged"
"""What a field of a provider says against a reading: it knows no more than yes or no."""
MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True, eq=False)
class SiteReader:
    """Reads fields at the same n places; where they lie in a grid is worked out once a grid."""

    lon: NDArray[np.float64]
    """(n,) degrees, WGS 84."""
    lat: NDArray[np.float64]
    _cells: dict[GridWindow, NDArray[np.int64]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.lon.ndim != 1 or self.lon.shape != self.lat.shape:
            raise UsageError(
                f"{self.lon.shape} longitudes and {self.lat.shape} latitudes: give one each a site."
            )

    def cells(self, window: GridWindow) -> NDArray[np.int64]:
        """(n,): flat row-major index of the cell that holds each place, -1 outside."""
        if window not in self._cells:
            place = reproject_points(self.lon, self.lat, "EPSG:4326", window.crs)
            self._cells[window] = cell_index(window, *place)
        return self._cells[window]

    def observe(self, reading: FieldReading) -> pa.Table:
        """What the field says at each place.

        Returns:
            One row a place, in order: `sensed_utc`, `sm_m3m3` (m3/m3 float32; null when the field
            has none there, kept when it is rejected), `provider_reason` (`FLAGGED` where the
            provider rejects it, else null), `reason` (null when good).
        """
        cell = self.cells(reading.raster.window)
        is_outside = cell < 0
        sm = np.where(is_outside, np.float32(np.nan), _band(reading.raster, "sm_m3m3")[cell])
        flagged = _band(reading.raster, "is_flagged")[cell].astype(np.bool_) & ~is_outside
        found = reasons_of_values(sm, _in_percent(reading.raster))
        found |= {Rejection.OUT_OF_BOUNDS: is_outside, Rejection.PROVIDER_FLAG: flagged}
        return pa.table(
            {
                "sensed_utc": pa.repeat(pa.scalar(utc(reading.sensed_utc), MOMENT), len(cell)),
                "sm_m3m3": pa.array(sm.astype(np.float32), mask=np.isnan(sm)),
                "provider_reason": pa.array([FLAGGED] * len(cell), mask=~flagged),
                "reason": first_reason(found),
            }
        )


def _band(raster: Raster, name: str) -> NDArray[np.generic]:
    return np.asarray(raster.values[name]).ravel()


def _in_percent(raster: Raster) -> bool:
    """Whether the whole field is in percent, so that a site's reason is not its neighbours'."""
    sm = np.asarray(raster.values["sm_m3m3"])
    if not np.any(sm > PERCENT[0]):
        return False
    good = sm[~np.isnan(sm) & ~is_fill(sm) & ~raster.values["is_flagged"].astype(np.bool_)]
    return bool(len(good) and is_percent(np.median(good)))
