"""A registry by hand: checkpoints in a store and registered for a region, and scores of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from sm_platform.defs.promotion import decide
from sm_platform.defs.registry import Decision, Judge, Stage, find_entry
from sm_platform.defs.stored_scores import ACCEPTED, CHECKPOINT, RMSE_DIFFERENCE, StoredScore
from sm_platform.densesm.checkpoint import Checkpoint, save
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import DEFAULT_RECIPE, Recipe
from sm_platform.schema.registry_tables import CHECKPOINTS, EVALUATIONS
from sm_platform_tests.densesm.making import random_checkpoint

REGION = "delta"
CUT_OFF = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
GOOD = {"rmse": 0.04, "bias": 0.005, "ubrmse": 0.039, "r": 0.8}
BAD = {"rmse": 0.07, "bias": 0.03, "ubrmse": 0.06, "r": 0.4}
Rows = list[StoredScore]


def stored(
    models: ModelStore, name: str, recipe: Recipe = DEFAULT_RECIPE, **told: object
) -> Checkpoint:
    """A random checkpoint in the store."""
    made = random_checkpoint(recipe=recipe)
    checkpoint = replace(made, checkpoint_id=name, metadata=dict(made.metadata) | told)
    models.add(name, lambda folder: save(checkpoint, folder))
    return checkpoint


def register(
    layout: Layout,
    name: str,
    cut_off: date = CUT_OFF,
    *,
    recipe: Recipe = DEFAULT_RECIPE,
    region: str = REGION,
    **more: object,
) -> None:
    """A row behind those of the same cut-off."""
    row = {
        "checkpoint_id": name,
        "checkpoint_fingerprint": "0" * 16,
        "kind": "densesm",
        "profile": "recommended",
        "recipe_id": recipe.recipe_id,
        "recipe_fingerprint": recipe.fingerprint,
        "n_members": 3,
        "n_samples": 900,
        "samples_fingerprint": "5a" * 8,
        "scheme": "block",
        "seed": 7,
        "parent_id": None,
        "label_sources": ["planet_swc"],
        "licences": ["simulated"],
        "code_version": "0.1.0",
        "reference": "product",
        "rmse_m3m3": 0.05,
        "bias_m3m3": 0.0,
        "r": 0.7,
    } | more
    before = store.read(layout, CHECKPOINTS, region, cut_off)
    rows = [*(before.rows.to_pylist() if before else []), row]
    table = pa.Table.from_pylist(rows, schema=CHECKPOINTS.arrow_schema)
    store.write(layout, CHECKPOINTS, table, region=region, day=cut_off, note={"inputs": name})


def accept(layout: Layout, name: str, cut_off: date = CUT_OFF, now: datetime = NOW) -> None:
    """As if the gate had passed it."""
    entry = find_entry(layout, REGION, name, cut_off)
    decide(layout, entry, Decision(Stage.ACCEPTED, Judge.GATE, "Passed.", now))


def scores(
    name: str,
    figures: Mapping[str, float],
    *,
    estimator: str = CHECKPOINT,
    reference: str = "product",
    source: str = "planet_swc",
    scheme: str = "block",
    pooling: Sequence[str] = ("site", "pooled"),
    n: int = 400,
    n_sites: int = 12,
) -> Rows:
    """Scores over all rows of one estimator."""
    return [
        StoredScore(
            checkpoint_id=name,
            estimator=estimator,
            scheme=scheme,
            reference=reference,
            source=source,
            stratum="all",
            stratum_value="all",
            pooling=one,
            metric=metric,
            unit="1" if metric == "r" else "m3/m3",
            value=value,
            low=value - 0.004,
            high=value + 0.004,
            n=n,
            n_sites=n_sites,
            n_blocks=9,
            is_comparison_only=scheme == "random",
        )
        for one in pooling
        for metric, value in figures.items()
    ]


def compared(name: str, other: str, difference: float) -> Rows:
    """Scores of the checkpoint that was accepted then, on the same rows."""
    told = {RMSE_DIFFERENCE: difference}
    return scores(name, told, estimator=f"{ACCEPTED}{other}", pooling=("pooled",))


def write_scores(layout: Layout, rows: Rows, cut_off: date = CUT_OFF, region: str = REGION) -> None:
    found: list[dict[str, Any]] = [asdict(one) for one in rows]
    table = pa.Table.from_pylist(found, schema=EVALUATIONS.arrow_schema)
    store.write(layout, EVALUATIONS, table, region=region, day=cut_off, note={"inputs": "x"})
