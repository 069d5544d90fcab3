"""Areas and names that cannot be a region: one line with the next step, nothing half-written."""

from pathlib import Path

import geopandas
import pytest
import shapely

from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS
from sm_platform_tests.defs.region_desk import FARM, FIELD, Ask, asking, land, newcomer, partitions
from sm_platform_tests.sites.drawn_files import geojson, zipped

LINE = shapely.Polygon([(106.3, 20.4), (106.32, 20.42), (106.34, 20.44)])
REFUSED: list[tuple[str, int, str]] = [
    ("add a1 --bbox 20.40 106.30 20.44 106.34", 2, "did you give lat before lon"),
    ("add a1 --bbox 110.5 12 111.5 13", 2, "entirely at sea: check its coordinates"),
    ("add a1 --bbox 179 -17 -179 -16", 2, "add two regions: 179 -17 180 -16 and -180 -17 -179"),
    ("add a1 --bbox 106.3 20.4 106.3 20.5", 2, "is empty: west must lie west of east"),
    ("add a1 --bbox 106.3 20.4 nan 20.5", 2, "no number"),
    ("add a1 --bbox 106.3 20.4 106.4", 2, "requires 4 arguments"),
    ("add a1 --bbox 10 84 20 86", 2, "the grid ends at 85.0445"),
    ("add a1 --bbox -10 0 90 60", 2, "million cells of 100 m, more than the 2,147 million"),
    ("add a1", 2, "An area is one of --file, --bbox, --sheet, --country: none was given."),
    ("add a1 --country VN --sheet D-48-1-A", 2, "--sheet and --country were given"),
    ("add a1 --country VN --sheets a.geojson", 2, "--sheets goes with --sheet, but --country"),
    ("add a1 --country VN --layer xa", 2, "--layer goes with --file, but --country was given"),
    ("add a1 --country atlantis", 2, "There is no country 'atlantis': nearest are"),
    ("add a1 --sheet D-49-499-A", 2, "names are like D-49-49-A"),
    ("add a1 --sheet D-49-49-A --sheets absent.geojson", 2, "no file absent.geojson"),
    ("add a1 --country VN --archive absent", 2, "There is no folder absent: name the archive"),
    ("add a1 --file absent.geojson", 2, "There is no file absent.geojson: check the path"),
    ("add a1 --file flat.geojson", 2, "leaves no area"),
    ("add a1 --file swapped.geojson", 2, "did you give lat before lon"),
    ("add a1 --file field.gpkg --layer xa", 2, "has no layer 'xa': choose one of field"),
    ("add a1 --file empty.geojson", 1, "empty.geojson is empty"),
    ("add a1 --file none.geojson", 1, "holds no feature"),
    ("add a1 --file points.geojson", 1, "holds only points or lines: Point"),
    ("add a1 --file text.zip", 1, "is no GeoJSON, GeoPackage or shapefile"),
    ("add a1 --file other.zip", 1, "must hold one shapefile or GeoPackage (found: none)"),
    ("add a1 --file noprj.shp", 1, "needs its .prj): save it with one"),
    ("add A1 --country VN", 2, "'A1' cannot name a region: use 2 to 40 small letters"),
    ("add my\u00a0farm --country VN", 2, "cannot name a region"),
    ("add here --country VN", 2, "There is a region 'here' already: choose another name"),
    ("show a1", 2, "There is no region 'a1' (there: here)"),
    ("show here --picture absent/here.png", 2, "absent/here.png cannot be written"),
    ("remove a1 --yes", 2, "There is no region 'a1' (there: here)"),
    ("remove a1 --yes --delete-data", 2, "There is no region 'a1' (there: here)"),
    ("remove ../here --yes --delete-data", 2, "cannot be part of a path"),
]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    return newcomer(tmp_path, monkeypatch)


@pytest.fixture
def ask(layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return asking(monkeypatch, capsys)


def bad_files(folder: Path) -> None:
    """A file of each fault, and one whole one."""
    geojson(folder / "flat.geojson", LINE)
    geojson(folder / "swapped.geojson", shapely.box(20.40, 106.30, 20.44, 106.34))
    geojson(folder / "none.geojson")
    geojson(folder / "points.geojson", shapely.Point(106, 20))
    (folder / "empty.geojson").write_text("")
    (folder / "text.zip").write_text("Not found")
    zipped(folder / "other.zip", {"readme.txt": b"nothing"})
    geopandas.GeoDataFrame(geometry=[FIELD], crs=4326).to_file(folder / "field.gpkg")
    geopandas.GeoDataFrame(geometry=[FIELD], crs=4326).to_file(folder / "noprj.shp")
    (folder / "noprj.prj").unlink()


def test_what_cannot_be_is_one_line_and_changes_nothing(
    ask: Ask, layout: Layout, tmp_path: Path
) -> None:
    bad_files(tmp_path)
    assert ask("add", "here", "--bbox", *FARM).code == 0
    kept = land(layout, "here")
    for words, code, said in REFUSED:
        answer = ask(*words.split(" "))
        assert answer.code == code, (words, answer)
        assert said in " ".join(answer.err.replace("\u2502", " ").split()), (words, answer.err)
        assert answer.out == "", words
        if answer.err.startswith("Error: "):  # what the parser refuses comes in a frame
            assert answer.err.count("\n") == 1, answer.err
    assert store.regions_made(layout, REGIONS) == partitions() == ["here"]
    assert kept.read_bytes() == b"12345"
