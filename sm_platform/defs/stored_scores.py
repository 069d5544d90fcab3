"""Scores of a checkpoint as the table `evaluations` holds them, and which of them count."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from math import isnan, nan

from sm_platform.defs.registry import Entry
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.registry_tables import EVALUATIONS
from sm_platform.trust.comparison import Difference

CHECKPOINT = "checkpoint"
"""Estimator name of the judged checkpoint itself."""
ALL = "all"
BY_SITE, POOLED, SPATIAL = "site", "pooled", "spatial_9km"
ACCEPTED = "accepted:"
"""Before the id of the accepted checkpoint that was scored on the same rows."""
NO_BASELINE = (CHECKPOINT, ACCEPTED, "label:")
"""How names of estimators begin that are no baseline: itself, its rival, a label's own noise."""
RMSE_DIFFERENCE = "rmse_difference"
"""Metric: RMSE of the checkpoint minus that of the estimator, over the rows that both know."""
OWN_SCHEME = "block"
"""Scheme by which a checkpoint is judged that does not tell what it was trained on."""
MIN_PAIRS = 20
MIN_SITES = 3
REFERENCES = ("in_situ", "product", "model", "simulated")
"""In the order in which they are taken: the first that has enough pairs at enough sites."""


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A row of `evaluations`; numbers are None where the score cannot be told."""

    checkpoint_id: str
    estimator: str
    scheme: str
    reference: str
    source: str
    stratum: str
    stratum_value: str
    pooling: str
    metric: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    n_sites: int
    n_blocks: int
    is_comparison_only: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What a checkpoint is judged on: split, reference and how sites are put together."""

    scheme: str
    reference: str
    source: str
    pooling: str

    @property
    def told(self) -> str:
        """In words, for a verdict or a card."""
        how = "per site, then averaged" if self.pooling == BY_SITE else "all pairs pooled"
        return f"source {self.source}, test rows of split {self.scheme}, {how}"


def stored_scores(layout: Layout, region: str, cut_off: date) -> list[StoredScore]:
    """All scores of the checkpoints of a cut-off; none before they are evaluated."""
    names = [field.name for field in fields(StoredScore)]
    part = store.read(layout, EVALUATIONS, region, cut_off, columns=names)
    return [StoredScore(**row) for row in part.rows.to_pylist()] if part else []


def scores_of(scores: Sequence[StoredScore], checkpoint_id: str) -> list[StoredScore]:
    """Those of one checkpoint and its baselines that it may be judged by."""
    own = (one for one in scores if one.checkpoint_id == checkpoint_id)
    return [one for one in own if not one.is_comparison_only]


def ground_of(scores: Sequence[StoredScore], entry: Entry) -> Ground | None:
    """The reference at hand on the checkpoint's own split; None when none has enough pairs.

    Of a reference's sources the one with most pairs counts. Sites are scored over time and then
    averaged (as SMAP's validation does) where at least three have enough pairs, else pooled.
    """
    scheme = entry.scheme or OWN_SCHEME
    pooled = [
        one
        for one in scores
        if (one.scheme, one.pooling) == (scheme, POOLED)
        and _is_headline(one, "rmse")
        and one.n >= MIN_PAIRS
        and one.n_sites >= MIN_SITES
        and one.reference in REFERENCES
    ]
    if not pooled:
        return None
    best = min(pooled, key=lambda one: (REFERENCES.index(one.reference), -one.n, one.source))
    by_site = Ground(scheme, best.reference, best.source, BY_SITE)
    averaged = score(scores, by_site, "rmse")
    is_told = averaged and averaged.value is not None and averaged.n_sites >= MIN_SITES
    return by_site if is_told else Ground(scheme, best.reference, best.source, POOLED)


def score(
    scores: Sequence[StoredScore], ground: Ground, metric: str, estimator: str = CHECKPOINT
) -> StoredScore | None:
    """The score over all rows of a ground; None when it is not in the table."""
    found = (
        one
        for one in scores
        if _is_headline(one, metric, estimator)
        and (one.scheme, one.reference, one.source, one.pooling)
        == (ground.scheme, ground.reference, ground.source, ground.pooling)
    )
    return next(found, None)


def value(
    scores: Sequence[StoredScore], ground: Ground, metric: str, estimator: str = CHECKPOINT
) -> float:
    """The score's value, NaN where it cannot be told."""
    found = score(scores, ground, metric, estimator)
    return nan if found is None or found.value is None else found.value


def baselines(scores: Sequence[StoredScore], ground: Ground) -> dict[str, float]:
    """RMSE (m3/m3) of whatever else was scored on all the same rows, by its name."""
    own = score(scores, ground, "rmse")
    found = {name: score(scores, ground, "rmse", name) for name in _rivals(scores)}
    return {
        name: one.value
        for name, one in found.items()
        if own and one and one.value is not None and one.n == own.n
    }


def better_where_known(scores: Sequence[StoredScore], ground: Ground) -> dict[str, float]:
    """By how much (m3/m3) baselines that know fewer rows are better there, those that are.

    A coarse product has a value on some days only: its own RMSE is one of other rows.
    """
    pooled, same = replace(ground, pooling=POOLED), baselines(scores, ground)
    others = [name for name in _rivals(scores) if name not in same]
    gaps = {name: value(scores, pooled, RMSE_DIFFERENCE, name) for name in others}
    return {name: gap for name, gap in gaps.items() if gap > 0}


def _rivals(scores: Sequence[StoredScore]) -> list[str]:
    names = dict.fromkeys(one.estimator for one in scores)
    return [name for name in names if not name.startswith(NO_BASELINE)]


def compared_with(scores: Sequence[StoredScore]) -> str | None:
    """Id of the checkpoint that was accepted when these scores were made; None if none was."""
    names = (one.estimator for one in scores if one.estimator.startswith(ACCEPTED))
    return next((name.removeprefix(ACCEPTED) for name in names), None)


def difference(scores: Sequence[StoredScore], ground: Ground) -> Difference | None:
    """RMSE minus that of the then accepted one on the same rows; None when not compared."""
    pooled = replace(ground, pooling=POOLED)
    found = score(scores, pooled, RMSE_DIFFERENCE, f"{ACCEPTED}{compared_with(scores)}")
    if found is None or found.value is None:
        return None
    low, high = (nan if end is None else end for end in (found.low, found.high))
    note = f"{found.n_blocks} blocks give no interval" if isnan(low) else ""
    return Difference(found.value, low, high, found.n, found.n_sites, found.n_blocks, note)


def _is_headline(one: StoredScore, metric: str, estimator: str = CHECKPOINT) -> bool:
    """Whether a score is of all rows, not of a stratum."""
    return (one.estimator, one.metric, one.stratum) == (estimator, metric, ALL)
