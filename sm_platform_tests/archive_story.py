"""A newcomer tries the embedded archive, here two small regions and a few weeks of it."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import HIGHLAND, PLACES, RED_RIVER
from sm_platform_tests.desk import Answer, Desk, seen

DELTA, HILLS = RED_RIVER.region_id, HIGHLAND.region_id
PERIOD = Period(date(2025, 1, 1), date(2025, 2, 12), date(2025, 3, 15))
TRAINED, DAY_BEFORE, CUT_OFF, LAST = "2025-02-14", "2025-03-07", "2025-03-08", "2025-03-14"
TWICE_DAY, TWO_FRAMES_DAY, MASKED_DAY = "2025-03-09", "2025-03-11", LAST
"""Of the delta: a granule listed twice, a pass cut in two; of the hills: all border noise."""
HILLS_FIRST = "2025-03-13"
ENVIRONMENT = {"SM_FIRST_DAY": "2025-01-16", "SM_MIN_LOOKBACK_SHARE": "0"}


@dataclass(frozen=True, slots=True)
class ArchiveStory:
    """What the newcomer was told, and the archive's files before and after."""

    desk: Desk
    archive: Path
    checkpoint_id: str
    fingerprint_before: str
    """Of the checkpoint trained while no label of the mapped days was sampled yet."""
    delta: Answer
    hills: Answer
    archive_before: dict[str, tuple[int, str]]
    archive_after: dict[str, tuple[int, str]]


def archive_story(desk: Desk) -> ArchiveStory:
    """Learn in the delta, with labels of the mapped days at hand; map the delta and the hills."""
    archive = desk.root / "source"
    write_archive(archive, seed=11, size=60, places=PLACES, period=PERIOD, workers=1)
    shutil.rmtree(archive / "truth")
    before = seen(archive)
    days = ("--start", TRAINED, "--end", LAST)
    desk.done("run", "--region", DELTA, *days, "--archive", archive, "--download", "--extract")
    desk.done("learn", DELTA, TRAINED, DAY_BEFORE, CUT_OFF)
    (name,) = desk.checkpoints()
    fingerprint = desk.checkpoint(name)["fingerprint"]
    desk.done("learn", DELTA, CUT_OFF, LAST, CUT_OFF)
    delta = desk.done("run", "--region", DELTA, "--start", CUT_OFF, "--end", LAST)
    days = ("--start", HILLS_FIRST, "--end", LAST)
    hills = desk.done("run", "--region", HILLS, *days, "--archive", archive, "--checkpoint", name)
    return ArchiveStory(desk, archive, name, fingerprint, delta, hills, before, seen(archive))
