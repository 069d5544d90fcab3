"""The radar of both full regions, against ranges drawn up before any network was trained."""

import numpy as np
import pytest

from sm_platform.sources.simulated.cover import Cover
from sm_platform_tests.sources.simulated.full_worlds import REGIONS, full_world, in_time, series

both = pytest.mark.parametrize("region_id", REGIONS)


@both
def test_vv_follows_moisture_of_drained_paddies_under_thin_cover(region_id: str) -> None:
    seen, is_paddy = series(region_id), full_world(region_id).cover_code == Cover.PADDY
    thin = np.where(seen.ndvi < 0.45, seen.vv_db, np.nan)
    assert 0.45 < np.nanmedian(in_time(thin, seen.drained)[is_paddy]) < 0.80


@both
def test_vv_follows_moisture_of_dry_crops(region_id: str) -> None:
    seen, codes = series(region_id), full_world(region_id).cover_code
    is_dry_crop = (codes == Cover.GARDEN) | (codes == Cover.UPLAND)
    assert 0.60 < np.nanmedian(in_time(seen.vv_db, seen.drained)[is_dry_crop]) < 0.85


def test_vv_follows_moisture_weakly_under_trees() -> None:
    seen, codes = series("highland"), full_world("highland").cover_code
    r = in_time(seen.vv_db, seen.drained)[codes == Cover.COFFEE]
    assert 0.25 < np.nanmedian(r) < 0.55


@both
def test_vh_follows_the_rice(region_id: str) -> None:
    seen, is_paddy = series(region_id), full_world(region_id).cover_code == Cover.PADDY
    assert np.nanmedian(in_time(seen.vh_db, seen.ndvi)[is_paddy]) > 0.7


@both
def test_vv_of_a_pixel_ranges_over_the_decibels_of_its_cover(region_id: str) -> None:
    seen, codes = series(region_id), full_world(region_id).cover_code
    year = seen.vv_db[seen.years == 2025]
    span = year.max(axis=0) - year.min(axis=0)
    is_dry_crop = (codes == Cover.GARDEN) | (codes == Cover.UPLAND)
    assert 6 < np.median(span[codes == Cover.PADDY]) < 11
    assert 3 < np.median(span[is_dry_crop]) < 7
    if region_id == "highland":  # the delta's trees are shares of a pixel, never a class
        assert 2 < np.median(span[codes == Cover.COFFEE]) < 5


def test_flooded_rice_is_dark_when_young_and_bright_when_grown() -> None:
    seen, is_paddy = series("red-river"), full_world("red-river").cover_code == Cover.PADDY
    wet = np.isnan(seen.drained) & is_paddy
    young, grown = seen.vv_db[wet & (seen.ndvi < 0.28)], seen.vv_db[wet & (seen.ndvi > 0.6)]
    drained = seen.vv_db[~wet & is_paddy]
    assert np.median(young) < np.percentile(drained, 25)
    assert np.median(grown) > np.median(young) + 3
