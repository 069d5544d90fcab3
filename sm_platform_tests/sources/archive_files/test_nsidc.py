"""NSIDC-0779 files: sharpened as told, on the right cells even under a wrong CRS, with gaps."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sm_platform.formats.nsidc_0779 import read_nsidc
from sm_platform.grid import ease2
from sm_platform.grid.window import link
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.footprints import footprints
from sm_platform.sources.simulated.label_errors import as_sensed
from sm_platform_tests.sources.archive_files.full_labels import FullLabels
from sm_platform_tests.sources.conftest import opened

Listed = Callable[[Product, str], list[tuple[Granule, Path]]]
L3 = Product.SPL3SMP_E
FILL = np.float32(-9999)


def test_the_reader_finds_what_the_file_stores(listed: Listed) -> None:
    found = listed(Product.NSIDC_0779, "red-river")
    assert found
    for granule, folder in found:
        assert granule.files == (f"NSIDC-0779_EASE2_G1km_SMAP_SM_DS_{granule.day:%Y%m%d}.tif",)
        path = folder / granule.files[0]
        with opened(path) as file:
            assert (file.dtypes, file.nodata) == (("float32", "float32"), -9999)
            stored = file.read()
        for field, band in zip(read_nsidc(path), stored, strict=True):
            values = field.raster.values["sm_m3m3"]
            np.testing.assert_array_equal(np.where(np.isnan(values), FILL, values), band)
            assert field.sensed_utc.date() == granule.day


def test_only_the_pass_that_saw_the_place_has_values(highland: FullLabels) -> None:
    passes = {"am": 0, "pm": 0}
    for entry, field in highland.fields[Product.NSIDC_0779]:
        known = np.isfinite(field.raster.values["sm_m3m3"])
        partner = next(
            one
            for other, one in highland.fields[Product.NSIDC_0779]
            if other is entry and one is not field
        )
        assert not (known.any() and np.isfinite(partner.raster.values["sm_m3m3"]).any())
        passes[field.pass_name] += int(known.any())
    assert min(passes.values()) > 60


def test_some_files_lie_about_their_crs_and_are_read_at_the_right_place(
    highland: FullLabels,
) -> None:
    window = footprints(highland.world, ease2.LEVEL_1KM).window
    codes = []
    for entry, field in highland.fields[Product.NSIDC_0779]:
        with opened(highland.folder(entry) / entry.files[0]) as file:
            codes.append(file.crs.to_epsg())
        assert field.raster.window == window
        assert link(highland.world.window, field.raster.window).min() >= 0
    assert set(codes) == {6933, 3410}
    assert 0.02 < codes.count(3410) / len(codes) < 0.10


def test_a_fifth_lies_under_clouds_that_come_in_clusters(highland: FullLabels) -> None:
    seen, neighbours = [], []
    for _, field in highland.fields[Product.NSIDC_0779]:
        known = np.isfinite(field.raster.values["sm_m3m3"])
        if known.any():
            seen.append(known.mean())
            neighbours.append((known[:, 1:] == known[:, :-1]).mean())
    assert 0.7 < np.mean(seen) < 0.85
    assert np.mean(neighbours) > 0.9


def test_cells_show_half_the_true_contrast_around_the_9_km_value(highland: FullLabels) -> None:
    world = highland.world
    one_km, nine = (footprints(world, level) for level in (ease2.LEVEL_1KM, ease2.LEVEL_9KM))
    whole, cells = one_km.count == 100, link(one_km.window, nine.window).ravel()
    coarse = {entry.day: field.raster.values for entry, field in highland.fields[L3]}
    found, true = [], []
    for entry, field in highland.fields[Product.NSIDC_0779]:
        values = field.raster.values["sm_m3m3"].ravel()
        if entry.day not in coarse or np.isnan(values).all():
            continue
        assert entry.day is not None
        sensed = as_sensed(world, entry.day)
        contrast = one_km.means(sensed).ravel() - nine.means(sensed).ravel()[cells]
        found.append((values - coarse[entry.day]["sm_m3m3"].ravel()[cells])[whole])
        true.append(np.where(np.isnan(found[-1]), np.nan, contrast[whole]))
    shown, there = np.stack(found), np.stack(true)
    assert abs(np.nanmean(shown)) < 0.004
    # Less the mean of each cell, so without the fixed pattern of the product.
    shown, there = (part - np.nanmean(part, axis=0) for part in (shown, there))
    slope = np.nansum(shown * there) / np.nansum(there**2)
    assert slope == pytest.approx(0.55, abs=0.06)
    assert np.nanstd(shown - slope * there) == pytest.approx(0.030, rel=0.1)
