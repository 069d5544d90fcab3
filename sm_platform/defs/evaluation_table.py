"""Scores as tables for a person: estimators down, metrics across; and the figures in short."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sm_platform.defs.evaluation_scores import LABEL, PRODUCT
from sm_platform.defs.evaluation_subject import START
from sm_platform.defs.registry import Entry
from sm_platform.defs.stored_scores import (
    ACCEPTED,
    ALL,
    BY_SITE,
    CHECKPOINT,
    POOLED,
    REFERENCES,
    RMSE_DIFFERENCE,
    SPATIAL,
    Ground,
    StoredScore,
    ground_of,
    score,
    scores_of,
)

_COLUMNS = (
    ("RMSE", BY_SITE, "rmse"),
    ("bias", BY_SITE, "bias"),
    ("ubRMSE", BY_SITE, "ubrmse"),
    ("R", BY_SITE, "r"),
    ("anomaly R", BY_SITE, "anomaly_r"),
    ("KGE", BY_SITE, "kge"),
    ("RMSE pooled", POOLED, "rmse"),
    ("R pooled", POOLED, "r"),
    ("R in 9 km", SPATIAL, "r"),
    ("RMSE less this", POOLED, RMSE_DIFFERENCE),
)
HEADER = ("estimator", *(title for title, _, _ in _COLUMNS), "n", "sites")
NOTE = (
    "RMSE to KGE are taken per site over time, then averaged over the sites with 20 rows or more; "
    "R in 9 km is that of the sites of a 9 km cell on a day, averaged over cells and days; RMSE "
    "less this is the checkpoint's minus that of the line, pooled, on the rows that both know; "
    "n and sites are those of the pooled figures. "
    "m3/m3 or 1; with each go the ends of its 95 % interval (3 km blocks resampled)."
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table."""

    checkpoint_id: str
    title: str
    lines: tuple[tuple[str, ...], ...]
    """Each as long as HEADER."""


def sheets(scores: Iterable[StoredScore]) -> list[Sheet]:
    """A table for each checkpoint, scheme and reference, over all rows of each."""
    groups: dict[tuple[str, str, str, str], list[StoredScore]] = {}
    for one in scores:
        if one.stratum == ALL:
            key = (one.checkpoint_id, one.scheme, one.reference, one.source)
            groups.setdefault(key, []).append(one)
    return [_sheet(groups[key]) for key in sorted(groups, key=_first_told)]


def _first_told(key: tuple[str, str, str, str]) -> tuple[str, str, int, str]:
    checkpoint, scheme, reference, source = key
    return checkpoint, scheme, REFERENCES.index(reference), source


def _sheet(scores: Sequence[StoredScore]) -> Sheet:
    one = scores[0]
    remark = " (only to compare with: sites on both sides)" if one.is_comparison_only else ""
    title = (
        f"{one.checkpoint_id}, test rows of scheme {one.scheme}{remark}, "
        f"reference={one.reference} ({one.source})"
    )
    named = sorted({score.estimator for score in scores}, key=_first_listed)
    return Sheet(one.checkpoint_id, title, tuple(_line(name, scores) for name in named))


def _first_listed(estimator: str) -> tuple[int, str]:
    """Itself and what it must beat, then what knows less."""
    begins = (CHECKPOINT, START, ACCEPTED, "", PRODUCT, LABEL)
    ranks = [rank for rank, start in enumerate(begins) if start and estimator.startswith(start)]
    return (ranks[0] if ranks else begins.index("")), estimator


def _line(estimator: str, scores: Sequence[StoredScore]) -> tuple[str, ...]:
    own = {(one.pooling, one.metric): one for one in scores if one.estimator == estimator}
    counted = own.get((POOLED, "rmse"))
    n = ("-", "-") if counted is None else (str(counted.n), str(counted.n_sites))
    return (estimator, *(_cell(own.get((pool, metric))) for _, pool, metric in _COLUMNS), *n)


def _cell(one: StoredScore | None) -> str:
    if one is None or one.value is None:
        return "-"
    if one.low is None or one.high is None:
        return f"{one.value:.3f}"
    return f"{one.value:.3f}\n{one.low:.3f}\n{one.high:.3f}"


def as_markdown_table(sheet: Sheet) -> str:
    """The sheet as Markdown."""
    lines = [HEADER, tuple("---" for _ in HEADER), *sheet.lines]
    cells = [" | ".join(_in_one_line(cell) for cell in line) for line in lines]
    return f"**{sheet.title}**\n\n" + "\n".join(f"| {line} |" for line in cells)


def _in_one_line(cell: str) -> str:
    value, *ends = cell.split("\n")
    return f"{value} ({ends[0]}..{ends[1]})" if ends else value


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures of a checkpoint in short, against the reference that counts most."""

    ground: Ground
    figures: dict[str, float | int]
    """By name with their unit, `rmse_m3m3` and the rest; those that can be told."""


def headline(scores: Sequence[StoredScore], entry: Entry) -> Headline | None:
    """The checkpoint's own figures as the gate reads them; None when rows are too few."""
    own = scores_of(scores, entry.checkpoint_id)
    ground = ground_of(own, entry)
    if ground is None:
        return None
    found = {
        name: score(own, ground, name)
        for name in ("rmse", "bias", "ubrmse", "r", "anomaly_r", "kge")
    }
    figures: dict[str, float | int] = {
        f"{name}_m3m3" if one.unit == "m3/m3" else name: one.value
        for name, one in found.items()
        if one is not None and one.value is not None
    }
    within = score(own, Ground(ground.scheme, ground.reference, ground.source, SPATIAL), "r")
    if within is not None and within.value is not None:
        figures["spatial_r"] = within.value
    counted = found["rmse"]
    return Headline(ground, figures | ({"n": counted.n} if counted else {}))
