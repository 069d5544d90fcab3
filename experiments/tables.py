"""Figures over repeats, and tables of them in Markdown."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from experiments.methods import Predictor
from experiments.samples import Samples
from sm_platform.trust.metrics import agreement
from sm_platform.trust.pairs import Pairs, choose

Key = tuple[str, ...]


@dataclass(slots=True)
class Results:
    """Figures of rows and columns, each collected over the repeats in their order."""

    columns: tuple[str, ...]
    """Names of what identifies a row."""
    found: dict[Key, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, key: Key, **figures: float) -> None:
        """Add one repeat's figures to a row, and tell them."""
        row = self.found.setdefault(key, {})
        for name, value in figures.items():
            row.setdefault(name, []).append(value)
        told = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(" | ".join(key), told, file=sys.stderr, flush=True)

    def compare(self, name: str, first: Key, second: Key) -> list[float]:
        """A figure of one row less that of another, repeat by repeat."""
        one, other = (self.found[key][name] for key in (first, second))
        return [a - b for a, b in zip(one, other, strict=True)]

    def show(self, title: str) -> None:
        """Print the table: mean over the repeats with its 95 % interval."""
        names = list(dict.fromkeys(name for row in self.found.values() for name in row))
        body = [
            [*key, *(over_repeats(row.get(name, [])) for name in names)]
            for key, row in self.found.items()
        ]
        print_table(title, [*self.columns, *names], body)


def over_repeats(values: Sequence[float]) -> str:
    """`mean [low, high]`: a 95 % interval of the mean by Student's law; alone, if there is one."""
    known = [value for value in values if np.isfinite(value)]
    if len(known) < 2:
        return f"{known[0]:.4f}" if known else "-"
    half = stdtrit(len(known) - 1, 0.975) * np.std(known, ddof=1) / np.sqrt(len(known))
    mean = float(np.mean(known))
    return f"{mean:.4f} [{mean - half:.4f}, {mean + half:.4f}]"


def print_table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A Markdown table under a title."""
    names = list(head)
    print(f"\n**{title}** (reference=simulated)\n")
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def against(test: Samples, predict: Predictor) -> dict[str, float]:
    """How a predictor does on test samples: against the truth, and against their labels."""
    said = predict(test.rows)
    truth, label = agreement(said, test.truth), agreement(said, test.label)
    return {"RMSE": truth.rmse, "bias": truth.bias, "R": truth.r, "RMSE to labels": label.rmse}


def pairs(test: Samples, predicted: NDArray[np.floating]) -> Pairs:
    """Predictions beside the truth, where both are known."""
    known = np.isfinite(predicted) & np.isfinite(test.truth)
    filled = np.where(known, predicted, 0.0), np.where(known, test.truth, 0.0)
    place = test.site_id, test.block_id, test.day, test.coarse_id
    return choose(Pairs(*filled, *place), known)
