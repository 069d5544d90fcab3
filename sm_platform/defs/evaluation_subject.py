"""A checkpoint that is to be judged, what it is compared with, and what it has seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.evaluation_seen import KEYS, regions_of, taught_rows
from sm_platform.defs.evaluation_set import EvaluationSet
from sm_platform.defs.registry import Entry, rival
from sm_platform.defs.stored_scores import ACCEPTED, CHECKPOINT, OWN_SCHEME
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import Card
from sm_platform.schema.prediction import Estimator
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform.schema.rows import FeatureRows

START = "start"


@dataclass(frozen=True, slots=True)
class Rival:
    """An estimator that is scored on the same rows, with what is known of it."""

    card: Card
    estimator: Estimator


@dataclass(frozen=True, slots=True)
class Subject:
    """A checkpoint of a region and cut-off, ready to be judged."""

    entry: Entry
    card: Card
    rivals: Mapping[str, Rival]
    """Itself (`checkpoint`), and as far as there are: what it started from (`start`), the one that
    maps use now (`accepted:` and its id)."""
    forebears: tuple[Card, ...]
    """What it started from, and what that started from, as far as they are in the store."""
    sources: tuple[str, ...]
    """Label sources it learned from in this region; none: not known, or from none."""

    @property
    def name(self) -> str:
        """Its id."""
        return self.entry.checkpoint_id

    @property
    def scheme(self) -> str:
        """Split under which its figures are honest."""
        return self.entry.scheme or OWN_SCHEME

    @property
    def is_known(self) -> bool:
        """Whether it is known what it was trained on."""
        return self.entry.scheme is not None

    @property
    def lost(self) -> str | None:
        """Id of what the last of them started from, where that is not in the store."""
        parent = (self.card, *self.forebears)[-1].metadata.get("parent")
        return str(parent) if parent else None


def open_subject(layout: Layout, models: ModelStore, entry: Entry) -> Subject:
    """Open a checkpoint with its rivals; raises what opening a damaged one raises."""
    names = {CHECKPOINT: entry.checkpoint_id}
    card = read_card(models.folder(entry.checkpoint_id))
    forebears = tuple(_forebears(models, card))
    if forebears:
        names[START] = forebears[0].checkpoint_id
    used = rival(layout, entry)
    if used is not None:
        names[f"{ACCEPTED}{used.checkpoint_id}"] = used.checkpoint_id
    rivals = {name: _open(models, checkpoint_id) for name, checkpoint_id in names.items()}
    is_of_here = entry.region_id in regions_of(card)
    sources = _sources(layout, entry) if is_of_here else ()
    return Subject(entry, card, rivals, forebears, sources)


def _open(models: ModelStore, checkpoint_id: str) -> Rival:
    folder = models.folder(checkpoint_id)
    return Rival(read_card(folder), open_estimator(folder))


def rival_estimates(
    layout: Layout, subject: Subject, judged: EvaluationSet
) -> dict[str, NDArray[np.floating]]:
    """Mean (m3/m3) at each judged row of the checkpoint and what it is compared with.

    Starting weights may be of another recipe than the rows that they were tuned on: they are
    judged on these rows, from which the tuning began. The accepted one tells nothing where it was
    taught by its own roles: there it would look too good.

    Raises:
        RecipeError: the rows are of another recipe than the checkpoint's.
    """
    found: dict[str, NDArray[np.floating]] = {}
    for name, one in subject.rivals.items():
        rows = _as_of(one.card, judged.rows) if name == START else judged.rows
        mean = one.estimator.predict(rows).mean
        if name.startswith(ACCEPTED):
            place = subject.entry.region_id, judged.scheme
            is_taught = taught_rows(layout, [one.card], _keys_of(judged), place)
            mean = np.where(is_taught, np.float32(np.nan), mean)
        found[name] = mean
    return found


def _as_of(card: Card, rows: FeatureRows) -> FeatureRows:
    recipe_id, fingerprint = card.recipe_id, card.recipe_fingerprint
    return replace(rows, recipe_id=recipe_id, recipe_fingerprint=fingerprint)


def _keys_of(judged: EvaluationSet) -> pd.DataFrame:
    return pd.DataFrame({name: getattr(judged, name) for name in KEYS})


def _sources(layout: Layout, entry: Entry) -> tuple[str, ...]:
    names = ["checkpoint_id", "label_sources"]
    stored = store.read(layout, CHECKPOINTS, entry.region_id, entry.cut_off, columns=names)
    rows = stored.rows.to_pylist() if stored else []
    own = [row["label_sources"] for row in rows if row["checkpoint_id"] == entry.checkpoint_id]
    return tuple(own[0] or ()) if own else ()


def _forebears(models: ModelStore, card: Card) -> Iterator[Card]:
    """Cards of the stored checkpoints behind it, the nearest first."""
    known, seen = set(models.names()), {card.checkpoint_id}
    parent = card.metadata.get("parent")
    while parent in known - seen:
        seen.add(parent)
        found = read_card(models.folder(str(parent)))
        yield found
        parent = found.metadata.get("parent")
