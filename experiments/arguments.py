"""What every experiment can be told on its command line."""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sm_platform.densesm.training_settings import ALL_MEMBERS, REDUCED_MEMBERS, TrainingSettings

QUICK_ROWS, QUICK_EPOCHS = 2500, 2
"""Enough to see that an experiment runs; its figures mean nothing."""
CACHE = Path(tempfile.gettempdir()) / "sm-experiments"


@dataclass(frozen=True, slots=True)
class Arguments:
    """How much an experiment does."""

    regions: tuple[str, ...]
    seeds: tuple[int, ...]
    """Of the split, the labels' noise and the training, all at once."""
    members: tuple[tuple[int, int], ...]
    epochs: int | None
    """Of the recommended training; None for its default."""
    parity_epochs: int
    rows: int
    """Most training rows."""
    quick: bool
    cache: Path
    schemes: tuple[str, ...]
    """Splits to try, where an experiment tries several; none named: all."""
    weights: Path | None
    """Folder of published weights to start from, where an experiment starts from weights."""

    def training(self, seed: int, **changes: object) -> TrainingSettings:
        """Settings of the recommended training."""
        own = {} if self.epochs is None else {"epochs": self.epochs}
        return TrainingSettings(members=self.members, seed=seed, **own, **changes)  # type: ignore[arg-type]


def parse(question: str, words: Sequence[str] | None = None, *, seeds: int = 3) -> Arguments:
    """Read the command line; `question` is the help, `seeds` the default of --seeds."""
    parser = argparse.ArgumentParser(description=question)
    add = parser.add_argument
    add("--regions", nargs="+", default=["red-river", "highland"])
    add("--seeds", type=int, default=seeds, help="repeats with another split, noise and training")
    add("--members", type=int, default=5, help="networks of an ensemble, up to 25")
    add("--epochs", type=int, help="of the recommended training; its own default if not given")
    add("--parity-epochs", type=int, default=500)
    add("--rows", type=int, default=20_000, help="most training rows")
    add("--quick", action="store_true", help="one seed, one network, a few rows and epochs")
    add("--cache", type=Path, default=CACHE, help="folder where loaded samples are kept")
    add("--schemes", nargs="+", default=[], help="splits to try; all if not given")
    add("--weights", type=Path, help="folder of the published weights (coarse_*.pt)")
    told = parser.parse_args(words)
    few = REDUCED_MEMBERS if told.members <= len(REDUCED_MEMBERS) else ALL_MEMBERS
    return Arguments(
        regions=tuple(told.regions),
        seeds=tuple(range(1 if told.quick else told.seeds)),
        members=few[: 1 if told.quick else told.members],
        epochs=QUICK_EPOCHS if told.quick else told.epochs,
        parity_epochs=QUICK_EPOCHS if told.quick else told.parity_epochs,
        rows=QUICK_ROWS if told.quick else told.rows,
        quick=told.quick,
        cache=told.cache,
        schemes=tuple(told.schemes),
        weights=told.weights,
    )
