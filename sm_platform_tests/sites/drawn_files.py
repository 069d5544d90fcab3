"""Writers of the files in which users bring the outline of a region."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import geopandas
import shapely
from shapely.geometry.base import BaseGeometry


def frame(*shapes: BaseGeometry | None, crs: int | None = 4326) -> geopandas.GeoDataFrame:
    names = ["B\u1eafc", "Nam", "\u0110\u00f4ng"][: len(shapes)]
    return geopandas.GeoDataFrame({"ten": names}, geometry=list(shapes), crs=crs)


def geojson(path: Path, *shapes: BaseGeometry | None, **members: object) -> Path:
    features = [
        {"type": "Feature", "properties": {}, "geometry": shape and shapely.geometry.mapping(shape)}
        for shape in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}))
    return path


def zipped(path: Path, entries: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def shapefile(folder: Path, *shapes: BaseGeometry | None, crs: int = 4326) -> Path:
    path = folder / "v\u00f9ng bi\u00ean.shp"
    frame(*shapes, crs=crs).to_file(path, encoding="utf-8")
    return path


def parts(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.stem}.*")}


def named(code: str) -> dict[str, object]:
    return {"type": "name", "properties": {"name": code}}
