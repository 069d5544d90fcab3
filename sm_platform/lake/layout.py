"""Every path of the lake, in one class; nothing else joins a path of ours."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sm_platform.errors import UsageError

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
PART = "part.parquet"
SIDECAR = "granule.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below one root folder; building a path creates nothing."""

    root: Path

    @property
    def aside(self) -> Path:
        """Unfinished writes, a folder per process."""
        return self.root / ".aside"

    @property
    def tables(self) -> Path:
        """Parquet tables, hive partitioned."""
        return self.root / "tables"

    @property
    def maps(self) -> Path:
        """Map folders, below their collection."""
        return self.root / "maps"

    def table(self, table: str) -> Path:
        """Folder of one table."""
        return self.tables / safe(table)

    def part(self, table: str, region: str, day: date | None) -> Path:
        """The one Parquet file of a partition."""
        folder = self.table(table) / f"region={safe(region)}"
        return (folder if day is None else folder / f"day={day.isoformat()}") / PART

    def granules(self, product: str, region: str, day: date | None) -> Path:
        """Folder that holds a day's granules of a product, or its static ones."""
        return self.root / "granules" / safe(product) / safe(region) / _day_name(day)

    def granule(self, product: str, region: str, day: date | None, granule_id: str) -> Path:
        """Folder of one granule."""
        return self.granules(product, region, day) / safe(granule_id)

    def quarantine(self, product: str, region: str, granule_id: str) -> Path:
        """Where damaged copies of a granule are set aside, one numbered folder each."""
        return self.root / "quarantine" / safe(product) / safe(region) / safe(granule_id)

    def superseded(self, product: str, region: str, granule_id: str) -> Path:
        """Where earlier versions of a granule are kept, one folder each."""
        return self.root / "superseded" / safe(product) / safe(region) / safe(granule_id)

    def spending(self, month: str) -> Path:
        """Folder of what the services were asked for in a month (`2026-11`)."""
        return self.root / "spending" / safe(month)

    def lock(self, name: str) -> Path:
        """The file that who changes something of that name holds."""
        return self.root / ".locks" / safe(name)

    def failures(self, region: str, asset: str) -> Path:
        """Folder of the days of a region on which an asset failed, a small JSON each."""
        return self.root / "failures" / safe(region) / safe(asset)

    def watched(self, region: str) -> Path:
        """Folder of what is noted of the watch over a region as long as it has its row."""
        return self.root / "watched" / safe(region)

    def figure(self, region: str, day: date, name: str) -> Path:
        """A picture of a map for people, apart from the product."""
        folder = self.root / "figures" / safe(region) / f"{day:%Y}" / f"{day:%m}"
        return folder / safe(name)

    def report(self, region: str, name: str) -> Path:
        """A picture of what is known of a region as a whole."""
        return self.root / "figures" / safe(region) / safe(name)


def safe(name: str) -> str:
    """The name itself when it can be one part of a path; raises UsageError otherwise."""
    if not SAFE_NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot be part of a path: use letters, digits, '.', '_', '-'.")
    return name


def _day_name(day: date | None) -> str:
    return "static" if day is None else day.isoformat()
