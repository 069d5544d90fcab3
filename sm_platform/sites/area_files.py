"""Areas drawn by users: GeoJSON, GeoPackage, shapefile or zipped shapefile, in any CRS."""

import difflib
import json
import unicodedata
import warnings
import zipfile
from pathlib import Path, PurePosixPath

import geopandas
import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from sm_platform.errors import DataError, UsageError
from sm_platform.sites.area_crs import to_degrees
from sm_platform.sites.areas import Area, Outline, check_range, only_areas

KINDS = {
    b"SQLite format 3\x00": "GeoPackage",
    b"\x00\x00\x27\x0a": "shapefile",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
"""First bytes of what can be read; GeoJSON begins with a brace."""
DRAWINGS = (".shp", ".gpkg")
"""What is looked for in a zip."""
LARGEST_UNPACKED = 2 * 1024**3
"""Bytes in a zip at most."""
WAYS_OUT = "save it as GeoJSON, GeoPackage or zipped shapefile"


def area_from_file(
    path: Path, *, layer: str | None = None, where: tuple[str, str] | None = None
) -> Area:
    """The polygons of a file, united, in degrees (WGS 84).

    `layer` names one of several layers; `where` keeps the features whose field has that value.
    GeoJSON without a CRS is WGS 84 by its standard (RFC 7946), its older `crs` member is
    honoured; a shapefile says its CRS in its .prj. Nothing is written, a zip is read as it is.

    Raises:
        UsageError: no such file, layer, field or value; or the outline crosses 180 degrees.
        DataError: the file is damaged, empty, without polygons, or its CRS is not known.
    """
    drawing = _drawing(Path(path))
    frame = _read(drawing, Path(path).name, _layer(drawing, Path(path).name, layer))
    name = Path(path).name + (f", layer {layer}" if layer else "")
    if where is not None:
        frame = _matching(frame, where, name)
        name += f", {where[0]} = {where[1]}"
    if frame.empty:
        raise DataError(f"{name} holds no feature: draw the outline and save it again.")
    outline, notes = _united(frame, name)
    turned = to_degrees(outline, _crs(frame, name), name)
    whole = only_areas(np.array([check_range(turned.outline, name)], object))
    return Area(whole, f"{name}, in {turned.way}", notes)


def _drawing(path: Path) -> str:
    """The name under which the library opens the file; raises when it is none of the kinds."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}: check the path of the outline.")
    if "!" in str(path.resolve()):
        raise UsageError(f"{path} has a '!' in its path, which cannot be read: rename it.")
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DataError(f"{path.name} is empty: {WAYS_OUT} again.")
    kind = next((name for magic, name in KINDS.items() if start.startswith(magic)), None)
    if kind == "zip":
        return f"/vsizip/{{{path.resolve()}}}/{_zipped(path)}"
    if kind is None:
        _check_geojson(path, start)
    return str(path.resolve())


def _check_geojson(path: Path, start: bytes) -> None:
    """Raises DataError when it is no JSON, or its `crs` member names none that is known.

    The library would silently take an unknown one for WGS 84.
    """
    if not start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise DataError(f"{path.name} is no GeoJSON, GeoPackage or shapefile: {WAYS_OUT}.")
    text = path.read_bytes()
    if b'"crs"' not in text:
        return
    try:
        member = json.loads(text.decode("utf-8-sig")).get("crs")
        stated = member and member["properties"]["name"]
    except (ValueError, KeyError, TypeError):
        stated = "unreadable"
    try:
        if stated is not None:
            CRS.from_user_input(stated)
    except CRSError:
        raise DataError(
            f"{path.name} states the coordinate system '{stated}', which is not known: "
            "save it in degrees (EPSG:4326)."
        ) from None


def _zipped(path: Path) -> str:
    """The one drawing in a zip; raises when there is none, several, or a name leads out of it."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(f"{path.name} is a damaged zip ({error}): pack it again.") from None
    outside = [entry.filename for entry in entries if _leads_out(entry.filename)]
    if outside:
        raise DataError(f"{path.name} holds '{outside[0]}', which leads out of it: pack it again.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise DataError(f"{path.name} is locked by a password: pack it without one.")
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED:
        raise DataError(f"{path.name} holds more than 2 GiB: pack the outline alone.")
    names = [PurePosixPath(entry.filename) for entry in entries]
    found = [name for name in names if name.suffix.casefold() in DRAWINGS and name.name[0] != "."]
    if len(found) != 1:
        several = ", ".join(map(str, found[:5])) or "none"
        raise DataError(
            f"{path.name} must hold one shapefile or GeoPackage (found: {several}): pack it alone."
        )
    return str(found[0])


def _leads_out(name: str) -> bool:
    """Whether a name in a zip points outside of the zip."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def _layer(drawing: str, name: str, layer: str | None) -> str:
    """The layer to read; raises when it is not there or there are several to choose from."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = geopandas.list_layers(drawing)
    except RuntimeError as error:
        raise DataError(
            f"{name} is damaged ({_reason(error, drawing)}): {WAYS_OUT} again."
        ) from None
    layers = [str(entry) for entry in listed["name"][listed["geometry_type"].notna()]]
    if layer in layers:
        return str(layer)
    if layer is not None:
        raise UsageError(f"{name} has no layer '{layer}': choose one of {', '.join(layers)}.")
    if not layers:
        raise DataError(f"{name} holds tables without outlines: {WAYS_OUT}.")
    if len(layers) > 1:
        raise UsageError(f"{name} has several layers: choose one of {', '.join(layers)}.")
    return layers[0]


def _read(drawing: str, name: str, layer: str) -> geopandas.GeoDataFrame:
    """All features of a layer, x first, without heights."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is checked below
            frame = geopandas.read_file(drawing, layer=layer, engine="pyogrio", force_2d=True)
    except (RuntimeError, shapely.errors.GEOSException, ValueError) as error:
        raise DataError(
            f"{name} is damaged ({_reason(error, drawing)}): {WAYS_OUT} again."
        ) from None
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise DataError(f"{name} holds a table without outlines: {WAYS_OUT}.")
    return frame


def _matching(
    frame: geopandas.GeoDataFrame, where: tuple[str, str], name: str
) -> geopandas.GeoDataFrame:
    """The features whose field has the value, compared as text."""
    field, value = where
    if field not in frame.columns:
        fields = [str(column) for column in frame.columns if column != frame.geometry.name]
        raise UsageError(f"{name} has no field '{field}': it has {', '.join(fields) or 'none'}.")
    texts = frame[field].astype(str).str.normalize("NFC").str.strip()
    fit = frame[texts == unicodedata.normalize("NFC", value).strip()]
    if fit.empty:
        near = difflib.get_close_matches(value, sorted(set(texts)), n=5, cutoff=0.5)
        hint = f": nearest are {', '.join(near)}" if near else ""
        raise UsageError(f"{name} has no '{value}' in its field {field}{hint}.")
    return fit


def _crs(frame: geopandas.GeoDataFrame, name: str) -> CRS:
    """The CRS that the file states; raises DataError when it states none."""
    if frame.crs is None:
        raise DataError(
            f"{name} does not say its coordinate system (a shapefile needs its .prj): "
            "save it with one, or as GeoJSON in degrees."
        )
    return CRS.from_user_input(frame.crs)


def _united(frame: geopandas.GeoDataFrame, name: str) -> tuple[Outline, tuple[str, ...]]:
    """All polygons as one outline in the file's CRS, and what was done to them."""
    shapes = frame.geometry.dropna().to_numpy()
    shapes = shapes[~shapely.is_empty(shapes)]
    if not len(shapes):
        raise DataError(f"{name} holds no outline: its features are empty or damaged.")
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise DataError(f"{name} has a corner without coordinates: draw the outline again.")
    outline = only_areas(shapes)
    if outline.is_empty:
        kinds = " and ".join(sorted({str(shape.geom_type) for shape in shapes}))
        only = "only points or lines" if shapely.get_dimensions(shapes).max() < 2 else "no area"
        raise DataError(f"{name} holds {only}: {kinds}; a region needs polygons.")
    flat = shapely.area(shapely.make_valid(shapes)) == 0
    notes = []
    if not shapely.is_valid(shapes[~flat]).all():
        notes.append(f"{name}: an outline crossed itself and was repaired; look at the picture.")
    if flat.any():
        notes.append(f"{name}: shapes without an area were left out ({int(flat.sum())}).")
    return outline, tuple(notes)


def _reason(error: Exception, drawing: str) -> str:
    """The first sentence of what the library said, with file names instead of paths."""
    said = str(error).replace(str(Path(drawing).parent) + "/", "").split("\n")[0]
    return said.split(";")[0][:160].rstrip(". ")
