"""Rows on the grid: what is masked, clipped and flagged, worked by hand on few cells."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.maps.assemble import assemble
from sm_platform.maps.cog import decode, layer_cog
from sm_platform.maps.product import MapProduct
from sm_platform.schema.product import SM, Qa
from sm_platform_tests.maps import cases

NAN = np.float32(np.nan)
WATER, RAIN, CLIPPED, NO_RADAR = (
    int(bit) for bit in (Qa.OPEN_WATER, Qa.RAIN_ON_DAY, Qa.PREDICTION_CLIPPED, Qa.NO_SENTINEL1)
)
FOUR = window_around(LEVEL_100M, 106.3, 20.5, (2, 2))


def four(**changed: Any) -> MapProduct:  # noqa: ANN401
    """A 2 x 2 map; cell 2 has no row."""
    rows: dict[str, Any] = {
        "cell_id": np.array([3, 0, 1]),
        "mean": np.array([0.3, 0.1, 0.2], np.float32),
        "sd": np.array([0.03, 0.01, 0.02], np.float32),
        "qa": np.array([RAIN, 0, WATER], np.uint16),
        "ndvi_age_d": np.array([8, 5, 6], np.uint16),
        "inside": None,
        "seen": cases.SEEN,
        "lineage": cases.LINEAGE,
        "majority_pass": None,
    }
    return assemble(FOUR, **(rows | changed))


def test_rows_reach_their_cells_and_critical_ones_lose_their_values() -> None:
    made = four().layers
    np.testing.assert_array_equal(made["SM"], np.array([[0.1, NAN], [NAN, 0.3]], np.float32))
    np.testing.assert_array_equal(made["SD"], np.array([[0.01, NAN], [NAN, 0.03]], np.float32))
    np.testing.assert_array_equal(made["AGE"], [[5, 65535], [65535, 8]])
    np.testing.assert_array_equal(made["QA"], [[0, WATER], [NO_RADAR, RAIN]])
    assert made["SM"].dtype == made["SD"].dtype == np.float32


def test_order_of_rows_does_not_matter() -> None:
    turned = four(
        cell_id=np.array([0, 1, 3]),
        mean=np.array([0.1, 0.2, 0.3], np.float32),
        sd=np.array([0.01, 0.02, 0.03], np.float32),
        qa=np.array([0, WATER, RAIN], np.uint16),
        ndvi_age_d=np.array([5, 6, 8], np.uint16),
    )
    for name, values in four().layers.items():
        np.testing.assert_array_equal(turned.layers[name], values)


def test_means_outside_the_possible_are_clipped_and_flagged() -> None:
    made = four(mean=np.array([1.2, -0.05, 0.2], np.float32)).layers
    assert made["SM"][1, 1] == 1.0
    assert made["SM"][0, 0] == 0.0
    assert made["QA"][1, 1] == RAIN | CLIPPED
    assert made["QA"][0, 0] == CLIPPED
    assert made["QA"][0, 1] == WATER


def test_members_that_disagree_beyond_what_a_map_holds_are_cut_and_flagged() -> None:
    made = four(sd=np.array([2.5, 0.01, 0.01], np.float32)).layers
    assert made["SD"][1, 1] == 1.0
    assert made["QA"][1, 1] == RAIN | CLIPPED
    assert made["QA"][0, 0] == 0


def test_a_missing_mean_masks_and_keeps_its_bits() -> None:
    made = four(mean=np.array([NAN, 0.1, 0.2], np.float32)).layers
    assert np.isnan(made["SM"][1, 1])
    assert np.isnan(made["SD"][1, 1])
    assert made["AGE"][1, 1] == 65535
    assert made["QA"][1, 1] == RAIN


def test_without_a_critical_mask_only_missing_inputs_mask() -> None:
    made = four(lineage=cases.PARITY).layers
    assert made["SM"][0, 1] == np.float32(0.2)
    assert made["QA"][0, 1] == WATER
    assert np.isnan(made["SM"][1, 0])


def test_outside_the_region_nothing_is_stored() -> None:
    made = four(inside=np.array([[False, True], [True, True]])).layers
    assert made["QA"][0, 0] == 65535
    assert np.isnan(made["SM"][0, 0])
    assert made["AGE"][0, 0] == 65535


@pytest.mark.parametrize(
    ("majority", "is_flagged"), [("D091", False), ("A128", True), ("A091", True), (None, False)]
)
def test_another_pass_than_the_majority_is_flagged(majority: str | None, is_flagged: bool) -> None:
    qa = four(majority_pass=majority).layers["QA"].astype(int)
    assert ((qa[[0, 0, 1], [0, 1, 1]] & int(Qa.MINORITY_PASS)) != 0).tolist() == [is_flagged] * 3


def test_an_unknown_pass_cannot_differ() -> None:
    qa = four(seen=cases.DAY, majority_pass=cases.SEEN.pass_id).layers["QA"].astype(int)
    assert not (qa & int(Qa.MINORITY_PASS)).any()


def test_a_majority_that_is_no_pass_is_refused() -> None:
    word = "descending"
    with pytest.raises(UsageError, match="'descending' is no pass"):
        four(majority_pass=word)


def test_ages_may_be_floats_with_gaps_where_there_is_no_value() -> None:
    made = four(ndvi_age_d=np.array([8.0, 5.0, np.nan]))
    np.testing.assert_array_equal(made.layers["AGE"], four().layers["AGE"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ndvi_age_d": np.array([8, 65535, 6], np.uint16)}, "AGE and SM do not share one mask"),
        ({"ndvi_age_d": np.array([8.0, -1.0, 6.0])}, "AGE lies outside"),
        ({"sd": np.array([0.03, NAN, 0.02], np.float32)}, "SD and SM do not share one mask"),
        ({"sd": np.array([0.03, -0.01, 0.02], np.float32)}, "SD lies outside"),
        ({"qa": np.array([0x8001, 0, 0], np.uint16)}, "bits 0 and 15 together"),
        ({"cell_id": np.array([3, 0, 4])}, "outside the map's 4 cells"),
        ({"cell_id": np.array([3, 0, 3])}, "share one cell"),
        ({"cell_id": np.array([3, 0])}, "columns of"),
        ({"inside": np.zeros((2, 2), bool)}, "No cell of the map lies in its region"),
        ({"lineage": cases.PARITY, "qa": np.array([1, 0, 0], np.uint16)}, "without radar"),
        ({"revision": 100}, "Revision 100"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ProductError, match=message):
        four(**changed)


def layers_with(name: str, values: object) -> dict[str, Any]:
    return dict(four().layers) | {name: values}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (layers_with("SM", four().layers["SM"].astype(float)), "needs float32"),
        (layers_with("QA", np.zeros((3, 3), np.uint16)), r"QA is uint16 \(3, 3\)"),
        (layers_with("QA", four().layers["QA"] | np.uint16(WATER)), "under a critical bit"),
        (layers_with("SM", four().layers["SM"] * np.float32(5)), "SM lies outside 0..1"),
        (layers_with("XX", four().layers["SM"]), "no layer 'XX'"),
        ({"SM": four().layers["SM"]}, "lacks its layers SD, AGE, QA"),
        (
            layers_with("LO", four().layers["SM"] + np.float32(0.01))
            | {"HI": four().layers["SM"] + np.float32(0.02)},
            "outside its interval",
        ),
        (
            layers_with("LO", four().layers["SM"] - np.float32(0.02))
            | {"HI": four().layers["SM"] - np.float32(0.01)},
            "outside its interval",
        ),
    ],
)
def test_a_map_that_breaks_a_rule_cannot_be_built(layers: dict[str, Any], message: str) -> None:
    with pytest.raises(ProductError, match=message):
        replace(four(), layers=layers)


def test_an_interval_around_the_mean_is_accepted() -> None:
    sm = four().layers["SM"]
    low, high = sm - np.float32(0.02), sm + np.float32(0.02)
    assert replace(four(), layers=layers_with("LO", low) | {"HI": high}).revision == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"platform": "S2A"}, "platform is S1A"),
        ({"orbit_state": "N"}, "orbit state A, D or X"),
        ({"relative_orbit": 0}, "not in 1 to 175"),
        ({"end_utc": cases.DAY.start_utc}, "before it starts"),
    ],
)
def test_an_impossible_pass_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ProductError, match=message):
        replace(cases.SEEN, **changed)


def test_the_status_of_inputs_is_one_of_two() -> None:
    with pytest.raises(ProductError, match="preliminary, final"):
        replace(cases.LINEAGE, inputs_status="nearly")


@pytest.mark.parametrize("day", ["2025-01-03", "2025-01-27"])
def test_a_map_of_the_seed_system_survives_its_file(day: str, shared: Callable[..., Path]) -> None:
    golden = np.load(shared("golden", "roi_and_inference.npz"))
    members, wanted = golden[f"members_{day}"], golden[f"map_{day}"]
    made = assemble(
        cases.SEED_GRID,
        cell_id=np.arange(576),
        mean=members.mean(axis=1),
        sd=members.std(axis=1),
        qa=np.full(576, WATER, np.uint16),
        ndvi_age_d=np.full(576, 2, np.uint16),
        inside=None,
        seen=cases.DAY,
        lineage=cases.PARITY,
        majority_pass=None,
    )
    stored = decode(layer_cog(made, SM))[0].values["SM"]
    np.testing.assert_allclose(stored, wanted, atol=1e-4, rtol=0)
