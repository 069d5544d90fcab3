"""A checkpoint that is to be judged, what it is compared with, and what it has seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.choice import trained_until
from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.evaluation_set import EvaluationSet
from sm_platform.defs.registry import Entry, rival
from sm_platform.defs.sample_set import FINE_M, SampleSet, read_roles
from sm_platform.defs.stored_scores import ACCEPTED, CHECKPOINT, OWN_SCHEME
from sm_platform.errors import MissingInputError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.card import Card
from sm_platform.schema.label_tables import SAMPLE_SPLITS
from sm_platform.schema.prediction import Estimator
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform.schema.rows import FeatureRows

START = "start"
KNOWN_ROLES = [Role.TRAIN.value, Role.VALIDATION.value, Role.CALIBRATION.value]
"""Roles whose rows shaped a network or its intervals."""
KEYS = ["block_id", "site_id", "scene_id"]
BY_PLACE = (Scheme.BLOCK.value, Scheme.BLOCK_TIME.value)


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
    """What it started from, and what that started from."""
    sources: tuple[str, ...]
    """Label sources it learned from; none: not known."""

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
    return Subject(entry, card, rivals, forebears, _sources(layout, entry))


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
        if name.startswith(ACCEPTED) and subject.entry.region_id in regions_of(one.card):
            is_taught = _taught(layout, one.card, subject, _keys_of(judged))
            mean = np.where(is_taught, np.float32(np.nan), mean)
        found[name] = mean
    return found


def _as_of(card: Card, rows: FeatureRows) -> FeatureRows:
    recipe_id, fingerprint = card.recipe_id, card.recipe_fingerprint
    return replace(rows, recipe_id=recipe_id, recipe_fingerprint=fingerprint)


def _keys_of(judged: EvaluationSet) -> pd.DataFrame:
    return pd.DataFrame({name: getattr(judged, name) for name in KEYS})


def refuse_other_roles(layout: Layout, subject: Subject) -> None:
    """Raise MissingInputError when roles were given anew after the training.

    Then a row that is for the test today may have been learned from.
    """
    splits = subject.card.metadata.get("splits")
    note = store.note_of(layout, SAMPLE_SPLITS, subject.entry.region_id, subject.entry.cut_off)
    if splits is None or note is None or note["inputs"] == splits:
        return
    raise MissingInputError(
        f"The samples of {subject.entry.region_id} before {subject.entry.cut_off} were given roles "
        f"anew since {subject.name} was trained, so it may have seen today's test rows: train "
        "again, or materialize `sample_splits` with the seed and samples of then."
    )


def unseen(layout: Layout, subject: Subject, samples: SampleSet) -> NDArray[np.bool_]:
    """Rows (n,) that nothing the checkpoint started from has been taught, by its own roles.

    Of a scheme by place all rows of a block count as seen. Labels of cells wider than 1 km are not
    counted: they do not tell the places in them apart.
    """
    is_seen = np.zeros(len(samples.role), np.bool_)
    keys = samples.about.select(KEYS).to_pandas()
    for card in subject.forebears:
        if subject.entry.region_id in regions_of(card):
            is_seen |= _taught(layout, card, subject, keys)
    return ~is_seen


def refuse_known_region(subject: Subject, other: str) -> None:
    """Raise UsageError when a region is not a new one to the checkpoint or what it started from."""
    for card in (subject.card, *subject.forebears):
        if other in regions_of(card):
            raise UsageError(
                f"{card.checkpoint_id} learned from {other}, so {subject.name} cannot be judged "
                "there as in a region not seen: name other regions."
            )


def regions_of(card: Card) -> set[str]:
    """Regions whose labels a checkpoint learned from, as far as it tells."""
    told: Mapping[str, Any] = card.metadata
    named = {told["region"]} if told.get("region") else set()
    return named | set(told.get("source_regions") or ())


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


def _taught(layout: Layout, card: Card, subject: Subject, keys: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows (n,) in blocks, or (of schemes in time alone) at sites and passes, of its roles."""
    cut_off, scheme = trained_until(card), card.metadata.get("split_scheme")
    if cut_off is None or scheme is None:
        return np.zeros(len(keys), np.bool_)
    roles = read_roles(layout, subject.entry.region_id, cut_off, str(scheme))
    is_taught = pc.is_in(roles["role"], value_set=pa.array(KNOWN_ROLES))
    is_fine = pc.less_equal(pc.fill_null(roles["support_m"], 0.0), FINE_M)
    sources = card.metadata.get("label_sources") or pc.unique(roles["source"]).to_pylist()
    is_read = pc.is_in(roles["source"], value_set=pa.array(sources, pa.string()))
    names = KEYS[:1] if subject.scheme in BY_PLACE else KEYS[1:]
    taught = roles.filter(pc.and_(pc.and_(is_taught, is_fine), is_read)).select(names).to_pandas()
    own, theirs = (pd.MultiIndex.from_frame(table[names]) for table in (keys, taught))
    return np.asarray(own.isin(theirs))
