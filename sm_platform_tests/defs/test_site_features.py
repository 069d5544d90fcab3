"""Features at sites: the numbers of the maps at 100 m, means of power over wider footprints."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from benchmarks._sample_lake import site_rows, write_drivers, write_passes
from benchmarks.extraction import synthetic
from sm_platform.defs.assets.features import write_features
from sm_platform.defs.feature_inputs import FeatureInputs, open_inputs
from sm_platform.defs.site_features import open_sites
from sm_platform.defs.stored_features import read_features
from sm_platform.errors import DataError, RecipeError
from sm_platform.features.drivers import Drivers, ScenePass
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_1KM, LEVEL_3KM, LEVEL_9KM, LEVEL_100M
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import SITE_FEATURES
from sm_platform.schema.product import Qa
from sm_platform.schema.recipes import (
    DENSESM_2024,
    EOV_2025,
    N_INPUTS,
    RECIPES,
    SM_100M_V1,
    RadarQuantity,
    Recipe,
)
from sm_platform.schema.region import Region
from sm_platform.schema.rows import dense
from sm_platform_tests.defs.sample_lake import ASCENDING, DAY, DESCENDING, NAME, with_column
from sm_platform_tests.features import small

SIZE = 36
OF_SIGMA0 = [one for one in RECIPES if one.radar_quantity is RadarQuantity.SIGMA0_ELLIPSOID]
"""The delta's radar is that; a recipe of gamma0 refuses it."""
GAP = np.s_[3:9, 5:30]
"""Pixels that the descending pass did not see."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A lake with drivers and two passes of one day, and the pixels of the region."""

    layout: Layout
    region: Region
    descending: ScenePass
    corner: tuple[int, int]

    def inputs(self, recipe: Recipe) -> FeatureInputs:
        return open_inputs(self.layout, self.region, [DAY], recipe)

    def rows(self) -> pa.Table:
        made = store.read(self.layout, SITE_FEATURES, NAME, DAY)
        assert made is not None
        return made.rows


@pytest.fixture(scope="module")
def delta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delta]:
    layout = Layout(tmp_path_factory.mktemp("lake"))
    drivers, scene = synthetic(SIZE, seed=3)
    drivers = _with_ground(drivers)
    write_drivers(layout, NAME, drivers, more_days=12)
    bands = {name: np.array(band) for name, band in scene.backscatter.values.items()}
    for band in bands.values():
        band[GAP] = np.nan
    bands["angle_deg"][20, 20] = np.nan
    descending = replace(scene, backscatter=Raster(drivers.window, bands))
    _, other = synthetic(SIZE, seed=4)
    ascending = replace(other, start_utc=ASCENDING, orbit_state="A")
    write_passes(layout, NAME, DAY, [("S1A_UP", ascending), ("S1A_DOWN", descending)])
    earlier = replace(other, start_utc=DESCENDING - timedelta(12))
    write_passes(layout, NAME, DAY - timedelta(12), [("S1A_BEFORE", earlier)])
    corner = ease2.corner_cell(LEVEL_100M, drivers.window)
    assert corner is not None
    yield Delta(layout, Region(NAME, drivers.window, "archive", "a"), descending, corner)


def _with_ground(drivers: Drivers) -> Drivers:
    """With the seed system's terrain, and some land cover."""
    rng, window = np.random.default_rng(5), drivers.window
    cell = {
        name: rng.uniform(1, high, window.shape).astype(np.float32)
        for name, high in (
            ("cell_elevation_m", 900),
            ("cell_slope_deg", 30),
            ("cell_aspect_deg", 360),
        )
    }
    terrain = Raster(window, {**drivers.terrain.values, **cell})
    cover = small.land_cover(window, crop=0.9).values | {
        "land_cover_code": np.full(window.shape, 40, np.uint8)
    }
    return replace(drivers, terrain=terrain, land_cover=Raster(window, cover))


def every_pixel(delta: Delta) -> pa.Table:
    rows, cols = delta.region.window.shape
    place = np.indices((rows, cols)).reshape(2, -1).T + delta.corner
    return site_rows(delta.region.window, LEVEL_100M, place)


def matrix(rows: pa.Table) -> NDArray[np.float32]:
    flat = rows["inputs"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(-1, N_INPUTS)


# One path for maps and sites.


@pytest.mark.parametrize("recipe", OF_SIGMA0, ids=lambda one: one.recipe_id)
def test_a_site_of_100_m_has_the_numbers_of_its_pixel_in_the_map(
    delta: Delta, recipe: Recipe
) -> None:
    inputs = delta.inputs(recipe)
    sites = every_pixel(delta)
    chosen = sites.take(np.random.default_rng(1).permutation(sites.num_rows)[:400])
    open_sites(inputs, chosen, 0.5).write_day(DAY)
    write_features(delta.layout, inputs, DAY, 0.5)
    maps, rows = read_features(delta.layout, NAME, DAY), delta.rows()
    assert rows.num_rows == 2 * 400
    for scene_id in ("S1A_UP", "S1A_DOWN"):
        own = rows.filter(pa.compute.equal(rows["scene_id"], scene_id))
        pixel = maps.scenes[scene_id]
        assert pixel.cell_id.tolist() == list(range(SIZE * SIZE))
        cells = chosen["cell_id"].to_numpy()
        np.testing.assert_array_equal(matrix(own), dense(pixel.rows)[cells])
        np.testing.assert_array_equal(own["qa"].to_numpy(), pixel.qa[cells])
        assert own["site_id"].to_pylist() == chosen["site_id"].to_pylist()
    note = store.note_of(delta.layout, SITE_FEATURES, NAME, DAY)
    assert note is not None
    told = note["recipe_id"], note["recipe_fingerprint"]
    assert told == (recipe.recipe_id, recipe.fingerprint)
    values = matrix(rows)
    assert np.isnan(values).any() and not np.isnan(values).all(), "the gap, and what was seen"


def test_the_share_of_a_pixel_is_whether_it_was_seen_in_all_bands(delta: Delta) -> None:
    open_sites(delta.inputs(SM_100M_V1), every_pixel(delta), 0.5).write_day(DAY)
    rows = delta.rows()
    down = rows.filter(pa.compute.equal(rows["scene_id"], "S1A_DOWN"))
    share = down["footprint_share"].to_numpy().reshape(SIZE, SIZE)
    expected = np.ones((SIZE, SIZE))
    expected[GAP], expected[20, 20] = 0, 0
    np.testing.assert_array_equal(share, expected)


def test_the_water_around_a_site_is_that_of_the_pixels_around_it(delta: Delta) -> None:
    open_sites(delta.inputs(SM_100M_V1), every_pixel(delta), 0.5).write_day(DAY)
    rows = delta.rows()
    down = rows.filter(pa.compute.equal(rows["scene_id"], "S1A_DOWN"))
    is_wet = (down["qa"].to_numpy().reshape(SIZE, SIZE) & Qa.INUNDATED) > 0
    found = down["inundated_share"].to_numpy().reshape(SIZE, SIZE)
    is_seen = np.ones((SIZE, SIZE), np.bool_)
    is_seen[GAP] = False
    assert is_wet.any()
    row, col = 12, 15
    around = np.s_[row - 4 : row + 5, col - 4 : col + 5]
    expected = is_wet[around].sum() / is_seen[around].sum()
    assert found[row, col] == pytest.approx(expected, abs=0.02)
    assert ((found >= 0) & (found <= 1) | np.isnan(found)).all()


# Wider footprints.


@pytest.mark.parametrize("level", [LEVEL_1KM, LEVEL_3KM, LEVEL_9KM], ids=lambda one: one.name)
@pytest.mark.parametrize("recipe", [SM_100M_V1, DENSESM_2024], ids=lambda one: one.recipe_id)
def test_a_wide_site_is_the_mean_power_of_the_pixels_that_were_seen(
    delta: Delta, level: ease2.Level, recipe: Recipe
) -> None:
    step = LEVEL_100M.divisor // level.divisor
    middle = delta.corner[0] + SIZE // 2, delta.corner[1] + SIZE // 2
    row, col = middle[0] // step, middle[1] // step
    sites = site_rows(delta.region.window, level, [(row, col)])
    sites = with_column(sites, "cell_id", [0])  # a centre outside the region's pixels is no matter
    open_sites(delta.inputs(recipe), sites, 0.5).write_day(DAY)
    rows = delta.rows()
    (found,) = rows.filter(pa.compute.equal(rows["scene_id"], "S1A_DOWN")).to_pylist()
    first = row * step - delta.corner[0], col * step - delta.corner[1]
    rows_cols = tuple(slice(max(n, 0), max(n + step, 0)) for n in first)
    bands = {n: np.asarray(b)[rows_cols] for n, b in delta.descending.backscatter.values.items()}
    is_seen = ~np.isnan(np.stack(list(bands.values()))).any(axis=0)
    assert found["footprint_share"] == pytest.approx(is_seen.sum() / step**2, abs=1e-6)
    for place, name, low, span in ((0, "vv_db", -30, 35), (1, "vh_db", -35, 35)):
        power = np.nanmean(10 ** (bands[name].astype(np.float64) / 10))
        expected = (10 * np.log10(power) - low) / span
        assert found["inputs"][place] == pytest.approx(expected, abs=1e-6)
        of_db = (np.nanmean(bands[name].astype(np.float64)) - low) / span
        assert found["inputs"][place] > of_db + 0.01, "a mean of dB would be lower"
    angle = (np.nanmean(bands["angle_deg"].astype(np.float64)) - 29.1) / 16.9
    assert found["inputs"][2] == pytest.approx(angle, abs=1e-6)


def test_the_seed_systems_recipe_says_that_it_knows_pixels_only(delta: Delta) -> None:
    place = [part // 10 + 1 for part in delta.corner]
    sites = site_rows(delta.region.window, LEVEL_1KM, [(place[0], place[1])])
    with pytest.raises(RecipeError, match=r"eov-2025 .*: take sites of 100m"):
        open_sites(delta.inputs(EOV_2025), sites, 0.5)


# Sites that are brought.


def test_sites_elsewhere_have_no_rows_and_the_others_do(delta: Delta) -> None:
    window, (row, col) = delta.region.window, delta.corner
    near = site_rows(window, LEVEL_100M, [(row, col), (row + 500, col)])
    wide = site_rows(window, LEVEL_1KM, [(row // 10 - 30, col // 10)])
    wide = with_column(wide, "cell_id", [7])  # a place in the region, a cell beyond it
    assert near["cell_id"].to_pylist() == [0, -1]
    open_sites(delta.inputs(SM_100M_V1), pa.concat_tables([near, wide]), 0.5).write_day(DAY)
    assert set(delta.rows()["site_id"].to_pylist()) == {f"100m-{row}-{col}"}
    assert delta.rows().num_rows == 2


def test_a_catalog_of_sites_elsewhere_makes_an_empty_day(delta: Delta) -> None:
    row, col = delta.corner
    away = site_rows(delta.region.window, LEVEL_100M, [(row - 1, col)])
    report = open_sites(delta.inputs(SM_100M_V1), away, 0.5).write_day(DAY)
    assert (report.status, report.rows) == ("made", 0)


def test_a_level_that_does_not_exist_is_named(delta: Delta) -> None:
    sites = with_column(every_pixel(delta).slice(0, 1), "level", ["250m"])
    with pytest.raises(DataError, match=r"of level '250m': correct it to one of 36km, .*100m"):
        open_sites(delta.inputs(SM_100M_V1), sites, 0.5)


# What is made anew.


def test_unchanged_days_are_kept_and_moved_sites_are_not(delta: Delta) -> None:
    inputs, (row, col) = delta.inputs(SM_100M_V1), delta.corner
    sites = site_rows(delta.region.window, LEVEL_1KM, [(row // 10 + 1, col // 10 + 1)])
    part = delta.layout.part(SITE_FEATURES.name, NAME, DAY)
    open_sites(inputs, sites, 0.5).write_day(DAY)
    first, before = delta.rows(), part.stat().st_mtime_ns
    assert open_sites(inputs, sites, 0.5).write_day(DAY).rows == 2
    assert part.stat().st_mtime_ns == before
    moved = with_column(sites, "cell_row", [row // 10 + 2])
    open_sites(inputs, moved, 0.5).write_day(DAY)
    assert not delta.rows().equals(first)


def test_a_day_without_a_pass_is_told(delta: Delta) -> None:
    day = DAY - timedelta(3)
    write_passes(delta.layout, NAME, day, [])
    report = open_sites(delta.inputs(SM_100M_V1), every_pixel(delta), 0.5).write_day(day)
    assert (report.status, report.rows) == ("no_pass", 0)
