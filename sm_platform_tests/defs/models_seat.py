"""One user's lake and models, and `sm-platform models` there, in this process."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sm_platform import cli
from sm_platform.defs.judging import judge_cut_off
from sm_platform.defs.lake_access import save_region
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.region import Region
from sm_platform_tests.defs.registry_lake import (
    BAD,
    CUT_OFF,
    GOOD,
    NOW,
    REGION,
    register,
    scores,
    stored,
    write_scores,
)
from sm_platform_tests.defs.sample_lake import window
from sm_platform_tests.desk import Answer

PLACES = ("spatial_9km",)


@dataclass(frozen=True, slots=True)
class Seat:
    """One user's lake and models, and the command line there."""

    root: Path
    capture: pytest.CaptureFixture[str]

    @property
    def layout(self) -> Layout:
        return Layout(self.root / "lake")

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.root / "models")

    def run(self, *words: object) -> Answer:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SM_DATA_LAKE", str(self.layout.root))
            patch.setenv("SM_MODELS", str(self.models.root))
            patch.setattr(sys, "argv", ["sm-platform", "models", *map(str, words)])
            self.capture.readouterr()
            with pytest.raises(SystemExit) as end:
                cli.main()
        said = self.capture.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    def done(self, *words: object) -> Answer:
        answer = self.run(*words)
        assert answer.code == 0, answer.err
        return answer

    def refused(self, code: int, *words: object) -> str:
        answer = self.run(*words)
        assert answer.code == code, answer.err
        (line,) = answer.err.splitlines()
        assert line.startswith("Error: ")
        return line


def judged_seat(root: Path, capture: pytest.CaptureFixture[str]) -> Seat:
    """Two networks of one region and cut-off, judged: `good` is accepted, `bad` is not."""
    seat = Seat(root, capture)
    save_region(seat.layout, Region(REGION, window(), "archive", "somewhere"))
    for name in ("bad", "good"):
        stored(seat.models, name)
        register(seat.layout, name)
    stored(seat.models, "alone")
    rows = scores("bad", BAD) + scores("good", GOOD) + scores("bad", {"r": 0.3}, pooling=PLACES)
    write_scores(seat.layout, rows)
    judge_cut_off(seat.layout, REGION, CUT_OFF, NOW)
    return seat
