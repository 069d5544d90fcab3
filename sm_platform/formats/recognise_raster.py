"""What a raster is: by the name that its provider gave it, else by bands that only it has."""

import re
from datetime import datetime
from pathlib import Path

from sm_platform.formats import eo_browser, nsidc_0779, planet_swc
from sm_platform.formats.geotiff import grid_of, opened
from sm_platform.formats.layers import NAMED
from sm_platform.formats.recognised import (
    UNSAFE,
    Recognised,
    known_file,
    midnight,
    moment_of,
    s1_product,
    s1_time,
)
from sm_platform.grid.window import lonlat_bounds

VALUE_END, FLAGS_END = "_swc.tiff", "_swc-qf.tiff"
VEGETATION = r"(?:^|_)(M[OY]D13[QA]\d|V(?:NP|J1|J2)13A\d)"
COMPOSITE = re.compile(VEGETATION + r"\.A(\d{7})\.", re.IGNORECASE)
"""A tile as NASA names it, with whatever a service puts before it."""
APPEEARS = re.compile(r"^(\w+)\.\d{3}_\w*?(?:_doy(\d{7})(\d{6})?)?[._]aid\d+\.", re.IGNORECASE)
"""Files of NASA's subsetting service AppEEARS: product, version, layer, day of the year."""
NDVI_DAY = re.compile(r"NDVI[_-](\d{4}-\d{2}-\d{2})")
SEED = {
    "s1_grd": re.compile(r"S1_(\d{4}-\d{2}-\d{2})\.tiff?"),
    "seed_ndvi": re.compile(r"NDVI_(\d{4}-\d{2}-\d{2})\.tiff?"),
    "weather": re.compile(r"Weather_(\d{4}-\d{2}-\d{2})\.tiff?"),
    "seed_soil": re.compile(r"SoilGrid_sand_clay_bdod\.tiff?()"),
    "seed_terrain": re.compile(r"DEM_elevation_slope_aspect\w*\.tiff?()"),
}
"""Files of the seed system's folders, with the day where they have one."""
RTC = re.compile(r"OPERA_L2_RTC-S1_[^_]+_(\d{8}T\d{6})Z|rtc\.tiff?$", re.IGNORECASE)
BANDS = {
    "s1_grd": {"VV", "VH", "angle"},
    "era5_land": {"temperature_2m", "total_precipitation_sum"},
    "dynamic_world": {"flooded_vegetation", "shrub_and_scrub", "label"},
}
"""Bands that only one product has, under whatever name an export was saved."""
WORLDCOVER = re.compile(r"ESA_WorldCover_10m_(\d{4})_v\d+_[NS]\d{2}[EW]\d{3}")
GLO30 = re.compile(r"Copernicus_DSM_(?:COG_)?\d{2}_[NS]\d{2}_00_[EW]\d{3}_00")
SOILGRIDS = re.compile(
    r"(?:^|_)(sand|clay|bdod)(?:_\d+-\d+cm)?(?:_(?:mean|Q0[._]\d+|\w+))*\.tif", re.IGNORECASE
)


def recognise_raster(path: Path) -> Recognised | None:
    """What a GeoTIFF or JPEG 2000 file is; raises GranuleError when it is damaged."""
    name = path.name
    if name.endswith((VALUE_END, FLAGS_END)):
        return _planet(path)
    if nsidc_0779.NAME.fullmatch(name):
        day = nsidc_0779.day_of(name)
        return known_file(path, "nsidc_0779", "nsidc_0779", midnight(day))
    for find in (vegetation_tile, appeears, rtc_burst, _sentinel1, _seed, _static):
        found = find(path)
        if found is not None:
            return found
    return _eo_browser(path) or _of_bands(path)


def _of_bands(path: Path) -> Recognised | None:
    with opened(path) as file:
        texts = {text for text in file.descriptions if text}
    found = [product for product, names in BANDS.items() if names <= texts]
    return known_file(path, found[0], "", None) if found else None


def rtc_burst(path: Path) -> Recognised | None:
    """Terrain-corrected gamma0: another quantity than GRD's sigma0, never mixed with it."""
    found = RTC.search(path.name)
    if found is None:
        return None
    moment = moment_of(found[1]) if found[1] else s1_time(path.name)
    return known_file(path, "s1_rtc", "", moment)


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
    with opened(path) as file:
        west, _, east, _ = lonlat_bounds(grid_of(file, path, None))
    return (west + east) / 2


def vegetation_tile(path: Path) -> Recognised | None:
    """A composite of MODIS or VIIRS by its name."""
    found = COMPOSITE.search(path.name)
    if found:
        product = found[1].lower()
        reader = "mod13q1" if product.endswith("13q1") else ""
        return known_file(path, product, reader, _day_of_year(found[2]))
    found = NDVI_DAY.search(path.name) if "MODIS" in path.name.upper() else None
    return known_file(path, "mod13q1", "mod13q1", moment_of(found[1])) if found else None


def appeears(path: Path) -> Recognised | None:
    """A part that NASA's service cut of a product that is known here."""
    found = APPEEARS.search(path.name)
    product = found[1].lower() if found else ""
    if found is None or product not in NAMED:
        return None
    moment = _day_of_year(found[2]) if found[2] else None
    if moment and found[3]:
        moment = moment_of(f"{moment:%Y%m%d}T{found[3]}")
    return known_file(path, product, "", moment)


def _day_of_year(digits: str) -> datetime | None:
    """`2025009` is January 9; None when the year has no such day."""
    try:
        return datetime.strptime(f"{digits}+0000", "%Y%j%z")
    except ValueError:
        return None


def _sentinel1(path: Path) -> Recognised | None:
    moment, product = s1_time(path.name), s1_product(path.name)
    is_known = moment is not None and product == "s1_grd"
    return known_file(path, product, "s1_earth_engine", moment) if is_known else None


def _static(path: Path) -> Recognised | None:
    found = WORLDCOVER.search(path.name)
    if found:
        return known_file(path, "worldcover", "worldcover", moment_of(f"{found[1]}0101"))
    if GLO30.search(path.name):
        return known_file(path, "glo30", "glo30", None)
    return known_file(path, "soilgrids", "soilgrids", None) if SOILGRIDS.search(path.name) else None


def _seed(path: Path) -> Recognised | None:
    for product, pattern in SEED.items():
        found = pattern.fullmatch(path.name)
        if found:
            return known_file(path, product, "seed_layout", moment_of(found[1]))
    return None


def _eo_browser(path: Path) -> Recognised | None:
    """By its three bands and the day in its name; any other raster could carry a day."""
    if not eo_browser.NAME.search(path.name) or "swc" not in path.name.lower():
        return None
    with opened(path) as file:
        if file.count != 3:
            return None
    (field,) = eo_browser.read_eo_browser(path)
    return known_file(path, "planet_swc", "eo_browser", field.sensed_utc)
