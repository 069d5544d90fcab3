"""SPL4SMGP files: the land model's values on the right cells, at the time of the name."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path

import h5py
import numpy as np
import pytest

from sm_platform.formats.spl4sm import read_spl4
from sm_platform.grid import ease2
from sm_platform.grid.window import lonlat, lonlat_bounds
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.footprints import footprints
from sm_platform.sources.simulated.land_model import land_model
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import TINY

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]


@pytest.mark.parametrize("region", ["red-river", "highland"])
def test_the_reader_finds_the_models_day(
    listed: Listed, worlds: dict[str, World], region: str
) -> None:
    world = worlds[region]
    nine = footprints(world, ease2.LEVEL_9KM)
    model = land_model(world, nine)
    found = listed(Product.SPL4SMGP, region)
    assert [one.day for one, _ in found] == [
        day for day in TINY.radar_days if day in {one.day for one, _ in found}
    ]
    assert len(found) >= len(TINY.radar_days) - 3
    for granule, folder in found:
        assert granule.day is not None
        (field,) = read_spl4(folder / granule.files[0])
        assert field.raster.window == nine.window
        assert field.sensed_utc == datetime.combine(granule.day, time(22, 30), UTC)
        put_in = model.sm_m3m3[world.index(granule.day)].astype(np.float32)
        np.testing.assert_array_equal(field.raster.values["sm_m3m3"], put_in)
        assert not field.raster.values["is_flagged"].any()


def test_names_types_and_places_are_the_providers(listed: Listed, worlds: dict[str, World]) -> None:
    granule, folder = listed(Product.SPL4SMGP, "highland")[0]
    assert granule.files == (f"SMAP_L4_SM_gph_{granule.day:%Y%m%d}T223000_Vv8011_001.h5",)
    nine = footprints(worlds["highland"], ease2.LEVEL_9KM)
    lon, lat = lonlat(nine.window)
    with h5py.File(folder / granule.files[0]) as file:
        for name, lowest, highest in (
            ("sm_surface", 0.0, 0.9),
            ("sm_rootzone", 0.0, 0.9),
            ("surface_temp", 180.0, 350.0),
        ):
            stored = file[f"Geophysical_Data/{name}"]
            assert stored.dtype == np.float32
            assert stored.attrs["_FillValue"] == np.float32(-9999)
            assert lowest < stored[()].min() <= stored[()].max() < highest
        np.testing.assert_allclose(file["cell_lon"][()], lon, rtol=1e-6)
        np.testing.assert_allclose(file["cell_lat"][()], lat, rtol=1e-6)
        assert file["cell_row"][0, 0] == nine.row
        assert file["cell_column"][0, 0] == nine.col


def test_a_part_of_the_subset_can_be_read(listed: Listed, worlds: dict[str, World]) -> None:
    granule, folder = listed(Product.SPL4SMGP, "red-river")[0]
    (whole,) = read_spl4(folder / granule.files[0])
    bounds = lonlat_bounds(worlds["red-river"].window)
    (part,) = read_spl4(folder / granule.files[0], bounds_lonlat=bounds)
    assert part.raster.window.shape <= whole.raster.window.shape
    assert np.isin(part.raster.values["sm_m3m3"], whole.raster.values["sm_m3m3"]).all()
