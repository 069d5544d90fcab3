"""Whether a series of one's own is in UTC, told from the temperature that stands beside it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.own_series import FORMAT, said_of
from sm_platform.formats.series_csv import read_series_csv
from sm_platform.lake.granules import LandedGranule
from sm_platform.observations.clock import local_time_shift_h


def clock_warnings(granule: LandedGranule) -> list[str]:
    """A sentence for each site whose times are not UTC; none where no temperature was named.

    Raises:
        UsageError: the column of temperature is not there.
        GranuleError: it holds no number.
    """
    return [_warning(site, hours) for site, hours in clocks_of(granule).items() if hours]


def clocks_of(granule: LandedGranule) -> dict[str, float | None]:
    """Hours that each site's times run ahead of UTC, 0 for right ones, None: cannot be told."""
    if granule.format != FORMAT or said_of(granule).temperature is None:
        return {}
    said = said_of(granule)
    # The reader turns any column into numbers with their time and place; the unit does not
    # matter to a daily course, kelvin and degrees Celsius alike.
    columns = replace(said.columns, value=str(said.temperature), unit="m3/m3")
    rows = read_series_csv(granule.folder / granule.files[0], columns).readings
    sites = sorted(set(rows["station_id"].to_pylist()))
    return {site: _shift_h(rows.filter(pc.equal(rows["station_id"], site))) for site in sites}


def _shift_h(rows: pa.Table) -> float | None:
    moments = rows["sensed_utc"].to_numpy().astype("datetime64[us]")
    temperature = rows["sm_m3m3"].to_numpy().astype(np.float64)
    return local_time_shift_h(moments, temperature, float(np.median(rows["lon_deg"].to_numpy())))


def _warning(site: str, hours: float) -> str:
    way = "ahead of" if hours > 0 else "behind"
    return (
        f"{site}: the days are warmest at the wrong hour: its times run {abs(hours):.0f} h {way} "
        f"UTC, as a clock of UTC{hours:+.0f} does. Bring it again with --timezone; where the "
        "times end in Z or +00:00, take that away first."
    )
