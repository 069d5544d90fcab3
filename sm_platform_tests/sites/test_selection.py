from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError, GridError, UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat, pad
from sm_platform.sites.selection import SOIL_CLASSES, SiteSelection, blocks, select_sites

REGION = ease2.window_around(ease2.LEVEL_100M, 106.43, 20.45, (90, 90))  # 9 km: about 9 blocks
CODES = (0, 10, 30, 40, 50, 80)


def cover(
    code: NDArray[np.uint8], purity: NDArray[np.float32], window: GridWindow = REGION
) -> Raster:
    """Land cover whose largest share is `purity`, whatever the class."""
    rest = (1 - purity).astype(np.float32)
    crop = np.where(code == 40, purity, rest)
    tree = np.where(code == 40, rest, purity)
    bands = {"crop_share": crop, "tree_share": tree, "land_cover_code": code}
    return Raster(window, bands)


def random_cover(seed: int) -> Raster:
    rng = np.random.default_rng(seed)
    code = rng.choice(np.array(CODES, np.uint8), REGION.shape)
    return cover(code, rng.uniform(0.5, 1, REGION.shape).astype(np.float32))


@given(st.integers(0, 1000), st.integers(1, 400), st.floats(0.5, 0.95))
def test_sites_are_pure_wanted_and_distinct_and_all_cells_are_counted(
    seed: int, count: int, min_purity: float
) -> None:
    land_cover = random_cover(seed)
    sites = select_sites(REGION, land_cover, count=count, seed=seed, min_purity=min_purity)
    assert len(set(sites.site_id.tolist())) == len(sites) <= count
    assert sum(sites.rejected.values()) + len(sites) == REGION.size
    assert np.isin(sites.land_cover_code, SOIL_CLASSES).all()
    bands = (land_cover.values["crop_share"], land_cover.values["tree_share"])
    shares = np.maximum(*bands)[sites.row, sites.col]
    assert (shares >= np.float32(min_purity)).all()


def test_sites_know_their_cell_place_class_and_block() -> None:
    land_cover = random_cover(1)
    sites = select_sites(REGION, land_cover, count=50, seed=2)
    lon, lat = lonlat(REGION)
    np.testing.assert_array_equal(sites.site_id, sites.row * 90 + sites.col)
    np.testing.assert_array_equal(sites.lon, lon[sites.row, sites.col])
    np.testing.assert_array_equal(sites.lat, lat[sites.row, sites.col])
    code = land_cover.values["land_cover_code"][sites.row, sites.col]
    np.testing.assert_array_equal(sites.land_cover_code, code)
    np.testing.assert_array_equal(sites.block_id, blocks(sites.lon, sites.lat))


def test_blocks_are_30_cells_wide_and_nest_in_the_grid() -> None:
    row, col = ease2.corner_cell(ease2.LEVEL_100M, REGION) or (0, 0)
    lon, lat = lonlat(REGION)
    found = blocks(lon, lat)
    rows, cols = np.indices(REGION.shape)
    expected = (row + rows) // 30 * ease2.LEVEL_3KM.shape[1] + (col + cols) // 30
    np.testing.assert_array_equal(found, expected)


def test_rare_class_and_every_block_get_their_turn() -> None:
    code = np.full(REGION.shape, 40, np.uint8)
    code[:4, :5] = 30  # 20 grass cells in one corner
    sites = select_sites(REGION, cover(code, np.ones(REGION.shape, np.float32)), count=60, seed=3)
    assert Counter(sites.land_cover_code.tolist()) == {30: 20, 40: 40}
    crop = Counter(sites.block_id[sites.land_cover_code == 40].tolist())
    assert len(crop) == len(np.unique(blocks(*lonlat(REGION))))
    assert max(crop.values()) - min(crop.values()) <= 1


def same(one: SiteSelection, two: SiteSelection) -> bool:
    return bool(np.array_equal(one.site_id, two.site_id))


def test_seed_alone_decides_the_draw() -> None:
    land_cover = random_cover(4)
    one = select_sites(REGION, land_cover, count=30, seed=5)
    assert same(one, select_sites(REGION, land_cover, count=30, seed=5))
    assert not same(one, select_sites(REGION, land_cover, count=30, seed=6))
    more = select_sites(REGION, land_cover, count=31, seed=5)
    assert set(one.site_id.tolist()) < set(more.site_id.tolist())


def test_each_rejected_cell_has_one_reason() -> None:
    window = pad(ease2.window(ease2.LEVEL_100M, 50_000, 270_000, (1, 1)), 1)
    code = np.array([[40, 40, 40], [0, 80, 50], [40, 10, 40]], np.uint8)
    purity = np.array([[1, 0.59, np.nan], [1, 1, 0.1], [0.6, 0.9, 0.61]], np.float32)
    sites = select_sites(window, cover(code, purity, window), count=2, seed=0)
    expected = {"missing": 2, "other_class": 3, "mixed": 1, "not_drawn": 1}
    assert sites.rejected == expected
    wider = select_sites(window, cover(code, purity, window), count=9, seed=0, classes=(10, 80))
    assert wider.site_id.tolist() == [4, 7]


def test_region_without_a_fitting_cell_is_refused_with_its_counts() -> None:
    water = cover(np.full(REGION.shape, 80, np.uint8), np.ones(REGION.shape, np.float32))
    with pytest.raises(DataError, match="'other_class': 8100"):
        select_sites(REGION, water, count=5, seed=0)


def test_impossible_requests_are_refused() -> None:
    land_cover = random_cover(0)
    with pytest.raises(GridError, match="different windows"):
        select_sites(pad(REGION, 1), land_cover, count=5, seed=0)
    with pytest.raises(UsageError, match="36km, 9km, 3km, 1km"):
        select_sites(REGION, land_cover, count=5, seed=0, block_km=2)
    with pytest.raises(UsageError, match="0 sites"):
        select_sites(REGION, land_cover, count=0, seed=0)
    bare = Raster(REGION, {"land_cover_code": land_cover.values["land_cover_code"]})
    with pytest.raises(DataError, match="_share"):
        select_sites(REGION, bare, count=5, seed=0)
