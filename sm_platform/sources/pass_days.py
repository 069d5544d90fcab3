"""The day of a radar pass: its frames belong together, though midnight (UTC) may lie between."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import FrameName, parse_frame

ONE_DAY = timedelta(days=1)


def with_neighbours(days: Collection[date]) -> list[date]:
    """The days, the one before and the one after each, in order: where parts of a pass may lie."""
    return sorted({day + n * ONE_DAY for day in days for n in (-1, 0, 1)})


def first_days(parts: Sequence[tuple[Hashable | None, date]]) -> list[date]:
    """Of each part, a pass and the part's own day, the day of the first part of its pass.

    Only the given parts are looked at: list one day more on each side (`with_neighbours`). A part
    of no pass (None) keeps its own day.
    """
    first: dict[Hashable, date] = {}
    for pass_id, day in parts:
        if pass_id is not None:
            first[pass_id] = min(day, first.get(pass_id, day))
    return [day if pass_id is None else first[pass_id] for pass_id, day in parts]


def with_pass_days(granules: Sequence[Granule]) -> list[Granule]:
    """Each Sentinel-1 frame with the day of the first frame of its pass; others as they are."""
    dated = [(one, one.day) for one in granules if one.day is not None]
    frames = [frame_of(one) for one, _ in dated]
    days = first_days(
        [
            (frame.scene_id if frame else None, day)
            for frame, (_, day) in zip(frames, dated, strict=True)
        ]
    )
    found = iter(days)
    return [one if one.day is None else replace(one, day=next(found)) for one in granules]


def frame_of(granule: Granule) -> FrameName | None:
    """What its listing or its id says of a Sentinel-1 frame; None for anything else."""
    if granule.product is not Product.S1_GRD:
        return None
    return granule.frame or parse_frame(granule.granule_id)
