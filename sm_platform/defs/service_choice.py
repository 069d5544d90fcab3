"""Whose granules a driver is made from, where several services have brought the same day.

A region that gets another service lists its look-back anew, under other names: the granules of both
lie beside each other. A driver is made from one service alone. Two cut the same field differently,
on other grids or from another version, and a mosaic of them would hide that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sm_platform.lake.granules import LandedGranule

USED, PASSED_OVER = "granules", "passed_over"
"""Names in the note of a driver: ids of the granules that it is made from, and of the others."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def of_one_service(granules: Sequence[LandedGranule]) -> list[LandedGranule]:
    """Those of the service that landed one last; the order of `granules` does not matter."""
    if not granules:
        return []
    newest = max(granules, key=lambda one: (one.retrieved_utc or LONG_AGO, one.source))
    return [one for one in granules if one.source == newest.source]


def choice_note(
    granules: Sequence[LandedGranule], used: Sequence[LandedGranule]
) -> dict[str, object]:
    """What the driver's note keeps of the choice; of granules passed over only where there are."""
    names = [one.granule_id for one in used]
    over = sorted({one.granule_id for one in granules} - set(names))
    return {USED: names, **({PASSED_OVER: over} if over else {})}
