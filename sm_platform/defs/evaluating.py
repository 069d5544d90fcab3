"""From a checkpoint to how well it does: on rows not used for it, beside its baselines."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.defs.baselines import TreesAsked, baseline_estimates
from sm_platform.defs.evaluation_retraining import Reduced, trained_anew
from sm_platform.defs.evaluation_scores import TREES, pairs_of, score_rows
from sm_platform.defs.evaluation_seen import (
    KEYS,
    refuse_known_region,
    refuse_other_roles,
    regions_of,
    taught_rows,
)
from sm_platform.defs.evaluation_set import EvaluationSet, evaluation_set, joined
from sm_platform.defs.evaluation_subject import Subject, open_subject, rival_estimates
from sm_platform.defs.evaluation_table import Headline, headline
from sm_platform.defs.lake_access import find_region, hash_of
from sm_platform.defs.registry import Entry, Stage, entries
from sm_platform.defs.sample_set import SampleSet, gather
from sm_platform.defs.stored_scores import CHECKPOINT, StoredScore, stored_scores
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError, MissingInputError, SmPlatformError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.card import Card
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import EVALUATIONS
from sm_platform.trust.pairs import Pairs

ALL_ROWS = 2**31
"""More samples than a region has: none is drawn out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationChoice:
    """What is judged, and how far."""

    checkpoint: str | None = None
    """One checkpoint of the cut-off; None: all."""
    schemes: tuple[str, ...] = ()
    """Further splits: the same is trained anew, reduced, on the training rows of each."""
    other_regions: tuple[str, ...] = ()
    """Regions that it has not seen, whose rows make scheme `region`."""
    reduced: Reduced = field(default_factory=Reduced)
    trees: TreesAsked | None = field(default_factory=TreesAsked)
    """The boosted trees to compare with; None: none."""

    def __post_init__(self) -> None:
        known = [scheme.value for scheme in Scheme if scheme is not Scheme.REGION]
        unknown = [name for name in self.schemes if name not in known]
        if unknown:
            raise UsageError(
                f"There is no split '{unknown[0]}' to train by: choose of {', '.join(known)}; for "
                "a region not seen name other_regions."
            )


@dataclass(frozen=True, slots=True)
class Judged:
    """A checkpoint with its scores."""

    subject: Subject
    scores: tuple[StoredScore, ...]
    told: Headline | None
    """None where its own split has too few rows to say anything."""
    pairs: Pairs | None
    """Its own and the reference's of `told`."""
    remarks: tuple[str, ...]
    """What a reader of the figures must know."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One split with what was estimated on its rows."""

    judged: EvaluationSet
    estimates: dict[str, NDArray[np.floating]]


def entries_to_judge(layout: Layout, region: str, cut_off: date, said: str | None) -> list[Entry]:
    """The checkpoints of a cut-off that are not retired, or the one said.

    Raises:
        MissingInputError: the cut-off has none.
        UsageError: the one said is not among them.
    """
    known = [one for one in entries(layout, region) if one.cut_off == cut_off]
    if not known:
        raise MissingInputError(
            f"Region {region} has no checkpoint with cut-off {cut_off}: materialize `checkpoints` "
            "for that day first (`sm-platform train`)."
        )
    if said is None:
        return [one for one in known if one.stage is not Stage.RETIRED] or known[-1:]
    chosen = [one for one in known if one.checkpoint_id == said]
    if not chosen:
        there = ", ".join(one.checkpoint_id for one in known)
        raise UsageError(
            f"'{said}' is no checkpoint of {region} with cut-off {cut_off} (there: {there})."
        )
    return chosen


def judge_all(
    stores: tuple[Layout, ModelStore],
    region: Region,
    chosen: Sequence[Entry],
    choice: EvaluationChoice,
    say: Say,
) -> list[Judged]:
    """Judge them, in order; what keeps an older one from it is told, no more.

    Raises:
        SmPlatformError: the newest, which is judged first, cannot be.
    """
    *older, newest = chosen
    last = judge(stores, region, newest, choice, say)
    found: list[Judged] = []
    for entry in older:
        try:
            found.append(judge(stores, region, entry, choice, say))
        except SmPlatformError as error:
            say(f"{entry.checkpoint_id} is not judged again: {error}")
    return [*found, last]


def judge(
    stores: tuple[Layout, ModelStore],
    region: Region,
    entry: Entry,
    choice: EvaluationChoice,
    say: Say,
) -> Judged:
    """Score a checkpoint on its own split, and on what else was chosen.

    Raises:
        MissingInputError: samples or their roles are absent or have changed.
        DataError: no row is left to be judged on.
        UsageError: it has learned from a region that was named as unseen.
    """
    layout, models = stores
    subject = open_subject(layout, models, entry)
    for other in choice.other_regions:
        refuse_known_region([subject.card, *subject.forebears], other)
    refuse_other_roles(layout, subject.card, entry)
    parts: list[_Part] = []
    for part in _parts(stores, region, subject, choice):
        say(f"{subject.name}: {len(part.judged)} rows of scheme {part.judged.scheme}")
        parts.append(part)
    scores = [
        one for part in parts for one in score_rows(subject.name, part.judged, part.estimates)
    ]
    told = headline(scores, entry)
    pairs = _pairs(parts[0], told) if told else None
    remarks = [*_remarks(subject, choice), *_trees_left_out(parts, choice)]
    return Judged(subject, tuple(scores), told, pairs, tuple(remarks))


def _parts(
    stores: tuple[Layout, ModelStore], region: Region, subject: Subject, choice: EvaluationChoice
) -> Iterator[_Part]:
    """Its own split first."""
    layout, cut_off = stores[0], subject.entry.cut_off
    whole = [subject.card, *subject.forebears]
    own = gather(layout, region.region_id, cut_off, ALL_ROWS, subject.scheme)
    judged = _unseen(layout, region, own, whole)
    yield _Part(judged, _estimates(layout, subject, (own, judged), choice))
    if choice.other_regions:
        judged = joined([_elsewhere(layout, name, cut_off, whole) for name in choice.other_regions])
        yield _Part(judged, _estimates(layout, subject, (own, judged), choice))
    for scheme in choice.schemes:
        if scheme != subject.scheme:
            samples = gather(layout, region.region_id, cut_off, ALL_ROWS, scheme)
            judged = _unseen(layout, region, samples, subject.forebears)
            again = trained_anew(stores, subject, scheme, choice.reduced)
            baselines = baseline_estimates(samples, judged, choice.trees, subject.sources)
            yield _Part(judged, {CHECKPOINT: again.predict(judged.rows).mean} | baselines)


def _unseen(
    layout: Layout, region: Region, samples: SampleSet, cards: Sequence[Card]
) -> EvaluationSet:
    """The test rows of a region that none of the checkpoints was taught."""
    keys, place = samples.about.select(KEYS).to_pandas(), (region.region_id, samples.scheme)
    is_kept = ~taught_rows(layout, cards, keys, place)
    is_test = samples.role == Role.TEST.value
    if is_test.any() and not (is_test & is_kept).any():
        names = ", ".join(card.checkpoint_id for card in cards)
        raise DataError(
            f"All test rows of {region.region_id} (scheme {samples.scheme}) were taught to what is "
            f"judged or to what it started from ({names}): materialize `sample_splits` with the "
            "seed of then and train again, start elsewhere, or name other regions."
        )
    return evaluation_set(layout, region, samples, is_kept=is_kept)


def _elsewhere(layout: Layout, name: str, cut_off: date, cards: Sequence[Card]) -> EvaluationSet:
    samples = gather(layout, name, cut_off, ALL_ROWS, Scheme.REGION.value)
    return _unseen(layout, find_region(layout, name), samples, cards)


def _estimates(
    layout: Layout,
    subject: Subject,
    sets: tuple[SampleSet, EvaluationSet],
    choice: EvaluationChoice,
) -> dict[str, NDArray[np.floating]]:
    """Of the checkpoint, its rivals and what is learned from the samples, at the judged rows."""
    samples, judged = sets
    baselines = baseline_estimates(samples, judged, choice.trees, subject.sources)
    return rival_estimates(layout, subject, judged) | baselines


def _pairs(own: _Part, told: Headline) -> Pairs:
    wanted = (told.ground.reference, told.ground.source)
    references = own.judged.references
    (reference,) = (one for one in references if (one.label_type, one.source) == wanted)
    return pairs_of(own.judged, reference, own.estimates[CHECKPOINT])


def _remarks(subject: Subject, choice: EvaluationChoice) -> Iterator[str]:
    if not subject.is_known:
        yield (
            f"It is not known what {subject.name} was trained on: some of these rows may have been "
            "among it."
        )
    if choice.schemes:
        yield (
            f"Under {', '.join(choice.schemes)} the same was trained anew with "
            f"{choice.reduced.members} members."
        )
    if choice.other_regions:
        yield f"Scheme region: rows of {', '.join(choice.other_regions)}."
    for card in subject.forebears:
        if subject.entry.region_id in regions_of(card):
            yield f"What {card.checkpoint_id}, behind its start, was taught was left out."
    if subject.lost:
        yield (
            f"{subject.lost}, behind its start, is not in the store: some of these rows may have "
            "been among what it was taught."
        )


def _trees_left_out(parts: Sequence[_Part], choice: EvaluationChoice) -> Iterator[str]:
    lacking = [one.judged.scheme for one in parts if TREES not in one.estimates]
    if choice.trees and lacking:
        yield (
            f"Under {', '.join(lacking)} the training rows or their blocks are too few for boosted "
            "trees to compare with."
        )


def store_scores(layout: Layout, region: str, cut_off: date, judged: Sequence[Judged]) -> int:
    """Replace the scores of these checkpoints, keep the others'; returns the rows of the day."""
    names = {one.subject.name for one in judged}
    others = [
        one for one in stored_scores(layout, region, cut_off) if one.checkpoint_id not in names
    ]
    rows = [asdict(one) for one in (*others, *(row for one in judged for row in one.scores))]
    rows.sort(key=lambda row: [str(row[name]) for name in EVALUATIONS.keys])
    table = pa.Table.from_pylist(rows, schema=EVALUATIONS.arrow_schema)
    note = {"inputs": hash_of(rows), "status": "made", "rows": len(rows)}
    store.write(layout, EVALUATIONS, table, region=region, day=cut_off, note=note)
    return len(rows)
