"""Labels from daily rasters: the platform's site reader against opening each raster for each site.

`python -m benchmarks.labels` prints one JSON line; `--peak` the memory of reading all days.
"""

import argparse
import json
import math
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from benchmarks._memory import peak_in_subprocess, peak_mib
from sm_platform.formats.geotiff import read_bands
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat_bounds, pad
from sm_platform.observations.fields import SiteReader
from sm_platform.schema.readings import FieldReading

SITES = 1000
DAYS = 365
FILE_CELLS = 400
"""Cells of 1 km along each side of a file."""
REGION_CELLS = 200
"""Cells along each side of the region in its middle, where the sites lie."""
OUTSIDE = 20
"""Sites beyond the files, which have no value."""
REFERENCE_DAYS = 4
FIRST_DAY = date(2024, 1, 1)
BANDS = ("sm_m3m3", "is_flagged")
Places = tuple[NDArray[np.float64], NDArray[np.float64]]
Said = tuple[float | None, str | None]


def run() -> dict[str, object]:
    """Readings per second of both, their ratio, and the peak memory of a whole year."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_year(Path(folder), seed=1)
        places = draw_places(seed=2)
        started = time.perf_counter()
        tables = read_year(paths, places)
        ours = SITES * DAYS / (time.perf_counter() - started)
        days = np.random.default_rng(3).choice(DAYS, REFERENCE_DAYS, replace=False)
        started = time.perf_counter()
        expected = [_plain_day(paths[day], places) for day in days]
        reference = SITES * REFERENCE_DAYS / (time.perf_counter() - started)
        peak = peak_in_subprocess("labels", folder)
    for day, said in zip(days, expected, strict=True):
        _assert_equal(tables[day], said)
    return {
        "name": "labels",
        "unit": "readings/s",
        "ours": round(ours),
        "reference": round(reference),
        "ratio": round(ours / reference),
        "peak_mib": peak,
        "how": f"{SITES} sites, {DAYS} daily files of {FILE_CELLS} x {FILE_CELLS} cells of 1 km, "
        f"region of {REGION_CELLS} x {REGION_CELLS}; both read the files and judge the values; "
        f"reference: open and sample for each site and day, timed on {REFERENCE_DAYS} of the days, "
        "values and reasons equal; peak_mib: whole process over the year",
    }


def read_year(paths: list[Path], places: Places) -> list[pa.Table]:
    """Ours: the region's part of each file once, all sites by their index in it."""
    sites = SiteReader(*places)
    bounds = lonlat_bounds(region())
    return [sites.observe(_field(path, bounds)) for path in paths]


def _field(path: Path, bounds: tuple[float, float, float, float]) -> FieldReading:
    stored = read_bands(path, BANDS, bounds_lonlat=bounds)
    sm, flagged = stored.bands
    bands = {"sm_m3m3": sm, "is_flagged": flagged != 0}
    noon = datetime.strptime(path.stem, "%Y%m%d").replace(hour=12, tzinfo=UTC)
    return FieldReading(Raster(stored.window, bands), noon, "")


# --- the plain reference: one site and one file at a time ----------------------------------------


def _plain_day(path: Path, places: Places) -> list[Said]:
    return [plain_reading(path, *place) for place in zip(*places, strict=True)]


def plain_reading(path: Path, lon: float, lat: float) -> Said:
    """Value (None when there is none) and reason (None when good) at one place."""
    with rasterio.open(path) as file:
        x, y = _to_file().transform(lon, lat)
        left, bottom, right, top = file.bounds
        if not (left <= x < right and bottom < y <= top):
            return None, "out_of_bounds"
        sm, flag = (float(value) for value in next(file.sample([(x, y)])))
    if math.isnan(sm):
        return None, "missing"
    if not 0 < round(sm, 6) <= 0.7:
        return sm, "out_of_range"
    return sm, "provider_flag" if flag else None


@cache
def _to_file() -> Transformer:
    return Transformer.from_crs("EPSG:4326", ease2.CRS, always_xy=True)


def _assert_equal(ours: pa.Table, said: list[Said]) -> None:
    assert ours["sm_m3m3"].to_pylist() == [sm for sm, _ in said]
    assert ours["reason"].to_pylist() == [reason for _, reason in said]
    assert {"out_of_bounds", "missing", "out_of_range", "provider_flag", None} <= {
        reason for _, reason in said
    }


# --- a synthetic year ----------------------------------------------------------------------------


def region() -> GridWindow:
    """The region, in the middle of the files."""
    return ease2.window_around(ease2.LEVEL_1KM, 106.5, 20.5, (REGION_CELLS, REGION_CELLS))


def draw_places(*, seed: int) -> Places:
    """Places in the region, and a few beyond the files."""
    west, south, east, north = lonlat_bounds(region())
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(west, east, SITES), rng.uniform(south, north, SITES)
    lon[:OUTSIDE] += 10
    return lon, lat


def write_year(folder: Path, *, seed: int) -> list[Path]:
    """A GeoTIFF a day: soil moisture in thousandths with gaps and wrong values, and a flag."""
    rng = np.random.default_rng(seed)
    window = pad(region(), (FILE_CELLS - REGION_CELLS) // 2)
    return [_write(folder, FIRST_DAY + timedelta(days=n), window, rng) for n in range(DAYS)]


def _write(folder: Path, day: date, window: GridWindow, rng: np.random.Generator) -> Path:
    rows, cols = window.shape
    sm = (np.round(rng.random(window.shape) * 1000) * 0.00072).astype(np.float32)
    sm[rng.random(window.shape) < 0.3] = np.nan
    flagged = (rng.random(window.shape) < 0.1).astype(np.float32)
    path = folder / f"{day:%Y%m%d}.tif"
    form = {"driver": "GTiff", "dtype": "float32", "nodata": math.nan, "compress": "deflate"}
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256, "crs": window.crs}
    grid = {"height": rows, "width": cols, "count": 2, "transform": window.affine}
    with rasterio.open(path, "w", **form, **tiles, **grid) as file:
        for number, (name, band) in enumerate(zip(BANDS, (sm, flagged), strict=True), start=1):
            file.write(band, number)
            file.set_band_description(number, name)
    return path


# --- memory --------------------------------------------------------------------------------------


def _peak_mib(folder: Path) -> int:
    """Peak memory of this process after reading the files of the folder."""
    tables = read_year(sorted(folder.glob("*.tif")), draw_places(seed=2))
    assert sum(table.num_rows for table in tables) == SITES * DAYS
    return peak_mib()


def main() -> None:
    """Print the result as one JSON line; with --peak only the memory of reading a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", type=Path, help="folder whose files are read; prints peak MiB")
    folder = parser.parse_args().peak
    print(json.dumps(run()) if folder is None else _peak_mib(folder))


if __name__ == "__main__":
    main()
