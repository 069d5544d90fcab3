"""Granules: landed once, unchanged, each in a folder with a sidecar; damaged ones set aside."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sm_platform.errors import DataError, LakeError
from sm_platform.lake.atomic import explained, replacing_file, replacing_folder
from sm_platform.lake.layout import SIDECAR, Layout

Told = Mapping[str, Any]
"""What a sidecar says, or will say."""
Fetch = Callable[[Path], None]
"""Fills an empty folder."""


@dataclass(frozen=True, slots=True)
class LandedGranule:
    """A granule in the lake: its folder and what the sidecar says of it."""

    folder: Path
    product: str
    granule_id: str
    day: date | None
    format: str
    files: tuple[str, ...]
    sha256: str
    """Over the files in order of name: the identity of its content."""
    size_bytes: int
    available_utc: datetime | None
    source: str
    stamp: str | None = None
    """The source's own mark of this version; None when it has none."""
    version_of: str | None = None
    """Names all processings of the same; None where ids do not differ by processing."""
    processing: str | None = None
    """What tells this processing from others of `version_of`: the later one sorts last."""
    licence: str = ""
    citation: str | None = None
    retrieved_utc: datetime | None = None
    """When it was landed; None when the sidecar does not say it."""

    @property
    def is_simulated(self) -> bool:
        """Whether no real place was measured, as its licence says."""
        return self.licence.endswith("(simulated)")


def land(layout: Layout, region: str, sidecar: Told, fetch: Fetch) -> tuple[LandedGranule, bool]:
    """The landed granule, and whether it was fetched now (False: it was there already).

    Where a later processing of it stands, that is the one.

    `sidecar` names product, granule_id, day (ISO or None), format, files, available_utc (ISO or
    None), licence, source and, where the source can tell versions apart, stamp. `fetch` fills an
    empty folder with exactly those files. A granule of another stamp or source (two services may
    call a frame the same and cut it differently) is fetched again; when its content differs, the
    one that stood there moves to `superseded/`, for the maps made of it. So do earlier processings:
    other granules of that day and source with the same `version_of`. And so does the same granule
    under the day after: until the first frame of a radar pass over midnight had come, its later
    frames had that day. Who lands holds a lock by `version_of`, or by id where there is none.

    Raises:
        LakeError: a file is not there after the fetch, or the lake cannot be written.
    """
    day = _day_of(sidecar)
    target = _place(layout, region, sidecar, day)
    own = in_version(target, sidecar.get("stamp"), sidecar["source"])
    stands = newer_version(layout, region, sidecar) or own
    if stands is None:
        _replace(layout, region, sidecar, fetch)
    if day is not None:
        _leave(layout, region, sidecar, day + timedelta(days=1))
    return stands or read_granule(target), stands is None


def newer_version(layout: Layout, region: str, sidecar: Told) -> LandedGranule | None:
    """The latest processing in the lake that came after this one; None when there is none."""
    own = sidecar.get("processing") or ""
    later = [one for one in _versions(layout, region, sidecar) if (one.processing or "") > own]
    return max(later, key=lambda one: one.processing or "", default=None)


def _replace(layout: Layout, region: str, sidecar: Told, fetch: Fetch) -> None:
    """Fetch a granule into its place; what stood there, if it differs, is kept elsewhere.

    All that it replaces goes first: a crash then leaves none, and it is landed anew. The other way
    round two processings of one granule would stand side by side.
    """
    target = _place(layout, region, sidecar, _day_of(sidecar))
    before = find_granule(target)
    with replacing_folder(target, layout.aside) as draft:
        fetch(draft)
        absent = [name for name in sidecar["files"] if not (draft / name).is_file()]
        if absent:
            raise LakeError(f"{sidecar['granule_id']} came without {', '.join(absent)}.")
        digest = _describe(draft, region, sidecar)
        if before is not None and before.sha256 != digest:
            _supersede(layout, region, before)
        for one in _versions(layout, region, sidecar):
            _take_away(layout, region, one)


def _versions(layout: Layout, region: str, sidecar: Told) -> list[LandedGranule]:
    """Other processings of a granule, by the same source, that stand on its day."""
    if not sidecar.get("version_of"):
        return []
    own, same = sidecar["granule_id"], (sidecar["version_of"], sidecar["source"])
    there = landed(layout, sidecar["product"], region, _day_of(sidecar))
    return [one for one in there if one.granule_id != own and (one.version_of, one.source) == same]


def _leave(layout: Layout, region: str, sidecar: Told, day: date) -> None:
    """Take a granule away from a day that it no longer has."""
    granule = find_granule(_place(layout, region, sidecar, day))
    if granule is not None:
        _take_away(layout, region, granule)


def _take_away(layout: Layout, region: str, granule: LandedGranule) -> None:
    _supersede(layout, region, granule)
    shutil.rmtree(granule.folder, ignore_errors=True)  # still there when it was kept before


def _describe(folder: Path, region: str, sidecar: Told) -> str:
    """Write the sidecar beside the files of a granule; returns their hash."""
    digest, size = digest_of([folder / name for name in sorted(sidecar["files"])])
    found = {"sha256": digest, "size_bytes": size, "retrieved_utc": _now(), "region": region}
    (folder / SIDECAR).write_text(json.dumps({**sidecar, **found}, sort_keys=True, indent=1))
    return digest


def _day_of(sidecar: Told) -> date | None:
    return date.fromisoformat(sidecar["day"]) if sidecar["day"] else None


def _place(layout: Layout, region: str, sidecar: Told, day: date | None) -> Path:
    return layout.granule(sidecar["product"], region, day, sidecar["granule_id"])


def in_version(folder: Path, stamp: str | None, source: str | None = None) -> LandedGranule | None:
    """The granule in a folder if it is of that stamp and source; None as source: of any."""
    here = find_granule(folder)
    is_it = here is not None and here.stamp == stamp and source in (None, here.source)
    return here if is_it else None


def _supersede(layout: Layout, region: str, granule: LandedGranule) -> None:
    """Keep an earlier version; a crash right after it leaves none in place: it is landed anew."""
    home = layout.superseded(granule.product, region, granule.granule_id)
    target = home / granule.sha256[:12]
    with explained(target):
        home.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            granule.folder.replace(target)


def landed(layout: Layout, product: str, region: str, day: date | None) -> list[LandedGranule]:
    """Granules of a product, region and day (None: the static ones), ordered by id."""
    folder = layout.granules(product, region, day)
    if not folder.is_dir():
        return []
    found = (find_granule(path) for path in sorted(folder.iterdir()))
    return [one for one in found if one is not None]


def landed_days(layout: Layout, product: str, region: str) -> list[date]:
    """The days with a landed granule of a product, in order; other folders are passed over."""
    folder = layout.granules(product, region, None).parent
    sidecars = folder.glob(f"????-??-??/*/{SIDECAR}")
    return sorted({date.fromisoformat(path.parent.parent.name) for path in sidecars})


def read_granule(folder: Path) -> LandedGranule:
    """What the sidecar in a granule's folder says; raises LakeError when it cannot be read."""
    found = find_granule(folder)
    if found is None:
        raise LakeError(f"{folder / SIDECAR} is not there: download again.")
    return found


def find_granule(folder: Path) -> LandedGranule | None:
    """As `read_granule`; None when none has been landed there, or it has just been taken away."""
    try:
        return _landed(folder, json.loads((folder / SIDECAR).read_text()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{folder / SIDECAR} cannot be read ({error}): remove its folder and download again."
        ) from error


def _landed(folder: Path, told: Told) -> LandedGranule:
    available, retrieved = told["available_utc"], told.get("retrieved_utc")
    return LandedGranule(
        folder=folder,
        product=told["product"],
        granule_id=told["granule_id"],
        day=_day_of(told),
        format=told["format"],
        files=tuple(told["files"]),
        sha256=told["sha256"],
        size_bytes=told["size_bytes"],
        available_utc=datetime.fromisoformat(available) if available else None,
        source=told["source"],
        stamp=told.get("stamp"),
        version_of=told.get("version_of"),
        processing=told.get("processing"),
        licence=told.get("licence", ""),
        citation=told.get("citation"),
        retrieved_utc=datetime.fromisoformat(retrieved) if retrieved else None,
    )


def refuse_quarantined(layout: Layout, product: str, region: str, day: date | None) -> None:
    """Raise DataError when a granule of the day is set aside and has not been landed again.

    Without this a day whose only granule is damaged would pass for a day without one.
    """
    for granule in quarantined(layout, product, region, day):
        raise DataError(
            f"{granule.granule_id} of {region} is damaged and lies in {granule.folder}: "
            "put a whole file in its place at the source and run --download again, "
            "or remove that folder to go on without it."
        )


def quarantined(layout: Layout, product: str, region: str, day: date | None) -> list[LandedGranule]:
    """Granules of the day that are set aside and have not been landed again.

    One that stands in another processing has been: its provider has replaced it under a new id.
    """
    home = layout.quarantine(product, region, "any").parent
    found = (read_granule(one.parent) for one in sorted(home.glob(f"*/*/{SIDECAR}")))
    aside = [granule for granule in found if granule.day == day]
    there = landed(layout, product, region, day) if aside else []
    return [one for one in aside if not any(_stands_for(other, one) for other in there)]


def _stands_for(there: LandedGranule, aside: LandedGranule) -> bool:
    """Whether a landed granule is the one set aside, whole or in another processing."""
    is_version = (there.version_of, there.source) == (aside.version_of, aside.source)
    return there.granule_id == aside.granule_id or (bool(aside.version_of) and is_version)


def quarantine_fetched(
    layout: Layout, region: str, sidecar: Told, folder: Path, reason: str
) -> Path:
    """Set aside what was fetched into a folder and must not land; returns where it lies now.

    `sidecar` as for `land`; of several files those that came. The folder is gone afterwards.
    """
    there = [name for name in sidecar["files"] if (folder / name).is_file()]
    with explained(folder):
        _describe(folder, region, {**sidecar, "files": there})
    return quarantine(layout, region, read_granule(folder), reason)


def quarantine(layout: Layout, region: str, granule: LandedGranule, reason: str) -> Path:
    """Set a damaged granule aside with its reason; returns where it lies now."""
    home = layout.quarantine(granule.product, region, granule.granule_id)
    target = home / granule.sha256[:12]
    with explained(target):
        home.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(granule.folder)
        else:
            granule.folder.replace(target)
    with replacing_file(target / "reason.json", layout.aside) as draft:
        draft.write_text(json.dumps({"reason": reason, "quarantined_utc": _now()}))
    return target


def digest_of(files: list[Path]) -> tuple[str, int]:
    """SHA-256 over the content of the files in the given order, and their size in bytes."""
    digest, size = hashlib.sha256(), 0
    for path in files:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
    return digest.hexdigest(), size


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()
