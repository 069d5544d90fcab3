"""How a member is trained whatever the method: epoch after epoch, kept after each.

A run that is killed at any moment goes on from the last epoch that was kept whole, and ends with
the same bits as one that was never stopped: `snapshot` holds all that changes.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sm_platform.densesm.network import Architecture
from sm_platform.densesm.snapshots import Snapshots, pack, unpack
from sm_platform.densesm.threads import side_by_side


@dataclass(frozen=True, slots=True)
class Epoch:
    """Losses after an epoch; their unit is the method's, (m3/m3)^2 for a mean squared error."""

    train_loss: float
    """Mean over the epoch's steps, of the weights as they were."""
    validation_loss: float
    """Of the weights that would be returned, on the rows that steer."""
    learning_rate: float
    """In the epoch's last step."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One finished epoch of one member."""

    member: str
    """Its name: `{blocks}_{width}`, with `_r2` ... for repeats."""
    epoch: int
    """0 for the first."""
    epochs: int
    """At most so many."""
    losses: Epoch
    is_resumed: bool = False
    """True for an epoch of an earlier attempt, told again when the member goes on after it."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedMember:
    """A fitted network and how it got there."""

    name: str
    """Unique in its ensemble: `{blocks}_{width}`, with `_r2`, `_r3` ... for repeats."""
    architecture: Architecture
    state: dict[str, Tensor]
    """State dict on raw scaled inputs, on the CPU: the weights chosen by the validation loss."""
    history: tuple[Epoch, ...]
    best_epoch: int
    """Place in `history` of the epoch whose weights these are."""


Report = Callable[[Progress], None]
"""Called after each epoch, from the thread that trains the member."""


class MemberRun(Protocol):
    """A member on its way; each step is deterministic given what `snapshot` holds."""

    @property
    def name(self) -> str:
        """The member's name, unique in its ensemble."""

    @property
    def epochs(self) -> int:
        """At most so many."""

    @property
    def history(self) -> Sequence[Epoch]:
        """Finished epochs, those of earlier attempts included."""

    def advance(self) -> Epoch:
        """Run one epoch and add it to the history."""

    def is_finished(self) -> bool:
        """Whether no further epoch is wanted."""

    def snapshot(self) -> dict[str, Tensor]:
        """All that changes: weights, statistics, averages, optimiser, random numbers, history."""

    def restore(self, kept: dict[str, Tensor]) -> None:
        """Become what `snapshot` saw; `kept` is its own memory and may be taken over."""

    def result(self) -> TrainedMember:
        """The member as it is to be used; at least one epoch is finished."""


def drive(
    run: MemberRun,
    snapshots: Snapshots | None,
    fingerprint: str,
    report: Report | None = None,
) -> TrainedMember:
    """Run a member to its end, from its snapshot if there is one of this training.

    A snapshot of another training, or a damaged one, is not used: the member starts anew, and no
    epoch is told as resumed.

    Args:
        run: freshly made, no epoch done.
        snapshots: where the state is kept after each epoch, under the member's name.
        fingerprint: of everything that decides the result (`snapshots.training_fingerprint`).
        report: told of each epoch, first of those an earlier attempt finished.
    """
    owner = f"{fingerprint}|{run.name}"

    def tell(number: int, *, is_resumed: bool) -> None:
        if report is not None:
            report(Progress(run.name, number, run.epochs, run.history[number], is_resumed))

    content = snapshots.read(run.name) if snapshots else None
    kept = unpack(content, owner) if content is not None else None
    if kept is not None:
        run.restore(kept)
    for number in range(len(run.history)):
        tell(number, is_resumed=True)
    while not run.is_finished():
        run.advance()
        if snapshots is not None:
            snapshots.write(run.name, pack(run.snapshot(), owner))
        tell(len(run.history) - 1, is_resumed=False)
    return run.result()


def drive_all(
    makers: Sequence[Callable[[], MemberRun]],
    snapshots: Snapshots | None,
    fingerprint: str,
    report: Report | None = None,
    *,
    device: torch.device,
) -> tuple[TrainedMember, ...]:
    """Make and drive every run: side by side on the cores of a CPU, one after the other on a GPU.

    The last are begun first: in the published order they are the largest, and none of those should
    be left to run alone. When one fails or the caller is interrupted, the others end after the
    epoch they are in.
    """
    is_stopped = threading.Event()

    def tell(progress: Progress) -> None:
        if is_stopped.is_set():
            raise InterruptedError(f"Member {progress.member} was stopped with the others.")
        if report is not None:
            report(progress)

    def work(make: Callable[[], MemberRun]) -> TrainedMember:
        return drive(make(), snapshots, fingerprint, tell)

    workers = min(torch.get_num_threads(), len(makers)) if device.type == "cpu" else 1
    driven = side_by_side(work, reversed(makers), workers, stop=is_stopped.set)
    return tuple(reversed(driven))


def random_numbers(device: torch.device, *what: object) -> torch.Generator:
    """A generator on `device` whose numbers depend on nothing but what they are for."""
    digest = hashlib.sha256("|".join(map(str, what)).encode()).digest()
    generator = torch.Generator(device)
    generator.manual_seed(int.from_bytes(digest[:4], "big"))  # torch's CPU generator reads 32 bits
    return generator
