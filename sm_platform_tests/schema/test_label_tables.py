"""The ground truth's tables fit together: keys lead from splits to samples, sites and passes."""

import pyarrow as pa
import pytest

from sm_platform.errors import LakeError
from sm_platform.lake import store
from sm_platform.schema import driver_tables
from sm_platform.schema.label_tables import (
    SAMPLE_SPLITS,
    SITE_CATALOG,
    SITE_FEATURES,
    SM_OBSERVATIONS,
    STATION_READINGS,
    TRAINING_SAMPLES,
)
from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.tables import Column, Table


def columns(table: Table) -> dict[str, Column]:
    return {column.name: column for column in table.columns}


def test_a_split_names_one_sample_and_a_sample_one_site_and_pass() -> None:
    assert set(TRAINING_SAMPLES.keys) == set(SAMPLE_SPLITS.keys) - {"scheme"}
    assert set(SITE_FEATURES.keys) < set(TRAINING_SAMPLES.keys)
    assert SITE_CATALOG.keys == ("site_id",)
    assert set(SITE_CATALOG.keys) < set(SITE_FEATURES.keys)
    assert "scene_id" in columns(driver_tables.S1_SCENES)


def test_what_the_site_gives_the_sample_is_the_same_column() -> None:
    features, samples = columns(SITE_FEATURES), columns(TRAINING_SAMPLES)
    assert all(samples[name] == column for name, column in features.items())
    assert samples["block_id"] == columns(SITE_CATALOG)["block_id"]
    assert columns(SAMPLE_SPLITS)["block_id"] == samples["block_id"]


def test_rejected_readings_of_any_value_are_kept_and_labels_are_moisture() -> None:
    for table in (STATION_READINGS, SM_OBSERVATIONS):
        read = columns(table)
        assert (read["sm_m3m3"].low, read["sm_m3m3"].high) == (None, None)
        assert read["sm_m3m3"].is_nullable
        assert read["reason"].is_nullable
    label = columns(TRAINING_SAMPLES)["sm_m3m3"]
    assert (label.low, label.high) == (0, 1)


def test_inputs_are_all_of_them() -> None:
    kind = columns(TRAINING_SAMPLES)["inputs"].type
    assert (kind.list_size, kind.value_type) == (N_INPUTS, pa.float32())


def test_catalog_and_stations_are_of_a_region_the_rest_of_its_days() -> None:
    assert not SITE_CATALOG.is_dated
    assert not STATION_READINGS.is_dated
    dated = (SM_OBSERVATIONS, SITE_FEATURES, TRAINING_SAMPLES, SAMPLE_SPLITS)
    assert all(table.is_dated for table in dated)


def site(**changed: object) -> pa.Table:
    row: dict[str, object] = {
        "site_id": "100m-1-2",
        "site_kind": "cell",
        "level": "100m",
        "cell_row": 1,
        "cell_col": 2,
        "cell_id": 0,
        "lon_deg": 106.0,
        "lat_deg": 20.5,
        "land_cover_code": 40,
        "purity": 1.0,
        "texture_code": 2,
        "mean_sm_m3m3": None,
        "block_id": 7,
        "station_id": None,
    }
    return pa.table({name: [value] for name, value in (row | changed).items()})


def test_a_cell_has_no_station_and_may_have_no_mean_label() -> None:
    assert store.check(SITE_CATALOG, site()).num_rows == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"purity": 1.2}, "purity holds 1.2"),
        ({"mean_sm_m3m3": 25.0}, "mean_sm_m3m3 holds 25"),
        ({"site_id": None}, "site_id"),
        ({"land_cover_code": 300}, "contract of site_catalog"),
        ({"lon_deg": None}, "lon_deg"),
    ],
)
def test_a_site_that_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(LakeError, match=told):
        store.check(SITE_CATALOG, site(**changed))
