"""Regions by command: what an area becomes, how it is shown, what stays when it is removed."""

import json
from datetime import date
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from PIL import Image
from pyproj import Transformer

from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.lake import store
from sm_platform.lake.failures import FailedDay, failures_of, write_failure
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import window_note
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, REGIONS
from sm_platform.schema.region import Region
from sm_platform_tests.defs.region_desk import (
    FARM,
    FARM_DEG,
    FIELD,
    Ask,
    asking,
    land,
    newcomer,
    partitions,
    write_archive,
)
from sm_platform_tests.sites.drawn_files import geojson, parts, shapefile, zipped

BOW = shapely.Polygon([(106.3, 20.4), (106.34, 20.44), (106.34, 20.4), (106.3, 20.44)])
PLACE = Transformer.from_crs("EPSG:4326", "EPSG:6933", always_xy=True)
CELL_M = 100.08950402


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    return newcomer(tmp_path, monkeypatch)


@pytest.fixture
def ask(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(monkeypatch, capsys)


def test_a_box_becomes_a_region_of_the_cells_it_touches(ask: Ask, layout: Layout) -> None:
    answer = ask("add", "my-farm", "--bbox", *FARM)
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    left, bottom = PLACE.transform(106.30, 20.40)
    right, top = PLACE.transform(106.34, 20.44)
    rows, cols = (int(part) for part in told["pixels"].split(" x "))
    assert rows == pytest.approx((top - bottom) / CELL_M, abs=1.5)
    assert cols == pytest.approx((right - left) / CELL_M, abs=1.5)
    assert told["area_km2"] == pytest.approx((top - bottom) * (right - left) / 1e6, abs=0.06)
    assert told["pixels_inside"] * CELL_M**2 / 1e6 == pytest.approx(told["area_km2"], rel=0.05)
    assert told["map_megabytes"] == pytest.approx(rows * cols * 14 / 1e6, abs=0.05)
    assert told["bounds_deg"] == pytest.approx(FARM_DEG, abs=0.0011)
    assert (told["region"], told["land_share"], told["warnings"]) == ("my-farm", 1.0, [])
    assert "W S E N = 106.3 20.4 106.34 20.44" in told["from"]
    assert find_region(layout, "my-farm").window.shape == (rows, cols)
    assert partitions() == ["my-farm"]
    assert ask("list").out.split()[:4] == ["my-farm", str(rows), "x", str(cols)]


@pytest.mark.parametrize(
    ("products", "west", "said"),
    [
        (("soil", "elevation", "land_cover"), 106.0, "Next: `sm-platform run"),
        (("soil", "elevation"), 106.0, "holds no land cover of my-farm"),
        (("soil", "elevation", "land_cover"), 100.0, "no soil, elevation, land cover of my-farm"),
    ],
)
def test_what_its_archive_does_not_hold_of_a_region_is_said_at_once(
    ask: Ask, tmp_path: Path, products: tuple[str, ...], west: float, said: str
) -> None:
    write_archive(tmp_path / "archive", *products, west=west)
    assert said in ask("add", "my-farm", "--bbox", *FARM).err


def test_without_an_archive_it_is_said_how_one_is_made(ask: Ask) -> None:
    assert (
        "write one with `sm-platform archive simulate`"
        in ask("add", "my-farm", "--bbox", *FARM).err
    )


def test_a_file_in_vn2000_says_how_it_was_turned(ask: Ask, tmp_path: Path) -> None:
    square = shapely.box(583_000, 2_322_000, 593_000, 2_332_000)
    geopandas.GeoDataFrame(geometry=[square], crs=3405).to_file(tmp_path / "xa.gpkg")
    told = json.loads(ask("add", "xa", "--file", "xa.gpkg").out)
    assert "EPSG:3405 VN-2000 / UTM zone 48N (by VN-2000 to WGS 84 (2)" in told["from"]
    shifted = (105.798587 + 0.00188, 20.996315 - 0.00099, 105.895334 + 0.00188, 21.087140 - 0.00099)
    assert told["bounds_deg"] == pytest.approx(shifted, abs=0.0011)


def test_a_country_a_sheet_and_a_zip_become_regions(ask: Ask, tmp_path: Path) -> None:
    zipped(tmp_path / "a.shp.zip", parts(shapefile(tmp_path, FIELD)))
    assert ask("add", "vn", "--country", "vietnam").code == 0
    assert ask("add", "sheet", "--sheet", "D-48-1-A").code == 0
    assert ask("add", "zip", "--file", "a.shp.zip").code == 0
    assert partitions() == ["sheet", "vn", "zip"]


def test_a_self_crossing_outline_is_repaired_and_noted(ask: Ask, tmp_path: Path) -> None:
    geojson(tmp_path / "bow.geojson", BOW)
    answer = ask("add", "bow", "--file", "bow.geojson")
    assert answer.code == 0
    assert "Note: bow.geojson: an outline crossed itself and was repaired" in answer.err
    assert json.loads(answer.out)["pixels_inside"] == pytest.approx(49 * 39 / 2, rel=0.05)


def test_what_is_shown_of_a_region_and_its_picture(ask: Ask, layout: Layout) -> None:
    ask("add", "my-farm", "--bbox", *FARM)
    land(layout, "my-farm")
    answer = ask("show", "my-farm", "--picture", "farm.png")
    told = json.loads(answer.out)
    assert told["region"] == "my-farm"
    assert (told["stored_files"], told["has_outline"]) == (1, True)
    assert told["bounds_deg"] == pytest.approx(FARM_DEG, abs=0.0011)
    with Image.open("farm.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    is_blue = (pixels[:, 2] > 200) & (pixels[:, 0] < 200)
    assert 0.2 < is_blue.mean() < 0.9


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_removed(ask: Ask, layout: Layout, typed: str) -> None:
    ask("add", "my-farm", "--bbox", *FARM)
    answer = ask("remove", "my-farm", "--delete-data", typed=typed)
    assert answer.code == 2
    assert "Remove region my-farm? Its 0 files (0 MB) are deleted for good." in answer.err
    assert "Nothing of my-farm was removed: answer y, or say --yes." in answer.err
    assert store.regions_made(layout, REGIONS) == partitions() == ["my-farm"]


def test_removal_keeps_the_data_until_they_too_are_to_go(ask: Ask, layout: Layout) -> None:
    ask("add", "my-farm", "--bbox", *FARM)
    kept, other = land(layout, "my-farm"), land(layout, "my-farm-2")
    for name in ("my-farm", "my-farm-2"):
        write_failure(layout, FailedDay(name, "weather_granules", date(2025, 3, 7), "half", False))
    answer = ask("remove", "my-farm", typed="y\n")
    assert (answer.code, partitions()) == (0, [])
    assert "kept" in answer.err
    assert ask("list").out == ""
    answer = ask("remove", "my-farm", "--yes")
    assert answer.code == 2
    assert "taken away before; its 2 files are kept" in answer.err
    assert kept.exists()
    assert ask("remove", "my-farm", "--yes", "--delete-data").code == 0
    assert not kept.exists()
    assert failures_of(layout, "my-farm") == []
    assert other.exists()
    assert len(failures_of(layout, "my-farm-2")) == 1
    assert ask("remove", "my-farm", "--yes", "--delete-data").code == 2


def test_kept_data_are_taken_up_by_the_same_pixels_alone(ask: Ask, layout: Layout) -> None:
    ask("add", "my-farm", "--bbox", *FARM)
    window = find_region(layout, "my-farm").window
    empty = LAND_COVER_CELLS.arrow_schema.empty_table()
    note = {"grid": window_note(window), "inputs": "", "status": "none", "rows": 0}
    store.write(layout, LAND_COVER_CELLS, empty, region="my-farm", note=note)
    ask("remove", "my-farm", "--yes")
    answer = ask("add", "my-farm", "--bbox", "106.30", "20.40", "106.34", "20.46")
    assert answer.code == 2
    assert "keeps 1 files" in answer.err
    assert "with another pixel grid: choose another name, or delete them first" in answer.err
    assert partitions() == []
    assert ask("add", "my-farm", "--bbox", *FARM).code == 0


def test_kept_data_of_unknown_pixels_are_not_taken_up(ask: Ask, layout: Layout) -> None:
    land(layout, "my-farm")
    assert ask("add", "my-farm", "--bbox", *FARM).code == 2
    assert ask("remove", "my-farm", "--yes", "--delete-data").code == 0
    assert ask("add", "my-farm", "--bbox", *FARM).code == 0


def test_what_is_kept_without_pixels_is_of_no_other_grid_and_not_taken_up(
    ask: Ask, layout: Layout
) -> None:
    """A region of which nothing came but failed days; another place then gets its name."""
    ask("add", "my-farm", "--bbox", *FARM)
    failed = FailedDay("my-farm", "weather_granules", date(2025, 3, 7), "half a file", False)
    write_failure(layout, failed)
    ask("remove", "my-farm", "--yes")
    assert failures_of(layout, "my-farm") == [failed]
    assert ask("add", "my-farm", "--bbox", "106.30", "20.40", "106.34", "20.46").code == 0
    assert failures_of(layout, "my-farm") == []


def test_a_region_of_a_folder_without_an_outline_is_shown_and_removed(
    ask: Ask, layout: Layout
) -> None:
    window = ease2.window_around(ease2.LEVEL_100M, 106.4, 20.4, (6, 9))
    save_region(layout, Region("roi", window, "seed_layout", "/roi"))
    assert json.loads(ask("show", "roi", "--picture", "roi.png").out)["has_outline"] is False
    assert Path("roi.png").read_bytes().startswith(b"\x89PNG")
    assert ask("remove", "roi", "--yes").code == 0
    with pytest.raises(UsageError, match="no region 'roi'"):
        find_region(layout, "roi")
