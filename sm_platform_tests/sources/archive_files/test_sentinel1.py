"""Sentinel-1 granules: real names, the grid of the region, and the planted traps."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.passes import passes
from sm_platform.sources.simulated.places import HIGHLAND, RED_RIVER
from sm_platform.sources.simulated.radar import scene
from sm_platform.sources.simulated.slices import slices
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import SIZE, TINY, opened

Frame = tuple[Granule, Path, dict[str, object]]
Listed = Callable[[Product, str], list[tuple[Granule, Path]]]
ID = re.compile(
    r"(S1[AC])_IW_GRDH_1SDV_(\d{8}T\d{6})_(\d{8}T\d{6})_(\d{6})_([0-9A-F]{6})_([0-9A-F]{4})"
)


def frames(listed: Listed, region: str, orbit: int) -> list[Frame]:
    found = []
    for granule, folder in listed(Product.S1_GRD, region):
        told = json.loads((folder / granule.files[1]).read_text())
        if told["relativeOrbitNumber_start"] == orbit:
            found.append((granule, folder, told))
    return found


def test_ids_say_what_the_properties_say(listed: Listed) -> None:
    for granule, folder in listed(Product.S1_GRD, "red-river"):
        told = json.loads((folder / granule.files[1]).read_text())
        match = ID.fullmatch(granule.granule_id)
        assert match is not None
        start = datetime.strptime(match[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        assert told["system:index"] == granule.granule_id
        assert told["platform_number"] == match[1][-1]
        assert told["orbitNumber_start"] == int(match[4])
        assert 0 <= told["system:time_start"] / 1000 - start.timestamp() < 1
        assert told["system:time_end"] - told["system:time_start"] == pytest.approx(25000, abs=2)
        assert told["orbitProperties_pass"] in ("ASCENDING", "DESCENDING")
        assert told["instrumentMode"] == "IW"
        assert granule.day == start.date()


def test_bands_lie_on_the_region_and_hold_the_scene(
    listed: Listed, worlds: dict[str, World]
) -> None:
    world = worlds["highland"]
    pass_ = next(
        one for one in passes(HIGHLAND, TINY.radar_first, TINY.last) if one.relative_orbit == 120
    )
    granule, folder, _ = frames(listed, "highland", 120)[0]
    seen = scene(world, pass_)
    with opened(folder / granule.files[0]) as file:
        assert file.descriptions == ("VV", "VH", "angle")
        assert file.dtypes == ("float32",) * 3
        assert file.crs.to_epsg() == 6933
        assert (file.transform, file.shape) == (world.window.affine, world.window.shape)
        for stored, name in zip(file.read(), ("vv_db", "vh_db", "angle_deg"), strict=True):
            np.testing.assert_array_equal(stored, seen.values[name])


def test_a_slice_border_cuts_orbit_91_into_overlapping_granules(listed: Listed) -> None:
    by_take: dict[object, list[Frame]] = {}
    for one in frames(listed, "red-river", 91):
        by_take.setdefault(one[2]["missionDataTakeID"], []).append(one)
    assert by_take
    for north, south in by_take.values():
        assert north[2]["system:time_end"] == south[2]["system:time_start"]
        with opened(north[1] / north[0].files[0]) as a, opened(south[1] / south[0].files[0]) as b:
            start = round((a.transform.f - b.transform.f) / -b.transform.e)
            shared = a.height - start
            assert 1 <= shared <= 3
            assert start + b.height == SIZE
            np.testing.assert_array_equal(a.read()[:, start:], b.read()[:, :shared])


def test_the_full_region_is_cut_as_well() -> None:
    rows = 150
    window = window_around(LEVEL_100M, RED_RIVER.lon, RED_RIVER.lat, (rows, rows))
    for pass_ in passes(RED_RIVER, date(2025, 3, 1), date(2025, 4, 30)):
        parts = slices(window, pass_)
        assert len(parts) == (2 if pass_.relative_orbit == 91 else 1)
        assert {0, rows} <= {n for one in parts for n in (one.first_row, one.stop_row)}
        for one in parts:
            assert one.start_utc - timedelta(seconds=2) <= pass_.start_utc
            assert pass_.start_utc <= one.stop_utc + timedelta(seconds=2)


def test_one_slice_is_listed_twice_under_another_unique_id(listed: Listed) -> None:
    by_slice: dict[str, list[tuple[Granule, Path]]] = {}
    for granule, folder in listed(Product.S1_GRD, "red-river"):
        by_slice.setdefault(granule.granule_id[:-5], []).append((granule, folder))
    pairs = [found for found in by_slice.values() if len(found) > 1]
    assert len(pairs) == 1
    (one, home), (two, other) = pairs[0]
    assert one.granule_id != two.granule_id
    with opened(home / one.files[0]) as a, opened(other / two.files[0]) as b:
        np.testing.assert_array_equal(a.read(), b.read())


def test_the_highland_in_orbit_128_comes_masked(listed: Listed) -> None:
    found = frames(listed, "highland", 128)
    assert found
    for granule, folder, _ in found:
        with opened(folder / granule.files[0]) as file:
            vv, vh, angle = file.read()
        assert np.isnan(vv).all()
        assert np.isnan(vh).all()
        assert angle.min() > 45.24


def test_granules_come_within_a_day_and_slices_not_together(listed: Listed) -> None:
    for granule, folder in listed(Product.S1_GRD, "red-river"):
        told = json.loads((folder / granule.files[1]).read_text())
        assert granule.available_utc is not None
        hours = (granule.available_utc.timestamp() - told["system:time_end"] / 1000) / 3600
        assert 3 <= round(hours, 2) <= 24
    pair = frames(listed, "red-river", 91)[:2]
    assert pair[0][0].available_utc != pair[1][0].available_utc


def test_every_pass_of_both_platforms_is_there(listed: Listed) -> None:
    flown = {
        (one.platform, one.absolute_orbit) for one in passes(RED_RIVER, TINY.radar_first, TINY.last)
    }
    ids = [granule.granule_id for granule, _ in listed(Product.S1_GRD, "red-river")]
    assert {(one[:3], int(one[49:55])) for one in ids} == flown
    assert {one[:3] for one in ids} == {"S1A", "S1C"}
