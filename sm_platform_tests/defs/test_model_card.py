"""The model card tells what the tables and the checkpoint's own card hold."""

import re
from pathlib import Path

import pytest

from sm_platform.defs.judging import judge_cut_off
from sm_platform.defs.model_card import model_card, table, whole_card
from sm_platform.defs.promotion import promote
from sm_platform.defs.registry import find_entry
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform_tests.defs.registry_lake import (
    BAD,
    CUT_OFF,
    NOW,
    REGION,
    register,
    scores,
    stored,
    write_scores,
)


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    models = ModelStore(tmp_path / "models")
    stored(models, "mine", code_version="0.1.0")
    stored(models, "theirs", licence="none is named", origin="imported from DenseSM_9km")
    return models


def test_a_card_holds_origin_stage_figures_and_limits(layout: Layout, models: ModelStore) -> None:
    register(layout, "mine", parent_id="theirs", licences=["CC-BY-4.0", "none is named"])
    rows = scores("mine", BAD) + scores("mine", {"rmse": 0.051}, estimator="boosted_trees")
    write_scores(layout, rows)
    judge_cut_off(layout, REGION, CUT_OFF, NOW)
    promote(layout, find_entry(layout, REGION, "mine"), "a path | to be seen", NOW)
    text = model_card(layout, models, REGION, CUT_OFF, "mine")
    assert text.startswith("# mine\n")
    for line in (
        "| estimator | 3 small networks (DenseSM) |",
        "| members | 1_8, 2_16, 3_8 |",
        "| trained until | 2025-10-31 (that day excluded) |",
        "| delta | 2026-03-01 | 900 (5a5a5a5a5a5a5a5a) | planet_swc | block | 7 | theirs | "
        "CC-BY-4.0, none is named |",
        "| delta | 2026-03-01 | candidate | gate | 2026-03-02 08:00 | Failed against ",
        "| delta | 2026-03-01 | accepted | person | 2026-03-02 08:00 | a path / to be seen |",
        "## Limits",
        "--checkpoint mine",
    ):
        assert line in text
    figures = text[text.index("## Figures in delta, cut-off 2026-03-01") :]
    assert "reference=product (planet_swc)" in figures
    assert re.search(r"\| checkpoint \| 0\.070 .{0,5}0\.066\D+0\.074", figures)
    assert re.search(r"\| boosted_trees \| 0\.051 .{0,5}0\.047\D+0\.055", figures)


def test_one_of_several_regions_tells_all_or_the_one_asked_for(
    layout: Layout, models: ModelStore
) -> None:
    for region in (REGION, "hills"):
        register(layout, "mine", region=region)
    whole = whole_card(layout, models, "mine")
    assert "## Figures in delta" in whole
    assert "## Figures in hills" in whole
    assert "hills" not in model_card(layout, models, REGION, CUT_OFF, "mine")
    assert f"`sm-platform evaluate --region hills --day {CUT_OFF}`" in whole


def test_an_imported_one_says_that_its_training_is_not_known(
    layout: Layout, models: ModelStore
) -> None:
    text = whole_card(layout, models, "theirs")
    assert "What it was trained on is not known here. Licence: none is named." in text
    assert "Registered for no region" in text
    register(layout, "theirs", n_samples=None, samples_fingerprint=None, scheme=None, seed=None)
    assert "is not known here" in model_card(layout, models, REGION, CUT_OFF, "theirs")


def test_a_card_of_nothing_is_refused(layout: Layout, models: ModelStore) -> None:
    with pytest.raises(UsageError, match="'mine' is no checkpoint of region delta"):
        model_card(layout, models, REGION, CUT_OFF, "mine")
    with pytest.raises(UsageError, match="no checkpoint 'ghost'"):
        whole_card(layout, models, "ghost")


def test_a_cell_cannot_end_its_table() -> None:
    text = table(("a", "b"), [("x|y", "two\nlines")])
    assert text == "| a | b |\n| --- | --- |\n| x/y | two lines |\n"
