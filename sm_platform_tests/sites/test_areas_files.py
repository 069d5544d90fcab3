"""Files as users draw them: kinds, CRS, several features, damage, Vietnamese names."""

import json
from pathlib import Path

import geopandas
import pytest
import shapely

from sm_platform.errors import DataError, SmPlatformError, UsageError
from sm_platform.sites.area_files import area_from_file
from sm_platform_tests.sites.drawn_files import frame, geojson, named, parts, shapefile, zipped

WEST = shapely.box(105, 20, 106, 21)
EAST = shapely.box(106, 20, 107, 21)
BOW = shapely.Polygon([(105, 20), (106, 21), (106, 20), (105, 21)])
UTM = shapely.box(583_000, 2_322_000, 593_000, 2_332_000)
UTM_BOUNDS = (105.798587, 20.996315, 105.895334, 21.087140)
"""Of `UTM` in EPSG:32648."""

PROJECTION = (
    'PROJCS["tinh",GEOGCS["x",DATUM["{}",SPHEROID["WGS84",6378137,298.257223563]{}],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",105],'
    'PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],'
    'PARAMETER["false_northing",0],UNIT["metre",1]]'
)
HELMERT = (
    ",TOWGS84[-191.90441429,-39.30318279,-111.45032835,"
    "0.00928836,-0.01975479,0.00427372,0.252906278]"
)
"""Of VN-2000, its rotations in the position vector convention."""
Choice = str | tuple[str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with blanks, diacritics and marks in its name."""
    place = tmp_path / "t\u1ec9nh \u0110\u1eafk L\u1eafk (m\u1edbi) #1 100%"
    place.mkdir()
    return place


def bounds(path: Path, **choice: Choice) -> list[float]:
    values: list[float] = shapely.bounds(area_from_file(path, **choice).outline).tolist()
    return values


def refusal(path: Path, kind: type[SmPlatformError] = DataError, **choice: Choice) -> str:
    with pytest.raises(kind) as caught:
        area_from_file(path, **choice)
    assert path.name in str(caught.value)
    return str(caught.value)


def test_geojson_is_wgs84_and_its_features_are_united(folder: Path) -> None:
    area = area_from_file(geojson(folder / "hai huy\u1ec7n.geojson", WEST, EAST))
    assert area.outline.equals(shapely.box(105, 20, 107, 21))
    assert area.outline.geom_type == "Polygon"
    assert "hai huy\u1ec7n.geojson" in area.came_from
    assert "WGS 84" in area.came_from
    assert area.notes == ()


def test_a_bare_geometry_and_a_byte_order_mark_are_read(folder: Path) -> None:
    path = folder / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(shapely.geometry.mapping(WEST)).encode())
    assert bounds(path) == [105, 20, 106, 21]


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_a_file_in_utm_lands_where_it_was_drawn(folder: Path, suffix: str) -> None:
    path = folder / f"x\u00e3.{suffix}"
    frame(UTM, crs=32648).to_file(path)
    assert bounds(path) == pytest.approx(UTM_BOUNDS, abs=1e-6)


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson"])
def test_a_file_in_vn2000_is_shifted(folder: Path, suffix: str) -> None:
    path = folder / f"x\u00e3.{suffix}"
    if suffix == "geojson":
        geojson(path, UTM, crs=named("urn:ogc:def:crs:EPSG::3405"))
    else:
        frame(UTM, crs=3405).to_file(path)
    shifted = [value + by for value, by in zip(UTM_BOUNDS, (0.00188, -0.00099) * 2, strict=True)]
    assert bounds(path) == pytest.approx(shifted, abs=2e-5)
    assert "VN-2000 to WGS 84 (2)" in area_from_file(path).came_from


@pytest.mark.parametrize("code", ["urn:ogc:def:crs:EPSG::4326", "EPSG:4326"])
@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
def test_degrees_are_longitude_first_whatever_the_axis_order(
    folder: Path, suffix: str, code: str
) -> None:
    path = folder / f"a.{suffix}"
    if suffix == "geojson":
        geojson(path, WEST, crs=named(code))
    else:
        geopandas.GeoDataFrame(geometry=[WEST], crs=code).to_file(path)
    assert bounds(path) == [105, 20, 106, 21]


def test_heights_are_dropped(folder: Path) -> None:
    area = area_from_file(geojson(folder / "a.geojson", shapely.force_3d(WEST, 7)))
    assert not area.outline.has_z
    assert area.outline.equals(WEST)


def test_a_zipped_shapefile_is_read_in_place(folder: Path) -> None:
    inner = shapefile(folder, WEST, EAST)
    entries = {f"th\u01b0 m\u1ee5c/{name}": content for name, content in parts(inner).items()}
    alone = folder / "ch\u1ec9 n\u00e9n"
    alone.mkdir()
    path = zipped(alone / "v\u00f9ng.shp.zip", {**entries, "__MACOSX/._v\u00f9ng.shp": b"x"})
    area = area_from_file(path)
    assert area.outline.equals(shapely.box(105, 20, 107, 21))
    assert area.came_from.startswith("v\u00f9ng.shp.zip")
    assert [file.name for file in alone.iterdir()] == [path.name]


def test_a_zip_that_leads_out_is_refused_and_nothing_is_written(folder: Path) -> None:
    inner = shapefile(folder, WEST)
    alone = folder / "a" / "b" / "c"
    alone.mkdir(parents=True)
    for lead in ("../../", "..\\..\\", "/tmp/", "C:/"):  # noqa: S108
        entries = {lead + name: content for name, content in parts(inner).items()}
        assert "leads out of it" in refusal(zipped(alone / "b\u1eaby.zip", entries))
        assert [file.name for file in alone.iterdir()] == ["b\u1eaby.zip"]
        assert [file.name for file in alone.parent.iterdir()] == ["c"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "found: none"),
        ({"a.txt": b"x"}, "found: none"),
        ({"a.shp": b"x", "b.shp": b"x"}, "a.shp, b.shp"),
        ({"a.shp": b"no shapefile"}, "damaged"),
    ],
)
def test_a_zip_without_one_outline_is_refused(
    folder: Path, content: dict[str, bytes], said: str
) -> None:
    assert said in refusal(zipped(folder / "a.zip", content))


def test_a_shapefile_without_its_prj_is_refused(folder: Path) -> None:
    path = shapefile(folder, UTM, crs=3405)
    path.with_suffix(".prj").unlink()
    assert ".prj" in refusal(path)
    assert ".prj" in refusal(zipped(folder / "a.zip", parts(path)))


def test_a_geopackage_without_crs_is_refused(folder: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        frame(WEST, crs=None).to_file(folder / "a.gpkg")
    assert "coordinate system" in refusal(folder / "a.gpkg")


def test_an_unknown_crs_in_geojson_is_not_taken_for_wgs84(folder: Path) -> None:
    path = geojson(folder / "a.geojson", WEST, crs=named("EPSG:999999"))
    assert "EPSG:999999" in refusal(path)
    link = {"type": "link", "properties": {"href": "crs.prj", "type": "proj4"}}
    assert "not known" in refusal(geojson(folder / "b.geojson", WEST, crs=link))
    assert bounds(geojson(folder / "c.geojson", WEST, crs=None)) == [105, 20, 106, 21]


@pytest.mark.parametrize("datum", ["VN_2000", "unknown", "WGS_1984", "D_WGS_1984"])
def test_seven_parameters_in_a_prj_are_honoured_whatever_its_datum_is_called(
    folder: Path, datum: str
) -> None:
    path = shapefile(folder, UTM, crs=3405)
    right = bounds(path)
    path.with_suffix(".prj").write_text(PROJECTION.format(datum, HELMERT))
    assert bounds(path) == pytest.approx(right, abs=1e-6)
    assert "its own 7 parameters" in area_from_file(path).came_from


def test_an_unknown_datum_is_not_taken_for_wgs84(folder: Path) -> None:
    path = shapefile(folder, UTM, crs=3405)
    path.with_suffix(".prj").write_text(PROJECTION.format("local", ""))
    assert "ballpark" in refusal(path)


def test_points_and_lines_are_refused_and_left_out_beside_polygons(folder: Path) -> None:
    point, line = shapely.Point(105, 20), shapely.LineString([(105, 20), (106, 21)])
    said = refusal(geojson(folder / "a.geojson", point, line))
    assert "only points or lines: LineString and Point" in said
    area = area_from_file(geojson(folder / "b.geojson", point, WEST))
    assert area.outline.equals(WEST)
    assert "left out (1)" in area.notes[0]


def test_a_bow_tie_is_repaired_and_said(folder: Path) -> None:
    area = area_from_file(geojson(folder / "n\u01a1.geojson", BOW))
    assert area.outline.is_valid
    assert area.outline.area == pytest.approx(0.5)
    assert "repaired" in area.notes[0]
    flat = shapely.Polygon([(105, 20), (106, 21), (107, 22)])
    assert "no area: Polygon" in refusal(geojson(folder / "b.geojson", flat))


def test_an_outline_across_180_degrees_is_refused(folder: Path) -> None:
    both = [shapely.box(179, 10, 180, 11), shapely.box(-180, 10, -179, 11)]
    path = geojson(folder / "a.geojson", *both)
    assert "two regions" in refusal(path, UsageError)
    over = geojson(folder / "b.geojson", shapely.box(179, 10, 181, 11))
    assert "two regions" in refusal(over, UsageError)


def test_exchanged_axes_and_metres_are_named(folder: Path) -> None:
    swapped = geojson(folder / "a.geojson", shapely.box(20, 105, 21, 106))
    assert "lat before lon" in refusal(swapped, UsageError)
    assert "perhaps metres" in refusal(geojson(folder / "b.geojson", UTM), UsageError)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"<html>Not found</html>", "is no GeoJSON"),
        (b"<OGRVRTDataSource></OGRVRTDataSource>", "is no GeoJSON"),
        (b'{"type": "FeatureCollection", "features": [{"type"', "damaged"),
        (b'{"a": 1}', "damaged"),
        (b'{"type": "FeatureCollection", "features": []}', "holds no feature"),
        (b'{"type": "Feature", "properties": {}, "geometry": null}', "holds no outline"),
        (b'{"type": "Polygon", "coordinates": [[[5, 2], [6, 2], [6, 3]]]}', "damaged"),
        (b'{"type": "Polygon", "coordinates": [[[5,2],[NaN,2],[6,3],[5,2]]]}', "corner without"),
        (b"PK\x03\x04 cut", "damaged zip"),
        (b"SQLite format 3\x00 cut", "damaged"),
        (b"\x00\x00\x27\x0a cut", "damaged"),
    ],
)
def test_a_damaged_or_empty_file_is_refused_by_name(
    folder: Path, content: bytes, said: str
) -> None:
    path = folder / "h\u1ecfng.geojson"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_cut_file_of_each_kind_is_refused(folder: Path) -> None:
    frame(WEST).to_file(folder / "a.gpkg")
    cut = folder / "b.gpkg"
    cut.write_bytes((folder / "a.gpkg").read_bytes()[:20_000])
    refusal(cut)
    path = shapefile(folder, WEST, EAST)
    path.write_bytes(path.read_bytes()[:150])
    refusal(path)
    path.with_suffix(".shx").unlink()
    assert ".shx" in refusal(path)


def test_a_missing_file_and_a_folder_are_named(folder: Path) -> None:
    assert "no file" in refusal(folder / "a.gpkg", UsageError)
    assert "no file" in refusal(folder, UsageError)


def test_layers_are_chosen_by_name(folder: Path) -> None:
    path = folder / "l\u1edbp.gpkg"
    frame(WEST).to_file(path, layer="t\u1ec9nh")
    frame(EAST).to_file(path, layer="x\u00e3")
    assert "t\u1ec9nh, x\u00e3" in refusal(path, UsageError)
    assert "t\u1ec9nh, x\u00e3" in refusal(path, UsageError, layer="huy\u1ec7n")
    assert bounds(path, layer="x\u00e3") == [106, 20, 107, 21]


def test_features_are_chosen_by_a_field(folder: Path) -> None:
    path = shapefile(folder, WEST, EAST)
    area = area_from_file(path, where=("ten", "B\u1eafc"))
    assert area.outline.equals(WEST)
    assert "ten = B\u1eafc" in area.came_from
    decomposed = "Ba\u0306\u0301c"
    assert area_from_file(path, where=("ten", decomposed)).outline.equals(WEST)
    assert "Nam" in refusal(path, UsageError, where=("ten", "Nm"))
    assert "it has ten" in refusal(path, UsageError, where=("name", "Nam"))
