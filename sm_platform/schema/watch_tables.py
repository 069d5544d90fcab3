"""Tables of what runs by itself: frames that sources listed, and passes seen and expected."""

import pyarrow as pa

from sm_platform.schema.tables import Column, Table, moment, text, whole

PASS_STATUSES = (
    "expected",
    "overdue",
    "listed",
    "waiting_for_frames",
    "mapped",
    "no_data",
    "failed",
    "not_mapped",
)
"""Of a pass, as `pass_calendar` tells it."""
PASS_DAY = Column("pass_day", pa.date32(), "", "day (UTC) on which the frames of the pass begin")
STATE = text("orbit_state", "A ascending, D descending, X not known")
ORBIT = whole("relative_orbit", "1 to 175; null when not known", is_nullable=True)

SCENE_LOG = Table(
    "scene_log",
    "Sentinel-1 frames that a source listed for a region: the memory of the scene sensor",
    ("frame_id", "frame_stamp", "service"),
    (
        text("frame_id", "granule of the frame as its source lists it"),
        text("frame_stamp", "version of its files as the source tells it; empty when it does not"),
        text("scene_id", "pass, as in s1_scenes"),
        PASS_DAY,
        moment("frame_start_utc", "start of the frame; null when not known", is_nullable=True),
        ORBIT,
        moment(
            "frame_available_utc", "when the source had it; null when not told", is_nullable=True
        ),
        moment("listed_utc", "when the platform first saw it listed"),
        text(
            "service",
            "who lists the frame, as in granule_log.source; null when it was logged before this "
            "was noted",
            is_nullable=True,
        ),
    ),
    is_dated=False,
)

PASS_CALENDAR = Table(
    "pass_calendar",
    "Passes of the last weeks and of those to come, seen or due by the repeat of their track, and "
    "what became of them",
    ("platform", "pass_start_utc"),
    (
        text("platform", "S1A to S1D; S1X when not known"),
        STATE,
        ORBIT,
        moment("pass_start_utc", "start of the pass"),
        PASS_DAY,
        text("local_day", "day of the pass in the time zone of the region, YYYY-MM-DD"),
        text("seen_scene_id", "pass that was seen, as in s1_scenes", is_nullable=True),
        text("pass_status", ", ".join(PASS_STATUSES)),
        text("pass_status_reason", "why, where there is more to say", is_nullable=True),
        text("current_map_id", "name of its current map", is_nullable=True),
    ),
    is_dated=False,
)
