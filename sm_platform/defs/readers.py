"""Which reader opens a landed granule: product and format decide; damaged ones are set aside."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from sm_platform.errors import DataError, GranuleError
from sm_platform.formats import (
    era5_land,
    era5_land_earth_engine,
    glo30,
    imerg_late,
    mod13q1,
    mod13q1_earth_engine,
    mod13q1_hdf,
    opera_rtc,
    planet_swc,
    rtc_planetary_computer,
    s1_earth_engine,
    seed_layout,
    soilgrids,
    vnp13a1,
    worldcover,
)
from sm_platform.grid.mosaic import mosaic
from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds, pad
from sm_platform.lake.granules import LandedGranule, quarantine
from sm_platform.lake.layout import Layout

MARGIN_CELLS = 30
"""Pixels around a region that drivers are read for: neighbours for slopes and for filling."""

Reader = Callable[[LandedGranule, GridWindow], Raster]


def read_all(
    layout: Layout, region_id: str, granules: Sequence[LandedGranule], window: GridWindow
) -> Raster:
    """The granules of one product as one raster on their native grid, each by its own reader.

    Raises:
        DataError: naming each damaged file; they lie in quarantine afterwards. Or nothing reads one
            of the formats; then nothing is read.
    """
    around = pad(window, MARGIN_CELLS)
    tiles: dict[str, list[LandedGranule]] = {}
    others: list[tuple[LandedGranule, Reader]] = []
    for one in granules:
        if one.format in TILE_READERS:
            tiles.setdefault(one.format, []).append(one)
        else:
            others.append((one, _reader_of(one)))
    rasters = [_tiles(layout, region_id, together, around) for together in tiles.values()]
    rasters += _each(layout, region_id, others, around)
    return rasters[0] if len(rasters) == 1 else mosaic(rasters)


def _reader_of(granule: LandedGranule) -> Reader:
    reader = READERS.get((granule.product, granule.format))
    if reader is None:
        raise DataError(
            f"{granule.granule_id}: nothing reads {granule.product} in the format {granule.format}."
        )
    return reader


def _each(
    layout: Layout,
    region_id: str,
    granules: Sequence[tuple[LandedGranule, Reader]],
    window: GridWindow,
) -> list[Raster]:
    rasters, damaged = [], []
    for granule, reader in granules:
        try:
            rasters.append(reader(granule, window))
        except GranuleError as error:
            place = quarantine(layout, region_id, granule, str(error))
            damaged.append(f"{error} It lies in {place}.")
    if damaged:
        raise DataError(" ".join(damaged))
    return rasters


def _paths(granule: LandedGranule, suffix: str = "") -> list[Path]:
    return [granule.folder / name for name in granule.files if name.endswith(suffix)]


def _s1(granule: LandedGranule, _: GridWindow) -> Raster:
    return s1_earth_engine.read_frame(_paths(granule, ".tif")[0])


def _opera(granule: LandedGranule, _: GridWindow) -> Raster:
    return opera_rtc.read_burst(granule.folder, granule.granule_id)


def _rtc(granule: LandedGranule, _: GridWindow) -> Raster:
    return rtc_planetary_computer.read_scene(granule.folder, granule.granule_id)


def _ndvi(granule: LandedGranule, window: GridWindow) -> Raster:
    return mod13q1.read_composite(
        granule.folder, granule.granule_id, bounds_lonlat=lonlat_bounds(window)
    )


def _ndvi_earth_engine(granule: LandedGranule, window: GridWindow) -> Raster:
    path, bounds = _paths(granule, ".tif")[0], lonlat_bounds(window)
    return mod13q1_earth_engine.read_composite(path, granule.granule_id, bounds_lonlat=bounds)


def _ndvi_hdf(granule: LandedGranule, window: GridWindow) -> Raster:
    path, bounds = _paths(granule, ".hdf")[0], lonlat_bounds(window)
    return mod13q1_hdf.read_composite(path, granule.granule_id, bounds_lonlat=bounds)


def _viirs(granule: LandedGranule, window: GridWindow) -> Raster:
    path, bounds = _paths(granule, ".h5")[0], lonlat_bounds(window)
    return vnp13a1.read_composite(path, granule.granule_id, bounds_lonlat=bounds)


def _era5(granule: LandedGranule, _: GridWindow) -> Raster:
    return era5_land.read_day(_paths(granule)[0], _day_of(granule))


def _era5_earth_engine(granule: LandedGranule, _: GridWindow) -> Raster:
    return era5_land_earth_engine.read_day(_paths(granule)[0], _day_of(granule))


def _imerg(granule: LandedGranule, window: GridWindow) -> Raster:
    path, bounds = _paths(granule)[0], lonlat_bounds(window)
    return imerg_late.read_day(path, _day_of(granule), bounds_lonlat=bounds)


def _day_of(granule: LandedGranule) -> date:
    if granule.day is None:
        raise GranuleError(f"{granule.granule_id} names no day: fetch it again.")
    return granule.day


def _soil(granule: LandedGranule, window: GridWindow) -> Raster:
    return soilgrids.read_soil(granule.folder, lonlat_bounds(window))


def _tiles(
    layout: Layout, region_id: str, granules: Sequence[LandedGranule], window: GridWindow
) -> Raster:
    """All tiles in one reading: the reader takes a tile that is not given for open sea."""
    read = TILE_READERS[granules[0].format]
    paths = [path for granule in granules for path in _paths(granule, ".tif")]
    try:
        return read(paths, lonlat_bounds(window))
    except GranuleError as error:
        damaged = [g for g in granules if any(name in str(error) for name in g.files)]
        places = [str(quarantine(layout, region_id, one, str(error))) for one in damaged]
        raise DataError(f"{error} It lies in {', '.join(places)}.") from error


def _swc(granule: LandedGranule, _: GridWindow) -> Raster:
    values, flags = _paths(granule, "_swc.tiff"), _paths(granule, "_swc-qf.tiff")
    return planet_swc.read_swc(values[0], flags[0])


def _seed(read: Callable[[Path], Raster]) -> Reader:
    """A reader that refuses files of another place: nobody else has looked where they lie."""

    def read_near(granule: LandedGranule, window: GridWindow) -> Raster:
        path = _paths(granule)[0]
        raster = read(path)
        west, south, east, north = lonlat_bounds(raster.window)
        left, bottom, right, top = lonlat_bounds(window)
        if not (west < right and left < east and south < top and bottom < north):
            raise GranuleError(
                f"{path.name}: lies at {west:.3f}..{east:.3f} E, {south:.3f}..{north:.3f} N, "
                "outside the region: bring the file of the region."
            )
        return raster

    return read_near


TILE_READERS = {"glo30": glo30.read_elevation, "worldcover": worldcover.read_land_cover}
READERS: dict[tuple[str, str], Reader] = {
    ("s1_grd", "s1_earth_engine"): _s1,
    ("s1_grd", "opera_rtc"): _opera,
    ("s1_grd", "rtc_planetary_computer"): _rtc,
    ("ndvi", "mod13q1"): _ndvi,
    ("ndvi", "mod13q1_earth_engine"): _ndvi_earth_engine,
    ("ndvi", "mod13q1_hdf"): _ndvi_hdf,
    ("ndvi", "vnp13a1"): _viirs,
    ("ndvi", "vnp13a1_earth_engine"): _ndvi_earth_engine,
    ("weather", "era5_land"): _era5,
    ("weather", "era5_land_earth_engine"): _era5_earth_engine,
    ("late_rain", "imerg_late"): _imerg,
    ("soil", "soilgrids"): _soil,
    ("planet_swc", "planet_swc"): _swc,
    ("s1_grd", "seed_layout"): _seed(seed_layout.read_s1),
    ("ndvi", "seed_layout"): _seed(seed_layout.read_ndvi),
    ("weather", "seed_layout"): _seed(seed_layout.read_weather),
    ("soil", "seed_layout"): _seed(seed_layout.read_soil),
    ("elevation", "seed_layout"): _seed(seed_layout.read_terrain),
}
