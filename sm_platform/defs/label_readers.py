"""Which reader opens a landed label granule, by its format; damaged ones are set aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.compute as pc

from sm_platform.defs.own_series import COLUMNS, place_of, said_of
from sm_platform.errors import GranuleError
from sm_platform.formats import (
    eo_browser,
    ismn,
    nsidc_0779,
    planet_csv,
    planet_swc,
    series_csv,
    spl3smp_e,
    spl4sm,
)
from sm_platform.formats.series_file import SeriesFile
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.lake.granules import LandedGranule, quarantine
from sm_platform.lake.layout import Layout
from sm_platform.schema.readings import FieldReading
from sm_platform.schema.region import Region

GRIDDED = ("planet_swc", "nsidc_0779", "spl3smp_e", "spl4smgp", "spl4smau")
"""Products (also label sources) whose granules are fields of a day."""
SERIES = ("ismn", "user_csv", "planet_series")
"""Products (also label sources) whose granules are series at places."""
FLAGS_END = "_swc-qf.tiff"


@dataclass(slots=True)
class FieldsRead:
    """Fields of a day's granules, and what was set aside over it."""

    fields: list[tuple[LandedGranule, FieldReading]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    """A sentence for each damaged granule, with the place where it lies now."""


def read_fields(layout: Layout, region: Region, granules: Sequence[LandedGranule]) -> FieldsRead:
    """Every field of the granules; a damaged granule goes to quarantine, the rest is read."""
    found = FieldsRead()
    for granule in granules:
        try:
            fields = FIELD_READERS[granule.format](granule, region.window)
        except GranuleError as error:
            place = quarantine(layout, region.region_id, granule, str(error))
            found.damaged.append(f"{error} It lies in {place}.")
        else:
            found.fields += [(granule, one) for one in fields]
    return found


def read_series(granule: LandedGranule) -> SeriesFile:
    """The series of a granule, each reading of a named site.

    Raises:
        GranuleError: nothing of it can be read, or none of it has the name of a site.
    """
    found = SERIES_READERS[granule.format](granule)
    is_named = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(found.readings["station_id"])), 0)
    n_nameless = found.readings.num_rows - pc.sum(is_named).as_py()
    if not n_nameless:
        return found
    why = f"{n_nameless} readings have no name of a site"
    if n_nameless == found.readings.num_rows:
        raise GranuleError(f"{granule.files[0]}: its {why}: give each site a name.")
    skipped = (*found.skipped, (granule.files[0], why))
    return SeriesFile(found.readings.filter(is_named), skipped)


def _only(granule: LandedGranule) -> Path:
    return granule.folder / next(name for name in granule.files if name != COLUMNS)


def _planet(granule: LandedGranule, window: GridWindow) -> list[FieldReading]:
    files = {name.endswith(FLAGS_END): granule.folder / name for name in granule.files}
    if len(files) < 2:
        absent = "its values (_swc.tiff)" if True in files else f"its quality file ({FLAGS_END})"
        raise GranuleError(f"{granule.granule_id} comes without {absent}: bring both together.")
    west, _, east, _ = lonlat_bounds(window)
    moment = planet_swc.sensing_time(granule.granule_id, (west + east) / 2)
    return planet_swc.read_swc_field(files[False], files[True], sensed_utc=moment)


def _bounded(read: Callable[..., list[FieldReading]]) -> "FieldReader":
    return lambda granule, window: read(_only(granule), bounds_lonlat=lonlat_bounds(window))


def _ismn(granule: LandedGranule) -> SeriesFile:
    return ismn.read_ismn(granule.folder if len(granule.files) > 1 else _only(granule))


def _user_csv(granule: LandedGranule) -> SeriesFile:
    return series_csv.read_series_csv(_only(granule), said_of(granule).columns)


def _planet_csv(granule: LandedGranule) -> SeriesFile:
    return planet_csv.read_planet_csv(_only(granule), **place_of(granule))


FieldReader = Callable[[LandedGranule, GridWindow], list[FieldReading]]
FIELD_READERS: dict[str, FieldReader] = {
    "planet_swc": _planet,
    "eo_browser": _bounded(eo_browser.read_eo_browser),
    "nsidc_0779": _bounded(nsidc_0779.read_nsidc),
    "spl3smp_e": _bounded(spl3smp_e.read_spl3),
    "spl4sm": _bounded(spl4sm.read_spl4),
}
SERIES_READERS: dict[str, Callable[[LandedGranule], SeriesFile]] = {
    "ismn": _ismn,
    "series_csv": _user_csv,
    "planet_csv": _planet_csv,
}
