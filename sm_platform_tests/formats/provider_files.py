"""Writers of small provider files in their true formats: seeded, lossless, no network."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
MODIS_CELL_M = 231.656358263958
MODIS_H27_V06 = Affine(MODIS_CELL_M, 0, 10007554.677 + 1e6, 0, -MODIS_CELL_M, 2300000.0)
DELTA = Affine(0.001, 0, 106.3, 0, -0.001, 20.6)


def write_tiff(
    path: Path,
    bands: Sequence[NDArray[Any]],
    *,
    affine: Affine | None = DELTA,
    crs: str | None = "EPSG:4326",
    nodata: float | None = None,
    names: Sequence[str] = (),
    **options: object,
) -> Path:
    """A GeoTIFF of equal-shaped bands, described by `names` when given."""
    rows, cols = bands[0].shape
    profile = {"driver": "GTiff", "height": rows, "width": cols, "count": len(bands)}
    profile |= {"dtype": bands[0].dtype.name, "nodata": nodata, **options}
    if crs is not None:
        profile["crs"] = crs
    if affine is not None:
        profile["transform"] = affine
    with rasterio.open(path, "w", **profile) as file:
        for index, band in enumerate(bands, start=1):
            file.write(band, index)
        for index, name in enumerate(names, start=1):
            file.set_band_description(index, name)
    return path


def write_era5(
    path: Path,
    day: date,
    hours: Mapping[str, NDArray[Any]],
    *,
    north_west: tuple[float, float] = (20.6, 106.2),
    expver: str = "0001",
    units: Mapping[str, str] | None = None,
) -> Path:
    """A netCDF 4 file as the Climate Data Store writes it; each array (hour, row, col).

    The first hour is 00 UTC of the day; `north_west` is (latitude, longitude) of the first centre.
    """
    count, rows, cols = next(iter(hours.values())).shape
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    with h5py.File(path, "w") as file:
        file["valid_time"] = start + 3600 * np.arange(count, dtype=np.int64)
        file["valid_time"].attrs["units"] = "seconds since 1970-01-01"
        file["latitude"] = north_west[0] - 0.1 * np.arange(rows)
        file["longitude"] = (north_west[1] + 0.1 * np.arange(cols)) % 360
        text = h5py.string_dtype()
        file.create_dataset("expver", data=[expver] * count, dtype=text)
        for name, values in hours.items():
            stored = file.create_dataset(name, data=values.astype(np.float32), compression="gzip")
            stored.attrs["units"] = {"t2m": "K", "tp": "m", **(units or {})}[name]
            stored.attrs["_FillValue"] = np.float32(np.nan)
    return path


def weather_hours(seed: int, *, hours: int = 25, shape: tuple[int, int] = (3, 4)) -> dict[str, Any]:
    """Plausible hours: t2m around 295 K, tp growing within the day and reset after 00 UTC."""
    random = np.random.default_rng(seed)
    t2m = 295 + 5 * random.standard_normal((hours, *shape))
    steps = random.gamma(0.5, 1e-3, (hours, *shape))
    steps[0] = 0.03
    tp = np.cumsum(np.where(np.arange(hours)[:, None, None] < 1, 0, steps), axis=0)
    tp[0] = 0.03
    return {"t2m": t2m.astype(np.float32), "tp": tp.astype(np.float32)}


def s1_properties(granule_id: str, **changes: object) -> dict[str, Any]:
    """Properties of `COPERNICUS/S1_GRD` that fit an id; a change of None leaves one out."""
    parts = granule_id.split("_")
    moments = [datetime.strptime(f"{text}+0000", "%Y%m%dT%H%M%S%z") for text in parts[4:6]]
    found: dict[str, Any] = {
        "system:index": granule_id,
        "instrumentMode": "IW",
        "orbitProperties_pass": "ASCENDING",
        "relativeOrbitNumber_start": 79,
        "orbitNumber_start": int(parts[6]),
        "platform_number": parts[0][2],
        "transmitterReceiverPolarisation": ["VV", "VH"],
        "system:time_start": int(moments[0].timestamp() * 1000),
        "system:time_end": int(moments[1].timestamp() * 1000),
    }
    merged = found | {key.replace("__", ":"): value for key, value in changes.items()}
    return {key: value for key, value in merged.items() if value is not None}


def write_json(path: Path, value: object) -> Path:
    """The value as JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
