"""The platform's own readers understand every granule of the archive."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sm_platform.formats import (
    era5_land,
    glo30,
    mod13q1,
    planet_swc,
    s1_earth_engine,
    soilgrids,
    worldcover,
)
from sm_platform.grid.window import link, lonlat_bounds
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.world import World

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]


def test_radar(listed: Listed) -> None:
    for granule, folder in listed(Product.S1_GRD, "red-river")[:8]:
        told = s1_earth_engine.read_properties(folder / granule.files[1])
        assert told.granule_id == granule.granule_id
        frame = s1_earth_engine.read_frame(folder / granule.files[0])
        assert np.nanmedian(frame.values["vv_db"]) > np.nanmedian(frame.values["vh_db"]) + 3


def test_vegetation_and_weather(listed: Listed, worlds: dict[str, World]) -> None:
    window = worlds["highland"].window
    granule, folder = listed(Product.NDVI, "highland")[0]
    ndvi = mod13q1.read_composite(folder, granule.granule_id, bounds_lonlat=lonlat_bounds(window))
    assert link(window, ndvi.window).min() >= 0
    assert granule.day == mod13q1.composite_day(granule.granule_id)
    granule, folder = listed(Product.WEATHER, "highland")[0]
    assert granule.day is not None
    weather = era5_land.read_day(folder / granule.files[0], granule.day)
    assert not np.isnan(weather.values["precipitation_m"].astype(float)).any()
    assert not weather.values["is_preliminary"].any()


def test_statics(listed: Listed, tiny: Path) -> None:
    window = archive_regions(tiny)["highland"]
    bounds = lonlat_bounds(window)
    soil = soilgrids.read_soil(listed(Product.SOIL, "highland")[0][1], bounds)
    assert 0 < np.nanmedian(soil.values["clay_g_kg"]) < 1000
    for product, names, read in (
        (Product.ELEVATION, glo30.tile_names(bounds), glo30.read_elevation),
        (Product.LAND_COVER, worldcover.tile_names(bounds), worldcover.read_land_cover),
    ):
        paths = [folder / one.files[0] for one, folder in listed(product, "highland")]
        assert sorted(path.name for path in paths) == sorted(names)
        raster = read(paths, bounds)
        assert link(window, raster.window).min() >= 0
        assert all(np.all(values > 0) for values in raster.values.values())


def test_labels(listed: Listed) -> None:
    for granule, folder in listed(Product.SWC, "highland"):
        swc = planet_swc.read_swc(*(folder / name for name in granule.files))
        value, flags = swc.values["sm_m3m3"], swc.values["swc_flags"]
        assert np.array_equal(np.isnan(value), (flags & planet_swc.REJECT_MASK) > 0)
        assert planet_swc.sensing_time(granule.granule_id, 108.05).date() == granule.day
