from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.samples.leaks import leaks
from sm_platform.samples.split_schemes import (
    DEFAULT,
    SampleKeys,
    Scheme,
    SplitSettings,
    assign_roles,
)
from sm_platform.samples.splits import SHARES, rows_and_cols
from sm_platform_tests.samples.catalogs import (
    Catalog,
    block,
    catalogs,
    keys_of,
    roles_table,
    take,
)

EVEN = dict.fromkeys(SHARES, 0.25)
SETTINGS = st.builds(
    SplitSettings,
    shares=st.sampled_from([SHARES, EVEN]),
    buffer_blocks=st.integers(0, 1),
    unit_blocks=st.sampled_from([1, 3]),
    gap_days=st.sampled_from([0, 6, 12]),
)
GRID = np.array([block(row, col) for row in range(20) for col in range(20)])


def roles_or_none(
    keys: SampleKeys, scheme: Scheme, seed: int, settings: SplitSettings
) -> NDArray[np.str_] | None:
    """None where the region is too small for what is asked, which is said in an error."""
    try:
        return assign_roles(keys, scheme, seed=seed, settings=settings)
    except DataError as error:
        assert any(word in str(error) for word in ("No rows are left", "cannot fill"))
        return None


def in_two_roles(names: NDArray[np.generic], role: NDArray[np.str_]) -> set[object]:
    """Those with rows in more than one role, rows left out aside."""
    used = role != "buffer"
    pairs = set(zip(names[used].tolist(), role[used].tolist(), strict=True))
    return {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}


@given(catalogs(), SETTINGS)
def test_block_keeps_site_and_ground_in_one_role(catalog: Catalog, settings: SplitSettings) -> None:
    keys = catalog.keys
    role = roles_or_none(keys, Scheme.BLOCK, catalog.seed, settings)
    assume(role is not None)
    assert role is not None
    assert not in_two_roles(keys.site_id, role)
    assert not in_two_roles(keys.block_id, role)
    row, col = rows_and_cols(keys.block_id)
    reach = np.where(keys.support_m == 9000, 1, 0)
    for one, other, apart in (
        ("train", "test", settings.buffer_blocks),
        ("validation", "test", settings.buffer_blocks),
        ("calibration", "test", settings.buffer_blocks),
        ("train", "calibration", settings.buffer_blocks),
        ("validation", "calibration", settings.buffer_blocks),
        ("train", "validation", 0),
    ):
        mine, theirs = (
            np.unique(np.stack([row, col, reach])[:, role == part], axis=1) for part in (one, other)
        )
        steps = np.abs(mine[:2, :, None] - theirs[:2, None, :]).max(axis=0)
        assert (steps > mine[2][:, None] + theirs[2] + apart).all()


@given(catalogs(), SETTINGS)
def test_time_keeps_passes_apart_by_the_gap(catalog: Catalog, settings: SplitSettings) -> None:
    keys = catalog.keys
    role = roles_or_none(keys, Scheme.TIME, catalog.seed, settings)
    assume(role is not None)
    assert role is not None
    assert not in_two_roles(keys.scene_id, role)
    ends = [
        (keys.day[role == part].min(), keys.day[role == part].max())
        for part in ("train", "validation", "calibration", "test")
    ]
    for (_, last), (first, _) in zip(ends, ends[1:], strict=False):
        assert (first - last).astype(int) >= max(settings.gap_days, 1)


@given(catalogs(), st.sampled_from([0, 12]))
def test_block_time_keeps_site_block_and_pass_in_one_role(catalog: Catalog, gap_days: int) -> None:
    keys, settings = catalog.keys, SplitSettings(EVEN, gap_days=gap_days)
    role = roles_or_none(keys, Scheme.BLOCK_TIME, catalog.seed, settings)
    assume(role is not None)
    assert role is not None
    for names in (keys.site_id, keys.block_id, keys.scene_id):
        assert not in_two_roles(names, role)
    in_space, in_time = (
        assign_roles(keys, scheme, seed=catalog.seed, settings=settings)
        for scheme in (Scheme.BLOCK, Scheme.TIME)
    )
    np.testing.assert_array_equal(role[in_space == in_time], in_space[in_space == in_time])
    assert set(role[in_space != in_time].tolist()) <= {"buffer"}


@given(catalogs())
def test_region_is_all_test(catalog: Catalog) -> None:
    assert set(assign_roles(catalog.keys, Scheme.REGION, seed=1).tolist()) == {"test"}


@given(catalogs())
def test_random_fills_the_shares_and_is_for_comparison_only(catalog: Catalog) -> None:
    role = assign_roles(catalog.keys, Scheme.RANDOM, seed=catalog.seed)
    counts = Counter(role.tolist())
    for part, share in SHARES.items():
        assert counts[part.value] == pytest.approx(share * len(role), abs=1)
    assert in_two_roles(catalog.keys.site_id, role)
    assert [scheme for scheme in Scheme if scheme.is_comparison_only] == [Scheme.RANDOM]


@given(catalogs(), st.sampled_from(list(Scheme)), SETTINGS)
def test_order_of_the_rows_does_not_matter(
    catalog: Catalog, scheme: Scheme, settings: SplitSettings
) -> None:
    role = roles_or_none(catalog.keys, scheme, catalog.seed, settings)
    assume(role is not None)
    assert role is not None
    order = np.random.default_rng(1).permutation(len(role))
    again = assign_roles(take(catalog.keys, order), scheme, seed=catalog.seed, settings=settings)
    np.testing.assert_array_equal(again, role[order])


@given(catalogs(), st.sampled_from(list(Scheme)), SETTINGS)
def test_no_scheme_leaks_by_the_count_of_leaks(
    catalog: Catalog, scheme: Scheme, settings: SplitSettings
) -> None:
    role = roles_or_none(catalog.keys, scheme, catalog.seed, settings)
    assume(role is not None)
    assert role is not None
    found = leaks(
        roles_table(catalog.keys, scheme, role),
        buffer_blocks=settings.buffer_blocks,
        gap_days=settings.gap_days,
    )
    assert set(found.values()) <= {0}


def test_the_seed_decides_block_and_random_but_not_time() -> None:
    keys = keys_of(GRID, np.full(len(GRID), 100.0), np.arange(0, 300, 12))
    for scheme, is_drawn in ((Scheme.BLOCK, True), (Scheme.RANDOM, True), (Scheme.TIME, False)):
        one, same, two = (assign_roles(keys, scheme, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != two).any() == is_drawn


def test_new_sites_and_passes_move_few_roles() -> None:
    support = np.full(len(GRID), 100.0)
    before = keys_of(GRID[:390], support[:390], np.arange(0, 240, 12))
    after = keys_of(GRID, support, np.arange(0, 240, 12))
    role, later = (assign_roles(keys, Scheme.BLOCK, seed=4) for keys in (before, after))
    assert (role != later[: len(role)]).mean() < 0.03
    role, later = (assign_roles(keys, Scheme.RANDOM, seed=4) for keys in (before, after))
    assert (role != later[: len(role)]).mean() < 0.03


def test_a_coarse_site_gives_way_to_the_fine_ones_in_its_area() -> None:
    support = np.append(np.full(len(GRID), 100.0), 9000.0)
    keys = keys_of(np.append(GRID, block(4, 4)), support, np.array([0]))
    fine = assign_roles(take(keys, np.arange(len(GRID))), Scheme.BLOCK, seed=2)
    role = assign_roles(keys, Scheme.BLOCK, seed=2)
    np.testing.assert_array_equal(role[:-1], fine)
    assert role[-1] == "buffer"


def test_coarse_sites_alone_lose_nothing() -> None:
    cells = np.array([block(3 * row + 1, 3 * col + 1) for row in range(8) for col in range(8)])
    keys = keys_of(cells, np.full(len(cells), 9008.0), np.array([0]))
    assert "buffer" not in assign_roles(keys, Scheme.BLOCK, seed=3).tolist()


def test_squares_of_nine_km_lose_no_coarse_site() -> None:
    cells = np.array([block(3 * row + 1, 3 * col + 1) for row in range(6) for col in range(6)])
    support = np.repeat([100.0, 9000.0], [len(GRID), len(cells)])
    keys = keys_of(np.append(GRID, cells), support, np.array([0]))
    role = assign_roles(keys, Scheme.BLOCK, seed=5, settings=replace(DEFAULT, unit_blocks=3))
    assert "buffer" not in role.tolist()
    lost = assign_roles(keys, Scheme.BLOCK, seed=5)
    assert Counter(lost[len(GRID) :].tolist())["buffer"] > len(cells) / 2


def test_stations_in_one_place_share_their_role() -> None:
    keys = keys_of(np.repeat(GRID, 2), np.zeros(2 * len(GRID)), np.array([0]))
    role = assign_roles(keys, Scheme.BLOCK, seed=6)
    np.testing.assert_array_equal(role[::2], role[1::2])


def test_a_hundred_thousand_rows_take_less_than_two_seconds() -> None:
    import time

    keys = keys_of(np.tile(GRID, 4), np.full(4 * len(GRID), 100.0), np.arange(0, 378, 6))
    assert len(keys) > 100_000
    for scheme in Scheme:
        started = time.perf_counter()
        assign_roles(keys, scheme, seed=1)
        assert time.perf_counter() - started < 2


def test_contradicting_keys_are_refused() -> None:
    keys = keys_of(GRID, np.full(len(GRID), 100.0), np.arange(0, 120, 12))
    moved = keys.block_id.copy()
    moved[7] += 1
    with pytest.raises(DataError, match="Site site-0 lies in two blocks"):
        assign_roles(replace(keys, block_id=moved), Scheme.BLOCK, seed=1)
    day = keys.day.copy()
    day[3] += 1
    with pytest.raises(DataError, match="Pass pass-3 lies in two days"):
        assign_roles(replace(keys, day=day), Scheme.TIME, seed=1)
    with pytest.raises(DataError, match="several lengths"):
        replace(keys, day=day[1:])


def test_a_region_too_small_for_both_says_what_is_empty() -> None:
    keys = keys_of(GRID[:4], np.zeros(4), np.array([0, 30, 60, 90]))
    kept = [n for n in range(len(keys)) if (keys.scene_id[n][-1] == keys.site_id[n][-1])]
    with pytest.raises(DataError, match="No rows are left for .*add sites"):
        assign_roles(take(keys, np.array(kept)), Scheme.BLOCK_TIME, seed=1)
