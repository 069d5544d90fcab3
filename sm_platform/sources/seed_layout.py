"""SeedLayoutSource: the older system's own folders, `<root>/<region>/data/...`, as a source.

Its users bring radar, NDVI, weather, soil and terrain rasters whose only identity is the file
name; a radar file's day stands for the pass, and nothing says when a file became available.
"""

import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from sm_platform.errors import GranuleError, GridError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.names import check_name, empty_folder, stamp_of
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.terms import OWN

FORMAT = "seed_layout"
EPSG = 4326
"""The older system exports everything in degrees."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one product lies below `data/`; a dated name carries its day as group 1."""

    folder: str
    pattern: re.Pattern[str]
    is_dated: bool


DAY = r"(\d{4}-\d{2}-\d{2})"
PLACES = {
    Product.S1_GRD: Place("s1_images", re.compile(rf"S1_{DAY}\.tif"), is_dated=True),
    Product.NDVI: Place("ndvi_images", re.compile(rf"NDVI_{DAY}\.tif"), is_dated=True),
    Product.WEATHER: Place("weather_images", re.compile(rf"Weather_{DAY}\.tif"), is_dated=True),
    Product.SOIL: Place(
        "soilgrid_images", re.compile(r"SoilGrid_sand_clay_bdod\.tif"), is_dated=False
    ),
    Product.ELEVATION: Place(
        "dem_images", re.compile(r"DEM_elevation_slope_aspect_30m\.tif"), is_dated=False
    ),
}


@dataclass(frozen=True, slots=True)
class SeedLayoutSource:
    """The rasters of one region of such a folder."""

    root: Path
    region_id: str

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return "seed_layout"

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """The region's files of a product, ordered by day; none when the window lies elsewhere.

        Files whose name is not the system's own, or whose day does not exist, are no granules.

        Raises:
            SourceError: the region's folder or its radar files are missing.
            GranuleError: its first radar file does not say where it lies.
        """
        if product not in PLACES or not _touch(window, region_window(self.root, self.region_id)):
            return []
        dated = _dated_files(self.root, self.region_id, product)
        wanted = {None} if days is None else set(days)
        return [_granule(product, path, day) for day, path in dated if day in wanted]

    def now(self) -> datetime:
        """The clock on the wall: files come when a person brings them."""
        return datetime.now(UTC)

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Dated files that touch the window and were changed at or after a moment, by day.

        Raises:
            SourceError: the region's folder or its radar files are missing.
            GranuleError: its first radar file does not say where it lies.
        """
        if not _touch(window, region_window(self.root, self.region_id)):
            return []
        found = [
            (day, product, path)
            for product in products
            if product in PLACES
            for day, path in _dated_files(self.root, self.region_id, product)
            if day is not None and day >= first_day and _came_since(path, since)
        ]
        found.sort(key=lambda one: (one[0], one[2].stem))
        return [_granule(product, path, day) for day, product, path in found]

    def in_flight(self, product: Product) -> int:
        """One at a time: a disk gains nothing by more."""
        return 1

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Copy the granule's one file into an existing empty folder.

        Raises:
            UsageError: the target folder does not exist or is not empty.
            SourceError: the region has no such file (any more).
        """
        empty_folder(folder)
        for name in granule.files:
            path = _folder(self.root, self.region_id, granule.product) / check_name(name, "file")
            try:
                shutil.copyfile(path, folder / name)
            except OSError as error:
                raise SourceError(
                    f"{path} cannot be copied ({error.strerror}): put the file back, then list "
                    "the granules again."
                ) from error


def region_window(root: Path, region_id: str) -> GridWindow:
    """The grid of the region's first readable radar file by day: the grid its maps have.

    Raises:
        SourceError: the region has no radar file.
        GranuleError: no file is whole and has a coordinate reference system.
    """
    dated = _dated_files(root, region_id, Product.S1_GRD)
    if not dated:
        place = _folder(root, region_id, Product.S1_GRD)
        raise SourceError(f"{place} holds no radar file S1_YYYY-MM-DD.tif: add at least one.")
    first: GranuleError | None = None
    for _, path in dated:
        try:
            return _grid_of(path)
        except GranuleError as error:  # damaged days are named when they are extracted
            first = first or error
    raise first or GranuleError(f"{region_id} has no readable radar file.")


def _grid_of(path: Path) -> GridWindow:
    try:
        with rasterio.open(path) as file:
            crs, affine, shape = file.crs, file.transform, file.shape
    except RasterioError as error:
        raise GranuleError(f"{path} is no readable raster ({error}): export it again.") from error
    if crs is None:
        raise GranuleError(f"{path} has no coordinate reference system: export it again with one.")
    if crs.to_epsg() != EPSG:
        raise GranuleError(f"{path} is in {crs.to_string()[:80]}: warp it to EPSG:{EPSG}.")
    try:
        return GridWindow(f"EPSG:{EPSG}", affine, (shape[0], shape[1]))
    except GridError as error:
        raise GranuleError(f"{path}: {error}") from error


def _touch(one: GridWindow, other: GridWindow) -> bool:
    west, south, east, north = lonlat_bounds(one)
    left, bottom, right, top = lonlat_bounds(other)
    return west < right and left < east and south < top and bottom < north


def _folder(root: Path, region_id: str, product: Product) -> Path:
    place = PLACES.get(product)
    if place is None:
        raise SourceError(f"A seed-system folder holds no {product.value}: use another source.")
    return root / check_name(region_id, "region id") / "data" / place.folder


def _dated_files(root: Path, region_id: str, product: Product) -> list[tuple[date | None, Path]]:
    """Day (None when static) and path of each file of a product, in order of day."""
    place, folder = PLACES[product], _folder(root, region_id, product)
    if not folder.parent.is_dir():
        raise SourceError(f"{folder.parent} is no folder: name the folder that holds regions.")
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        match = place.pattern.fullmatch(path.name)
        day = _day(match.group(1)) if match and place.is_dated else None
        if match and (day is not None or not place.is_dated):
            found.append((day, path))
    return sorted(found, key=lambda one: (one[0] or date.min, one[1].name))


def _day(text: str) -> date | None:
    """The day, None when the calendar has none of that name."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _came_since(path: Path, moment: datetime | None) -> bool:
    """Whether the file came or was changed then; a copy that keeps its age came when copied."""
    try:
        told = path.stat()
    except OSError:  # taken away meanwhile
        return False
    return moment is None or max(told.st_mtime, told.st_ctime) >= moment.timestamp()


def _granule(product: Product, path: Path, day: date | None) -> Granule:
    return Granule(
        product=product,
        granule_id=path.stem,
        day=day,
        files=(path.name,),
        format=FORMAT,
        available_utc=None,
        licence=OWN,
        stamp=stamp_of([path]),
    )
