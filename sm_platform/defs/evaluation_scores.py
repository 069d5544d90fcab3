"""Scores of estimates against every reference of an evaluation set, as rows of `evaluations`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.evaluation_set import EvaluationSet, Reference
from sm_platform.defs.evaluation_strata import flooding, in_order, moisture_bins
from sm_platform.defs.stored_scores import (
    ALL,
    BY_SITE,
    CHECKPOINT,
    POOLED,
    RMSE_DIFFERENCE,
    SPATIAL,
    StoredScore,
)
from sm_platform.samples.split_schemes import Scheme
from sm_platform.schema.label_sources import LabelType
from sm_platform.trust.comparison import compare
from sm_platform.trust.pairs import Pairing, Pairs, alike, choose, pair_up
from sm_platform.trust.scoring import Score, score_by_site, score_pooled, score_spatial

TREES = "boosted_trees"
PRODUCT, LABEL = "product:", "label:"
STRATIFIED = (CHECKPOINT, TREES)
"""Estimators that are scored in every stratum; the others over all rows."""
FEWEST_PAIRS = 2
Mask = NDArray[np.bool_]
Estimates = Mapping[str, NDArray[np.floating]]
"""Soil moisture (n,) in m3/m3 of each estimator, NaN where it tells none."""


@dataclass(frozen=True, slots=True)
class _Stratum:
    name: str
    value: str
    is_in: Mask


@dataclass(frozen=True, slots=True)
class _Against:
    """One estimator against one reference."""

    checkpoint_id: str
    judged: EvaluationSet
    reference: Reference
    estimator: str

    def row(self, pooling: str, score: Score, stratum: tuple[str, str] = (ALL, ALL)) -> StoredScore:
        """The score as a row; what cannot be told is None."""
        value, low, high = (
            None if isnan(one) else one for one in (score.value, score.low, score.high)
        )
        return StoredScore(
            checkpoint_id=self.checkpoint_id,
            estimator=self.estimator,
            scheme=self.judged.scheme,
            reference=self.reference.label_type,
            source=self.reference.source,
            stratum=stratum[0],
            stratum_value=stratum[1],
            pooling=pooling,
            metric=score.metric,
            unit=score.unit,
            value=value,
            low=low,
            high=high,
            n=score.n,
            n_sites=score.n_sites,
            n_blocks=score.n_blocks,
            is_comparison_only=Scheme(self.judged.scheme).is_comparison_only,
        )


def score_rows(
    checkpoint_id: str, judged: EvaluationSet, estimates: Estimates
) -> Iterator[StoredScore]:
    """Rows of `evaluations` for all estimators, references and strata of one scheme."""
    for reference in judged.references:
        for name, values in estimates.items():
            if _says_something(name, reference):
                against = _Against(checkpoint_id, judged, reference, name)
                yield from _scores(against, _pairing(judged, reference, values))
                if name != CHECKPOINT:
                    yield from _difference(against, estimates)


def label_estimates(judged: EvaluationSet) -> dict[str, NDArray[np.float32]]:
    """The labels themselves, to be held against the truth: what their own noise alone gives."""
    return {
        f"{LABEL}{one.source}": one.sm_m3m3
        for one in judged.references
        if one.label_type != LabelType.SIMULATED
    }


def pairs_of(judged: EvaluationSet, reference: Reference, values: NDArray[np.floating]) -> Pairs:
    """The pairs of the stratum `all`."""
    pairing = _pairing(judged, reference, values)
    return choose(pairing.pairs, _counts(judged, reference)[pairing.kept])


def _pairing(judged: EvaluationSet, reference: Reference, values: NDArray[np.floating]) -> Pairing:
    return pair_up(
        values,
        reference.sm_m3m3,
        site_id=judged.site_id,
        block_id=judged.block_id,
        day=judged.day,
        coarse_id=judged.coarse_id,
    )


def _counts(judged: EvaluationSet, reference: Reference) -> Mask:
    """Rows that count; those of water are scored in a stratum of their own.

    Where the truth is under water, or a product sees the water around a site, neither tells of
    soil that a map would show.
    """
    is_simulated = reference.label_type == LabelType.SIMULATED
    return ~(reference.is_of_water | (judged.is_flooded & is_simulated))


def _says_something(estimator: str, reference: Reference) -> bool:
    """A product against itself does not, nor does one label against another."""
    is_simulated = reference.label_type == LabelType.SIMULATED
    is_itself = estimator == f"{PRODUCT}{reference.source}"
    return not is_itself and (is_simulated or not estimator.startswith(LABEL))


def _scores(against: _Against, pairing: Pairing) -> Iterator[StoredScore]:
    for stratum in _strata(against.judged, against.reference):
        is_whole = stratum.name == ALL
        if not is_whole and against.estimator not in STRATIFIED:
            continue
        pairs = choose(pairing.pairs, stratum.is_in[pairing.kept])
        if len(pairs) < FEWEST_PAIRS:
            continue
        found = {BY_SITE: score_by_site(pairs), POOLED: score_pooled(pairs)}
        found |= {SPATIAL: score_spatial(pairs)} if is_whole else {}
        for pooling, scores in found.items():
            for one in scores:
                yield against.row(pooling, one, (stratum.name, stratum.value))


def _strata(judged: EvaluationSet, reference: Reference) -> Iterator[_Stratum]:
    counts = _counts(judged, reference)
    yield _Stratum(ALL, ALL, counts)
    known = np.isfinite(reference.sm_m3m3)
    for name, value in (
        ("moisture", moisture_bins(reference.sm_m3m3)),
        ("land_cover", judged.land_cover),
        ("season", judged.season),
        ("track", judged.track),
    ):
        for one in in_order(value[known & counts]):
            yield _Stratum(name, one, counts & (value == one))
    if reference.label_type == LabelType.SIMULATED:  # of the others the column `source` tells
        for name, labels in label_estimates(judged).items():
            has_label = counts & np.isfinite(labels)
            yield _Stratum("label_source", name.removeprefix(LABEL), has_label)
    if (reference.is_of_water & known).any() and reference.label_type != LabelType.SIMULATED:
        yield _Stratum("surroundings", "beside_water", reference.is_of_water)
        yield _Stratum("surroundings", "any", np.ones(len(judged), np.bool_))
    stands = flooding(judged.is_flooded)
    for one in in_order(stands[known]):
        yield _Stratum("inundation", one, stands == one)


def _difference(against: _Against, estimates: Estimates) -> Iterator[StoredScore]:
    """How much smaller (negative) the checkpoint's error is than the estimator's."""
    judged, reference = against.judged, against.reference
    counts = _counts(judged, reference)
    both = [
        _pairing(judged, reference, np.where(counts, estimates[name], np.nan))
        for name in (CHECKPOINT, against.estimator)
    ]
    ours, theirs = alike(*both)
    if len(ours) < FEWEST_PAIRS:
        return
    found = compare(ours, theirs)
    told = (found.value, found.low, found.high, found.n, found.n_sites, found.n_blocks)
    yield against.row(POOLED, Score(RMSE_DIFFERENCE, "m3/m3", *told))
