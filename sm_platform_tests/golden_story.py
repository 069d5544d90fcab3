"""A user of the seed system brings her folder and the published networks."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sm_platform_tests.desk import Answer, Desk, seen

REGION = "goldroi"
FIRST, LAST = "2025-01-03", "2025-01-27"
PASS_DAYS = (FIRST, LAST)
AGAIN_FROM = "2025-01-25"
STEPS = ("extract", "process", "inference", "visualize")
FEW = ("coarse_1_8.pt", "coarse_1_16.pt", "coarse_1_32.pt", "coarse_1_64.pt", "coarse_1_128.pt")


@dataclass(frozen=True, slots=True)
class GoldenStory:
    """What she was told, and her lake's files after each run (see `seen`)."""

    desk: Desk
    folder: Path
    alone: dict[str, Answer]
    """Each step on the empty lake."""
    run: Answer
    after_run: dict[str, tuple[int, str]]
    again: Answer
    after_again: dict[str, tuple[int, str]]
    exported: Path
    revised: Answer
    after_revised: dict[str, tuple[int, str]]


def golden_story(desk: Desk, shared: Path) -> GoldenStory:
    """Each step too early, the run, its last days again, an export, the last day with five nets."""
    weights, folder = shared / "weights" / "DenseSM_9km", shared / "golden" / "roi"
    few = desk.root / "few"
    few.mkdir(parents=True)
    for name in FEW:
        shutil.copyfile(weights / name, few / name)
    for source, name in ((weights, "published"), (few, "five")):
        desk.done("models", "import", source, "--name", name, "--recipe", "eov-2025")
    what = ("run", "--region", REGION, "--archive", folder, "--recipe", "eov-2025")
    whole = (*what, "--checkpoint", "published", "--start", FIRST, "--end", LAST)
    first_day = (*what, "--checkpoint", "published", "--start", FIRST, "--end", FIRST)
    alone = {step: desk.run(*first_day, f"--{step}") for step in STEPS}
    run, after_run = desk.done(*whole), seen(desk.layout.root)
    last_days = (*what, "--checkpoint", "published", "--start", AGAIN_FROM, "--end", LAST)
    again, after_again = desk.done(*last_days), seen(desk.layout.root)
    exported = desk.root / "sm.tif"
    desk.done("export", "--region", REGION, "--day", FIRST, "--out", exported, "--float")
    revised = desk.done(*what, "--checkpoint", "five", "--start", LAST, "--end", LAST)
    return GoldenStory(
        desk,
        folder / REGION / "data",
        alone,
        run,
        after_run,
        again,
        after_again,
        exported,
        revised,
        seen(desk.layout.root),
    )
