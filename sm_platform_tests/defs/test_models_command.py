"""`sm-platform models`: what the registry holds, compared, promoted, retired."""

from datetime import timedelta
from pathlib import Path

import pytest

from sm_platform_tests.defs.models_seat import Seat, judged_seat
from sm_platform_tests.defs.registry_lake import (
    BAD,
    CUT_OFF,
    GOOD,
    REGION,
    compared,
    register,
    scores,
    write_scores,
)

OF = ("--region", REGION)


@pytest.fixture
def seat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Seat:
    return judged_seat(tmp_path, capsys)


def test_list_tells_stage_and_figure_of_each(seat: Seat) -> None:
    header, *lines = seat.done("list").out.splitlines()
    assert header.split() == [
        *("name", "recipe", "kind", "members", "until", "region", "cut-off", "stage", "RMSE")
    ]
    told = {line.split()[0]: line.split()[5:] for line in lines}
    day = str(CUT_OFF)
    assert told == {
        "alone": ["-"] * 4,
        "bad": [REGION, day, "candidate", "0.070", "product"],
        "good": [REGION, day, "accepted", "0.040", "product"],
    }


def test_list_of_an_empty_store_is_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Seat(tmp_path, capsys).done("list").out == ""


def test_compare_puts_figures_side_by_side(seat: Seat) -> None:
    out = seat.done("compare", "good", "bad", *OF).out
    told = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    assert "0.040 (0.036 to 0.044)" in told["rmse"]
    assert "0.070 (0.066 to 0.074)" in told["rmse"]
    assert told["spatial r"].split()[2:] == ["-", "0.300", "(0.296", "to", "0.304)"]
    assert told["stage"].split() == ["stage", "accepted", "candidate"]
    assert "Both: reference=product" in out
    assert "no paired difference" in out


def test_compare_tells_the_paired_difference_either_way(seat: Seat) -> None:
    both = scores("bad", BAD) + scores("good", GOOD) + compared("bad", "good", 0.03)
    write_scores(seat.layout, both)
    for names in (("good", "bad"), ("bad", "good")):
        out = seat.done("compare", *names, *OF).out
        assert "RMSE of bad minus that of good is 0.030 (0.026 to 0.034) m3/m3" in out


def test_compare_warns_when_they_were_judged_by_different_things(seat: Seat) -> None:
    write_scores(seat.layout, scores("bad", BAD, reference="in_situ") + scores("good", GOOD))
    assert "do not take one for better" in seat.done("compare", "good", "bad", *OF).out


def test_promote_keeps_the_reason_and_retires_the_other(seat: Seat) -> None:
    line = seat.refused(2, "promote", "bad", *OF, "--reason", "because")
    assert "at least 10 characters" in line
    assert "rmse 0.0700 m3/m3 is not within 0.045" in line
    assert seat.run("promote", "bad", *OF).code == 2, "a reason must be said"
    out = seat.done("promote", "bad", *OF, "--reason", "labels of March are wrong").out
    assert "bad is accepted for delta" in out
    assert "good, which it succeeds, is retired." in out
    card = seat.done("show", "bad").out
    assert "| delta | 2026-03-01 | accepted | person |" in card
    assert "labels of March are wrong" in card


def test_retire_takes_it_out_of_use(seat: Seat) -> None:
    seat.done("retire", "good", *OF, "--reason", "no use")
    assert "retired already" in seat.refused(2, "retire", "good", *OF, "--reason", "no use")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "ghost"), 2, "no checkpoint 'ghost'"),
        (("compare", "good", "ghost", *OF), 2, "'ghost' is no checkpoint of region delta"),
        (("compare", "good", "good", *OF), 2, "'good' is named twice"),
        (("compare", "good", "bad", "--region", "sea"), 2, "no region 'sea'"),
        (("promote", "alone", *OF, "--reason", "it is all we have"), 2, "(there: bad, good)"),
        (("promote", "good", *OF, "--reason", "it is all we have"), 2, "accepted already"),
        (("retire", "ghost", *OF, "--reason", "x"), 2, "'ghost' is no checkpoint"),
        (("export", "ghost", "--out", "x"), 2, "no checkpoint 'ghost'"),
        (("export", "good", "--out", "x", "--format", "pt"), 2, "use safetensors or onnx"),
        (("import", "nowhere"), 2, "no folder nowhere"),
    ],
)
def test_a_wrong_command_gets_one_line(
    words: tuple[str, ...], code: int, said: str, seat: Seat
) -> None:
    assert said in seat.refused(code, *words)


def test_compare_of_one_that_was_not_evaluated_names_the_step(seat: Seat) -> None:
    register(seat.layout, "alone", CUT_OFF + timedelta(1))
    assert "sm-platform evaluate" in seat.refused(1, "compare", "good", "alone", *OF)
