"""Two checkpoints of a region side by side, from the table `evaluations`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sm_platform.defs.registry import Entry, find_entry
from sm_platform.defs.stored_scores import (
    ACCEPTED,
    POOLED,
    RMSE_DIFFERENCE,
    SPATIAL,
    Ground,
    StoredScore,
    ground_of,
    score,
    scores_of,
    stored_scores,
)
from sm_platform.errors import MissingInputError, UsageError
from sm_platform.lake.layout import Layout

HEADER = ("figure",)
METRICS = ("rmse", "bias", "ubrmse", "r", "anomaly_r", "kge")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table with what to know when reading it."""

    lines: tuple[tuple[str, str, str], ...]
    """Figure, of the first, of the second."""
    remarks: tuple[str, ...]


def comparison(layout: Layout, region: str, names: tuple[str, str]) -> Comparison:
    """The figures of both, each on the ground by which it is judged.

    Raises:
        UsageError: both are one, or one of them is not registered for the region.
        MissingInputError: one of them was not evaluated.
    """
    if names[0] == names[1]:
        raise UsageError(f"'{names[0]}' is named twice: name another one to compare it with.")
    first, second = (_found(layout, region, name) for name in names)
    lines = [
        ("cut-off", str(first.entry.cut_off), str(second.entry.cut_off)),
        ("stage", first.entry.stage.value, second.entry.stage.value),
        *((label, first.told(label), second.told(label)) for label in _LABELS),
    ]
    return Comparison(tuple(lines), (*_grounds(first, second), _difference(first, second)))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One of the two with its scores."""

    entry: Entry
    scores: Sequence[StoredScore]
    ground: Ground

    def told(self, label: str) -> str:
        """A figure with its interval."""
        pooling, metric = _LABELS[label]
        place = self.ground if pooling is None else replace(self.ground, pooling=pooling)
        found = score(self.scores, place, metric)
        if label == "pairs":
            return str(found.n) if found else "-"
        return _told(found)


_LABELS: dict[str, tuple[str | None, str]] = {
    **{metric: (None, metric) for metric in METRICS},
    "spatial r": (SPATIAL, "r"),
    "pairs": (POOLED, "rmse"),
}
"""Pooling (None: that of the ground) and metric of each line."""


def _found(layout: Layout, region: str, name: str) -> _Judged:
    entry = find_entry(layout, region, name)
    scores = scores_of(stored_scores(layout, region, entry.cut_off), name)
    ground = ground_of(scores, entry)
    if ground is None:
        raise MissingInputError(
            f"{name} has no evaluation in {region} with pairs enough: `sm-platform evaluate "
            f"--region {region} --day {entry.cut_off}` first."
        )
    return _Judged(entry, scores, ground)


def _told(found: StoredScore | None) -> str:
    if found is None or found.value is None:
        return "-"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _grounds(first: _Judged, second: _Judged) -> tuple[str, ...]:
    """What the figures were judged by; said of each where it differs."""
    told = [
        f"{one.entry.checkpoint_id}: reference={one.ground.reference}, {one.ground.told}."
        for one in (first, second)
    ]
    if first.ground == second.ground:
        return (f"Both: reference={first.ground.reference}, {first.ground.told}.",)
    return (*told, "They were not judged by the same: do not take one for better.")


def _difference(first: _Judged, second: _Judged) -> str:
    """The paired difference, where one was scored on the rows of the other."""
    for one, other in ((first, second), (second, first)):
        place = replace(one.ground, pooling=POOLED)
        rival = f"{ACCEPTED}{other.entry.checkpoint_id}"
        found = score(one.scores, place, RMSE_DIFFERENCE, rival)
        if found is not None:
            return (
                f"On the same {found.n} rows: RMSE of {one.entry.checkpoint_id} minus that of "
                f"{other.entry.checkpoint_id} is {_told(found)} m3/m3."
            )
    return "They were not scored on the same rows: there is no paired difference."
