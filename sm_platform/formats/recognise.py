"""What a provider's file is, by its name and by its content: a name alone may lie."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import h5py

from sm_platform.errors import GranuleError
from sm_platform.formats import eo_browser, nsidc_0779, planet_swc, spl3smp_e, spl4sm
from sm_platform.formats.magic import HDF5, first_bytes, is_jp2, is_tiff, is_zip

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
VALUE_END, FLAGS_END = "_swc.tiff", "_swc-qf.tiff"
MODIS = re.compile(r"(?:^|/)(M[OY]D13[QA]1)\.A(\d{7})\.", re.IGNORECASE)
VIIRS = re.compile(r"(?:^|/)(V(?:NP|J1)13[AC]\d)\.A(\d{7})\.", re.IGNORECASE)
NDVI_DAY = re.compile(r"NDVI[_-](\d{4}-\d{2}-\d{2})")
SENTINEL1 = re.compile(r"S1[ABCD]_(?:IW|EW|S\d)_[A-Z]{3}._\w{4}_(\d{8}T\d{6})")
SEED = {
    "S1": ("s1_grd", re.compile(r"S1_(\d{4}-\d{2}-\d{2})\.tif$")),
    "NDVI": ("ndvi", re.compile(r"NDVI_(\d{4}-\d{2}-\d{2})\.tif$")),
    "Weather": ("weather", re.compile(r"Weather_(\d{4}-\d{2}-\d{2})\.tif$")),
}
WORLDCOVER = re.compile(r"ESA_WorldCover_10m_\d{4}_v\d+_[NS]\d{2}[EW]\d{3}")
GLO30 = re.compile(r"Copernicus_DSM_(?:COG_)?\d{2}_[NS]\d{2}_00_[EW]\d{3}_00")
SOILGRIDS = re.compile(r"(?:^|_)(sand|clay|bdod)(?:_0-5cm)?(?:_mean)?(?:_\w+)?\.tif", re.IGNORECASE)
ERA5 = {"t2m", "tp"}
_T = TypeVar("_T")
L4_GROUPS = {"Geophysical_Data": "spl4smgp", "Analysis_Data": "spl4smau"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file that is known."""

    product: str
    """Short name of the product, as labels and granules of the lake are called."""
    format: str
    """Module of this room that reads it; empty where none does."""
    granule_id: str
    """Safe as a folder name."""
    time_utc: datetime | None
    """Of sensing, or the begin of its period, as far as the name or content tells."""
    files: tuple[Path, ...]
    """All files of its granule."""
    is_companion: bool = False
    """Whether another file of the granule is the one to be read."""

    @property
    def day(self) -> date | None:
        """UTC day of the granule."""
        return self.time_utc.date() if self.time_utc else None


def recognise(path: Path) -> Recognised | None:
    """What the file is, None when it is none of the known.

    Raises:
        GranuleError: it cannot be opened.
    """
    if is_tiff(path) or is_jp2(path):
        return _raster(path)
    if first_bytes(path).startswith(HDF5):
        return _hdf5(path)
    if path.suffix.lower() == ".stm":
        return _known(path, "ismn", "ismn", None)
    if is_zip(path):
        return _known(path, "s1_grd", "", _s1_time(path)) if _s1_time(path) else None
    if path.suffix.lower() == ".csv" and b"# Unit m3/m3" in path.read_bytes()[:2000]:
        return _known(path, "planet_series", "planet_csv", None)
    return None


def _known(path: Path, product: str, reader: str, moment: datetime | None) -> Recognised:
    name = UNSAFE.sub("-", path.name.rsplit(".", 1)[0]).lstrip("-._") or "file"
    return Recognised(product, reader, name, moment, (path,))


def _raster(path: Path) -> Recognised | None:
    name = path.name
    if name.endswith((VALUE_END, FLAGS_END)):
        return _planet(path)
    if nsidc_0779.NAME.fullmatch(name):
        day = nsidc_0779.day_of(name)
        return _known(path, "nsidc_0779", "nsidc_0779", _midnight(day))
    for find in (_modis, _sentinel1, _static, _seed):
        found = find(path)
        if found is not None:
            return found
    return _eo_browser(path)


def _planet(path: Path) -> Recognised:
    stem = path.name.removesuffix(VALUE_END).removesuffix(FLAGS_END)
    files = tuple(path.with_name(stem + end) for end in (VALUE_END, FLAGS_END))
    there = tuple(one for one in files if one.is_file())
    return Recognised(
        "planet_swc",
        "planet_swc",
        UNSAFE.sub("-", stem),
        planet_swc.sensing_time(stem, _middle_lon(path)),
        there,
        is_companion=path.name.endswith(FLAGS_END) and len(there) == 2,
    )


def _middle_lon(path: Path) -> float:
    from sm_platform.formats.geotiff import grid_of, opened
    from sm_platform.grid.window import lonlat_bounds

    with opened(path) as file:
        west, _, east, _ = lonlat_bounds(grid_of(file, path, None))
    return (west + east) / 2


def _modis(path: Path) -> Recognised | None:
    for pattern in (MODIS, VIIRS):
        found = pattern.search(path.name)
        if found:
            year, of_year = int(found[2][:4]), int(found[2][4:])
            moment = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=of_year - 1)
            product = found[1].lower()
            return _known(path, product, "mod13q1" if product.endswith("13q1") else "", moment)
    found = NDVI_DAY.search(path.name) if "MODIS" in path.name.upper() else None
    return _known(path, "mod13q1", "mod13q1", _at(found[1])) if found else None


def _sentinel1(path: Path) -> Recognised | None:
    moment = _s1_time(path)
    return _known(path, "s1_grd", "s1_earth_engine", moment) if moment else None


def _s1_time(path: Path) -> datetime | None:
    found = SENTINEL1.search(path.name)
    return datetime.strptime(found[1] + "+0000", "%Y%m%dT%H%M%S%z") if found else None


def _static(path: Path) -> Recognised | None:
    if WORLDCOVER.search(path.name):
        return _known(path, "worldcover", "worldcover", None)
    if GLO30.search(path.name):
        return _known(path, "glo30", "glo30", None)
    return _known(path, "soilgrids", "soilgrids", None) if SOILGRIDS.search(path.name) else None


def _seed(path: Path) -> Recognised | None:
    for product, pattern in SEED.values():
        found = pattern.fullmatch(path.name)
        if found:
            return _known(path, product, "seed_layout", _at(found[1]))
    return None


def _eo_browser(path: Path) -> Recognised | None:
    """By its three bands and the day in its name; any other raster could carry a day."""
    from sm_platform.formats.geotiff import opened

    if not eo_browser.NAME.search(path.name) or "swc" not in path.name.lower():
        return None
    with opened(path) as file:
        if file.count != 3:
            return None
    (field,) = eo_browser.read_eo_browser(path)
    return _known(path, "planet_swc", "eo_browser", field.sensed_utc)


def _hdf5(path: Path) -> Recognised | None:
    try:
        with h5py.File(path, "r") as file:
            names = set(file)
    except OSError as error:
        raise GranuleError(f"{path.name}: is damaged or cut off ({error}).") from error
    for group, product in L4_GROUPS.items():
        if group in names:
            return _known(path, product, "spl4sm", _told(spl4sm.sensed_utc, path))
    if any(name.startswith(spl3smp_e.GROUP) for name in names):
        day = _told(spl3smp_e.day_of, path)
        if day is None:
            return _known(path, "spl2smap_s" if "SPL2SMAP_S" in path.name else "smap", "", None)
        return _known(path, "spl3smp_e", "spl3smp_e", _midnight(day))
    if names & ERA5:
        return _known(path, "era5_land", "era5_land", None)
    return None


def _told(tell: Callable[[str], _T], path: Path) -> _T | None:
    """What a name tells, None when it tells nothing: a renamed file is still what it holds."""
    try:
        return tell(path.name)
    except GranuleError:
        return None


def _at(text: str) -> datetime:
    return _midnight(date.fromisoformat(text))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
