"""Which checkpoint a day is mapped with: what is said, what is stored, what is accepted."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from sm_platform.defs.choice import Chosen, choose_checkpoint
from sm_platform.defs.estimators import read_card
from sm_platform.defs.judging import judge_cut_off
from sm_platform.defs.promotion import promote, retire
from sm_platform.defs.registry import find_entry
from sm_platform.errors import CheckpointError, MissingInputError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.region import Region
from sm_platform_tests.defs.registry_lake import (
    BAD,
    CUT_OFF,
    GOOD,
    NOW,
    REGION,
    register,
    scores,
    stored,
    write_scores,
)
from sm_platform_tests.defs.sample_lake import window

DELTA = Region(REGION, window(), "archive", "somewhere")


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    """Two trained checkpoints, and one that no region knows."""
    models = ModelStore(tmp_path / "models")
    for name in ("early", "late", "published"):
        stored(models, name, trained_until="2025-12-01")
    return models


def chosen(
    layout: Layout, models: ModelStore, said: str | None = None, region: Region = DELTA
) -> Chosen:
    def read(name: str) -> object:
        return read_card(models.folder(name))

    return choose_checkpoint(layout, read, region, said, CUT_OFF + timedelta(3))  # type: ignore[arg-type]


def judged(layout: Layout, name: str, figures: dict[str, float], cut_off: date = CUT_OFF) -> None:
    register(layout, name, cut_off)
    write_scores(layout, scores(name, figures), cut_off)
    judge_cut_off(layout, REGION, cut_off, NOW)


def test_what_is_named_is_used_whatever_its_stage(layout: Layout, models: ModelStore) -> None:
    judged(layout, "late", GOOD)
    named = replace(DELTA, checkpoint_id="published")
    assert chosen(layout, models, "early", named).checkpoint.checkpoint_id == "early"
    found = chosen(layout, models, region=named)
    assert (found.checkpoint.checkpoint_id, found.cut_off) == ("published", date(2025, 12, 1))
    assert chosen(layout, models).checkpoint.checkpoint_id == "late"


def test_a_failed_gate_leaves_the_older_accepted_one_in_use(
    layout: Layout, models: ModelStore
) -> None:
    judged(layout, "early", GOOD, CUT_OFF - timedelta(60))
    judged(layout, "late", BAD)
    found = chosen(layout, models)
    assert found.checkpoint.checkpoint_id == "early"
    assert found.cut_off == CUT_OFF - timedelta(60)


def test_without_an_accepted_one_the_verdicts_and_the_next_steps_are_told(
    layout: Layout, models: ModelStore
) -> None:
    with pytest.raises(MissingInputError, match="has no checkpoint: materialize `checkpoints`"):
        chosen(layout, models)
    register(layout, "early", CUT_OFF - timedelta(60))
    judged(layout, "late", BAD)
    with pytest.raises(MissingInputError) as refused:
        chosen(layout, models)
    said = str(refused.value)
    assert "early (candidate, cut-off 2025-12-31): not evaluated yet" in said
    assert "late (candidate, cut-off 2026-03-01): Failed" in said
    assert "rmse 0.0700 m3/m3 is not within 0.045" in said
    assert "sm-platform models promote late --region delta --reason" in said
    promote(layout, find_entry(layout, REGION, "late"), "to see the path", NOW)
    assert chosen(layout, models).checkpoint.checkpoint_id == "late"
    retire(layout, find_entry(layout, REGION, "late"), "seen", NOW)
    with pytest.raises(MissingInputError, match=r"late \(retired, cut-off 2026-03-01\): seen"):
        chosen(layout, models)


def test_what_is_not_in_the_store_is_refused(layout: Layout, models: ModelStore) -> None:
    with pytest.raises(UsageError, match="no checkpoint 'ghost'"):
        chosen(layout, models, "ghost")
    (models.folder("early") / "members.safetensors").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="was changed"):
        chosen(layout, models, "early")
