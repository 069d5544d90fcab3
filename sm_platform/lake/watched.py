"""Since when a region is watched: how long its first map may be missing.

Noted once, by the clock of the region's source, and gone with its row (`removal.forget_region`).
The row's own age tells nothing, as saving a region renews it.
"""

from datetime import UTC, datetime

from sm_platform.lake.atomic import replacing_file
from sm_platform.lake.layout import Layout

NAME = "since.txt"


def watched_since(layout: Layout, region: str, now_utc: datetime) -> datetime:
    """When it was first asked (UTC); that is now where it never was, or where the clock went back.

    Args:
        layout: the lake.
        region: its id.
        now_utc: of the region's source.

    Raises:
        LakeError: the lake cannot be written.
    """
    path = layout.watched(region) / NAME
    try:
        noted = datetime.fromisoformat(path.read_text())
        if noted.tzinfo is not None and noted <= now_utc:
            return noted
    except (OSError, ValueError):  # never asked, or damaged: it begins anew
        pass
    now = now_utc.astimezone(UTC)
    with replacing_file(path, layout.aside) as draft:
        draft.write_text(now.isoformat())
    return now
