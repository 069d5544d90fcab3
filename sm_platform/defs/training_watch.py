"""What is told of a training while it goes: a line now and then, the curves less often."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sm_platform.densesm.member_run import Epoch, Progress

LOG = logging.getLogger(__name__)
"""The same lines for a terminal: whoever wants them adds a handler."""
LINE_SECONDS = 10.0
PICTURE_SECONDS = 30.0
Show = Callable[[dict[str, list[Epoch]], str], None]
"""Is given the curves so far by member, and the latest line."""


@dataclass(slots=True)
class TrainingWatch:
    """Hears of every epoch of every member, from several threads, and passes on some of it."""

    n_members: int
    """Of all repeats."""
    say: Callable[[str], None]
    show: Show
    clock: Callable[[], float] = time.monotonic
    curves: dict[str, list[Epoch]] = field(default_factory=dict)
    resumed: dict[str, int] = field(default_factory=dict)
    """Epochs of an earlier attempt, of members that have finished none of this one yet."""
    n_new: int = 0
    """Epochs of this attempt."""
    began: float = field(init=False)
    said: float = field(init=False)
    shown: float = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.began = self.said = self.shown = self.clock()

    def hear(self, progress: Progress) -> None:
        """Take in an epoch; the thread that trains waits for a line or a picture."""
        with self.lock:
            self.curves.setdefault(progress.member, []).append(progress.losses)
            if progress.is_resumed:
                self.resumed[progress.member] = progress.epoch + 1
                return
            self.n_new += 1
            kept = self.resumed.pop(progress.member, 0)
            if kept:
                self._tell(f"network {progress.member} goes on from epoch {kept + 1}")
            self._pass_on(progress)

    def _pass_on(self, progress: Progress) -> None:
        now = self.clock()
        if now - self.said >= LINE_SECONDS:
            self.said = now
            self._tell(self._line(progress, now))
        if now - self.shown >= PICTURE_SECONDS:
            self.shown = now
            self.show(self.curves, self._line(progress, now))

    def _tell(self, line: str) -> None:
        self.say(line)
        LOG.info(line)

    def _line(self, progress: Progress, now: float) -> str:
        """Where the training is; early stopping makes the time left less than what is said."""
        n_done = sum(len(curve) for curve in self.curves.values())
        n_left = self.n_members * progress.epochs - n_done
        minutes = (now - self.began) / self.n_new * n_left / 60
        return (
            f"epoch {progress.epoch + 1} of {progress.epochs} of network {progress.member} "
            f"({len(self.curves)} of {self.n_members} begun): validation RMSE "
            f"{progress.losses.validation_loss**0.5:.4f} m3/m3, learning rate "
            f"{progress.losses.learning_rate:.2g}, at most {minutes:.0f} min left"
        )
