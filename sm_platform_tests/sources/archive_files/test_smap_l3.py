"""SPL3SMP_E files: what was put in comes out of the reader; fill, flags and swath edges stay."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from sm_platform.formats.spl3smp_e import read_spl3
from sm_platform.grid import ease2
from sm_platform.grid.window import cell_index, centres, lonlat_bounds
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.footprints import footprints
from sm_platform.sources.simulated.l_band import Half, half_of, is_seen, l_band_estimate
from sm_platform.sources.simulated.label_errors import overpasses
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.archive_files.full_labels import FullLabels

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]
GROUPS = {
    Half.AM: ("Soil_Moisture_Retrieval_Data_AM", ""),
    Half.PM: ("Soil_Moisture_Retrieval_Data_PM", "_pm"),
}
FILL = np.float32(-9999)


@pytest.mark.parametrize("region", ["red-river", "highland"])
def test_the_reader_finds_the_retrieval_where_the_radiometer_saw(
    listed: Listed, worlds: dict[str, World], region: str
) -> None:
    world, seen = worlds[region], {one.day: one for one in overpasses(worlds[region])}
    nine = footprints(world, ease2.LEVEL_9KM)
    found = listed(Product.SPL3SMP_E, region)
    assert len(found) > 15
    for granule, folder in found:
        assert granule.day is not None
        overpass = seen[granule.day]
        (field,) = read_spl3(folder / granule.files[0])
        assert field.raster.window == nine.window
        put_in = l_band_estimate(world, nine, overpass).astype(np.float32)
        expected = np.where(is_seen(world, nine, overpass), put_in, np.nan)
        np.testing.assert_array_equal(field.raster.values["sm_m3m3"], expected)
        assert field.pass_name == half_of(world, overpass).value


@pytest.mark.parametrize(
    ("region", "morning", "evening"), [("red-river", 22.9, 10.9), ("highland", 22.8, 10.8)]
)
def test_passes_come_at_six_by_the_sun(
    listed: Listed, region: str, morning: float, evening: float
) -> None:
    hours = {"am": morning, "pm": evening}
    names = set()
    for granule, folder in listed(Product.SPL3SMP_E, region):
        for field in read_spl3(folder / granule.files[0]):
            moment = field.sensed_utc
            assert moment.date() == granule.day
            assert moment.hour + moment.minute / 60 == pytest.approx(
                hours[field.pass_name], abs=0.1
            )
            names.add(field.pass_name)
    assert names == {"am", "pm"}


def test_the_subset_covers_the_place(listed: Listed, worlds: dict[str, World]) -> None:
    world = worlds["highland"]
    granule, folder = listed(Product.SPL3SMP_E, "highland")[0]
    (field,) = read_spl3(folder / granule.files[0], bounds_lonlat=lonlat_bounds(world.window))
    x, y = (np.asarray(part) for part in centres(world.window))
    assert cell_index(field.raster.window, x, y).min() >= 0


def test_names_types_and_units_are_the_providers(highland: FullLabels) -> None:
    entry = highland.entries[Product.SPL3SMP_E][0]
    assert entry.files == (f"SMAP_L3_SM_P_E_{entry.day:%Y%m%d}_R19240_001.h5",)
    with h5py.File(highland.folder(entry) / entry.files[0]) as file:
        for group, end in GROUPS.values():
            moisture = file[f"{group}/soil_moisture{end}"]
            assert (moisture.dtype, moisture.attrs["units"]) == (np.float32, b"cm**3/cm**3")
            assert moisture.attrs["_FillValue"] == FILL
            assert file[f"{group}/retrieval_qual_flag{end}"].dtype == np.uint16
            assert file[f"{group}/EASE_row_index{end}"].dtype == np.uint16
            assert file[f"{group}/tb_time_seconds{end}"].dtype == np.float64


def test_what_no_swath_saw_is_fill_in_every_field(highland: FullLabels) -> None:
    partial = 0
    halves = set()
    for entry in highland.entries[Product.SPL3SMP_E]:
        with h5py.File(highland.folder(entry) / entry.files[0]) as file:
            for half, (group, end) in GROUPS.items():
                names = ("soil_moisture", "latitude", "longitude", "tb_time_seconds")
                values = [file[f"{group}/{name}{end}"][()] == FILL for name in names]
                rows = file[f"{group}/EASE_row_index{end}"][()]
                flags = file[f"{group}/retrieval_qual_flag{end}"][()]
                for outside in (*values[1:], rows == 65534, flags == 7):
                    np.testing.assert_array_equal(outside, values[0])
                partial += int(values[0].any() and not values[0].all())
                halves |= {half} if not values[0].all() else set()
    assert halves == {Half.AM, Half.PM}
    assert 0.03 < partial / len(highland.entries[Product.SPL3SMP_E]) < 0.15


def test_one_retrieval_in_twenty_is_not_recommended_and_eight_is_good(
    highland: FullLabels,
) -> None:
    stored, rejected = [], []
    for entry, field in highland.fields[Product.SPL3SMP_E]:
        group, end = GROUPS[Half(field.pass_name)]
        known = np.isfinite(field.raster.values["sm_m3m3"])
        with h5py.File(highland.folder(entry) / entry.files[0]) as file:
            stored.append(file[f"{group}/retrieval_qual_flag{end}"][()][known])
        rejected.append(field.raster.values["is_flagged"][known])
    flags, is_flagged = np.concatenate(stored), np.concatenate(rejected)
    assert set(np.unique(flags)) == {0, 1, 8}
    np.testing.assert_array_equal(is_flagged, flags == 1)
    assert 0.03 < is_flagged.mean() < 0.07
    assert 0.01 < (flags == 8).mean() < 0.05
