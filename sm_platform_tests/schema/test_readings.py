"""Readings between a provider's file and the judgement: what may be missing, and fields' rules."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import GridError
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.schema.label_tables import SM_OBSERVATIONS, STATION_READINGS
from sm_platform.schema.readings import READINGS, FieldReading
from sm_platform.schema.tables import Table

WINDOW = GridWindow("EPSG:6933", Affine(100, 0, 0, 0, -100, 0), (2, 3))
BANDS: dict[str, NDArray[np.generic]] = {
    "sm_m3m3": np.full((2, 3), 0.2, np.float32),
    "is_flagged": np.zeros((2, 3), bool),
}
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def reading(
    bands: Mapping[str, NDArray[np.generic]] = BANDS, when: datetime = NOON
) -> FieldReading:
    return FieldReading(Raster(WINDOW, bands), when, "am")


def test_a_field_is_what_it_was_given() -> None:
    made = reading({**BANDS, "extra": np.zeros((2, 3))})
    assert (made.sensed_utc, made.pass_name) == (NOON, "am")
    assert made.raster.window == WINDOW


@pytest.mark.parametrize("absent", ["sm_m3m3", "is_flagged"])
def test_a_field_without_values_or_flags_is_refused(absent: str) -> None:
    bands = {name: band for name, band in BANDS.items() if name != absent}
    with pytest.raises(GridError, match="needs the bands sm_m3m3 and is_flagged"):
        reading(bands)


def test_a_time_without_zone_is_refused_and_any_zone_is_a_time() -> None:
    with pytest.raises(GridError, match="has no zone: give it in UTC"):
        reading(when=NOON.replace(tzinfo=None))
    hanoi = NOON.astimezone(timezone(timedelta(hours=7)))
    assert reading(when=hanoi).sensed_utc == NOON


def test_only_place_station_and_time_are_never_missing() -> None:
    needed = {field.name for field in READINGS if not field.nullable}
    assert needed == {"station_id", "lon_deg", "lat_deg", "sensed_utc"}


@pytest.mark.parametrize("table", [STATION_READINGS, SM_OBSERVATIONS], ids=lambda t: t.name)
def test_tables_keep_readings_in_their_types(table: Table) -> None:
    """A cast between them would round or shift."""
    kept = {column.name: column.type for column in table.columns}
    shared = {field.name: field.type for field in READINGS if field.name in kept}
    assert len(shared) >= 5
    assert shared == {name: kept[name] for name in shared}


def test_all_that_a_series_tells_is_kept_of_it() -> None:
    assert set(READINGS.names) <= {column.name for column in STATION_READINGS.columns}


def test_times_are_utc_to_the_microsecond() -> None:
    assert READINGS.field("sensed_utc").type == pa.timestamp("us", tz="UTC")
