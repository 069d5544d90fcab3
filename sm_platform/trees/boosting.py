"""Fitting of tree ensembles: gradient boosting by scikit-learn, each member on a draw of blocks.

A member sees a bootstrap of blocks, not of rows: rows of one block share their weather and soil, so
a draw of rows would leave hardly any place unseen and the spread would say nothing about places.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import RecipeError, UsageError
from sm_platform.schema.rows import FeatureRows
from sm_platform.trees.coding import Steps, coded, steps_of
from sm_platform.trees.columns import columns_of
from sm_platform.trees.ensemble import TreeEnsemble
from sm_platform.trees.fitted import forest_of
from sm_platform.trees.forest import MOST_LEAVES, Forest
from sm_platform.trees.labels import check_blocks, check_learnable, check_weight

if TYPE_CHECKING:  # its import takes seconds: only a fit needs it
    from sklearn.ensemble import HistGradientBoostingRegressor

Labels = NDArray[np.floating]
Group = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How an ensemble is fitted."""

    members: int = 5
    max_iter: int = 300
    """Trees of a member; at most so many where steer rows may stop it."""
    learning_rate: float = 0.05
    max_leaf_nodes: int = 31
    min_samples_leaf: int = 40
    l2_regularization: float = 1.0
    patience: int = 20
    """Trees without a gain on the steer rows after which a member stops."""
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("members", "max_iter", "learning_rate", "min_samples_leaf", "patience"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} is {getattr(self, name)}: it must be above 0.")
        if not 2 <= self.max_leaf_nodes <= MOST_LEAVES:
            raise UsageError(
                f"max_leaf_nodes is {self.max_leaf_nodes}: it must be in 2..{MOST_LEAVES}."
            )
        if self.l2_regularization < 0 or self.seed < 0:
            raise UsageError("l2_regularization and seed must be 0 or more.")


@dataclass(frozen=True, slots=True)
class SteerRows:
    """Rows of other blocks that decide when boosting stops."""

    rows: FeatureRows
    sm_m3m3: Labels
    """(n,)"""


def fit_trees(
    rows: FeatureRows,
    sm_m3m3: Labels,
    group: Group,
    settings: TreeSettings,
    *,
    weight: Labels | None = None,
    steer: SteerRows | None = None,
) -> TreeEnsemble:
    """Fit the members one after the other; the same arguments give the same bits on one machine.

    Args:
        rows: n rows, without a missing input.
        sm_m3m3: (n,) soil moisture in m3/m3.
        group: (n,) id of each row's block; blocks are drawn, not rows.
        settings: members, trees and the rest.
        weight: (n,) weight of each row, 0 or more; all alike by default.
        steer: rows that stop a member early; without them all trees are fitted.

    Raises:
        DataError: a missing input or label, labels that are constant, in percent or negative, too
            few rows or blocks, or lengths that differ.
        RecipeError: steer rows of another recipe.
    """
    weight = np.ones(len(rows)) if weight is None else weight
    check_learnable("training", rows, sm_m3m3)
    check_weight(weight, len(rows))
    check_blocks(group, weight)
    if steer is not None:
        _check_steer(rows, steer)
    lesson = _lesson(rows, sm_m3m3, weight, group=group, steer=steer)
    forests = [_fit_member(lesson, settings, member) for member in range(settings.members)]
    return TreeEnsemble(tuple(forests), rows.recipe_id, rows.recipe_fingerprint)


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """What all members learn from, as scikit-learn reads it; n rows of a weight above 0."""

    steps: Steps
    codes: NDArray[np.float32]
    """(n, 168)"""
    labels: Labels
    weight: Labels
    """(n,) of mean 1, so that its scale does not weaken the regularisation."""
    block: NDArray[np.intp]
    """(n,): number of each row's block, without gaps."""
    judged: Mapping[str, Labels]
    """Codes and labels of the steer rows, if there are any."""


def _lesson(
    rows: FeatureRows, sm_m3m3: Labels, weight: Labels, *, group: Group, steer: SteerRows | None
) -> _Lesson:
    seen = np.flatnonzero(weight > 0)
    columns = columns_of(rows, seen)
    steps = steps_of(columns)
    judged = {}
    if steer is not None:
        others = columns_of(steer.rows, np.arange(len(steer.rows)))
        judged = {"X_val": coded(others, steps), "y_val": steer.sm_m3m3}
    return _Lesson(
        steps=steps,
        codes=coded(columns, steps),
        labels=sm_m3m3[seen],
        weight=weight[seen] / weight[seen].mean(),
        block=np.unique(group[seen], return_inverse=True)[1],
        judged=judged,
    )


def _fit_member(lesson: _Lesson, settings: TreeSettings, member: int) -> Forest:
    """The forest of the blocks drawn for this member, as many draws as there are blocks."""
    n_blocks = int(lesson.block.max()) + 1
    draws = np.random.default_rng([settings.seed, member]).integers(0, n_blocks, n_blocks)
    weight = lesson.weight * np.bincount(draws, minlength=n_blocks)[lesson.block]
    drawn = np.flatnonzero(weight)
    booster = _booster(settings, member, stops_early=bool(lesson.judged))
    booster.fit(lesson.codes[drawn], lesson.labels[drawn], weight[drawn], **lesson.judged)
    return forest_of(booster, lesson.steps)


def _check_steer(rows: FeatureRows, steer: SteerRows) -> None:
    check_learnable("steer", steer.rows, steer.sm_m3m3)
    if rows.recipe_fingerprint != steer.rows.recipe_fingerprint:
        raise RecipeError(
            f"Training rows are of recipe '{rows.recipe_id}' ({rows.recipe_fingerprint}), steer "
            f"rows of '{steer.rows.recipe_id}' ({steer.rows.recipe_fingerprint}): build both with "
            "one recipe."
        )


def _booster(
    settings: TreeSettings, member: int, *, stops_early: bool
) -> "HistGradientBoostingRegressor":
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=settings.max_iter,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.max_leaf_nodes,
        min_samples_leaf=settings.min_samples_leaf,
        l2_regularization=settings.l2_regularization,
        early_stopping=stops_early,
        n_iter_no_change=settings.patience,
        random_state=settings.seed + member,
    )
