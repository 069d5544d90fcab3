"""Granules from the catalogue's answers (UMM-G, NASA's Unified Metadata Model for granules)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from sm_platform.errors import SourceError
from sm_platform.sources.earthdata.bursts import frame_in
from sm_platform.sources.earthdata.collections import (
    SERVICE,
    Collection,
    match_id,
    moment_of,
    parse_id,
)
from sm_platform.sources.names import check_name
from sm_platform.sources.protocol import Granule, Product, by_day
from sm_platform.sources.services import bare

REQUESTS_A_FILE = 2
"""The archive answers with a redirect to a signed address."""
UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9}
AVAILABLE = ("Insert", "Create")
"""Provider dates that say when a granule came into the archive, the best first."""
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def granule_of(item: Mapping[str, Any], collection: Collection) -> Granule | None:
    """One granule of a collection; None when it lacks a file that we need.

    A burst of OPERA in another polarisation lacks its VV and VH, for example.

    Raises:
        SourceError: none of its files has a name of the collection.
    """
    umm = item["umm"]
    hrefs = _links(umm)
    granule_id = _id_of(hrefs, collection, umm["GranuleUR"])
    names = tuple(check_name(granule_id + ending, "file name") for ending in collection.endings)
    if any(name not in hrefs for name in names):
        return None
    told = _told_of(umm)
    size = _size(told, names)
    sha256 = _sha256(told, names)
    estimate = size or _estimate(umm, names)
    made = umm.get("DataGranule", {}).get("ProductionDateTime")
    same, processing = _processing(collection, granule_id)
    return Granule(
        product=collection.product,
        granule_id=check_name(granule_id, "granule id"),
        day=moment_of(collection, granule_id).date(),
        files=names,
        format=collection.format,
        available_utc=_available(item),
        licence=collection.terms.licence,
        stamp=sha256 or " ".join(str(one) for one in (size, made) if one) or None,
        version_of=same if processing else None,
        processing=processing or None,
        size_bytes=size,
        sha256=sha256,
        hrefs=tuple(bare(hrefs[name]) for name in names),
        service=SERVICE.service_id,
        citation=collection.terms.citation,
        n_requests=REQUESTS_A_FILE * len(names),
        estimated_bytes=estimate or collection.estimated_bytes,
        frame=frame_in(umm, granule_id) if collection.product is Product.S1_GRD else None,
    )


def newest(granules: Iterable[Granule], collection: Collection) -> list[Granule]:
    """Of several processings of the same, the last one only; by day, then id."""
    kept: dict[str, tuple[str, Granule]] = {}
    for one in granules:
        same, made = _processing(collection, one.granule_id)
        if same not in kept or made > kept[same][0]:
            kept[same] = (made, one)
    return by_day(one for _, one in kept.values())


def nearest_morning(
    granules: Iterable[Granule], collection: Collection, lon: float
) -> list[Granule]:
    """Of the 3-hour means of each day, the one nearest to 6 h local solar time at a longitude.

    SMAP's morning pass, of which the analysis makes the most use; the other seven are as large.
    """
    wanted_h = (6 - lon / 15) % 24
    best: dict[date | None, tuple[float, Granule]] = {}
    for one in granules:
        moment = moment_of(collection, one.granule_id)
        off_h = abs(moment.hour + moment.minute / 60 - wanted_h)
        off_h = min(off_h, 24 - off_h)
        if one.day not in best or off_h < best[one.day][0]:
            best[one.day] = (off_h, one)
    return by_day(one for _, one in best.values())


def _links(umm: Mapping[str, Any]) -> dict[str, str]:
    """File name -> address of what is there to download over https."""
    found: dict[str, str] = {}
    for link in umm["RelatedUrls"]:
        parts = urlsplit(link["URL"])
        if link["Type"] == "GET DATA" and parts.scheme == "https":
            found.setdefault(parts.path.rsplit("/", 1)[-1], link["URL"])
    return found


def _id_of(names: Iterable[str], collection: Collection, told: str) -> str:
    for name in names:
        for ending in collection.endings:
            granule_id = name.removesuffix(ending)
            if granule_id != name and parse_id(collection, granule_id):
                return granule_id
    raise SourceError(
        f"{SERVICE.title}: granule {told[:120]} of {collection.name} has no file with a name of "
        "this collection: its naming may have changed; look for a newer release of this platform."
    )


def _processing(collection: Collection, granule_id: str) -> tuple[str, str]:
    """The id without what tells the processing, and that part."""
    match = match_id(collection, granule_id)
    if "made" not in match.groupdict():
        return granule_id, ""
    start, stop = match.span("made")
    return granule_id[:start] + granule_id[stop:], match["made"]


def _available(item: Mapping[str, Any]) -> datetime | None:
    """When it came into the archive; else when the catalogue last heard of it."""
    told = {one["Type"]: one["Date"] for one in item["umm"].get("ProviderDates", [])}
    for kind in AVAILABLE:
        if kind in told:
            return _utc(told[kind])
    revised = item.get("meta", {}).get("revision-date")
    return _utc(revised) if revised else None


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _entries(umm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the catalogue tells of files; not always of each, nor always of those in the archive."""
    return list(umm.get("DataGranule", {}).get("ArchiveAndDistributionInformation", []))


def _told_of(umm: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The entries of files that are told by their own names: only these describe our bytes."""
    return {str(one.get("Name", "")): one for one in _entries(umm)}


def _size(told: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> int | None:
    """Exact size of the files together; None unless it is told of each by its name."""
    sizes = [told.get(name, {}).get("SizeInBytes") for name in names]
    known = [size for size in sizes if isinstance(size, int) and size > 0]
    return sum(known) if len(known) == len(sizes) else None


def _estimate(umm: Mapping[str, Any], names: Sequence[str]) -> int | None:
    """About the size of the files together; None unless something is told of each.

    By the rounded numbers of the catalogue. A granule of one file may have one entry under another
    name (`Not provided`, the granule, a folder): near enough to plan with.
    """
    told, held = _told_of(umm), _entries(umm)
    alone = held[0] if len(names) == 1 and len(held) == 1 else {}
    sizes = [_about(told.get(name, alone)) for name in names]
    return None if not all(sizes) else round(sum(sizes))


def _about(entry: Mapping[str, Any]) -> float:
    """Bytes as an entry tells them; 0 when it does not."""
    exact = entry.get("SizeInBytes")
    if isinstance(exact, int) and exact > 0:
        return exact
    return float(entry.get("Size") or 0) * UNITS.get(entry.get("SizeUnit", ""), 0)


def _sha256(told: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """Checksum of a granule of one file, where the archive gives this kind."""
    held = [told.get(name, {}).get("Checksum", {}) for name in names]
    if len(held) != 1 or held[0].get("Algorithm") != "SHA-256":
        return None
    value = str(held[0].get("Value", ""))
    return value.lower() if _SHA256.fullmatch(value) else None
