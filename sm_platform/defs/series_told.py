"""What a person is told of the series they bring: how many readings are labels, and why not."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.defs.clocks import clock_warnings, clocks_of
from sm_platform.formats.series_file import SeriesFile
from sm_platform.grid.window import lonlat_bounds
from sm_platform.lake.granules import LandedGranule
from sm_platform.observations.rejection import GOOD, MEANINGS, Rejection, count_reasons
from sm_platform.observations.series import judge_series
from sm_platform.schema.region import Region

MARGIN_DEG = 0.05
"""Around a station, about half a cell of 9 km to each side."""


def told_of_series(granule: LandedGranule, found: SeriesFile, region: Region) -> list[str]:
    """Sentences: counts, each reason with its meaning, what could not be read, a wrong clock."""
    judged = judge_series(found.readings, lonlat_bounds(region.window))
    counts = count_reasons(judged)
    stations = len(pc.unique(judged["station_id"]))
    lines = [
        f"{judged.num_rows} readings of {stations} site{'s' * (stations != 1)}, {counts[GOOD]} "
        f"good. {_layers(found)}"
    ]
    lines += _rejected(counts)
    lines += _elsewhere(judged)
    lines += [f"Left out: {name}: {why}." for name, why in found.skipped]
    return lines + _clocks(granule)


def _rejected(counts: Mapping[str, int]) -> list[str]:
    told = [(reason, counts[reason]) for reason in Rejection if counts[reason]]
    return [f"Rejected, kept with the reason: {n} {one}. {MEANINGS[one]}" for one, n in told]


def _elsewhere(judged: pa.Table) -> list[str]:
    """Where the series lie when none of them lies in the region."""
    if not pc.all(pc.equal(judged["reason"], Rejection.OUT_OF_BOUNDS.value)).as_py():
        return []
    first = judged.slice(0, 1).to_pylist()[0]
    name, lon, lat = (first[column] for column in ("station_id", "lon_deg", "lat_deg"))
    if lon is None or lat is None:
        return []
    west, south, east, north = (
        round(middle + side, 2) for side in (-MARGIN_DEG, MARGIN_DEG) for middle in (lon, lat)
    )
    return [
        f"None lies in the region; {name} lies at {lon:.4f} {lat:.4f}: `sm-platform regions add "
        f"NAME --bbox {west} {south} {east} {north}` makes one around it; bring the file there."
    ]


def _layers(found: SeriesFile) -> str:
    """Which depths there are: centimetres taken for metres are seen here."""
    ends = pc.min_max(found.readings["depth_to_m"]).as_py()
    if ends["min"] is None:
        return "Their depth is not told: they are taken for the top of the soil."
    return f"Their layers end at {ends['min']:.2f} to {ends['max']:.2f} m."


def _clocks(granule: LandedGranule) -> list[str]:
    warnings = [f"Warning: {one}" for one in clock_warnings(granule)]
    unsure = [site for site, hours in clocks_of(granule).items() if hours is None]
    if unsure:
        warnings.append(
            f"Whether the times are UTC cannot be told from the temperature of {', '.join(unsure)}:"
            " that takes 5 days of 8 readings and more, with a daily course."
        )
    return warnings
