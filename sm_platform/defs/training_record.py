"""What is written down of a checkpoint: its metadata, and its row in `checkpoints`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from sm_platform import __version__
from sm_platform.defs.checking.trained_inputs import ENTRY, told_ranges
from sm_platform.defs.learned import Learned
from sm_platform.defs.lesson import Lesson
from sm_platform.defs.sample_set import SampleSet
from sm_platform.defs.training import TestedOn
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.lake import store
from sm_platform.lake.granules import landed, landed_days
from sm_platform.lake.layout import Layout
from sm_platform.schema.card import Card
from sm_platform.schema.label_tables import SAMPLE_SPLITS
from sm_platform.schema.registry_tables import CHECKPOINTS

IMPORTED = "imported"
SIMULATED = "simulated"


def metadata_of(
    layout: Layout,
    place: tuple[str, date],
    choice: TrainingChoice,
    lesson: Lesson,
    parent: Card | None,
) -> dict[str, Any]:
    """JSON values that tell how a checkpoint came to be, but for what the training itself adds."""
    region, day = place
    samples = lesson.samples
    sources = sorted(set(samples.about["source"].to_pylist()))
    regions = (region, *choice.source_regions)
    return {
        "trained_until": day.isoformat(),
        "region": region,
        "source_regions": list(choice.source_regions),
        "profile": choice.profile,
        "choice": asdict(choice),
        "split_scheme": choice.scheme,
        "splits": _roles_of(layout, region, day),
        "source_splits": {one: _roles_of(layout, one, day) for one in choice.source_regions},
        "seed": choice.seed,
        "recipe": samples.recipe.recipe_id,
        "majority_pass": samples.majority_pass,
        "n_samples": len(lesson.repeats[0].learn),
        "n_sites": len(set(samples.about["site_id"].to_pylist())),
        "samples_fingerprint": lesson.fingerprint,
        ENTRY: told_ranges(lesson.repeats[0].learn.rows),
        "label_sources": sources,
        "licences": [*label_licences(layout, regions, samples), *_licences_of(parent)],
        "reference": _reference(lesson.own),
        "parent": parent.checkpoint_id if parent else None,
        "parent_fingerprint": parent.fingerprint if parent else None,
        "parent_trained_until": parent.metadata.get("trained_until") if parent else None,
        "code_version": __version__,
    }


def _roles_of(layout: Layout, region: str, day: date) -> str | None:
    """What the roles of a region under a cut-off were given from; None where it has none."""
    note = store.note_of(layout, SAMPLE_SPLITS, region, day)
    return note["inputs"] if note else None


def outcome_of(learned: Learned, choice: TrainingChoice, tested: TestedOn | None) -> dict[str, Any]:
    """JSON values that the training adds: its members, and the score on rows not used for it."""
    seeds = {
        name: {"seed": choice.seed, "repeat": place // choice.n_members + 1}
        for place, name in enumerate(learned.names)
    }
    epochs = {name: len(curve) for name, curve in learned.curves.items()}
    best = {
        name: round(min(epoch.validation_loss for epoch in curve) ** 0.5, 5)
        for name, curve in learned.curves.items()
    }
    told: dict[str, Any] = {"seeds": seeds, "epochs": epochs, "best_validation_rmse": best}
    if tested is not None:
        score = tested.score
        r = score.r if np.isfinite(score.r) else None
        told["test"] = {
            **{"rmse_m3m3": score.rmse, "bias_m3m3": score.bias, "r": r, "n": score.n},
        }
    return told


def label_licences(layout: Layout, regions: Sequence[str], samples: SampleSet) -> list[str]:
    """Licences of the labels, as the files say that they came from.

    Labels that were brought without a file name none: they are told as simulated, or as unknown.
    """
    found: set[str] = set()
    days = set(samples.about["sample_day"].to_pylist())
    for source in sorted(set(samples.about["source"].to_pylist())):
        told = {
            granule.licence
            for region in regions
            for day in (None, *(days & set(landed_days(layout, source, region))))
            for granule in landed(layout, source, region, day)
        }
        is_simulated = all(samples.about["is_simulated"].to_pylist())
        found |= told - {""} or {SIMULATED if is_simulated else f"not known ({source})"}
    return sorted(found)


def _licences_of(parent: Card | None) -> list[str]:
    """Of the weights that were started from, and of what they learned from."""
    if parent is None:
        return []
    told = parent.metadata
    own = [told["licence"]] if told.get("licence") else []
    named = [*own, *told.get("licences", ())] or ["not known"]
    return [f"{parent.checkpoint_id}: {licence}" for licence in named]


def _reference(own: SampleSet | None) -> str | None:
    """What the score compares with."""
    return None if own is None else ", ".join(own.labels)


def checkpoint_row(card: Card) -> dict[str, Any]:
    """The row of `checkpoints` of a stored checkpoint; an imported one tells little."""
    told: Mapping[str, Any] = card.metadata
    test = told.get("test") or {}
    licences = told.get("licences") or [str(told.get("licence") or "not known")]
    return {
        "checkpoint_id": card.checkpoint_id,
        "checkpoint_fingerprint": card.fingerprint,
        "kind": card.kind,
        "profile": told.get("profile") or IMPORTED,
        "recipe_id": card.recipe_id,
        "recipe_fingerprint": card.recipe_fingerprint,
        "n_members": len(card.members),
        "n_samples": told.get("n_samples"),
        "samples_fingerprint": told.get("samples_fingerprint"),
        "scheme": told.get("split_scheme"),
        "seed": told.get("seed"),
        "parent_id": told.get("parent"),
        "label_sources": told.get("label_sources"),
        "licences": list(licences),
        "code_version": str(told.get("code_version") or "not known"),
        "reference": told.get("reference") if test else None,
        "rmse_m3m3": test.get("rmse_m3m3"),
        "bias_m3m3": test.get("bias_m3m3"),
        "r": test.get("r"),
    }


def register(layout: Layout, region: str, day: date, card: Card) -> dict[str, Any]:
    """Put a stored checkpoint behind the others of the region's cut-off; returns its row."""
    row = checkpoint_row(card)
    stored = store.read(layout, CHECKPOINTS, region, day)
    others = [
        other
        for other in (stored.rows.to_pylist() if stored else [])
        if other["checkpoint_id"] != card.checkpoint_id
    ]
    rows = pa.Table.from_pylist([*others, row], schema=CHECKPOINTS.arrow_schema)
    note = {"inputs": card.fingerprint, "status": "made", "rows": rows.num_rows}
    store.write(layout, CHECKPOINTS, rows, region=region, day=day, note=note)
    return row
