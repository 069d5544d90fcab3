"""How a listed pass stands: mapped with these very frames, without data, failed, or open."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sm_platform.defs.map_chain import PASS_TO_MAP, PASSES
from sm_platform.defs.map_index import looked_at, read_index
from sm_platform.defs.scenes import read_scenes
from sm_platform.defs.watching.scene_log import ListedPass
from sm_platform.errors import SmPlatformError
from sm_platform.lake.failures import failure_of
from sm_platform.lake.granules import in_version, read_granule
from sm_platform.lake.layout import Layout
from sm_platform.sources.protocol import Product

HALF_CYCLE_DAYS, CYCLES = 6, 4
"""Two satellites pass a track every 6 days; so many half cycles back a pass is compared with."""


class State(StrEnum):
    """What became of a pass so far."""

    MAPPED = "mapped"
    NO_DATA = "no_data"
    FAILED = "failed"
    """Its day failed of what trying again does not help."""
    OPEN = "open"
    """Nothing, or not with these frames, or it failed of what may pass."""


@dataclass(frozen=True, slots=True)
class Standing:
    """State of a pass, with its current map or the reason why there is none."""

    state: State
    map_id: str | None = None
    reason: str | None = None


def standing(layout: Layout, listed: ListedPass) -> Standing:
    """How a pass stands in the lake; an index that cannot be read counts as failed."""
    failed = failure_of(layout, listed.region_id, PASS_TO_MAP, listed.day)
    try:
        rows = [
            row
            for row in read_index(layout, listed.region_id, listed.day)
            if row["scene_id"] == listed.scene_id
        ]
        look = looked_at(layout, listed.region_id, listed.day).get(listed.scene_id, {})
    except SmPlatformError as error:
        return Standing(State.FAILED, reason=str(error))
    current = next((row for row in rows if row["is_latest"]), None)
    map_id = current["map_id"] if current is not None else None
    is_of_these = _is_of(layout, look.get("granules", {}), listed)
    if current is not None and is_of_these:
        return Standing(State.MAPPED, map_id)
    if failed is not None:
        # What those fail of does not pass by itself; a checkpoint or recipe may be put right.
        is_wrong = failed.asset in PASSES and not failed.is_passing
        state = State.FAILED if is_wrong else State.OPEN
        return Standing(state, map_id, failed.reason)
    empty = next((row for row in rows if row["status"] == "no_data"), None)
    if empty is not None and is_of_these:
        return Standing(State.NO_DATA, reason=empty["status_reason"])
    return Standing(State.OPEN, map_id)


def _is_of(layout: Layout, made_of: Mapping[str, str], listed: ListedPass) -> bool:
    """Whether a day was mapped from the frames listed now, each as it is listed now.

    Two services may call a frame the same, and neither of them tell versions apart.
    """
    if set(made_of) != {one.frame_id for one in listed.frames}:
        return False
    for frame in listed.frames:
        folder = layout.granule(Product.S1_GRD.value, listed.region_id, listed.day, frame.frame_id)
        here = in_version(folder, frame.frame_stamp or None, frame.service)
        if here is None or here.sha256 != made_of[frame.frame_id]:
            return False
    return True


def usual_frames(
    layout: Layout,
    region: str,
    day: date,
    relative_orbit: int | None,
    *,
    service: str | None = None,
) -> int:
    """Frames that the track's passes of the last weeks had, the most of them; 0 when not known.

    Only passes of one service count: a pass is 2 slices of one and 20 bursts of another.

    Args:
        layout: the lake.
        region: the region's id.
        day: of the pass that is compared.
        relative_orbit: its track.
        service: who brings it; None: the one that its stored pass is of, if that is known.
    """
    if relative_orbit is None:
        return 0
    if service is None:
        own = (one.service for one in _on_track(layout, region, day, relative_orbit))
        service = next(own, None)
    counts = [
        one.n_frames
        for back in range(1, CYCLES + 1)
        for one in _on_track(
            layout, region, day - timedelta(back * HALF_CYCLE_DAYS), relative_orbit
        )
        if service is None or one.service in (None, service)
    ]
    return max(counts, default=0)


@dataclass(frozen=True, slots=True)
class _Made:
    """A stored pass: how many frames it has, and who brought them (None: they are gone)."""

    n_frames: int
    service: str | None


def _on_track(layout: Layout, region: str, day: date, relative_orbit: int) -> list[_Made]:
    """The stored passes of a track on a day; none where they tell nothing."""
    try:
        scenes = read_scenes(layout, region, day)
    except SmPlatformError:  # never extracted, or damaged
        return []
    return [
        _Made(len(one.granule_ids), _service_of(layout, region, day, one.granule_ids))
        for one in scenes
        if one.relative_orbit == relative_orbit
    ]


def _service_of(layout: Layout, region: str, day: date, frames: Sequence[str]) -> str | None:
    """Who brought a pass: a day's passes are of one service (`service_choice`)."""
    for name in frames:
        with suppress(SmPlatformError):
            return read_granule(layout.granule(Product.S1_GRD.value, region, day, name)).source
    return None
