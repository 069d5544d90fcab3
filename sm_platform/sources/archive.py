"""ArchiveSource: a folder of provider files (see `archive_folder`) as a source of granules."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.schema.recipes import NdviSensor
from sm_platform.sources.archive_clock import advance_clock, read_clock
from sm_platform.sources.archive_faults import read_faults, request, spoil
from sm_platform.sources.archive_folder import archive_regions
from sm_platform.sources.archive_listing import (
    Place,
    Row,
    rows_named,
    rows_of_days,
    rows_since,
)
from sm_platform.sources.names import check_name, empty_folder, stamp_of
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of
from sm_platform.sources.pass_days import ONE_DAY, first_days, with_neighbours
from sm_platform.sources.protocol import Granule, Product, by_day
from sm_platform.sources.sentinel1_names import parse_frame

__all__ = ["ArchiveSource", "advance_clock", "archive_regions", "read_clock"]

LISTING = "listing"
"""What is asked for when no granule is."""


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """The granules of an archive folder that are available at its clock.

    Frames of a radar pass over midnight (UTC) have the day of the first of them that touches the
    window and has come. While that one is late, the later ones have the day after; once it has
    come, all have its day, and a caller that landed some under the other day has to move them.
    """

    root: Path
    ndvi_sensor: NdviSensor | None = None
    """Whose vegetation composites are listed; None: all that there are."""

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return "archive"

    def now(self) -> datetime:
        """The moment of the archive's clock (UTC)."""
        return read_clock(self.root).now_utc

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """Available granules that touch the window, ordered by day, then id.

        Args:
            product: what the granules hold.
            window: any grid; its outline in degrees is compared with each granule's.
            days: UTC days; None for static granules.

        Raises:
            SourceError: the folder is no archive, or its index or clock is damaged.
        """
        request(self.root, product, LISTING)
        place = self._place(window)
        if days is None:
            return self._granules(rows_of_days(self.root, product, place, None))
        wanted = set(days)
        around = with_neighbours(wanted) if product is Product.S1_GRD else wanted
        rows = _of_passes(rows_of_days(self.root, product, place, around))
        return self._granules([row for row in rows if row["day"] in wanted])

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Dated granules that touch the window and came at or after a moment, by day, then id.

        Raises:
            SourceError: the folder is no archive, or its index or clock is damaged.
        """
        for product in products:
            request(self.root, product, LISTING)
        place = self._place(window)
        others = [one for one in products if one is not Product.S1_GRD]
        rows = rows_since(self.root, others, place, since, first_day)
        if Product.S1_GRD in products:  # the first frame of a new one's pass may be an old one
            frames = rows_since(self.root, [Product.S1_GRD], place, None, first_day - ONE_DAY)
            rows += [row for row in _of_passes(frames) if _is_new(row, since, first_day)]
        return self._granules(rows)

    def in_flight(self, product: Product) -> int:
        """One at a time: a disk gains nothing by more."""
        return 1

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Copy exactly `granule.files` into an existing empty folder.

        Raises:
            UsageError: the folder does not exist or is not empty.
            PassingError: a planted fault of the provider.
            SourceError: the archive does not hold the granule, or not yet, or lost a file.
        """
        empty_folder(folder)
        fault = request(self.root, granule.product, granule.granule_id)
        home = self._home(granule, window)
        for name in granule.files:
            check_name(name, "file name")
            try:
                shutil.copyfile(home / name, folder / name)
            except OSError as error:
                raise SourceError(
                    f"{granule.granule_id}: {home / name} cannot be copied ({error.strerror}): "
                    "trying again will not help; write the archive anew."
                ) from error
        if fault is not None:
            spoil(fault, folder, granule.files)

    def _place(self, window: GridWindow) -> Place:
        return Place(lonlat_bounds(window), self.now())

    def _granules(self, rows: Sequence[Row]) -> list[Granule]:
        faults = read_faults(self.root)
        found = [self._stamped(row) for row in rows if self._is_wanted(row)]
        shown = [
            one
            for one in found
            if faults is None or not faults.hides(one.product, one.granule_id, one.available_utc)
        ]
        return by_day(shown)

    def _is_wanted(self, row: Row) -> bool:
        is_ndvi = row["product"] == Product.NDVI and self.ndvi_sensor is not None
        return not is_ndvi or ndvi_sensor_of(row["format"]) is self.ndvi_sensor

    def _stamped(self, row: Row) -> Granule:
        granule = _granule(row)
        home = self._folder(row, granule)
        return replace(granule, stamp=stamp_of([home / name for name in granule.files]))

    def _folder(self, row: Row, granule: Granule) -> Path:
        region = check_name(row["region_id"], "region id")
        return self.root / granule.product / region / granule.granule_id

    def _home(self, granule: Granule, window: GridWindow) -> Path:
        """Folder of the granule's files; of two regions' copies the one that touches the window."""
        rows = rows_named(self.root, granule.product, granule.granule_id, self._place(window))
        if not rows:
            raise SourceError(
                f"{granule.granule_id} is not in the archive {self.root} for this window at its "
                "clock: list the granules again, or advance the clock."
            )
        return self._folder(rows[0], _granule(rows[0]))


def _of_passes(rows: Sequence[Row]) -> list[Row]:
    """Rows with the day of the first frame of their pass; others keep their own."""
    days = first_days([(_scene_of(row), row["day"]) for row in rows])
    return [{**row, "day": day} for row, day in zip(rows, days, strict=True)]


def _scene_of(row: Row) -> str | None:
    frame = parse_frame(row["granule_id"]) if row["product"] == Product.S1_GRD else None
    return frame.scene_id if frame else None


def _is_new(row: Row, since: datetime | None, first_day: date) -> bool:
    came = row["available_utc"]
    is_since = since is None or (came is not None and came >= since)
    return bool(is_since and row["day"] >= first_day)


def _granule(row: Mapping[str, Any]) -> Granule:
    return Granule(
        product=Product(row["product"]),
        granule_id=check_name(row["granule_id"], "granule id"),
        day=row["day"],
        files=tuple(check_name(name, "file name") for name in row["files"]),
        format=row["format"],
        available_utc=row["available_utc"],
        licence=row["licence"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
    )
