"""The gate: stored scores of a checkpoint become a verdict, and the verdict its stage.

The verdict follows from the scores alone, so judging again changes nothing. A stage that a person
gave stands, and a retired checkpoint is not judged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import nan

from sm_platform.defs.promotion import decide
from sm_platform.defs.registry import Decision, Entry, Judge, Stage, entries, find_entry, rival
from sm_platform.defs.stored_scores import (
    MIN_PAIRS,
    MIN_SITES,
    Ground,
    StoredScore,
    baselines,
    better_where_known,
    compared_with,
    difference,
    ground_of,
    score,
    scores_of,
    stored_scores,
    value,
)
from sm_platform.lake.layout import Layout
from sm_platform.samples.split_schemes import Scheme
from sm_platform.trust.gate import GateFigures, judge

BY_PLACE = (Scheme.BLOCK.value, Scheme.BLOCK_TIME.value)
KNOWN_PLACES = (
    "Failed: under split {} its sites were seen in training, so nothing is known of other places: "
    "train with split block."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A checkpoint with what the gate says of it."""

    entry: Entry
    """Its stage as it is afterwards."""
    is_passed: bool
    text: str
    """The verdict, for a person."""
    figures: GateFigures | None
    """None where no reference has enough pairs."""

    @property
    def is_usable(self) -> bool:
        """Whether maps may use it: passed, or accepted by a person all the same."""
        return self.entry.stage is Stage.ACCEPTED


def judge_cut_off(layout: Layout, region: str, cut_off: date, now: datetime) -> list[Judged]:
    """Judge the evaluated checkpoints of a cut-off that are not retired, and record their stages.

    They come in the order of their registration: the last is the one that counts.
    """
    scores = stored_scores(layout, region, cut_off)
    evaluated = {one.checkpoint_id for one in scores}
    return [
        _settled(layout, one.checkpoint_id, scores, (region, cut_off, now))
        for one in entries(layout, region)
        if one.cut_off == cut_off and one.checkpoint_id in evaluated
        if find_entry(layout, region, one.checkpoint_id, cut_off).stage is not Stage.RETIRED
    ]


def _settled(
    layout: Layout,
    checkpoint_id: str,
    scores: Sequence[StoredScore],
    at: tuple[str, date, datetime],
) -> Judged:
    region, cut_off, now = at
    entry = find_entry(layout, region, checkpoint_id, cut_off)
    judged = _judge(layout, entry, scores_of(scores, checkpoint_id))
    stage = Stage.ACCEPTED if judged.is_passed else Stage.CANDIDATE
    before = entry.decision
    is_persons = before is not None and before.by is Judge.PERSON
    is_known = before is not None and (before.stage, before.reason) == (stage, judged.text)
    if not (is_persons or is_known):
        decide(layout, entry, Decision(stage, Judge.GATE, judged.text, now))
    settled = find_entry(layout, region, checkpoint_id, cut_off)
    return Judged(settled, judged.is_passed, judged.text, judged.figures)


def _judge(layout: Layout, entry: Entry, scores: Sequence[StoredScore]) -> Judged:
    ground = ground_of(scores, entry)
    if ground is None:
        text = (
            f"Failed: no reference has {MIN_PAIRS} pairs at {MIN_SITES} sites among the test rows; "
            "bring more labels and materialize `evaluations` again."
        )
        return Judged(entry, is_passed=False, text=text, figures=None)
    figures = _figures(scores, ground)
    verdict = judge(figures)
    missing = _not_in_place_of(layout, entry, scores, figures) if verdict.is_passed else []
    missing += [] if ground.scheme in BY_PLACE else [KNOWN_PLACES.format(ground.scheme)]
    better = [
        f"Baseline {name} is better where it has a value: by {gap:.4f} m3/m3 of rmse, pooled."
        for name, gap in better_where_known(scores, ground).items()
    ]
    limits = verdict.text.replace("Passed", "Within all limits", 1) if missing else verdict.text
    text = " ".join([limits, *better, f"Judged by {ground.told}.", *missing])
    return Judged(entry, verdict.is_passed and not missing, text, figures)


def _figures(scores: Sequence[StoredScore], ground: Ground) -> GateFigures:
    counted = score(scores, ground, "rmse")
    rmse, bias, ubrmse = (value(scores, ground, name) for name in ("rmse", "bias", "ubrmse"))
    return GateFigures(
        reference=ground.reference,
        rmse=rmse,
        bias=bias,
        ubrmse=ubrmse,
        n=counted.n if counted else 0,
        n_sites=counted.n_sites if counted else 0,
        difference=difference(scores, ground),
        baselines=baselines(scores, ground),
    )


def _not_in_place_of(
    layout: Layout, entry: Entry, scores: Sequence[StoredScore], figures: GateFigures
) -> list[str]:
    """Why a checkpoint within its limits does not take the place of the one in use; none: it may.

    Of two of one cut-off the later one succeeds unless it is worse beyond doubt, the earlier one
    only if it is no worse at all: so judging again can never lead from one to the other and back.
    """
    used = None if entry.stage is Stage.ACCEPTED else rival(layout, entry)
    if used is None:
        return []
    if used.checkpoint_id != compared_with(scores):
        return [
            f"Failed: not compared with {used.checkpoint_id}, which is accepted: materialize "
            "`evaluations` again; where it was taught all of these rows, a person decides "
            "(`sm-platform models promote`)."
        ]
    if used.cut_off != entry.cut_off:
        return []
    if used.decision and used.decision.by is Judge.PERSON:
        return [
            f"Failed: a person accepted {used.checkpoint_id} for this cut-off, which stands: "
            "`sm-platform models promote` gives this one its place."
        ]
    order = [one.checkpoint_id for one in entries(layout, entry.region_id)]
    is_later = order.index(entry.checkpoint_id) > order.index(used.checkpoint_id)
    gap = figures.difference.value if figures.difference else nan
    if is_later or gap <= 0:
        return []
    return [
        f"Failed: {used.checkpoint_id} was made later and is better by {gap:.4f} m3/m3 of rmse."
    ]
