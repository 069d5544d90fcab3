"""What a checkpoint has to be better than, learned from the same training rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.evaluation_scores import PRODUCT, TREES, label_estimates
from sm_platform.defs.evaluation_set import EvaluationSet
from sm_platform.defs.sample_set import SampleSet
from sm_platform.errors import MissingInputError
from sm_platform.samples.splits import Role
from sm_platform.schema.rows import take
from sm_platform.trees.boosting import TreeSettings, fit_trees
from sm_platform.trees.labels import FEWEST_BLOCKS, FEWEST_ROWS
from sm_platform.trust.baselines import KnownLabels, climatology, site_mean

SITE_MEAN, CLIMATOLOGY = "site_mean", "climatology"


@dataclass(frozen=True, slots=True)
class TreesAsked:
    """The boosted trees that are fitted for a baseline."""

    members: int = 5
    most_rows: int = 20_000
    """Training rows at most, drawn at random, the same ones each time."""
    seed: int = 1


def baseline_estimates(
    samples: SampleSet,
    judged: EvaluationSet,
    trees: TreesAsked | None,
    sources: Sequence[str] = (),
) -> dict[str, NDArray[np.floating]]:
    """Soil moisture (m3/m3) at each of the n judged rows by the name of the baseline.

    Coarse products and the labels themselves are there beside what is learned from the training
    rows of the sources; none named: of all. None fits no trees, and neither do so few rows or
    blocks that trees cannot learn from them.

    Raises:
        MissingInputError: there is no training row of these sources.
    """
    learnt = training_rows(samples, sources)
    labels = KnownLabels(
        sm_m3m3=samples.sm_m3m3[learnt],
        site_id=samples.about["site_id"].to_numpy().astype(np.str_)[learnt],
        day=samples.about["sample_day"].to_numpy().astype("datetime64[D]")[learnt],
    )
    found: dict[str, NDArray[np.floating]] = {
        SITE_MEAN: site_mean(labels, site_id=judged.site_id),
        CLIMATOLOGY: climatology(labels, site_id=judged.site_id, day=judged.day),
    }
    if trees is not None and _is_enough(samples, learnt):
        found[TREES] = _boosted(samples, learnt, judged, trees)
    found |= {f"{PRODUCT}{name}": values for name, values in judged.products.items()}
    return found | label_estimates(judged)


def training_rows(samples: SampleSet, sources: Sequence[str] = ()) -> NDArray[np.int64]:
    """Places of the rows that a training learns from: of its role, with a weight."""
    is_learnt = (samples.role == Role.TRAIN.value) & (samples.weight > 0)
    if sources:
        is_learnt &= np.isin(samples.about["source"].to_numpy().astype(np.str_), list(sources))
    if not is_learnt.any():
        raise MissingInputError(
            f"No training row of scheme {samples.scheme} is of {', '.join(sources) or 'a source'}: "
            "materialize `sample_splits` with labels of it, or train again."
        )
    return np.flatnonzero(is_learnt)


def _is_enough(samples: SampleSet, learnt: NDArray[np.int64]) -> bool:
    """Whether trees can be fitted: they need more blocks than networks do."""
    n_blocks = len(np.unique(samples.about["block_id"].to_numpy()[learnt]))
    return len(learnt) >= FEWEST_ROWS and n_blocks >= FEWEST_BLOCKS


def _boosted(
    samples: SampleSet, learnt: NDArray[np.int64], judged: EvaluationSet, asked: TreesAsked
) -> NDArray[np.floating]:
    if len(learnt) > asked.most_rows:
        drawn = np.random.default_rng(asked.seed).choice(learnt, asked.most_rows, replace=False)
        learnt = np.sort(drawn)
    block = samples.about["block_id"].to_numpy()[learnt]
    settings = TreeSettings(members=asked.members, seed=asked.seed)
    made = fit_trees(
        take(samples.rows, learnt),
        samples.sm_m3m3[learnt],
        block,
        settings,
        weight=samples.weight[learnt],
    )
    return made.predict(judged.rows).mean
