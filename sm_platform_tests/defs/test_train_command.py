"""`sm-platform train` and `pretrain`: roles where there are none, a checkpoint, what comes next."""

import logging
from pathlib import Path
from typing import IO

import pytest

from sm_platform.defs.commands.train import lines_to
from sm_platform.defs.training_watch import LOG
from sm_platform.schema.label_tables import SAMPLE_SPLITS
from sm_platform_tests.defs.sample_lake import NAME
from sm_platform_tests.defs.taught_lake import CUT_OFF, coarse_samples, taught_region
from sm_platform_tests.desk import Answer, Desk

QUICK = ("--region", NAME, "--day", CUT_OFF.isoformat(), "--members", "1", "--epochs", "2")


@pytest.fixture(scope="module")
def desk(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A user's lake with samples of both sizes and their roles, no checkpoint yet."""
    desk = Desk(tmp_path_factory.mktemp("desk"), server, {})
    taught_region(desk.layout)
    coarse_samples(desk.layout)
    return desk


def told(answer: Answer) -> dict[str, str]:
    """What was printed of the checkpoint."""
    return dict(line.split("  ", 1) for line in answer.out.splitlines())


def test_it_splits_trains_and_prints_what_was_made(desk: Desk) -> None:
    desk.layout.part(SAMPLE_SPLITS.name, NAME, CUT_OFF).unlink()
    answer = desk.done("train", *QUICK, "--fewest-blocks", "1", "--seed", "7")
    out = told(answer)
    assert out["checkpoint_id"] in desk.checkpoints()
    card = desk.checkpoint(out["checkpoint_id"])["metadata"]
    assert (card["choice"]["seed"], card["choice"]["epochs"]) == (7, 2)
    assert (out["profile"], out["n_members"], out["reference"]) == ("recommended", "1", "product")
    assert 0 < float(out["rmse_m3m3"]) < 0.4
    assert answer.err.endswith(f"Next: sm-platform evaluate --region {NAME} --day {CUT_OFF}\n")


def test_pretraining_makes_a_start_and_says_how_to_go_on(desk: Desk) -> None:
    answer = desk.done("pretrain", *QUICK)
    out = told(answer)
    assert (out["source"], out["n_members"]) == ("spl4smgp", "1")
    assert out["checkpoint_id"] in desk.checkpoints()
    assert answer.err.endswith(f"--start {out['checkpoint_id']}\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--start", "nobody"), 2, "There is no checkpoint 'nobody'"),
        (("--profile", "best"), 2, "There is no profile 'best'"),
        (("--members", "26"), 2, "members is 26: give 1 to 25"),
        (("--source-region", "nowhere"), 2, "There is no region 'nowhere'"),
        (("--fewest-blocks", "99"), 1, "at least 5 in 99 are needed"),
        (("--day", "1999-01-01"), 2, "set SM_FIRST_DAY to begin earlier"),
        (("--day", "2999-01-01"), 2, "2999-01-01 lies in the future"),
        (("--scheme", "random"), 2, "train by block"),
        (("--profile", "parity", "--alpha", "7"), 2, "alpha is 7.0: give 0 to 1"),
        (("--profile", "parity", "--stage", "ft99"), 2, "choose of ft12, ft13"),
        (("--stage", "ft13"), 2, "Profile recommended has no stage"),
        (("--start-recipe", "densesm-2024"), 2, "without a start means nothing"),
        (("--profile", "trees", "--domain-loss", "mmd"), 2, "Trees have no domain loss"),
        (("--profile", "pretrain"), 2, "`sm-platform pretrain`"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    desk: Desk, words: tuple[str, str], code: int, said: str
) -> None:
    answer = desk.run("train", *QUICK, *words)
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert not list(Path(desk.models).glob(".training/*"))


def test_lines_of_a_training_reach_the_terminal_only_meanwhile() -> None:
    heard: list[str] = []
    with lines_to(heard.append):
        LOG.info("epoch 3 of 20")
    LOG.info("epoch 4 of 20")
    assert heard == ["epoch 3 of 20"]
    assert LOG.level == logging.NOTSET
