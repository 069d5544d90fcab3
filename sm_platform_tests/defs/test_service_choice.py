"""A driver's service is replaced by another: whose granules a day and a static product are of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from affine import Affine

from sm_platform.defs.assets.drivers import extract_day
from sm_platform.defs.assets.static import soil_cells
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.landing import Landing, is_there
from sm_platform.defs.open_services import OPENERS, Opening
from sm_platform.defs.readers import read_all
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.service_choice import chosen_service, is_passed_over, of_one_service
from sm_platform.defs.watching.lacking import lacking_drivers
from sm_platform.defs.watching.region_tick import _listed as listed_for_region
from sm_platform.errors import DataError
from sm_platform.formats.mod13q1 import SINUSOIDAL
from sm_platform.formats.mod13q1_hdf import CELL_M
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import NDVI, SOIL, WEATHER
from sm_platform.schema.recipes import NdviSensor
from sm_platform.schema.region import Region
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.simulated.write_tiff import Array, Tiff, write_tiff
from sm_platform_tests.defs import seed_folder
from sm_platform_tests.defs.service_lake import (
    DAY,
    EVENING,
    MORNING,
    NAME,
    NOON,
    bring,
    some,
    text_file,
)
from sm_platform_tests.formats.test_earth_engine_formats import (
    COMPOSITE,
    NOTHING,
    composite_file,
    digits,
    weather_file,
)
from sm_platform_tests.formats.test_mod13q1_hdf import COLS, LEFT, TOP, numbers, write_hdf
from sm_platform_tests.sources.made_archive import archive_of, row

HERE = Region(NAME, window_around(LEVEL_100M, 106.1, 21.0, (8, 8)), "live", "live")
STORE, ENGINE = "climate_store", "earth_engine"
WEATHER_OF_STORE = (Product.WEATHER, "a-day-of-the-store", "era5_land")
WEATHER_OF_ENGINE = (Product.WEATHER, "era5_land_daily_20250102", "era5_land_earth_engine")
WEATHER_DAY = date(2025, 1, 2)


def test_the_service_that_landed_last_is_the_one() -> None:
    old = [some("a", STORE, MORNING), some("d", STORE, MORNING)]
    new = [some("b", ENGINE, EVENING), some("c", ENGINE, MORNING)]
    unknown = some("e", "folder", None)
    for order in ([*old, *new, unknown], [unknown, *new[::-1], *old]):
        assert sorted(one.granule_id for one in of_one_service(order)) == ["b", "c"]
    assert of_one_service([unknown]) == [unknown]
    assert of_one_service([]) == []


def test_the_chosen_service_is_the_one_where_it_has_a_granule() -> None:
    old = [some("a", STORE, MORNING), some("d", STORE, MORNING)]
    new = [some("b", ENGINE, EVENING)]
    for order in ([*old, *new], [*new, *old[::-1]]):
        assert sorted(one.granule_id for one in of_one_service(order, STORE)) == ["a", "d"]
        assert of_one_service(order, ENGINE) == new
        assert of_one_service(order, "somebody") == new
    assert of_one_service([], STORE) == []


def test_who_brings_a_driver_is_what_the_configuration_says_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SM_SOURCES", "weather=climate_store,ndvi=earthdata:VNP13A1")
    assert chosen_service(HERE, Product.WEATHER) == STORE
    assert chosen_service(HERE, Product.NDVI) == "earthdata"
    assert chosen_service(HERE, Product.SOIL) is None
    monkeypatch.setenv("SM_SOURCES", "weather=nobody")
    assert chosen_service(HERE, Product.WEATHER) is None, "told where it is asked for granules"
    monkeypatch.delenv("SM_SOURCES")
    assert chosen_service(HERE, Product.WEATHER) is None
    assert chosen_service(replace(HERE, source="archive"), Product.WEATHER) == "archive"


@pytest.mark.parametrize("service", OPENERS)
def test_granules_name_their_service_as_the_configuration_does(
    service: str, tmp_path: Path
) -> None:
    options = {"path": str(tmp_path)} if service in ("folder", "archive") else {}
    assert OPENERS[service](Opening(None, options, {}, tmp_path)).name == service


def listed(of: LandedGranule, service: str) -> Granule:
    """A landed granule as its service lists it."""
    product, day = Product(of.product), of.day
    return Granule(product, of.granule_id, day, of.files, of.format, None, "", service=service)


@pytest.mark.parametrize("is_same", [False, True])
def test_a_change_to_another_service_and_back_is_a_change_back(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, is_same: bool
) -> None:
    """What the first one brought has been there all the time, of the same content or another."""
    day = WEATHER_DAY
    names = {ENGINE: "a-day", STORE: "b-day"}
    kind = WEATHER_OF_ENGINE[2]
    first, _ = [
        bring(
            layout,
            (Product.WEATHER, name, kind),
            lambda folder, one=one: weather_file(folder, brought_by="" if is_same else one),
            source=one,
            day=day,
            came=came,
        )
        for (one, name), came in zip(names.items(), (MORNING, EVENING), strict=True)
    ]
    found, again = landed(layout, "weather", NAME, day), listed(first, ENGINE)
    for service, other in ((STORE, ENGINE), (ENGINE, STORE)):
        monkeypatch.setenv("SM_SOURCES", f"weather={service}")
        extract_day(layout, HERE, WEATHER, found, day)
        note = store.note_of(layout, WEATHER, NAME, day) or {}
        assert (note["granules"], note["passed_over"]) == ([names[service]], [names[other]])
        assert is_passed_over(layout, NAME, again) is (service == STORE)
        assert is_there(layout, NAME, again) is (service == ENGINE), "else its day has to be run"


def test_another_sensor_is_passed_over_for_good(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's sensor comes first, then the service that is chosen, then the satellite."""
    terra, noaa, npp = "MOD13Q1.061_2025_01_01", "VJ113A1.A2025001", "VNP13A1.002_2025_01_01"
    modis, viirs = "mod13q1_earth_engine", "vnp13a1_earth_engine"
    bring(layout, (Product.NDVI, terra, modis), composite(terra), source=ENGINE)
    there = bring(layout, (Product.NDVI, npp, viirs), composite(npp), source=ENGINE)
    other = (Product.NDVI, noaa, "vnp13a1")
    bring(
        layout, other, lambda folder: text_file(folder).rename(folder / "a.h5"), source="earthdata"
    )
    west, south, east, north = lonlat_bounds(COMPOSITE)
    middle = (west + east) / 2, (south + north) / 2
    here = Region(NAME, window_around(LEVEL_100M, *middle, (8, 8)), "live", "live")
    found = landed(layout, "ndvi", NAME, DAY)
    for service, own, used in (
        ("earthdata", NdviSensor.MODIS, terra),
        (ENGINE, NdviSensor.VIIRS, npp),
        (ENGINE, NdviSensor.MODIS, terra),
    ):
        monkeypatch.setenv("SM_SOURCES", f"ndvi={service}")
        extract_day(layout, here, NDVI, found, DAY, own=own)
        assert (store.note_of(layout, NDVI, NAME, DAY) or {})["granules"] == [used]
        assert not is_passed_over(layout, NAME, listed(there, ENGINE))
    monkeypatch.setenv("SM_SOURCES", "ndvi=earthdata")
    with pytest.raises(DataError, match=noaa):  # it is read, though NPP is the older series
        extract_day(layout, here, NDVI, found, DAY, own=NdviSensor.VIIRS)


def test_another_satellite_of_an_archive_is_there(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names no service with its granules: else the sensor would ask for the day for ever."""
    npp, noaa = "VNP13A1.002_2025_01_01", "VJ113A1.002_2025_01_01"
    kind = "vnp13a1_earth_engine"
    for name in (npp, noaa):
        bring(layout, (Product.NDVI, name, kind), composite(name))
    west, south, east, north = lonlat_bounds(COMPOSITE)
    window = window_around(LEVEL_100M, (west + east) / 2, (south + north) / 2, (8, 8))
    box = {"west": west, "south": south, "east": east, "north": north}
    rows = [
        row(product="ndvi", granule_id=name, day=DAY, files=[f"{name}.tif"], format=kind, **box)
        for name in (npp, noaa)
    ]
    source = archive_of(tmp_path / "archive", *rows)
    here = Region(NAME, window, "archive", str(source.root))
    extract_day(layout, here, NDVI, landed(layout, "ndvi", NAME, DAY), DAY, own=NdviSensor.VIIRS)
    assert (store.note_of(layout, NDVI, NAME, DAY) or {})["passed_over"] == [noaa]
    assert {one.service for one in source.granules(Product.NDVI, window, [DAY])} == {None}
    monkeypatch.setenv("SM_FIRST_DAY", DAY.isoformat())
    told, _ = listed_for_region(source, here, [Product.NDVI], (None, DAY))
    asked = Landing(layout, here, source).listed(Product.NDVI, [DAY])
    assert sorted(one.granule_id for one in told) == sorted([npp, noaa])
    for found in (told, asked):
        assert {one.service for one in found} == {"archive"}
        assert lacking_drivers(layout, NAME, found, datetime(2025, 2, 1, tzinfo=UTC)) == []
        assert all(is_there(layout, NAME, one) for one in found)
    assert not is_passed_over(layout, NAME, replace(told[0], service=None))
    assert not is_passed_over(layout, NAME, replace(told[1], service=None))


def weather(layout: Layout) -> tuple[LandedGranule, dict[str, object]]:
    """A day of two services, made; the store's granule, and the day's note."""
    day = WEATHER_DAY
    old = bring(layout, WEATHER_OF_STORE, text_file, source=STORE, day=day)
    bring(layout, WEATHER_OF_ENGINE, weather_file, source=ENGINE, day=day, came=EVENING)
    extract_day(layout, HERE, WEATHER, landed(layout, "weather", NAME, day), day)
    return old, store.note_of(layout, WEATHER, NAME, day) or {}


def test_a_day_is_made_from_the_new_service_and_the_old_one_s_file_stays(layout: Layout) -> None:
    old, note = weather(layout)
    assert note["granules"] == [WEATHER_OF_ENGINE[1]]
    assert note["passed_over"] == [old.granule_id]
    assert old.folder.is_dir()
    assert not layout.quarantine("weather", NAME, "any").parent.exists()


def test_a_granule_that_is_passed_over_makes_no_day_anew(layout: Layout) -> None:
    _, note = weather(layout)
    part = layout.part("weather", NAME, WEATHER_DAY)
    before = part.stat().st_mtime_ns
    more = (Product.WEATHER, "another-of-the-store", "era5_land")
    bring(layout, more, text_file, source=STORE, day=WEATHER_DAY)
    found = landed(layout, "weather", NAME, WEATHER_DAY)
    assert len(found) == 3
    extract_day(layout, HERE, WEATHER, found, WEATHER_DAY)
    assert part.stat().st_mtime_ns == before
    assert (store.note_of(layout, WEATHER, NAME, WEATHER_DAY) or {}) == note


def composite(name: str) -> Callable[[Path], Path]:
    return lambda folder: composite_file(folder, name, bands_of(name))


def bands_of(name: str) -> dict[str, Array]:
    values = digits(5000, -2000, 4000, NOTHING, 0)
    if name.startswith(("VNP", "VJ1")):
        days = digits(1, 2, 3, NOTHING, 4)
        one = digits(1, 1, 1, NOTHING, 1)
        return {"NDVI": values, "pixel_reliability": one, "composite_day_of_the_year": days}
    return {"NDVI": values, "SummaryQA": digits(0, 1, 0, NOTHING, 3), "DayOfYear": digits(*[1] * 5)}


def test_the_recipes_sensor_comes_before_the_newest_service(layout: Layout) -> None:
    terra, viirs = "MOD13Q1.061_2025_01_01", "VNP13A1.002_2025_01_01"
    modis = (Product.NDVI, terra, "mod13q1_earth_engine")
    bring(layout, (Product.NDVI, "MOD13Q1.old", "mod13q1_hdf"), text_file, source="earthdata")
    bring(layout, modis, composite(terra), source=ENGINE, came=NOON)
    other = (Product.NDVI, viirs, "vnp13a1_earth_engine")
    bring(layout, other, composite(viirs), source="somebody", came=EVENING)
    found = landed(layout, "ndvi", NAME, DAY)
    west, south, east, north = lonlat_bounds(COMPOSITE)
    window = window_around(LEVEL_100M, (west + east) / 2, (south + north) / 2, (8, 8))
    here = Region(NAME, window, "live", "live")
    for own, used, over in ((NdviSensor.MODIS, terra, viirs), (NdviSensor.VIIRS, viirs, terra)):
        extract_day(layout, here, NDVI, found, DAY, own=own)
        note = store.note_of(layout, NDVI, NAME, DAY) or {}
        assert (note["granules"], note["sensor"]) == ([used], own.value)
        assert note["passed_over"] == sorted(["MOD13Q1.old", over])


def test_a_static_product_is_of_the_service_that_landed_last(layout: Layout) -> None:
    def soil(folder: Path) -> Path:
        bands = [seed_folder.around(value, 3, 1) for value in seed_folder.SOIL.values()]
        return seed_folder.write(folder / "soil.tif", bands, list(seed_folder.SOIL))

    here = Region(NAME, window_around(LEVEL_100M, 106.303, 9.947, (6, 6)), "live", "live")
    save_region(layout, here)
    lake = LakeResource(root=str(layout.root))
    new = bring(layout, (Product.SOIL, "z", "seed_layout"), soil, day=None, came=EVENING)
    soil_cells(dg.build_asset_context(partition_key=NAME), lake=lake)
    alone = store.note_of(layout, SOIL, NAME) or {}
    old = bring(layout, (Product.SOIL, "a", "soilgrids"), text_file, source="open", day=None)
    soil_cells(dg.build_asset_context(partition_key=NAME), lake=lake)
    note = store.note_of(layout, SOIL, NAME) or {}
    assert (note["granules"], note["passed_over"]) == ([new.granule_id], [old.granule_id])
    assert note["inputs"] == alone["inputs"]
    assert old.folder.is_dir()


SEAM = window_around(LEVEL_100M, 115.55, 29.975, (40, 40))
"""Where the two composites of `pair` meet."""


def pair(layout: Layout) -> list[LandedGranule]:
    """One composite as HDF and, beside it on the same grid, as Earth Engine hands it over."""
    name = "MOD13Q1.061_2025_01_01"
    hdf = "MOD13Q1.A2025001.h28v06.061.2025019000000"
    first = bring(
        layout,
        (Product.NDVI, hdf, "mod13q1_hdf"),
        lambda folder: write_hdf(folder / f"{hdf}.hdf", numbers()),
    )

    def beside(folder: Path) -> Path:
        corner = Affine(CELL_M, 0, LEFT + COLS * CELL_M, 0, -CELL_M, TOP)
        bands = {key: np.repeat(value, 30, axis=0) for key, value in bands_of(name).items()}
        path = folder / f"{name}.tif"
        write_tiff(path, GridWindow(SINUSOIDAL, corner, (30, 5)), bands, Tiff(nodata=NOTHING))
        return path

    return [first, bring(layout, (Product.NDVI, name, "mod13q1_earth_engine"), beside)]


def test_each_granule_is_read_by_its_own_reader(layout: Layout) -> None:
    granules = pair(layout)
    singles = [read_all(layout, NAME, [one], SEAM) for one in granules]
    both = read_all(layout, NAME, granules, SEAM)
    assert both.window.shape[1] > max(one.window.shape[1] for one in singles)
    for order in (granules, granules[::-1]):
        np.testing.assert_array_equal(
            read_all(layout, NAME, order, SEAM).values["ndvi"], both.values["ndvi"]
        )


def test_only_the_damaged_granule_is_set_aside(layout: Layout) -> None:
    good, damaged = pair(layout)
    (damaged.folder / damaged.files[0]).write_text("<html>log in</html>")
    with pytest.raises(DataError, match=damaged.granule_id):
        read_all(layout, NAME, [good, damaged], SEAM)
    assert good.folder.is_dir()
    assert not damaged.folder.exists()


def test_nothing_is_read_where_a_format_has_no_reader(layout: Layout) -> None:
    old = bring(layout, WEATHER_OF_STORE, text_file)
    strange = bring(layout, (Product.WEATHER, "strange", "grib9"), text_file)
    with pytest.raises(DataError, match="strange: nothing reads weather in the format grib9"):
        read_all(layout, NAME, [old, strange], HERE.window)
    assert old.folder.is_dir()
