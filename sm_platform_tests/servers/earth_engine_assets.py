"""What the stand-in of Earth Engine holds: images made of an archive's files, with metadata."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import rasterio
from affine import Affine

from sm_platform.formats import era5_land
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive_clock import read_clock
from sm_platform.sources.simulated.write_soil import GRID, HOMOLOSINE
from sm_platform_tests.servers.earth_engine_angle import SHAPE, grid_of

Row = Mapping[str, Any]
Bands = dict[str, Any]
"""Masked arrays by name."""
DATED = {
    "s1_grd": ("COPERNICUS/S1_GRD", "COPERNICUS/S1_GRD_FLOAT"),
    "ndvi": ("MODIS/061/MOD13Q1", "MODIS/061/MYD13Q1"),
    "weather": ("ECMWF/ERA5_LAND/DAILY_AGGR",),
}
GLO30, WORLDCOVER = "COPERNICUS/DEM/GLO30", "ESA/WorldCover/v200"
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
MODIS_LAYERS = {
    "NDVI": "NDVI",
    "SummaryQA": "pixel_reliability",
    "DayOfYear": "composite_day_of_the_year",
}
SHORT = {"precision": "INT", "range": {"min": -32768, "max": 32767}}
RADAR_SIZE = {"width": 29644, "height": 22018}
"""Of S1A_IW_GRDH_1SDV_20191202T163455 in 10 m pixels."""
ERA5_BANDS = {"temperature_2m": "temperature_k", "total_precipitation_sum": "precipitation_m"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an image that the archive holds."""

    window: GridWindow
    bands: Bands


def rows(archive: Path) -> list[Row]:
    """The archive's index up to its clock."""
    now = read_clock(archive).now_utc
    path = archive / "index.parquet"
    return [
        one
        for one in _index(path, path.stat().st_mtime_ns)
        if one["available_utc"] is None or one["available_utc"] <= now
    ]


@lru_cache(2)
def _index(path: Path, _: int) -> list[Row]:
    found: list[Row] = pq.read_table(path).to_pylist()
    return found


def image_of(row: Row) -> tuple[str, str] | None:
    """Collection and name of the image that a granule of the archive is (a part of)."""
    name, day = row["granule_id"], row["day"]
    if row["product"] == "s1_grd":
        return DATED["s1_grd"][0], name
    if row["product"] == "ndvi" and name.startswith("M"):  # else of VIIRS
        return DATED["ndvi"][name.startswith("MYD")], f"{day:%Y_%m_%d}"
    if row["product"] == "weather":
        return DATED["weather"][0], f"{day:%Y%m%d}"
    return None


def listed(archive: Path, collection: str) -> list[dict[str, Any]]:
    """Descriptions of a collection's images, each once."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows(archive):
        if collection == GLO30 and row["product"] == "elevation":
            found[row["granule_id"]] = _elevation(row)
        image = image_of(row)
        if image is not None and image[0] == collection:
            found.setdefault(image[1], _dated(archive, row, *image))
    if collection == WORLDCOVER:
        found["2021"] = {"name": _name(f"{WORLDCOVER}/2021"), "startTime": "2021-01-01T00:00:00Z"}
    if collection == DATED["s1_grd"][0] and found:
        odd = _single_polarised(next(iter(found.values())))
        found[odd["name"]] = odd
    return list(found.values())


def pieces(archive: Path, asset: str) -> Iterator[Piece]:
    """What the archive holds of an image or of a collection of tiles."""
    collection, _, name = asset.rpartition("/")
    collection = collection.replace("S1_GRD_FLOAT", "S1_GRD")
    for row in rows(archive):
        folder = archive / row["product"] / row["region_id"] / row["granule_id"]
        if image_of(row) == (collection, name):
            yield _piece(row, folder)
        elif asset in (GLO30, WORLDCOVER):
            kind, band = ("elevation", "DEM") if asset == GLO30 else ("land_cover", "Map")
            if row["product"] == kind:
                yield _read(folder / row["files"][0], (band,))
        elif collection == "projects/soilgrids-isric" and row["product"] == "soil":
            band = name.replace("_mean", "_0-5cm_mean")
            yield _read(folder / f"{band}.tif", (band,))


def soil_description(asset: str, code: str | None) -> dict[str, Any]:
    """Metadata of a SoilGrids asset: its grid is the projection's own, under a code or as text."""
    band = asset.rpartition("/")[2].replace("_mean", "_0-5cm_mean")
    wkt = {"crsWkt": rasterio.crs.CRS.from_string(HOMOLOSINE).to_wkt()}
    grid = ({"crsCode": code} if code else wkt) | {"affineTransform": _six(GRID)}
    return {"name": asset, "bands": [{"id": band, "dataType": SHORT, "grid": grid}]}


def _piece(row: Row, folder: Path) -> Piece:
    if row["product"] == "weather":
        raster = era5_land.read_day(folder / row["files"][0], row["day"])
        told = {band: np.ma.masked_invalid(raster.values[key]) for band, key in ERA5_BANDS.items()}
        return Piece(raster.window, told)
    if row["product"] == "s1_grd":
        return _read(folder / f"{row['granule_id']}.tif", ("VV", "VH", "angle"))
    start = f"{row['granule_id']}_250m_16_days_"
    parts = {
        band: _read(folder / f"{start}{layer}.tif", (band,)) for band, layer in MODIS_LAYERS.items()
    }
    window = parts["NDVI"].window
    return Piece(window, {band: part.bands[band] for band, part in parts.items()})


def _read(path: Path, bands: tuple[str, ...]) -> Piece:
    with rasterio.open(path) as file:
        values = file.read(masked=True)
        window = GridWindow(file.crs.to_wkt(), file.transform, file.shape)
    if values.dtype.kind == "f":
        values = np.ma.masked_invalid(values)
    return Piece(window, dict(zip(bands, values, strict=True)))


def _dated(archive: Path, row: Row, collection: str, name: str) -> dict[str, Any]:
    start, end = _span(row["day"], 16 if row["product"] == "ndvi" else 1)
    told: dict[str, Any] = {}
    if row["product"] == "s1_grd":
        folder = archive / row["product"] / row["region_id"] / name
        told = json.loads((folder / f"{name}.json").read_text())
        start, _ = (
            datetime.fromtimestamp(told.pop(f"system:time_{one}") / 1000, UTC)
            for one in ("start", "end")
        )
        end = start  # as of all real frames
    return {
        "type": "IMAGE",
        "name": _name(f"{collection}/{name}"),
        "id": f"{collection}/{name}",
        "updateTime": _text(row["available_utc"]),
        "startTime": _text(start),
        "endTime": _text(end),
        "properties": told,
        "geometry": _outline(row) if row["product"] == "s1_grd" else _outline(None),
        "bands": _radar_bands(row) if row["product"] == "s1_grd" else _bands(row["product"]),
    }


def _bands(product: str) -> list[dict[str, Any]]:
    names = {"ndvi": MODIS_LAYERS, "weather": ERA5_BANDS}[product]
    return [
        {"id": name, "dataType": SHORT if product == "ndvi" else {"precision": "FLOAT"}}
        for name in names
    ]


def _radar_bands(row: Row) -> list[dict[str, Any]]:
    """Two bands of 10 m pixels and one of few points, on the corners of its pixels."""
    crs, turned = grid_of([row[k] for k in ("west", "south", "east", "north")])
    rows, cols = SHAPE
    corner = (turned @ (0, 0), turned @ (cols - 1, rows - 1))
    fine = Affine(10, 0, corner[0][0], 0, -10, corner[1][1])
    power = {"crsCode": crs, "dimensions": RADAR_SIZE, "affineTransform": _six(fine)}
    size = {"width": cols, "height": rows}
    points = {"crsCode": crs, "dimensions": size, "affineTransform": _six(turned)}
    return [
        {"id": "VV", "dataType": {"precision": "DOUBLE"}, "grid": power},
        {"id": "VH", "dataType": {"precision": "DOUBLE"}, "grid": power},
        {"id": "angle", "dataType": {"precision": "FLOAT"}, "grid": points},
    ]


def _single_polarised(image: Mapping[str, Any]) -> dict[str, Any]:
    """A frame of VV alone, as the collection has many of."""
    told = {**image["properties"], "transmitterReceiverPolarisation": ["VV"]}
    return {**image, "name": image["name"].replace("1SDV", "1SSV"), "properties": told}


def _elevation(row: Row) -> dict[str, Any]:
    """A whole tile, of which the archive holds an excerpt."""
    lat, lon = re.findall(r"[NSEW](\d+)_00", row["granule_id"])
    corner = Affine(1 / 3600, 0, int(lon) - 0.5 / 3600, 0, -1 / 3600, int(lat) + 1 + 0.5 / 3600)
    grid = {
        "crsCode": "EPSG:4326",
        "dimensions": {"width": 3600, "height": 3600},
        "affineTransform": _six(corner),
    }
    return {
        "name": _name(f"{GLO30}/{row['granule_id']}"),
        "geometry": _outline(row),
        "bands": [{"id": "DEM", "grid": grid}],
    }


def _outline(row: Row | None) -> dict[str, Any]:
    w, s, e, n = (
        (-180, -90, 180, 90)
        if row is None
        else (row[k] for k in ("west", "south", "east", "north"))
    )
    return {"type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]]}


def _span(day: date, days: int) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=days)


def _six(affine: Affine) -> dict[str, float]:
    """As the service writes it: zeros are left out."""
    names = ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
    return {name: value for name, value in zip(names, affine, strict=False) if value}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _name(asset: str) -> str:
    return f"projects/earthengine-public/assets/{asset}"
