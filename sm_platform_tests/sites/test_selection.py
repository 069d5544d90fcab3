from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.sites import plain_sites, province, selected, split_mix
from sm_platform.errors import DataError, GridError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat, pad
from sm_platform.lake import store
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.sites import drawing
from sm_platform.sites.cover_classes import SOIL_CLASSES
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import SiteSelection, select_sites
from sm_platform_tests.sites.land import REGION, cover, mixed, pure

SEEDS = st.integers(0, 2**63 - 1)
SPACINGS = st.sampled_from([None, 0.1, 0.5, 1.0, 2.0, 3.0, 7.5])
LEVELS = st.sampled_from(["100m", "1km", "3km"])


@given(SEEDS, st.integers(1, 400), st.floats(0.5, 0.95), SPACINGS)
@settings(max_examples=40)
def test_sites_are_pure_wanted_and_distinct_and_all_cells_are_counted(
    seed: int, count: int, min_purity: float, spacing_km: float | None
) -> None:
    land_cover = mixed(seed % 1000, codes=(0, 10, 30, 40, 50, 80))
    rules = SiteRules(count, seed, spacing_km=spacing_km, min_purity=min_purity)
    sites = select_sites(REGION, land_cover, rules)
    assert len(set(sites.site_id.tolist())) == len(sites) <= count
    assert sum(sites.rejected.values()) + len(sites) == REGION.size
    assert sum(sites.class_counts.values()) == len(sites)
    assert np.isin(sites.land_cover_code, SOIL_CLASSES).all()
    assert (sites.purity >= np.float32(min_purity)).all()


@pytest.mark.parametrize(
    ("level", "count", "spacing_km"),
    [
        ("100m", 7, None),
        ("100m", 100, None),
        ("100m", 9000, None),
        ("100m", 30, 0.5),
        ("100m", 33, 1.0),
        ("100m", 20, 1.2),
        ("1km", 5, None),
        ("1km", 12, 2.0),
        ("1km", 900, 3.0),
        ("3km", 2, None),
    ],
)
@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_sites_are_those_of_a_plain_loop(
    level: str, count: int, spacing_km: float | None, seed: int
) -> None:
    purity, share = {"100m": (0.3, 0.9), "1km": (0.13, 0.7), "3km": (0.11, 0.5)}[level]
    rules = SiteRules(count, seed, level, spacing_km, min_purity=purity, min_valid_share=share)
    region = province(75, seed=seed % 7)
    expected = plain_sites(region, rules)
    found = selected(region, rules)
    assert found.site_id.tolist() == expected.site_id
    assert dict(found.rejected) == expected.rejected


@given(SEEDS, st.sampled_from([0.3, 1.0, 1.2, 3.0]), LEVELS)
@settings(max_examples=30)
def test_no_two_sites_share_a_square(seed: int, spacing_km: float, level: str) -> None:
    rules = SiteRules(5000, seed, level, spacing_km, min_purity=0.3, min_valid_share=0.3)
    sites = select_sites(REGION, mixed(seed % 50, codes=(30, 40)), rules)
    step = {"100m": 1, "1km": 10, "3km": 30}[level]
    side = round(spacing_km * 10)
    centre = np.stack([sites.cell_row, sites.cell_col]).astype(int) * step + step // 2
    assert len(set(map(tuple, (centre // side).T.tolist()))) == len(sites)
    assert sites.rejected["not_drawn"] == 0


def test_sites_know_their_cell_place_class_and_block() -> None:
    land_cover = mixed(1)
    sites = select_sites(REGION, land_cover, SiteRules(50, 2))
    row, col = np.divmod(sites.cell_id, 90)
    corner = ease2.corner_cell(ease2.LEVEL_100M, REGION) or (0, 0)
    np.testing.assert_array_equal(sites.cell_row, corner[0] + row)
    np.testing.assert_array_equal(sites.cell_col, corner[1] + col)
    lon, lat = lonlat(REGION)
    np.testing.assert_allclose(sites.lon, lon[row, col], rtol=0, atol=1e-9)
    np.testing.assert_allclose(sites.lat, lat[row, col], rtol=0, atol=1e-9)
    code = land_cover.values["land_cover_code"][row, col]
    np.testing.assert_array_equal(sites.land_cover_code, code)
    block = sites.cell_row // 30 * ease2.LEVEL_3KM.shape[1] + sites.cell_col // 30
    np.testing.assert_array_equal(sites.block_id, block)
    assert sites.site_id[0] == f"100m-{sites.cell_row[0]}-{sites.cell_col[0]}"
    assert sites.site_id.tolist() == sorted(sites.site_id.tolist())


def test_rare_class_and_every_block_get_their_turn() -> None:
    code = np.full(REGION.shape, 40, np.uint8)
    code[:4, :5] = 30  # 20 grass cells in one corner
    land_cover = cover(code, np.ones(REGION.shape, np.float32))
    sites = select_sites(REGION, land_cover, SiteRules(60, 3))
    assert {name: n for name, n in sites.class_counts.items() if n} == {"grass": 20, "crop": 40}
    crop = Counter(sites.block_id[sites.land_cover_code == 40].tolist())
    everywhere = select_sites(REGION, land_cover, SiteRules(REGION.size, 3))
    assert set(crop) == set(everywhere.block_id.tolist())
    assert max(crop.values()) - min(crop.values()) <= 1


@given(SEEDS, st.integers(60, 150), st.sampled_from([None, 0.3]))
@settings(max_examples=20)
def test_strata_are_even_when_there_are_enough_cells(
    seed: int, count: int, spacing_km: float | None
) -> None:
    rng = np.random.default_rng(seed % 99)
    share = [0.7, 0.2, 0.1]  # coarse soil is seven times as common as fine
    texture = rng.choice(np.array([1, 2, 3], np.int8), REGION.shape, p=share)
    mean_sm = rng.beta(2, 5, REGION.shape).astype(np.float32)
    rules = SiteRules(count, seed, spacing_km=spacing_km, min_purity=0.5)
    land_cover = mixed(seed % 99, codes=(30, 40))
    sites = select_sites(REGION, land_cover, rules, texture=texture, mean_sm=mean_sm)
    third = np.searchsorted(np.quantile(mean_sm, (1 / 3, 2 / 3)), sites.mean_sm_m3m3)
    found = zip(sites.land_cover_code, sites.texture_code, third, strict=True)
    counts = Counter((int(c), int(t), int(m)) for c, t, m in found)
    assert len(counts) == 18
    assert max(counts.values()) - min(counts.values()) <= 2  # of class and of stratum, one each


def test_classes_are_even_whatever_their_strata() -> None:
    texture = np.full(REGION.shape, 2, np.int8)
    texture[:30], texture[30:60] = 1, 3
    land_cover = mixed(3, codes=(30, 40))
    is_crop = land_cover.values["land_cover_code"] == 40
    texture[is_crop] = 2  # grass has three strata, crop one
    sites = select_sites(REGION, land_cover, SiteRules(60, 4), texture=texture)
    assert (sites.class_counts["grass"], sites.class_counts["crop"]) == (30, 30)
    grass = Counter(sites.texture_code[sites.land_cover_code == 30].tolist())
    assert grass == {1: 10, 2: 10, 3: 10}


def test_cells_of_unknown_texture_are_drawn_last() -> None:
    texture = np.full(REGION.shape, 2, np.int8)
    texture[1:] = 0
    n_known = REGION.shape[1]
    sites = select_sites(REGION, pure(40), SiteRules(n_known + 10, 4), texture=texture)
    assert Counter(sites.texture_code.tolist()) == {2: n_known, 0: 10}


def test_cells_where_no_label_was_ever_read_are_drawn_last() -> None:
    """As those beside open water: they would be sites without labels."""
    mean_sm = np.full(REGION.shape, np.nan, np.float32)
    mean_sm[:1] = 0.2
    n_known = REGION.shape[1]
    few, many = (
        select_sites(REGION, pure(40), SiteRules(n, 4), mean_sm=mean_sm)
        for n in (n_known, n_known + 10)
    )
    assert not np.isnan(few.mean_sm_m3m3).any()
    assert set(few.site_id) < set(many.site_id)
    assert many.rows()["mean_sm_m3m3"].null_count == 10


def same(one: SiteSelection, two: SiteSelection) -> bool:
    return bool(np.array_equal(one.site_id, two.site_id))


def test_seed_alone_decides_the_draw() -> None:
    land_cover = mixed(4)
    one = select_sites(REGION, land_cover, SiteRules(30, 5))
    assert same(one, select_sites(REGION, land_cover, SiteRules(30, 5)))
    assert not same(one, select_sites(REGION, land_cover, SiteRules(30, 6)))
    more = select_sites(REGION, land_cover, SiteRules(31, 5))
    assert set(one.site_id.tolist()) < set(more.site_id.tolist())


def test_order_of_classes_and_of_bands_is_irrelevant() -> None:
    land_cover = mixed(5, codes=(30, 40, 90))
    one = select_sites(REGION, land_cover, SiteRules(30, 5, classes=(30, 40, 90)))
    turned = Raster(REGION, dict(reversed(land_cover.values.items())))
    assert same(one, select_sites(REGION, turned, SiteRules(30, 5, classes=(90, 30, 40, 30))))


def part_of(raster: Raster, window: GridWindow, cells: int) -> Raster:
    inner = slice(cells, -cells)
    return Raster(window, {name: band[inner, inner] for name, band in raster.values.items()})


@pytest.mark.parametrize("spacing_km", [None, 0.5])
def test_larger_region_keeps_most_of_the_old_sites(spacing_km: float | None) -> None:
    old_window = ease2.window_around(ease2.LEVEL_100M, 106.43, 20.45, (210, 210))
    large = pad(old_window, 30)
    land_cover = mixed(6, large)
    rules = SiteRules(100, 7, spacing_km=spacing_km)
    old = select_sites(old_window, part_of(land_cover, old_window, 30), rules)
    new = select_sites(large, land_cover, replace(rules, count=100 * large.size // old_window.size))
    kept = set(old.site_id.tolist()) & set(new.site_id.tolist())
    assert len(kept) >= 0.7 * len(old)


def test_draws_are_split_mix_64() -> None:
    # First numbers of the generator from state 1234567, as its authors' code gives them.
    states = np.array([1234567, 1234567 + 0x9E3779B97F4A7C15], np.uint64)
    expected = [6457827717110365317, 3203168211198807973]
    assert drawing.split_mix(states).tolist() == expected
    assert [split_mix(int(state)) for state in states] == expected


def test_levels_and_seeds_draw_apart() -> None:
    flat = np.arange(1000, dtype=np.int64)
    one = drawing.draws(flat, ease2.LEVEL_100M, 0)
    for other in (
        drawing.draws(flat, ease2.LEVEL_1KM, 0),
        drawing.draws(flat, ease2.LEVEL_100M, 1),
    ):
        assert not set(one.tolist()) & set(other.tolist())
    assert abs(np.corrcoef(one / 2.0**64, flat)[0, 1]) < 0.1


def test_each_rejected_cell_has_one_reason() -> None:
    window = pad(ease2.window(ease2.LEVEL_100M, 50_000, 270_000, (1, 1)), 1)
    code = np.array([[40, 40, 40], [0, 80, 50], [40, 10, 40]], np.uint8)
    purity = np.array([[1, 0.59, np.nan], [1, 1, 0.1], [0.6, 0.9, 0.61]], np.float32)
    inside = np.ones((3, 3), bool)
    inside[1:, 0] = False  # the cell without land cover is outside before all
    land_cover = cover(code, purity, window)
    sites = select_sites(window, land_cover, SiteRules(1, 0), inside=inside)
    assert sites.rejected == {
        "outside_region": 2,
        "no_land_cover": 1,
        "other_class": 3,
        "mixed": 1,
        "same_square": 0,
        "not_drawn": 1,
    }
    wider = select_sites(window, land_cover, SiteRules(9, 0, classes=(10, 80)))
    assert wider.cell_id.tolist() == [4, 7]
    assert wider.site_id.tolist() == ["100m-50000-270000", "100m-50001-270000"]
    one = select_sites(window, land_cover, SiteRules(9, 0, spacing_km=1))
    assert (len(one), one.rejected["same_square"]) == (3, 0)  # three squares meet here


def test_rows_keep_the_contract_of_the_catalog() -> None:
    rows = select_sites(REGION, mixed(1), SiteRules(20, 2, "1km", min_purity=0.1)).rows()
    assert store.check(SITE_CATALOG, rows).num_rows == 20
    assert set(rows["site_kind"].to_pylist()) == {"cell"}
    assert rows["station_id"].null_count == rows["mean_sm_m3m3"].null_count == 20


def test_region_without_a_fitting_cell_says_which_rule_removed_how_many() -> None:
    with pytest.raises(DataError, match=r"8100 are of another class than 20 shrub.*more classes"):
        select_sites(REGION, pure(80), SiteRules(5, 0))
    half = np.full(REGION.shape, 0.5, np.float32)
    land_cover = cover(np.full(REGION.shape, 40, np.uint8), half)
    with pytest.raises(DataError, match="8100 have no class with 60% or more.*min_purity"):
        select_sites(REGION, land_cover, SiteRules(5, 0))
    nowhere = np.zeros(REGION.shape, bool)
    nowhere[0, 0] = True
    code = np.full(REGION.shape, 40, np.uint8)
    code[0, 0] = 0
    land_cover = cover(code, np.ones(REGION.shape, np.float32))
    with pytest.raises(DataError, match="8099 have less than 90% .* outside it; 1 have land cover"):
        select_sites(REGION, land_cover, SiteRules(5, 0), inside=nowhere)


def test_arrays_on_other_windows_are_refused() -> None:
    land_cover = pure(40)
    with pytest.raises(GridError, match="different windows"):
        select_sites(pad(REGION, 1), land_cover, SiteRules(5, 0))
    with pytest.raises(GridError, match="mean_sm has shape"):
        select_sites(REGION, land_cover, SiteRules(5, 0), mean_sm=np.zeros((9, 9), np.float32))
    with pytest.raises(DataError, match=r"codes 0\.\.7"):
        texture = np.zeros(REGION.shape, np.int8)
        texture[0, 0] = 7
        select_sites(REGION, land_cover, SiteRules(5, 0), texture=texture)
