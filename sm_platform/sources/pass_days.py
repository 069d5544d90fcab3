"""The day of a radar pass: its frames belong together, though midnight (UTC) may lie between."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta

from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import parse_frame

ONE_DAY = timedelta(days=1)


def with_neighbours(days: Collection[date]) -> list[date]:
    """The days, the one before and the one after each, in order: where parts of a pass may lie."""
    return sorted({day + n * ONE_DAY for day in days for n in (-1, 0, 1)})


def with_pass_days(granules: Sequence[Granule]) -> list[Granule]:
    """Each Sentinel-1 frame with the day of the first frame of its pass; others as they are.

    Only the given granules are looked at: list one day more on each side (`with_neighbours`).
    """
    passes = [_pass_of(one) for one in granules]
    first: dict[str, date] = {}
    for pass_id, one in zip(passes, granules, strict=True):
        if pass_id is not None and one.day is not None:
            first[pass_id] = min(one.day, first.get(pass_id, one.day))
    return [
        one if pass_id is None or pass_id not in first else replace(one, day=first[pass_id])
        for pass_id, one in zip(passes, granules, strict=True)
    ]


def _pass_of(granule: Granule) -> str | None:
    frame = parse_frame(granule.granule_id) if granule.product is Product.S1_GRD else None
    return frame.scene_id if frame else None
