"""Granules of a region that two services have brought, one after the other."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sm_platform.lake.granules import LandedGranule, land, read_granule
from sm_platform.lake.layout import SIDECAR, Layout
from sm_platform.sources.protocol import Product

NAME, DAY = "delta", date(2025, 1, 1)
MORNING = datetime(2025, 2, 1, 6, tzinfo=UTC)
NOON, EVENING = MORNING + timedelta(hours=6), MORNING + timedelta(hours=12)

SOME = LandedGranule(Path(), "weather", "one", DAY, "era5_land", (), "", 0, None, "climate_store")


def some(name: str, source: str, came: datetime | None) -> LandedGranule:
    """A granule that lies nowhere."""
    return replace(SOME, granule_id=name, source=source, retrieved_utc=came)


def bring(
    layout: Layout,
    what: tuple[Product, str, str],
    fill: Callable[[Path], Path],
    *,
    source: str = "archive",
    day: date | None = DAY,
    came: datetime = MORNING,
    citation: str | None = None,
) -> LandedGranule:
    """Land a granule (product, id, format), whose one file `fill` writes, as if it came then."""
    product, name, kind = what
    aside = layout.root / "trial"
    aside.mkdir(parents=True, exist_ok=True)
    made = fill(aside)
    content = made.read_bytes()
    sidecar: Mapping[str, object] = {
        "product": product.value,
        "granule_id": name,
        "day": day.isoformat() if day else None,
        "format": kind,
        "files": [made.name],
        "available_utc": None,
        "licence": f"terms of {source}",
        "source": source,
        "citation": citation,
    }
    granule, _ = land(layout, NAME, sidecar, lambda home: _put(home / made.name, content))
    path = granule.folder / SIDECAR
    path.write_text(json.dumps(json.loads(path.read_text()) | {"retrieved_utc": came.isoformat()}))
    return read_granule(granule.folder)


def text_file(folder: Path) -> Path:
    """A file that no reader takes."""
    path = folder / "day.nc"
    path.write_text("nothing that can be read")
    return path


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
