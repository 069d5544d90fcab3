"""What may be asked, and the two numberings of land cover classes."""

from typing import Any

import numpy as np
import pytest
from affine import Affine

from sm_platform.errors import DataError, UsageError
from sm_platform.features.land_cover import CLASSES, land_cover_shares
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sites.cover_classes import DYNAMIC_WORLD, WORLD_COVER, legend_of
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import select_sites
from sm_platform_tests.sites.land import REGION, mixed, pure


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"count": 0}, "0 sites cannot"),
        ({"seed": -1}, "Seed -1"),
        ({"seed": 2**63}, "from 0 to"),
        ({"level": "2km"}, "'2km': choose of 100m, 1km, 3km, 9km"),
        ({"level": "36km"}, "36km"),
        ({"spacing_km": 0.0}, "spacing of 0.0 km"),
        ({"spacing_km": -1.0}, "spacing of -1.0 km"),
        ({"spacing_km": 0.25}, "tenths"),
        ({"spacing_km": float("nan")}, "spacing of nan"),
        ({"spacing_km": float("inf")}, "spacing of inf"),
        ({"min_purity": 0.0}, "min_purity is 0.0"),
        ({"min_purity": 1.1}, "min_purity is 1.1"),
        ({"min_purity": float("nan")}, "min_purity is nan"),
        ({"min_valid_share": 90.0}, "min_valid_share is 90.0"),
        ({"classes": ()}, "No land cover class"),
    ],
)
def test_impossible_rules_are_refused(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        SiteRules(**{"count": 5, "seed": 1, **rules})


@pytest.mark.parametrize(
    ("spacing_km", "cells"), [(None, None), (0.1, 1), (0.3, 3), (1, 10), (9, 90)]
)
def test_spacing_is_a_whole_number_of_cells(spacing_km: float | None, cells: int | None) -> None:
    assert SiteRules(5, 1, spacing_km=spacing_km).square_cells == cells


def test_class_of_another_numbering_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"class 3 is not in WorldCover.*10 tree.*90 wetland"):
        select_sites(REGION, pure(40), SiteRules(5, 1, classes=(40, 3)))


def test_world_cover_bands_are_those_that_the_features_make() -> None:
    assert WORLD_COVER.codes == {name: codes[0] for name, codes in CLASSES.items()}


def test_class_of_a_site_is_the_pixel_code_that_the_features_make() -> None:
    rng = np.random.default_rng(8)
    fine = GridWindow(
        REGION.crs, REGION.affine * Affine.scale(0.5), (2 * REGION.shape[0], 2 * REGION.shape[1])
    )
    codes = rng.choice(np.array([0, 10, 20, 30, 40, 60, 90, 95, 100], np.uint8), fine.shape)
    land_cover = land_cover_shares(REGION, Raster(fine, {"land_cover_code": codes}))
    rules = SiteRules(9000, 1, min_purity=0.1, classes=tuple(WORLD_COVER.codes.values()))
    sites = select_sites(REGION, land_cover, rules)  # four 50 m cells a pixel: many equal shares
    expected = land_cover.values["land_cover_code"].ravel()
    np.testing.assert_array_equal(sites.land_cover_code, expected[sites.cell_id])
    assert len(sites) == np.count_nonzero(expected)
    assert sites.rejected["no_land_cover"] == np.count_nonzero(expected == 0) > 0


def dynamic_world(*, own_names: bool) -> Raster:
    """Flooded vegetation on the left, crops on the right, water at the bottom, one gap."""
    label = np.full(REGION.shape, 4, np.uint8)
    label[:, :45], label[80:] = 3, 0
    names = {3: "flooded_vegetation", 4: "crops", 0: "water"}
    if not own_names:
        names = {3: "wetland", 4: "crop", 0: "water"}
    bands: dict[str, np.ndarray] = {
        f"{name}_share": (label == code).astype(np.float32) for code, name in names.items()
    }
    for band in bands.values():
        band[0, 0] = np.nan
    label[0, 0] = 0
    return Raster(REGION, {**bands, "land_cover_code": label})


@pytest.mark.parametrize("own_names", [True, False])
def test_flooded_vegetation_of_dynamic_world_is_kept_and_water_is_not_missing(
    own_names: bool,
) -> None:
    sites = select_sites(REGION, dynamic_world(own_names=own_names), SiteRules(40, 1))
    assert {name: n for name, n in sites.class_counts.items() if n} == {"wetland": 20, "crop": 20}
    assert set(sites.land_cover_code.tolist()) == {3, 4}
    assert sites.rejected["no_land_cover"] == 1
    assert sites.rejected["other_class"] == 900


def test_wetland_of_world_cover_is_kept() -> None:
    sites = select_sites(REGION, mixed(1, codes=(80, 90)), SiteRules(40, 1))
    assert sites.class_counts["wetland"] == 40


def test_numbering_is_that_of_the_codes() -> None:
    assert legend_of(pure(10)) is WORLD_COVER
    assert legend_of(dynamic_world(own_names=False)) is DYNAMIC_WORLD
    both = pure(40)
    both.values["land_cover_code"][0, 0] = 4
    with pytest.raises(DataError, match="mixes code 4 of Dynamic World v1 with 40"):
        legend_of(both)


def without(land_cover: Raster, part: str) -> Raster:
    return Raster(REGION, {n: v for n, v in land_cover.values.items() if part not in n})


def test_land_cover_without_its_bands_is_refused() -> None:
    rules = SiteRules(5, 1)
    with pytest.raises(DataError, match=r"no band '\*_share'"):
        select_sites(REGION, without(pure(40), "_share"), rules)
    with pytest.raises(DataError, match="no band land_cover_code"):
        select_sites(REGION, without(pure(40), "_code"), rules)
    bands = pure(40).values
    moss = Raster(REGION, {**bands, "moss_share": bands["crop_share"]})
    with pytest.raises(DataError, match=r"moss_share holds a class that is not in WorldCover"):
        select_sites(REGION, moss, rules)
    made = dynamic_world(own_names=False).values
    twice = Raster(REGION, {**made, "crops_share": made["crop_share"]})
    with pytest.raises(DataError, match="crops_share holds the class of crop_share"):
        select_sites(REGION, twice, rules)
