"""LabelFolderSource: label files that a person keeps in a folder, taken as granules by their names.

Fields of a day (Planet SWC pairs, NSIDC-0779, SMAP level 3 and 4) and, without a day, the series
of an ISMN download (.stm files, or ZIPs of them). What a file is, is told by the function that the
caller gives: the same that tells it when labels are brought by hand.
"""

import shutil
import threading
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import rasterio
from pyproj.exceptions import CRSError
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from sm_platform.errors import DataError, SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.label_folder.known import Recognise
from sm_platform.sources.names import check_name, empty_folder, stamp_of
from sm_platform.sources.protocol import Finding, Granule, Product, by_day
from sm_platform.sources.terms import OWN

DATED = (
    Product.SWC,
    Product.NSIDC_0779,
    Product.SPL3SMP_E,
    Product.SPL4SMGP,
    Product.SPL4SMAU,
)
ISMN = "ismn"
PAIR = 2
"""Planet's files of an overpass: value and quality."""
MOST_TOLD = 3

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A granule of the folder."""

    product: Product
    granule_id: str
    day: date | None
    format: str
    files: tuple[Path, ...]
    bounds: Bounds | None
    """Where it lies; None: everywhere."""


@dataclass(slots=True)
class _Memory:
    """What files are, by their path and stamp: opening each at every look would take long."""

    found: dict[Path, tuple[str | None, _Held | None]] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    """Why a file cannot be used, at the last look; it is looked at again each time."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class LabelFolderSource:
    """The label files below a folder."""

    root: Path
    recognise: Recognise = field(repr=False)
    _memory: _Memory = field(default_factory=_Memory, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return "folder"

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Files of a product that touch the window; as `Source.granules`.

        Raises:
            SourceError: there is no such folder.
        """
        wanted = {None} if days is None else set(days)
        return _granules(
            one
            for one in self._held()
            if one.product is product and one.day in wanted and _touches(one.bounds, window)
        )

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
        """Dated files that came or were changed at or after a moment; as `Source.listed_since`."""
        return _granules(
            one
            for one in self._held()
            if one.product in products
            and one.day is not None
            and one.day >= first_day
            and (since is None or _came_utc(one.files) >= since)
            and _touches(one.bounds, window)
        )

    def in_flight(self, product: Product) -> int:
        """One at a time: a disk gains nothing by more."""
        return 1

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Copy the granule's files into an existing empty folder.

        Raises:
            SourceError: the folder has them no more.
        """
        empty_folder(folder)
        for one in self._held():
            if (one.product, one.granule_id) != (granule.product, granule.granule_id):
                continue
            for path in one.files:
                try:
                    shutil.copyfile(path, folder / check_name(path.name, "file name"))
                except OSError as error:
                    raise SourceError(
                        f"{path} cannot be copied ({error.strerror}): see to the file, then list "
                        "the granules again."
                    ) from error
            return
        raise SourceError(
            f"{granule.granule_id} is not in {self.root} any more: put its files back, or list the "
            "granules again."
        )

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """The folder, and what of each product is in it; as `LiveSource.probe`."""
        try:
            held = self._held()
        except SourceError as error:
            yield Finding(False, str(error))
            return
        for product in products:
            n = sum(one.product is product for one in held)
            text = f"{n} of {product.value}." if n else f"nothing of {product.value}: put it there."
            yield Finding(n > 0, f"The folder {self.root} holds {text}", (product,))
        reasons = list(self._memory.refused.values())
        if reasons:
            text = f"files that cannot be used: {len(reasons)}, for example:"
            shown = " ".join(reasons[:MOST_TOLD])
            yield Finding(False, f"The folder {self.root}: {text} {shown}")

    def _held(self) -> list[_Held]:
        """Every granule of the folder, of two copies the first by path."""
        if not self.root.is_dir():
            raise SourceError(f"{self.root} is no folder: name the one that holds the label files.")
        found: dict[tuple[Product, str], _Held] = {}
        with self._memory.lock:
            self._memory.refused.clear()
            for path in sorted(self.root.rglob("*")):
                one = self._looked_at(path) if path.is_file() else None
                if one is not None:
                    found.setdefault((one.product, one.granule_id), one)
        return list(found.values())

    def _looked_at(self, path: Path) -> _Held | None:
        stamp, before = stamp_of([path]), self._memory.found.get(path)
        if before is not None and before[0] == stamp:
            held = before[1]
            if held is None or all(one.is_file() for one in held.files):
                return held
        try:
            held = _ismn_zip(path) if path.suffix.lower() == ".zip" else _field(self, path)
        except (DataError, OSError, zipfile.BadZipFile) as error:
            self._memory.refused[path] = f"{path.name}: {str(error).removeprefix(path.name + ': ')}"
            return None
        self._memory.found[path] = (stamp, held)
        return held


def _field(source: LabelFolderSource, path: Path) -> _Held | None:
    """The granule of a file; None for what is no label, or is read with another file."""
    known = source.recognise(path)
    if known is None or known.is_companion:
        return None
    if known.format == ISMN:
        return _Held(Product.ISMN, known.granule_id, None, ISMN, known.files, None)
    if not known.format or known.product not in DATED:
        return None
    if known.day is None:
        raise SourceError("its name tells no time: give it its provider's name.")
    product, bounds = Product(known.product), None
    if product is Product.SWC:
        bounds = _bounds(path)
        if known.format == product.value and len(known.files) < PAIR:
            raise SourceError("its value or its quality file is lacking: put both side by side.")
    for one in known.files:
        check_name(one.name, "file name")
    return _Held(product, known.granule_id, known.day, known.format, known.files, bounds)


def _ismn_zip(path: Path) -> _Held | None:
    """An ISMN download: a ZIP with .stm files in it."""
    with zipfile.ZipFile(path) as archive:
        if not any(name.endswith(".stm") for name in archive.namelist()):
            return None
    check_name(path.name, "file name")
    return _Held(Product.ISMN, path.stem, None, ISMN, (path,), None)


def _bounds(path: Path) -> Bounds:
    try:
        with rasterio.open(path) as file:
            west, south, east, north = transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    except (RasterioError, CRSError, AttributeError) as error:
        raise SourceError(f"{path.name}: does not tell where it lies ({error}).") from error
    return float(west), float(south), float(east), float(north)


def _touches(bounds: Bounds | None, window: GridWindow) -> bool:
    if bounds is None:
        return True
    west, south, east, north = bounds
    left, bottom, right, top = lonlat_bounds(window)
    return west < right and left < east and south < top and bottom < north


def _came_utc(files: Sequence[Path]) -> datetime:
    """When the last of them came or was changed; a copy that keeps its age came when copied."""
    told = [path.stat() for path in files if path.is_file()]
    moment = max((max(one.st_mtime, one.st_ctime) for one in told), default=0.0)
    return datetime.fromtimestamp(moment, UTC)


def _size(files: Sequence[Path]) -> int | None:
    """Of all together; None when one was taken away meanwhile."""
    try:
        return sum(path.stat().st_size for path in files)
    except OSError:
        return None


def _granules(held: Iterator[_Held]) -> list[Granule]:
    found = [
        Granule(
            product=one.product,
            granule_id=one.granule_id,
            day=one.day,
            files=tuple(path.name for path in one.files),
            format=one.format,
            available_utc=None,
            licence=OWN,
            stamp=stamp_of(one.files),
            size_bytes=_size(one.files),
            service="folder",
            n_requests=0,
        )
        for one in held
    ]
    return by_day(found)
