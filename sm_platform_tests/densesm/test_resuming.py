"""A training killed at any moment and started again gives the bits of an unbroken one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from sm_platform.densesm.snapshots import Snapshots
from sm_platform.densesm.training import (
    LabelledRows,
    Progress,
    TrainedEnsemble,
    TrainingSettings,
    training_fingerprint,
)
from sm_platform_tests.densesm import learning
from sm_platform_tests.densesm.learning import QUICK, is_same, samples

LEARN, STEER = samples(256, 1), samples(64, 2)
TWO = replace(QUICK, members=((1, 16), (2, 8)), epochs=8, batch=64, series_dropout=0.5)
CORAL = replace(TWO, domain_loss="coral", repeat=2)
TARGET = samples(200, 5).rows


def run(settings: TrainingSettings, **named: object) -> TrainedEnsemble:
    return learning.run(settings, LEARN, STEER, **named)


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, nothing is tidied up."""


@dataclass
class Kept:
    """Snapshots in memory; the process dies in the write of that number, before it or after it."""

    dies_in: int | None = None
    is_after: bool = False
    content: dict[str, bytes] = field(default_factory=dict)
    n_writes: int = 0

    def read(self, name: str) -> bytes | None:
        return self.content.get(name)

    def write(self, name: str, content: bytes) -> None:
        dies = self.n_writes == self.dies_in
        self.n_writes += 1
        if dies and not self.is_after:
            raise Killed
        self.content[name] = content
        if dies:
            raise Killed


def killed_in_report(at: int) -> Callable[[Progress], None]:
    told: list[Progress] = []

    def report(progress: Progress) -> None:
        told.append(progress)
        if len(told) > at:
            raise Killed

    return report


def unbroken(settings: TrainingSettings, snapshots: Snapshots | None = None) -> TrainedEnsemble:
    return run(settings, snapshots=snapshots, target=TARGET)


def test_ten_kills_at_random_moments_change_no_bit() -> None:
    rng = np.random.default_rng(4)
    kept = Kept()
    for attempt in range(10):
        kept.n_writes, kept.is_after = 0, bool(rng.integers(2))
        kept.dies_in = int(rng.integers(3)) if attempt % 2 else None
        report = None if attempt % 2 else killed_in_report(int(rng.integers(3)))
        with pytest.raises(Killed):
            run(CORAL, snapshots=kept, target=TARGET, progress=report)
        if attempt == 5:
            kept.content.popitem()  # as after a disk was full: one member starts anew
    kept.dies_in = None
    assert kept.content
    assert is_same(unbroken(CORAL, kept), unbroken(CORAL))


@pytest.mark.parametrize("done", [1, 4, 7])
def test_going_on_after_any_epoch_changes_no_bit(done: int) -> None:
    kept = Kept(dies_in=done, is_after=False)
    one = replace(TWO, members=((2, 8),))
    with pytest.raises(Killed):
        run(one, snapshots=kept)
    kept.dies_in = None
    seen: list[Progress] = []
    assert is_same(run(one, snapshots=kept, progress=seen.append), run(one))
    assert [p.epoch for p in seen if p.is_resumed] == list(range(done))
    assert [p.epoch for p in seen] == list(range(len(seen)))


def test_a_finished_training_is_not_done_again() -> None:
    kept = Kept()
    first = run(TWO, snapshots=kept)
    kept.dies_in = kept.n_writes
    assert is_same(run(TWO, snapshots=kept), first)


def test_an_ensemble_may_grow() -> None:
    kept, seen = Kept(), list[Progress]()
    run(replace(TWO, members=((2, 8),)), snapshots=kept)
    grown = run(TWO, snapshots=kept, progress=seen.append)
    assert {p.member for p in seen if p.is_resumed} == {"2_8"}
    assert is_same(grown, run(TWO))


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def foreign(_: bytes) -> bytes:
    kept = Kept()
    run(replace(TWO, members=((2, 8),), seed=9), snapshots=kept)
    return kept.content["2_8"]


@pytest.mark.parametrize("change", [flipped, foreign, lambda c: c[:-100], lambda _: b""])
def test_a_damaged_or_foreign_snapshot_is_not_used(change: Callable[[bytes], bytes]) -> None:
    one, kept = replace(TWO, members=((2, 8),), epochs=2), Kept()
    first = run(one, snapshots=kept)
    kept.content["2_8"] = change(kept.content["2_8"])
    seen: list[Progress] = []
    assert is_same(run(one, snapshots=kept, progress=seen.append), first)
    assert len(seen) == 2
    assert not any(p.is_resumed for p in seen)


def test_the_first_failure_ends_the_other_members_after_their_epoch() -> None:
    before, seen = torch.get_num_threads(), list[Progress]()

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress.member == "2_8":
            raise Killed

    torch.set_num_threads(2)
    try:
        with pytest.raises(Killed):
            run(replace(TWO, epochs=500, patience=500), progress=report)
    finally:
        torch.set_num_threads(before)
    assert len(seen) < 100


def test_the_fingerprint_changes_with_all_that_decides_the_weights() -> None:
    labels = LEARN.sm_m3m3.copy()
    labels[-1] += 1e-6
    other_labels = LabelledRows(LEARN.rows, labels)
    weighed = replace(LEARN, weight=np.ones(len(LEARN)))
    prints = [
        training_fingerprint(TWO, LEARN, STEER),
        training_fingerprint(TWO, STEER, LEARN),
        training_fingerprint(TWO, other_labels, STEER),
        training_fingerprint(TWO, weighed, STEER),
        training_fingerprint(replace(TWO, seed=1), LEARN, STEER),
        training_fingerprint(TWO, LEARN, STEER, target=TARGET),
    ]
    assert len(set(prints)) == len(prints)
    assert all(len(each) == 16 for each in prints)
    assert training_fingerprint(replace(TWO, repeat=2), LEARN, STEER) == prints[0]
