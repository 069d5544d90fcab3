"""Sigma0 and gamma0: told by the frames, stored with the day, refused where they would mix."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from benchmarks._sample_lake import write_drivers, write_passes
from benchmarks.extraction import synthetic
from sm_platform.defs.assets.scenes import write_backscatter, write_scenes
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.pass_memory import PassMemory
from sm_platform.defs.radar_quantity import QUANTITIES, QUANTITY, stored_quantity
from sm_platform.defs.readers import READERS
from sm_platform.defs.scenes import read_scenes
from sm_platform.errors import DataError, RecipeError
from sm_platform.formats import opera_rtc
from sm_platform.grid import ease2
from sm_platform.grid.ease2 import LEVEL_100M
from sm_platform.lake import store
from sm_platform.lake.granules import land
from sm_platform.lake.layout import SIDECAR, Layout
from sm_platform.schema.driver_tables import S1_BACKSCATTER
from sm_platform.schema.recipes import SM_100M_V1, SM_100M_V1_RTC, RadarQuantity
from sm_platform.schema.region import Region
from sm_platform_tests.formats.provider_files import write_tiff
from sm_platform_tests.formats.test_gamma0 import OPERA, burst

NAME, DAY = "delta", date(2025, 3, 9)
SIGMA, GAMMA = RadarQuantity.SIGMA0_ELLIPSOID, RadarQuantity.GAMMA0_TERRAIN
NEXT_BURST = OPERA.replace("116871-IW2", "116871-IW3")
"""It begins in the same second."""


@pytest.fixture
def region(tmp_path: Path) -> tuple[Layout, Region]:
    layout = Layout(tmp_path / "lake")
    found = Region(NAME, ease2.window_around(LEVEL_100M, 106.43, 20.45, (24, 24)), "live", "live")
    save_region(layout, found)
    return layout, found


@pytest.fixture(autouse=True)
def readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the platform's own table names it."""
    key = ("s1_grd", "opera_rtc")
    monkeypatch.setitem(
        READERS, key, lambda one, _: opera_rtc.read_burst(one.folder, one.granule_id)
    )


def test_bursts_of_one_second_make_one_pass_of_gamma0(region: tuple[Layout, Region]) -> None:
    layout, here = region
    _land_bursts(layout, OPERA, NEXT_BURST)
    assert write_scenes(layout, here, DAY).status == "made"
    (scene,) = read_scenes(layout, NAME, DAY)
    assert (scene.scene_id, scene.relative_orbit) == ("S1A_0732F1", 55)
    assert len(scene.granule_ids) == 2
    assert write_backscatter(layout, here, DAY).status == "made"
    note = store.note_of(layout, S1_BACKSCATTER, NAME, DAY)
    assert note is not None
    assert note[QUANTITY] == "GAMMA0_TERRAIN"
    assert stored_quantity(note) is GAMMA


def test_frames_of_two_quantities_are_refused_by_name(region: tuple[Layout, Region]) -> None:
    layout, here = region
    _land_bursts(layout, OPERA)
    name = _land_frame(layout)
    with pytest.raises(DataError, match="two quantities") as caught:
        write_scenes(layout, here, DAY)
    assert OPERA in str(caught.value)
    assert name in str(caught.value)
    kept = layout.granule("s1_grd", NAME, DAY, name)
    assert kept.is_dir(), "neither of them is set aside: both are good"


@pytest.mark.parametrize(
    ("sources", "used"),
    [
        ("sentinel1=earthdata:OPERA_RTC", OPERA),
        ("sentinel1=planetary_computer:RTC", NEXT_BURST),
        ("sentinel1=sentinel_hub", NEXT_BURST),  # nothing of it is there: the one that landed last
        (None, NEXT_BURST),
    ],
)
def test_a_day_of_two_services_is_of_one(
    region: tuple[Layout, Region], monkeypatch: pytest.MonkeyPatch, sources: str | None, used: str
) -> None:
    layout, here = region
    _land_bursts(layout, OPERA, source="earthdata", came="2025-03-12T08:00:00+00:00")
    other = "planetary_computer"
    _land_bursts(layout, NEXT_BURST, source=other, came="2025-03-12T09:00:00+00:00")
    if sources:
        monkeypatch.setenv("SM_SOURCES", sources)
    report = write_scenes(layout, here, DAY)
    assert report.metadata["passed_over"] == [({OPERA, NEXT_BURST} - {used}).pop()]
    (scene,) = read_scenes(layout, NAME, DAY)
    assert scene.granule_ids == [used]
    assert write_backscatter(layout, here, DAY).status == "made"


def test_a_service_of_another_quantity_is_not_mixed_in(
    region: tuple[Layout, Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that came from Earth Engine (sigma0) comes as bursts now (gamma0), and back."""
    layout, here = region
    _land_bursts(layout, OPERA, source="earthdata")
    _land_frame(layout, source="earth_engine")
    for sources, quantity in (
        ("sentinel1=earthdata:OPERA_RTC", GAMMA),
        ("sentinel1=earth_engine", SIGMA),
        ("sentinel1=earthdata:OPERA_RTC", GAMMA),
    ):
        monkeypatch.setenv("SM_SOURCES", sources)
        write_scenes(layout, here, DAY)
        write_backscatter(layout, here, DAY)
        note = store.note_of(layout, S1_BACKSCATTER, NAME, DAY)
        assert stored_quantity(note) is quantity


def test_sigma0_is_noted_as_such(region: tuple[Layout, Region]) -> None:
    layout, here = region
    _land_frame(layout)
    write_scenes(layout, here, DAY)
    write_backscatter(layout, here, DAY)
    assert stored_quantity(store.note_of(layout, S1_BACKSCATTER, NAME, DAY)) is SIGMA


def test_a_note_of_before_means_sigma0() -> None:
    assert stored_quantity(None) is SIGMA
    assert stored_quantity({"rows": 3}) is SIGMA
    assert stored_quantity({QUANTITY: "GAMMA0_TERRAIN"}) is GAMMA


def test_every_radar_format_has_a_quantity() -> None:
    known = {name for product, name in READERS if product == "s1_grd"}
    assert known <= set(QUANTITIES)


def test_features_of_another_quantity_are_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    drivers, scene = synthetic(24, seed=3)
    day = scene.start_utc.date()
    write_drivers(layout, NAME, drivers, more_days=1)
    write_passes(layout, NAME, day, [("S1A_DOWN", scene)])
    here = Region(NAME, drivers.window, "archive", "somewhere")
    sigma = open_inputs(layout, here, [day], SM_100M_V1)
    gamma = open_inputs(layout, here, [day], SM_100M_V1_RTC)
    assert (sigma.memory.quantity, gamma.memory.quantity) == (SIGMA, GAMMA)
    assert len(sigma.passes(day)) == 1
    with pytest.raises(RecipeError, match="sm-100m-v1-rtc takes gamma0") as caught:
        gamma.passes(day)
    assert f"region {NAME} on {day} is sigma0" in str(caught.value)
    _rename_quantity(layout, day)
    assert len(gamma.passes(day)) == 1
    with pytest.raises(RecipeError, match="choose the recipe sm-100m-v1-rtc "):
        sigma.passes(day)


def test_earlier_passes_of_another_quantity_are_not_remembered(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    _, scene = synthetic(24, seed=3)
    before, day = date(2025, 2, 23), date(2025, 3, 7)
    for one in (before, day):
        write_passes(layout, NAME, one, [(f"S1A_{one:%d}", scene)])
    assert len(PassMemory(layout, NAME).hashes(day)) == 1
    assert PassMemory(layout, NAME, GAMMA).hashes(day) == []
    _rename_quantity(layout, before)
    assert PassMemory(layout, NAME).hashes(day) == []
    assert len(PassMemory(layout, NAME, GAMMA).hashes(day)) == 1


def _rename_quantity(layout: Layout, day: date) -> None:
    made = store.read(layout, S1_BACKSCATTER, NAME, day)
    assert made is not None
    note = {**made.note, QUANTITY: "GAMMA0_TERRAIN"}
    store.write(layout, S1_BACKSCATTER, made.rows, region=NAME, day=day, note=note)


def _land_bursts(
    layout: Layout, *names: str, source: str = "live", came: str | None = None
) -> None:
    for name in names:
        files = [f"{name}_{layer}.tif" for layer in ("VV", "VH", "mask")]

        def fetch(folder: Path, name: str = name) -> None:
            burst(folder)
            for path in list(folder.glob(f"{OPERA}_*")):
                path.rename(folder / path.name.replace(OPERA, name))

        folder = _land(layout, (name, "opera_rtc", source), files, fetch)
        if came:
            path = folder / SIDECAR
            path.write_text(json.dumps(json.loads(path.read_text()) | {"retrieved_utc": came}))


def _land_frame(layout: Layout, source: str = "live") -> str:
    """A frame of Earth Engine on the same day."""
    name = "S1A_IW_GRDH_1SDV_20250309T225053_20250309T225118_058234_073320_1B2C"

    def fetch(folder: Path) -> None:
        db = np.full((60, 60), -12, np.float32)
        affine = Affine(0.001, 0, 106.4, 0, -0.001, 20.48)
        bands = [db, db - 7, np.full_like(db, 34)]
        names = ("VV", "VH", "angle")
        write_tiff(folder / f"{name}.tif", bands, affine=affine, names=names)
        (folder / f"{name}.json").write_text(json.dumps(_properties(name)))

    what = (name, "s1_earth_engine", source)
    _land(layout, what, [f"{name}.tif", f"{name}.json"], fetch)
    return name


def _properties(name: str) -> dict[str, object]:
    return {
        "system:index": name,
        "system:time_start": 1741560653000,
        "instrumentMode": "IW",
        "orbitProperties_pass": "DESCENDING",
        "platform_number": "A",
        "orbitNumber_start": 58234,
        "relativeOrbitNumber_start": 62,
    }


def _land(
    layout: Layout, what: tuple[str, str, str], files: list[str], fetch: Callable[[Path], None]
) -> Path:
    """A granule (id, format, service)."""
    name, form, source = what
    sidecar = {
        "product": "s1_grd",
        "granule_id": name,
        "day": DAY.isoformat(),
        "format": form,
        "files": files,
        "available_utc": None,
        "licence": "none",
        "source": source,
    }
    return land(layout, NAME, sidecar, fetch)[0].folder
