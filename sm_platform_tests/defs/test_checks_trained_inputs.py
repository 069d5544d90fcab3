"""What a checkpoint keeps of its training rows, and that nothing else of it changes by that."""

import json
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.assets.checkpoints import checkpoints
from sm_platform.defs.checking.trained_inputs import (
    CALENDAR_AND_PLACE,
    ENTRY,
    MEASURED,
    in_units,
    ranges_in,
    told_ranges,
    values_by_input,
)
from sm_platform.defs.lesson import prepare_lesson
from sm_platform.defs.training_choice import choice_from
from sm_platform.errors import CheckpointError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import CARD_NAME, card_in
from sm_platform.schema.recipes import SM_100M_V1
from sm_platform.trust.drift import InputRange, counts, stability_index
from sm_platform_tests.defs.map_lake import inputs
from sm_platform_tests.defs.registry_lake import stored
from sm_platform_tests.defs.sample_lake import NAME
from sm_platform_tests.defs.taught_lake import CUT_OFF, taught_region, trained_here

TREES = {"profile": "trees", "members": 1, "epochs": 3}
FLAT = InputRange((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9), (0.125,) * 8)


def test_a_training_keeps_where_its_rows_lie(layout: Layout, tmp_path: Path) -> None:
    models = ModelStore(tmp_path / "models")
    taught_region(layout)
    assert trained_here(layout, models, [checkpoints], TREES).success
    card = card_in(models.folder(models.names()[0]))
    lesson = prepare_lesson(layout, NAME, CUT_OFF, choice_from(TREES))
    rows = lesson.repeats[0].learn.rows
    assert card.metadata[ENTRY] == told_ranges(rows)
    known = ranges_in(card)
    assert set(known) == set(MEASURED)
    for name, one in known.items():
        values = values_by_input(rows)[name]
        found = counts(values[rows.series_index] if values.ndim == 2 else values, one)
        assert stability_index(found, one) == pytest.approx(0, abs=1e-6), name


def test_the_entry_is_small_and_changes_neither_fingerprint_nor_weights(tmp_path: Path) -> None:
    models = ModelStore(tmp_path)
    told = {ENTRY: told_ranges(inputs())}
    plain, telling = stored(models, "plain"), stored(models, "telling", **told)
    assert plain.fingerprint == telling.fingerprint
    cards = [card_in(models.folder(name)) for name in ("plain", "telling")]
    assert cards[0].weights_sha256 == cards[1].weights_sha256
    sizes = [(models.folder(name) / CARD_NAME).stat().st_size for name in ("plain", "telling")]
    assert sizes[1] - sizes[0] < 10_000
    assert len(json.dumps(told)) < 5_000


def test_an_input_that_is_missing_everywhere_is_left_out() -> None:
    rows = inputs()
    rows.scalars[:, 0] = np.nan
    assert "s1_vv" not in told_ranges(rows)
    assert "s1_vh" in told_ranges(rows)


def test_the_calendar_and_the_place_are_kept_but_not_judged(tmp_path: Path) -> None:
    told = told_ranges(inputs())
    stored(ModelStore(tmp_path), "taught", SM_100M_V1, **{ENTRY: told})
    assert set(CALENDAR_AND_PLACE) <= set(told)
    assert not set(CALENDAR_AND_PLACE) & set(ranges_in(card_in(tmp_path / "taught")))


def test_a_card_without_or_with_another_entry(tmp_path: Path) -> None:
    models = ModelStore(tmp_path)
    stored(models, "silent")
    stored(models, "strange", **{ENTRY: {"s1_vv": [1, 2]}})
    assert ranges_in(card_in(models.folder("silent"))) == {}
    with pytest.raises(CheckpointError, match="strange: training_inputs cannot be read"):
        ranges_in(card_in(models.folder("strange")))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("s1_vv", "-26.5 to 1.5 dB"),
        ("ndvi", "-800 to 8800 NDVI x 10000"),
        ("aspect_sin", "-0.8 to 0.8"),
    ],
)
def test_a_range_is_told_in_the_unit_of_its_input(name: str, told: str) -> None:
    assert in_units(SM_100M_V1, name, FLAT) == told
