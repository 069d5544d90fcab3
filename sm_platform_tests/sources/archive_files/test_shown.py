"""Archives whose labels or truth are made to try a training: what changes in them, and what not."""

from pathlib import Path

import numpy as np
import pytest

from sm_platform.errors import UsageError
from sm_platform.formats.planet_swc import read_swc, sensing_time
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fields import Field
from sm_platform.sources.simulated.label_errors import overpasses
from sm_platform.sources.simulated.places import RED_RIVER
from sm_platform.sources.simulated.shown import (
    INDEPENDENT_SD,
    Labels,
    Shown,
    Truth,
    independent_estimate,
    shown_by_name,
    shown_world,
)
from sm_platform.sources.simulated.truth import read_truth
from sm_platform.sources.simulated.world import World
from sm_platform_tests.sources.conftest import SEED, SIZE, TINY

NO_SKILL = Shown(Labels.INDEPENDENT, Truth.RANDOM)
REJECT = 0xFFA0
SHOWN = ("planet_swc", "spl3smp_e", "nsidc_0779", "spl4smgp", "ismn", "truth")
"""Folders of what shows soil moisture."""


@pytest.fixture(scope="module")
def no_skill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("no_skill") / "archive"
    usual = {"size": SIZE, "period": TINY, "places": (RED_RIVER,), "workers": 1}
    write_archive(folder, seed=SEED, shown=NO_SKILL, **usual)
    return folder


def of_region(archive: Path) -> dict[str, bytes]:
    paths = [path for path in archive.rglob("*") if RED_RIVER.region_id in path.parts]
    files = [path for path in paths if path.is_file()]
    return {path.relative_to(archive).as_posix(): path.read_bytes() for path in files}


def correlation(one: Field, other: Field) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_only_what_shows_soil_moisture_changes(tiny: Path, no_skill: Path) -> None:
    usual, other = of_region(tiny), of_region(no_skill)
    assert set(usual) == set(other)
    changed = {name.split("/")[0] for name in usual if usual[name] != other[name]}
    assert changed == set(SHOWN)


def test_an_archive_says_what_it_shows_and_another_is_refused_by_name(
    tiny: Path, no_skill: Path
) -> None:
    assert '"truth": "random"' in (no_skill / "parameters.json").read_text()
    assert "truth" not in (tiny / "parameters.json").read_text()
    usual = {"size": SIZE, "period": TINY, "places": (RED_RIVER,)}
    with pytest.raises(UsageError, match=r"other parameters \(labels, truth; parameters.json\)"):
        write_archive(no_skill, seed=SEED, **usual)
    with pytest.raises(UsageError, match=r"\(truth; "):
        write_archive(no_skill, seed=SEED, shown=Shown(Labels.INDEPENDENT), **usual)
    assert not write_archive(no_skill, seed=SEED, shown=NO_SKILL, **usual).is_new


def test_choices_are_named_and_other_names_refused() -> None:
    assert shown_by_name("independent", "random") == NO_SKILL
    assert shown_by_name("published", "physical") == Shown()
    with pytest.raises(UsageError, match="labels: choose published or independent"):
        shown_by_name("perfect", "random")
    with pytest.raises(UsageError, match="truth: choose physical or random"):
        shown_by_name("published", "")


def test_random_truth_keeps_the_distribution_and_forgets_everything_else(
    worlds: dict[str, World],
) -> None:
    world = worlds["red-river"]
    shown = shown_world(world, Truth.RANDOM)
    days = slice(world.index(TINY.radar_first), world.index(TINY.last) + 1)
    first = world.index(overpasses(world)[0].day) + 2
    physical, moisture = world.sm_m3m3[first:], shown.sm_m3m3[first:]
    shares = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(
        np.quantile(moisture, shares),
        np.quantile(physical[~world.is_flooded[first:]], shares),
        atol=0.002,
    )
    for seen in (world.ndvi, world.rain_m, world.sm_m3m3, world.is_flooded):
        assert abs(correlation(seen[days], shown.sm_m3m3[days])) < 0.01
    assert abs(correlation(moisture[1:], moisture[:-1])) < 0.01  # a day tells nothing of the next
    assert abs(correlation(moisture[:, 1:], moisture[:, :-1])) < 0.01  # nor a pixel of its south
    assert np.ptp(moisture.mean(axis=0)) < 0.05  # and no pixel is a wet one
    assert shown.is_flooded is world.is_flooded
    assert shown_world(world, Truth.PHYSICAL) is world


def test_independent_labels_are_truth_with_noise_of_their_own(worlds: dict[str, World]) -> None:
    world = worlds["red-river"]
    passes = overpasses(world)[20:60]
    estimate = np.stack([independent_estimate(world, one) for one in passes])
    n = [world.index(one.day) for one in passes]
    truth, flooded = world.sm_m3m3[n], world.is_flooded[n]
    np.testing.assert_array_equal(np.isnan(estimate), flooded)
    error = np.where(flooded, np.nan, estimate - truth)
    assert np.nanmean(error) == pytest.approx(0, abs=0.001)
    assert np.nanstd(error) == pytest.approx(INDEPENDENT_SD, rel=0.02)
    assert np.nanmean(error, axis=(1, 2)).std() < 0.003  # no error of a day
    for one, other in ((error[1:], error[:-1]), (error[:, 1:], error[:, :-1])):
        both = np.isfinite(one) & np.isfinite(other)
        assert abs(correlation(one[both], other[both])) < 0.02


def test_label_files_show_the_random_truth_of_the_truth_folder(no_skill: Path) -> None:
    window = archive_regions(no_skill)["red-river"]
    errors, absent = [], []
    for folder in sorted((no_skill / "planet_swc" / "red-river").iterdir()):
        value, flags = sorted(folder.iterdir(), key=lambda path: "qf" in path.name)
        found = read_swc(value, flags)
        assert found.window == window  # each pixel's own label
        day = sensing_time(value.name, RED_RIVER.lon).date()
        truth = read_truth(no_skill, "red-river", window, day).values
        sm, bits = found.values["sm_m3m3"], found.values["swc_flags"]
        assert np.isnan(sm[truth["is_flooded"]]).all()
        absent.append((bits[truth["is_flooded"]] & REJECT > 0).all())
        errors.append((sm - truth["sm_m3m3"]).ravel())
    assert all(absent)
    error = np.concatenate(errors)
    assert np.nanstd(error) == pytest.approx(INDEPENDENT_SD, rel=0.03)
    assert np.nanmean(error) == pytest.approx(0, abs=0.001)


def test_labels_on_the_region_s_own_grid_are_found_over_the_region(no_skill: Path) -> None:
    window = archive_regions(no_skill)[RED_RIVER.region_id]
    found = ArchiveSource(no_skill).granules(Product.SWC, window, TINY.radar_days)
    folders = list((no_skill / "planet_swc" / RED_RIVER.region_id).iterdir())
    assert 0 < len(list(found)) <= len(folders)
