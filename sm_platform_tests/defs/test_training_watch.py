"""What a person hears of a training: now and then, with the time left, and where it goes on."""

from dataclasses import dataclass, field

from sm_platform.defs.training_watch import LINE_SECONDS, PICTURE_SECONDS, TrainingWatch
from sm_platform.densesm.member_run import Epoch, Progress


@dataclass
class Listener:
    """A clock that is set by hand, and what was said and shown."""

    now: float = 0.0
    said: list[str] = field(default_factory=list)
    shown: list[dict[str, int]] = field(default_factory=list)

    def watch(self, n_members: int) -> TrainingWatch:
        def show(curves: dict[str, list[Epoch]], _: str) -> None:
            self.shown.append({name: len(curve) for name, curve in curves.items()})

        return TrainingWatch(n_members, self.said.append, show, clock=lambda: self.now)


def epoch(member: str, number: int, *, is_resumed: bool = False) -> Progress:
    losses = Epoch(0.01, 0.0025, 0.004)
    return Progress(member, number, 10, losses, is_resumed)


def test_a_line_comes_when_time_has_passed_with_error_rate_and_minutes_left() -> None:
    listener = Listener()
    watch = listener.watch(2)
    watch.hear(epoch("1_64", 0))
    assert listener.said == [], "nothing has happened yet"
    listener.now = 4 * LINE_SECONDS
    watch.hear(epoch("1_64", 1))
    watch.hear(epoch("2_32", 0))
    assert listener.said == [
        "epoch 2 of 10 of network 1_64 (1 of 2 begun): validation RMSE 0.0500 m3/m3, learning "
        "rate 0.004, at most 6 min left"
    ], "40 s for 2 epochs, 18 are left: 360 s"


def test_pictures_are_rarer_than_lines_and_hold_all_curves_so_far() -> None:
    listener = Listener()
    watch = listener.watch(2)
    for number in range(10):
        listener.now += LINE_SECONDS
        watch.hear(epoch("1_64", number))
    assert len(listener.said) == 10
    assert listener.shown == [{"1_64": 3}, {"1_64": 6}, {"1_64": 9}]
    assert PICTURE_SECONDS == 3 * LINE_SECONDS


def test_a_member_that_goes_on_says_from_where_once() -> None:
    listener = Listener()
    watch = listener.watch(3)
    for number in range(4):
        watch.hear(epoch("1_64", number, is_resumed=True))
    watch.hear(epoch("2_32", 0))
    assert listener.said == []
    watch.hear(epoch("1_64", 4))
    watch.hear(epoch("1_64", 5))
    assert listener.said == ["network 1_64 goes on from epoch 5"]
    assert {name: len(curve) for name, curve in watch.curves.items()} == {"1_64": 6, "2_32": 1}


def test_epochs_of_an_earlier_attempt_do_not_make_this_one_look_fast() -> None:
    listener = Listener()
    watch = listener.watch(1)
    for number in range(5):
        watch.hear(epoch("1_64", number, is_resumed=True))
    listener.now = 60
    watch.hear(epoch("1_64", 5))
    assert listener.said[-1].endswith("at most 4 min left"), "one epoch took 60 s, 4 are left"
