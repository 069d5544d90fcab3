from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from affine import Affine
from numpy.typing import NDArray

from sm_platform.errors import UsageError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat
from sm_platform.observations.fields import SiteReader
from sm_platform.observations.rejection import count_reasons
from sm_platform.schema.readings import FieldReading

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
# Two rows and three columns of a tenth of a degree; the upper left corner is 106 E, 21 N.
WINDOW = GridWindow("EPSG:4326", Affine(0.1, 0, 106, 0, -0.1, 21), (2, 3))
SM = np.array([[0.25, np.nan, 0.701], [0.7, -9999, 0.3]], np.float32)
FLAGGED = np.array([[False, True, True], [False, True, True]])
LON, LAT = (part.ravel() for part in lonlat(WINDOW))


def reading(
    sm: NDArray[np.float32] = SM,
    flagged: NDArray[np.bool_] = FLAGGED,
    window: GridWindow = WINDOW,
    sensed_utc: datetime = NOON,
) -> FieldReading:
    return FieldReading(Raster(window, {"sm_m3m3": sm, "is_flagged": flagged}), sensed_utc, "")


def look(lon: object, lat: object, field: FieldReading | None = None) -> pa.Table:
    return SiteReader(np.asarray(lon, float), np.asarray(lat, float)).observe(field or reading())


def test_every_cell_by_hand() -> None:
    labels = look(LON, LAT)
    expected = [None, "missing", "out_of_range", None, "fill_value", "provider_flag"]
    assert labels["reason"].to_pylist() == expected
    quality = [None, "flagged", "flagged", None, "flagged", "flagged"]
    assert labels["provider_reason"].to_pylist() == quality
    sm = labels["sm_m3m3"].to_pylist()
    assert sm[1] is None
    assert [sm[n] for n in (0, 2, 3, 4, 5)] == pytest.approx([0.25, 0.701, 0.7, -9999, 0.3])


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(105.999, 20.95), (106.301, 20.95), (106.05, 21.001), (106.05, 20.799), (np.nan, 20.9)],
)
def test_place_outside_the_file_is_missing_not_its_neighbour(lon: float, lat: float) -> None:
    labels = look([lon, 106.05], [lat, 20.95])
    assert labels["reason"].to_pylist() == ["out_of_bounds", None]
    assert labels["provider_reason"].to_pylist() == [None, None]
    assert labels["sm_m3m3"].to_pylist() == [None, 0.25]


def test_value_is_that_of_the_cell_that_holds_the_place() -> None:
    labels = look([106.0999, 106.0001, 106.2001], [20.9001, 20.8999, 20.8999])
    assert labels["sm_m3m3"].to_pylist() == pytest.approx([0.25, 0.7, 0.3])


def test_longitude_and_latitude_exchanged_reach_no_cell() -> None:
    assert count_reasons(look(LAT, LON))["out_of_bounds"] == 6


def test_field_in_percent_is_named_even_where_its_sites_are_dry() -> None:
    percent = np.array([[25, 0.5, 30], [40, -9999, 120]], np.float32)
    labels = look(LON, LAT, reading(percent, np.zeros((2, 3), bool)))
    expected = [*["unit_percent"] * 4, "fill_value", "out_of_range"]
    assert labels["reason"].to_pylist() == expected
    assert labels["sm_m3m3"].to_pylist() == percent.ravel().tolist(), "values are not converted"
    alone = look(LON[1:2], LAT[1:2], reading(percent, np.zeros((2, 3), bool)))
    assert alone["reason"].to_pylist() == ["unit_percent"]


def test_few_wrong_values_do_not_make_a_field_percent() -> None:
    wet = np.array([[0.25, 0.5, 0.3], [0.4, 3.0, 0.2]], np.float32)
    labels = look(LON, LAT, reading(wet, np.zeros((2, 3), bool)))
    assert labels["reason"].to_pylist() == [None, None, None, None, "out_of_range", None]


def test_counts_name_every_reason_and_add_up() -> None:
    labels = look([*LON, 0], [*LAT, 0])
    found = {name: n for name, n in count_reasons(labels).items() if n}
    expected = ("out_of_bounds", "missing", "out_of_range", "fill_value", "provider_flag")
    assert found == {**dict.fromkeys(expected, 1), "good": 2}


def test_columns_are_ready_for_the_lake() -> None:
    hanoi = NOON.astimezone(timezone(timedelta(hours=7)))
    labels = look(LON, LAT, reading(sensed_utc=hanoi))
    assert labels.schema.field("sensed_utc").type == pa.timestamp("us", tz="UTC")
    assert labels.schema.field("sm_m3m3").type == pa.float32()
    assert labels.schema.field("reason").type == pa.string()
    assert set(labels["sensed_utc"].to_pylist()) == {NOON}


def test_no_places_give_no_rows() -> None:
    assert look([], []).num_rows == 0


def test_places_of_unequal_number_are_refused() -> None:
    with pytest.raises(UsageError, match="one each a site"):
        SiteReader(LON, LAT[:2])


def test_reader_keeps_the_cells_of_each_grid_apart() -> None:
    window = ease2.window_around(ease2.LEVEL_1KM, 106.15, 20.9, (5, 5))
    sm = np.linspace(0.1, 0.34, 25, dtype=np.float32).reshape(5, 5)
    lon, lat = (part.ravel() for part in lonlat(window))
    sites, good = SiteReader(lon, lat), np.zeros((5, 5), bool)
    shifted = ease2.window(ease2.LEVEL_1KM, *_above(window), (5, 5))
    first = [sites.observe(reading(sm, good, window)) for _ in range(2)]
    other = sites.observe(reading(sm, good, shifted))
    again = sites.observe(reading(sm, good, window))
    for labels in (*first, again):
        np.testing.assert_array_equal(labels["sm_m3m3"].to_numpy(), sm.ravel())
    assert other["sm_m3m3"].to_pylist()[:20] == sm.ravel()[5:].tolist()
    assert other["reason"].to_pylist()[20:] == ["out_of_bounds"] * 5
    assert sites.cells(window) is sites.cells(window)


def _above(window: GridWindow) -> tuple[int, int]:
    """Row and column of the corner one row north of the window's."""
    row, col = ease2.corner_cell(ease2.LEVEL_1KM, window) or (0, 0)
    return row - 1, col
