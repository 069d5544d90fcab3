"""Entries of Sentinel Hub's catalogue of Sentinel-1: what they say, as granules and frames."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.names import check_name
from sm_platform.sources.pass_days import frame_of as frame_of_granule
from sm_platform.sources.pass_days import with_pass_days
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import FrameName, parse_frame
from sm_platform.sources.sentinel_hub.frames import N_BANDS, Frame, frame_window, tiles
from sm_platform.sources.sentinel_hub.web import SERVICE
from sm_platform.sources.terms import SENTINEL_1, SENTINEL_HUB

COLLECTION = "sentinel-1-grd"
TERMS = SENTINEL_1.through(SENTINEL_HUB)
ENDINGS = (".SAFE", "_COG")
"""Of the catalogue's ids, besides the id of the product."""
STATES = {"ascending": "A", "descending": "D"}


def granule_of(item: Mapping[str, Any], window: GridWindow, url: str) -> Granule:
    """The granule of a catalogue entry of the service at `url`; raises as `frame_of`."""
    frame = frame_of(item)
    whole = frame_window(window, frame.bounds)
    parts = [] if whole is None else tiles(whole)
    name = check_name(frame.granule_id, "granule id")
    item_id = check_name(str(item["id"]), "granule id")
    return Granule(
        product=Product.S1_GRD,
        granule_id=name,
        day=frame.name.start_utc.date(),
        files=(f"{name}.tif", f"{name}.json"),
        format="s1_earth_engine",
        available_utc=_moment(item["properties"].get("created")),
        licence=TERMS.licence,
        hrefs=(f"{url}/api/v1/catalog/1.0.0/collections/{COLLECTION}/items/{item_id}",),
        service=SERVICE.service_id,
        citation=TERMS.citation,
        n_requests=1 + len(parts),
        estimated_bytes=sum(4 * N_BANDS * part.size for part in parts),
    )


def frame_of(item: Mapping[str, Any]) -> Frame:
    """A catalogue entry's frame; raises SourceError where it says too little."""
    item_id = str(item.get("id"))
    granule_id = item_id
    for ending in ENDINGS:
        granule_id = granule_id.removesuffix(ending)
    name, properties = parse_frame(granule_id), item.get("properties", {})
    state = STATES.get(str(properties.get("sat:orbit_state", "")).lower())
    orbit = properties.get("sat:relative_orbit") or (name.relative_orbit if name else None)
    bounds = item.get("bbox")
    if name is None or state is None or orbit is None or not _is_bounds(bounds):
        raise SourceError(
            f"{SERVICE.title}: the catalogue's entry {item_id[:80]!r} lacks a Sentinel-1 GRD id, "
            "orbit state, relative orbit or bounds: leave its day out and tell us."
        )
    west, south, east, north = map(float, cast(Sequence[float], bounds))
    return Frame(granule_id, name, state, int(orbit), (west, south, east, north))


def _is_bounds(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def item_href(granule: Granule) -> str:
    """Address of the catalogue's entry of a granule."""
    if len(granule.hrefs) != 1:
        raise SourceError(f"{granule.granule_id} names no address: list the granules again.")
    return granule.hrefs[0]


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def of_passes(granules: Sequence[Granule]) -> list[Granule]:
    """Frames with the day of the first one of their pass; of two of one slice the last id's."""
    slices: dict[tuple[str, datetime], Granule] = {}
    for one in sorted(granules, key=lambda one: one.granule_id):
        frame = cast(FrameName, frame_of_granule(one))
        slices[frame.scene_id, frame.start_utc] = one
    return with_pass_days(list(slices.values()))
