"""Checks of maps: plausible values, no jump, inputs like the training's, files as indexed."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio

from sm_platform.defs.checking.rules import ERROR, WARN, Verdict
from sm_platform.defs.map_index import Row
from sm_platform.errors import DataError
from sm_platform.lake.layout import Layout
from sm_platform.schema.rows import FeatureRows
from sm_platform_tests.defs.checked import failed, judged, of_days, value
from sm_platform_tests.defs.map_lake import DAY, REGION, inputs, made_map, teach, write_inputs
from sm_platform_tests.edited_card import edit_card

ONE_DB = 1 / 35
"""Of VV, in scaled inputs."""
TRAINED = inputs(0)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def of_maps(layout: Layout, models: Path | None = None) -> dict[str, Verdict]:
    return judged(layout, "sm_maps", of_days(REGION, DAY), models)


def index_map(layout: Layout, day: date, **changed: object) -> Row:
    """A map of which only the index is left."""
    return made_map(layout, day, has_files=False, **changed)


def mapped_with(layout: Layout, models: Path, rows: FeatureRows) -> dict[str, Verdict]:
    """A map of the day whose pixels have these inputs, and its checks."""
    index_map(layout, DAY)
    write_inputs(layout, rows)
    return of_maps(layout, models)


def test_a_good_map_passes_every_check(layout: Layout, models: Path) -> None:
    teach(models, TRAINED)
    made_map(layout)
    write_inputs(layout, inputs(1))
    found = of_maps(layout, models)
    assert failed(found) == set()
    assert value(found, "inside_training", "judged") == 1
    assert value(found, "no_drift", "maps") == 1
    assert value(found, "fits_product", "maps") == 1
    assert not found["inside_training"].told


def test_without_a_map_nothing_is_wrong(layout: Layout) -> None:
    assert failed(of_maps(layout)) == set()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sm_mean_m3m3": 0.01}, "its mean is 0.010"),
        ({"sm_mean_m3m3": 0.61}, "its mean is 0.610"),
        ({"sm_p10_m3m3": 0.25, "sm_p90_m3m3": 0.25}, "nearly all values"),
        ({"n_valid": 38}, "4.9 % of the region is mapped"),
    ],
)
def test_a_map_that_no_soil_can_have_is_named(
    layout: Layout, changed: dict[str, object], why: str
) -> None:
    row = index_map(layout, DAY, **{"n_cells": 768, **changed})
    found = of_maps(layout)
    assert failed(found) == {"values_plausible"}
    assert row["map_id"] in found["values_plausible"].told
    assert why in found["values_plausible"].told


@pytest.mark.parametrize(("jump", "is_one"), [(0.09, False), (-0.09, False), (-0.11, True)])
def test_a_jump_is_one_from_the_map_before_of_the_same_track(
    layout: Layout, jump: float, is_one: bool
) -> None:
    """Twelve days before; the day before another track saw something else."""
    index_map(layout, DAY - timedelta(12), sm_mean_m3m3=0.3)
    index_map(layout, DAY - timedelta(1), sm_mean_m3m3=0.5, relative_orbit=18)
    index_map(layout, DAY, sm_mean_m3m3=0.3 + jump)
    found = of_maps(layout)
    assert failed(found) == ({"like_the_map_before"} if is_one else set())
    assert value(found, "like_the_map_before", "compared") == 1
    assert value(found, "like_the_map_before", "largest_jump_m3m3") == pytest.approx(abs(jump))


def test_a_map_of_another_season_is_not_compared_with(layout: Layout) -> None:
    index_map(layout, DAY - timedelta(37), sm_mean_m3m3=0.5)
    index_map(layout, DAY, sm_mean_m3m3=0.2)
    found = of_maps(layout)
    assert failed(found) == set()
    assert value(found, "like_the_map_before", "compared") == 0


def test_pixels_unlike_the_training_are_a_warning_with_the_input_named(
    layout: Layout, models: Path
) -> None:
    """Sand above all training rows in three tenths of the pixels."""
    teach(models, TRAINED)
    rows = inputs(1)
    rows.scalars[: 3 * len(rows) // 10, 5] = 0.9
    found = mapped_with(layout, models, rows)
    assert failed(found) == {"inside_training"}
    assert found["inside_training"].severity is WARN
    assert "sand: 30 % of the pixels lie far outside" in found["inside_training"].told
    assert "g/kg" in found["inside_training"].told


def test_a_map_that_is_extrapolated_as_a_whole_is_an_error(layout: Layout, models: Path) -> None:
    teach(models, TRAINED)
    found = mapped_with(layout, models, inputs(1, {"incidence_angle": 0.4}))
    assert found["inside_training"].severity is ERROR
    assert value(found, "inside_training", "outside_incidence_angle") == 1
    assert "incidence_angle: 100 % of the pixels lie far outside" in found["inside_training"].told


def test_one_such_map_among_those_of_a_range_is_a_warning(layout: Layout, models: Path) -> None:
    """An error would keep the figures of all days of the run from being drawn."""
    teach(models, TRAINED)
    for back in (1, 2):
        index_map(layout, DAY - timedelta(back))
        write_inputs(layout, inputs(back), DAY - timedelta(back))
    mapped_with(layout, models, inputs(9, {"incidence_angle": 0.4}))
    found = judged(layout, "sm_maps", of_days(REGION, DAY - timedelta(2), DAY), models)
    assert not found["inside_training"].passed
    assert found["inside_training"].severity is WARN


def test_the_calendar_and_the_place_are_not_judged(layout: Layout, models: Path) -> None:
    """The first day after the training has a day of the year that no training row had."""
    teach(models, TRAINED)
    found = mapped_with(layout, models, inputs(1, {"day_sin": 0.4, "grid_row": -0.4}))
    assert failed(found) == set()


def test_a_decibel_is_noticed_as_drift_and_named(layout: Layout, models: Path) -> None:
    teach(models, TRAINED)
    found = mapped_with(layout, models, inputs(1, {"s1_vv": ONE_DB}))
    assert failed(found) == {"no_drift"}
    assert found["no_drift"].told.startswith("s1_vv: ")
    assert "dB" in found["no_drift"].told
    assert "s1_vh" not in found["no_drift"].told


def test_drift_is_that_of_the_last_maps_together(layout: Layout, models: Path) -> None:
    """One wet pass among dry ones, and as many dry ones, is no drift."""
    teach(models, TRAINED)
    for back, shift in ((3, -ONE_DB), (2, 0.0), (1, 0.0)):
        index_map(layout, DAY - timedelta(back))
        write_inputs(layout, inputs(back, {"s1_vv": shift}), DAY - timedelta(back))
    found = mapped_with(layout, models, inputs(9, {"s1_vv": ONE_DB}))
    assert failed(found) == set()
    assert value(found, "no_drift", "maps") == 4


def test_a_checkpoint_that_tells_no_inputs_is_not_judged(layout: Layout, models: Path) -> None:
    teach(models)
    found = mapped_with(layout, models, inputs(1, {"incidence_angle": 0.4}))
    assert failed(found) == set()
    for name in ("inside_training", "no_drift"):
        assert found[name].told.startswith("not known: taught")


def test_a_checkpoint_that_left_the_store_is_not_judged(layout: Layout, models: Path) -> None:
    found = mapped_with(layout, models, inputs(1))
    assert failed(found) == set()


def test_a_card_whose_inputs_were_cut_is_refused_in_words(layout: Layout, models: Path) -> None:
    teach(models, TRAINED)
    cut = {"s1_vv": {"quantiles": [0.1], "shares": []}}
    edit_card(models / "taught", metadata={"training_inputs": cut})
    index_map(layout, DAY)
    write_inputs(layout, inputs(1))
    with pytest.raises(DataError, match="train the checkpoint again"):
        of_maps(layout, models)


def test_files_that_are_not_what_the_index_says_are_named(layout: Layout) -> None:
    row = made_map(layout)
    path = layout.root / row["path"] / f"{row['map_id']}_SM.tif"
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        band = file.read(1)
        file.write(np.where(band == 65535, band, band + 1), 1)
    found = of_maps(layout)
    assert failed(found) == {"fits_product"}
    assert found["fits_product"].severity is ERROR
    assert f"{path} holds other pixels" in found["fits_product"].told


@pytest.mark.parametrize("content", [None, b"<html>busy</html>"])
def test_a_layer_that_is_gone_or_no_image_is_named(layout: Layout, content: bytes | None) -> None:
    row = made_map(layout)
    path = layout.root / row["path"] / f"{row['map_id']}_QA.tif"
    path.unlink()
    if content:
        path.write_bytes(content)
    found = of_maps(layout)
    assert failed(found) == {"fits_product"}
    assert path.name in found["fits_product"].told


def test_a_map_whose_files_were_removed_on_purpose_is_no_fault(layout: Layout) -> None:
    index_map(layout, DAY)
    assert failed(of_maps(layout)) == set()
