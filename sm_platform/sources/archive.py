"""ArchiveSource: a folder of provider files (see `archive_folder`) as a source of granules."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.sources.archive_folder import (
    advance_clock,
    archive_regions,
    end_of,
    index_rows,
    read_clock,
)
from sm_platform.sources.names import check_name, empty_folder, stamp_of
from sm_platform.sources.protocol import Granule, Product

__all__ = ["ArchiveSource", "advance_clock", "archive_regions", "read_clock"]


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """The granules of an archive folder that are available at its clock."""

    root: Path

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return "archive"

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
        bounds = lonlat_bounds(window)
        wanted = None if days is None else set(days)
        rows = index_rows(self.root, product, end_of(read_clock(self.root).today))
        found = [
            self._stamped(row)
            for row in rows
            if (row["day"] is None if wanted is None else row["day"] in wanted)
            and _touches(row, bounds)
        ]
        return sorted(found, key=lambda one: (one.day or date.min, one.granule_id))

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Copy exactly `granule.files` into an existing empty folder.

        Raises:
            UsageError: the folder does not exist or is not empty.
            SourceError: the archive does not hold the granule, or not yet, or lost a file.
        """
        empty_folder(folder)
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

    def _stamped(self, row: Mapping[str, Any]) -> Granule:
        granule = _granule(row)
        home = self._folder(row, granule)
        return replace(granule, stamp=stamp_of([home / name for name in granule.files]))

    def _folder(self, row: Mapping[str, Any], granule: Granule) -> Path:
        region = check_name(row["region_id"], "region id")
        return self.root / granule.product / region / granule.granule_id

    def _home(self, granule: Granule, window: GridWindow) -> Path:
        """Folder of the granule's files; of two regions' copies the one that touches the window."""
        until = end_of(read_clock(self.root).today)
        bounds = lonlat_bounds(window)
        for row in index_rows(self.root, granule.product, until, granule_id=granule.granule_id):
            if _touches(row, bounds):
                return self._folder(row, _granule(row))
        raise SourceError(
            f"{granule.granule_id} is not in the archive {self.root} for this window at its "
            "clock: list the granules again, or advance the clock."
        )


def _granule(row: Mapping[str, Any]) -> Granule:
    return Granule(
        product=Product(row["product"]),
        granule_id=check_name(row["granule_id"], "granule id"),
        day=row["day"],
        files=tuple(check_name(name, "file name") for name in row["files"]),
        format=row["format"],
        available_utc=row["available_utc"],
        licence=row["licence"],
    )


def _touches(row: Mapping[str, Any], bounds: tuple[float, float, float, float]) -> bool:
    west, south, east, north = bounds
    across = row["west"] < east and west < row["east"]
    return bool(across and row["south"] < north and south < row["north"])
