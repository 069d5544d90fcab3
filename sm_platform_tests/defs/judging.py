"""Judging the checkpoints of a judged lake, and finding one score among many."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from sm_platform.defs.evaluating import EvaluationChoice, Judged, judge
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.registry import find_entry
from sm_platform.defs.stored_scores import CHECKPOINT, StoredScore
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform_tests.defs.sample_lake import NAME

OWN, OTHER = "own-trees", "hills"
NO_TREES = EvaluationChoice(trees=None)


def models_of(layout: Layout) -> ModelStore:
    return ModelStore(layout.root.parent / "models")


def copied(lake: Layout, folder: Path) -> Layout:
    """A copy of lake and models to be changed."""
    shutil.copytree(lake.root, folder / "lake")
    shutil.copytree(models_of(lake).root, folder / "models")
    return Layout(folder / "lake")


def judged_by(layout: Layout, checkpoint: str = OWN, choice: EvaluationChoice = NO_TREES) -> Judged:
    entry = find_entry(layout, NAME, checkpoint)
    stores = layout, models_of(layout)
    return judge(stores, find_region(layout, NAME), entry, choice, lambda _: None)


def one(scores: Sequence[StoredScore], **wanted: str) -> StoredScore:
    plain = {"estimator": CHECKPOINT, "source": "archive", "stratum": "all", "pooling": "pooled"}
    plain |= {"metric": "rmse", "scheme": "block"}
    named = (plain | wanted).items()
    (found,) = [row for row in scores if all(getattr(row, key) == val for key, val in named)]
    return found


def value(scores: Sequence[StoredScore], **wanted: str) -> float:
    found = one(scores, **wanted).value
    assert found is not None
    return found
