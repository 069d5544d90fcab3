"""Evaluates what Earth Engine's client sends: the few functions that the platform asks for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from pyproj import CRS

from sm_platform.grid.window import GridWindow, cell_index, reproject_points
from sm_platform_tests.servers.earth_engine_angle import thinned
from sm_platform_tests.servers.earth_engine_assets import Bands, Piece, pieces
from sm_platform_tests.servers.earth_engine_image import (
    CoarseBand,
    Image,
    RefusalError,
    array,
    change_projection,
    is_coarse,
    projection,
    resample,
    translate,
)

PIXELS_OF_A_CELL = 101
"""10 m pixels that touch a cell of the archive's radar, at least."""
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Graph:
    """An expression and what it is evaluated on."""

    archive: Path
    values: Mapping[str, Node]
    target: GridWindow | None = None
    loaded: list[str] = field(default_factory=list)
    """Assets that were asked for."""
    given: Mapping[str, Image] = field(default_factory=dict)
    """Images that there are besides the archive's, on the target, by asset."""
    digits_of_one: int | None = None
    """NDVI comes as fractions: the archive's numbers divided by this."""
    known: dict[str, Any] = field(default_factory=dict)
    """Values of nodes by reference."""

    def at(self, node: Node) -> Any:  # noqa: ANN401
        """Value of a node."""
        if "valueReference" in node:
            name = node["valueReference"]
            if name not in self.known:
                self.known[name] = self.at(self.values[name])
            return self.known[name]
        if "constantValue" in node:
            return node["constantValue"]
        if "arrayValue" in node:
            return [self.at(one) for one in node["arrayValue"]["values"]]
        if "dictionaryValue" in node:
            return {k: self.at(v) for k, v in node["dictionaryValue"]["values"].items()}
        call = node["functionInvocationValue"]
        function = FUNCTIONS.get(call["functionName"])
        if function is None:
            raise RefusalError(400, f"no function {call['functionName']} here")
        lazy = call["functionName"] == "Image.reduceRegions"
        told = call["arguments"]
        return function(self, **(told if lazy else {k: self.at(v) for k, v in told.items()}))

    def on(self, target: GridWindow) -> "Graph":
        """The same on another grid."""
        return replace(self, target=target, known={})


def _load(graph: Graph, id: str) -> Image:  # noqa: A002 - the service's own name
    graph.loaded.append(id)
    if id in graph.given:
        return graph.given[id]
    found = list(pieces(graph.archive, id))
    if not found:
        raise RefusalError(404, f"Image.load: Image asset '{id}' not found (does not exist).")
    target = graph.target or found[0].window
    if "S1_GRD_FLOAT" in id:
        found = [Piece(one.window, _power(one.bands)) for one in found]
    bands = pasted(target, found)
    if "S1_GRD" in id:
        bands["angle"] = _at_points(bands["angle"], target, found[0])
    if "NDVI" in bands and graph.digits_of_one:
        bands["NDVI"] = bands["NDVI"].astype(np.float64) / graph.digits_of_one
    return Image(bands, "S1_GRD" in id)


def _at_points(angle: Any, target: GridWindow, piece: Piece) -> CoarseBand:  # noqa: ANN401
    points, plane = thinned(piece.bands["angle"], piece.window, target)
    return replace(points, rest=angle.astype(np.float64) - plane)


def _power(bands: Bands) -> Bands:
    linear = {name: 10 ** (bands[name].astype(np.float64) / 10) for name in ("VV", "VH")}
    return linear | {"angle": bands["angle"]}


def pasted(target: GridWindow, found: list[Piece]) -> Bands:
    """The pieces on the target's grid, masked elsewhere; refused where cells are not the same."""
    whole: Bands = {}
    for piece in found:
        if not same_crs(piece.window.crs, target.crs):
            raise RefusalError(400, "the image has another projection: it would be resampled")
        rows, cols = _shift(piece.window, target)
        for name, values in piece.bands.items():
            into = whole.setdefault(name, np.ma.masked_all(target.shape, values.dtype))
            _paste(into, values, rows, cols)
    return whole


def _shift(piece: GridWindow, target: GridWindow) -> tuple[int, int]:
    """Row and column of the piece's corner in the target."""
    a, b = piece.affine, target.affine
    col, row = (a.c - b.c) / b.a, (a.f - b.f) / b.e
    drift = max(
        abs(col - round(col)),
        abs(row - round(row)),
        abs(a.a / b.a - 1) * target.shape[1],
        abs(a.e / b.e - 1) * target.shape[0],
    )
    if drift > 1e-3:
        raise RefusalError(400, f"cells lie {drift:.4f} beside those of the image")
    return round(row), round(col)


def _paste(into: Any, values: Any, row: int, col: int) -> None:  # noqa: ANN401
    top, left = max(row, 0), max(col, 0)
    bottom = min(row + values.shape[0], into.shape[0])
    right = min(col + values.shape[1], into.shape[1])
    if bottom > top and right > left:
        into[top:bottom, left:right] = values[top - row : bottom - row, left - col : right - col]


@lru_cache(64)
def same_crs(one: str, other: str) -> bool:
    first, second = CRS.from_user_input(one), CRS.from_user_input(other)
    return first.equals(second, ignore_axis_order=True) or first.to_proj4() == second.to_proj4()


def _mosaic(graph: Graph, collection: str) -> Image:
    return _load(graph, collection)


def _select(graph: Graph, input: Image, bandSelectors: list[str]) -> Image:  # noqa: A002
    found = {name: input.bands[name] for name in bandSelectors}
    return Image(found, input.is_fine and not all(map(is_coarse, found.values())))


def _reduce_resolution(graph: Graph, image: Image, reducer: Any, maxPixels: int = 64) -> Image:  # noqa: ANN401
    if reducer[0] != "mean" or maxPixels < PIXELS_OF_A_CELL:
        raise RefusalError(400, "Too many input pixels per output pixel: 101.")
    return Image(image.bands)


def _each(work: Callable[[Any], Any]) -> Callable[..., Image]:
    def apply(graph: Graph, value: Image) -> Image:
        return Image({k: work(array(v)) for k, v in value.bands.items()}, value.is_fine)

    return apply


def _constant(graph: Graph, value: float) -> float:
    return value


def _multiply(graph: Graph, image1: Image, image2: float) -> Image:
    return Image({k: array(v) * image2 for k, v in image1.bands.items()}, image1.is_fine)


def _add_bands(graph: Graph, dstImg: Image, srcImg: Image) -> Image:
    return Image(dstImg.bands | srcImg.bands, dstImg.is_fine or srcImg.is_fine)


def _unmask(
    graph: Graph,
    input: Image,  # noqa: A002
    value: float | Image = 0,
    sameFootprint: bool = True,
) -> Image:
    if isinstance(value, Image):
        ((name, values),), (others,) = input.bands.items(), value.bands.values()
        found = array(values)
        return Image({name: np.ma.where(np.ma.getmaskarray(found), array(others), found)})
    if sameFootprint:
        raise RefusalError(400, "outside its footprint the image would come as 0")
    return Image(
        {k: np.ma.array(array(v).astype(np.float64).filled(value)) for k, v in input.bands.items()},
        input.is_fine,
    )


def _feature(graph: Graph, geometry: list[float], metadata: Mapping[str, Any]) -> Node:
    return {"type": "Feature", "geometry": geometry, "properties": dict(metadata)}


def _collection(graph: Graph, features: list[Any]) -> list[Any]:
    return features


def _flatten(graph: Graph, collection: list[list[Node]]) -> list[Node]:
    return [one for part in collection for one in part]


def _reduce_regions(
    graph: Graph, image: Node, collection: Node, reducer: Node, **place: Node
) -> list[Node]:  # noqa: ANN401
    """Each point with the value of the pixel it lies in; nothing where that is masked."""
    kind, outputs = graph.at(reducer)
    features = graph.at(collection)
    seen = replace(graph, target=None, loaded=[], known={})
    names = list(seen.at(image).bands)
    keys = outputs or (names if len(names) > 1 else [kind])
    windows = [one.window for one in pieces(graph.archive, seen.loaded[0])]
    if "S1_GRD" in seen.loaded[0]:
        _check_place(windows, {name: graph.at(node) for name, node in place.items()})
    layers = [(window, graph.on(window).at(image).bands) for window in windows]
    return [_reduced(one, layers, dict(zip(names, keys, strict=True))) for one in features]


def _check_place(windows: list[GridWindow], place: Mapping[str, Any]) -> None:
    """Means of 10 m pixels need a grid: a size in metres leaves open where its cells lie."""
    if "crsTransform" not in place or "scale" in place:
        raise RefusalError(400, "a size of pixels, not a grid")
    grid = GridWindow(place["crs"], Affine(*place["crsTransform"]), (1, 1))
    for window in windows:
        if not same_crs(window.crs, grid.crs):
            raise RefusalError(400, "the image has another projection: it would be resampled")
        _shift(window, grid)


def _reduced(
    feature: Node, layers: list[tuple[GridWindow, Bands]], keys: Mapping[str, str]
) -> Node:
    told = dict(feature["properties"])
    for window, bands in layers:
        lon, lat = (np.array([one], float) for one in feature["geometry"])
        place = cell_index(window, *reproject_points(lon, lat, "EPSG:4326", window.crs))[0]
        for name, values in ((name, array(one)) for name, one in bands.items()):
            if place >= 0 and not np.ma.getmaskarray(values).flat[place]:
                told[keys[name]] = float(values.flat[place])
    return {**feature, "properties": told}


def functions_in(node: Any) -> Iterator[str]:  # noqa: ANN401
    """Names of all functions of an expression."""
    if isinstance(node, dict):
        if "functionName" in node:
            yield node["functionName"]
        for one in node.values():
            yield from functions_in(one)
    elif isinstance(node, list):
        for one in node:
            yield from functions_in(one)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Image.load": _load,
    "ImageCollection.load": lambda graph, id: id,  # noqa: A006
    "ImageCollection.mosaic": _mosaic,
    "Image.select": _select,
    "Image.reduceResolution": _reduce_resolution,
    "Reducer.mean": lambda graph: ("mean", None),
    "Reducer.setOutputs": lambda graph, reducer, outputs: (reducer[0], outputs),
    "Image.projection": projection,
    "Projection.translate": translate,
    "Projection": lambda graph, crs: crs,
    "Image.changeProj": change_projection,
    "Image.resample": resample,
    "Image.round": _each(np.ma.round),
    "Image.log10": _each(np.ma.log10),
    "Image.multiply": _multiply,
    "Image.constant": _constant,
    "Image.addBands": _add_bands,
    "Image.unmask": _unmask,
    "Image.toFloat": _each(lambda v: v.astype(np.float32)),
    "Image.toInt16": _each(lambda v: v.astype(np.int16)),
    "Image.toUint8": _each(lambda v: v.astype(np.uint8)),
    "Image.reduceRegions": _reduce_regions,
    "Feature": _feature,
    "GeometryConstructors.Point": lambda graph, coordinates: coordinates,
    "Collection": _collection,
    "Collection.flatten": _flatten,
    "Number.add": lambda graph, left, right: left + right,
    "Profile.getProfiles": lambda graph, ids: profile(ids),
}


def profile(ids: list[str]) -> str:
    """Half an EECU second a computation, in the layout of the service."""
    lines = [f"  0.500     47k     4  Algorithm of {one}" for one in ids]
    return "\n".join(
        [" EECU·s PeakMem Count  Description", *lines, "      -     12k     1  Loading"]
    )
