from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from affine import Affine

from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster, lonlat
from sm_platform.observations.labels import REJECT_MASK, count_reasons, observe

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
# Two rows and three columns of a tenth of a degree; the upper left corner is 106 E, 21 N.
WINDOW = GridWindow("EPSG:4326", Affine(0.1, 0, 106, 0, -0.1, 21), (2, 3))
SWC = Raster(
    WINDOW,
    {
        "sm_m3m3": np.array([[0.25, np.nan, 0.701], [0.7, 0.0, 0.3]], np.float32),
        "swc_flags": np.array([[0x005F, 0, 0xFFA0], [0, 0x0080, 0x0020]], np.uint16),
    },
)
LON, LAT = (part.ravel() for part in lonlat(WINDOW))


def look(lon: object, lat: object, reject_mask: int = REJECT_MASK) -> pa.Table:
    places = np.asarray(lon, float), np.asarray(lat, float)
    return observe(*places, SWC, sensed_utc=NOON, reject_mask=reject_mask)


def test_every_cell_by_hand() -> None:
    labels = look(LON, LAT)
    expected = [None, "missing", "out_of_range", None, "out_of_range", "flagged"]
    assert labels["reason"].to_pylist() == expected
    sm = labels["sm_m3m3"].to_pylist()
    assert sm[1] is None
    assert [sm[n] for n in (0, 2, 3, 4, 5)] == pytest.approx([0.25, 0.701, 0.7, 0.0, 0.3])
    assert labels["swc_flags"].to_pylist() == [0x5F, 0, 0xFFA0, 0, 0x80, 0x20]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(105.999, 20.95), (106.301, 20.95), (106.05, 21.001), (106.05, 20.799), (np.nan, 20.9)],
)
def test_place_outside_the_granule_is_missing_not_its_neighbour(lon: float, lat: float) -> None:
    labels = look([lon, 106.05], [lat, 20.95])
    assert labels["reason"].to_pylist() == ["out_of_bounds", None]
    assert labels["sm_m3m3"].to_pylist() == [None, 0.25]


def test_value_is_that_of_the_cell_that_holds_the_place() -> None:
    labels = look([106.0999, 106.0001, 106.2001], [20.9001, 20.8999, 20.8999])
    assert labels["sm_m3m3"].to_pylist() == pytest.approx([0.25, 0.7, 0.3])


def test_upper_bound_is_kept_whichever_way_a_float_is_rounded() -> None:
    bound = np.float32(0.7)
    lowest, highest = (np.nextafter(bound, np.float32(end)) for end in (0, 1))
    sm = np.array([[lowest, highest, 0.7005], [0.001, -0.001, 0]], np.float32)
    swc = Raster(WINDOW, {"sm_m3m3": sm, "swc_flags": np.zeros((2, 3), np.uint16)})
    labels = observe(LON, LAT, swc, sensed_utc=NOON)
    wrong = "out_of_range"
    assert labels["reason"].to_pylist() == [None, None, wrong, None, wrong, wrong]


def test_reject_mask_is_the_callers() -> None:
    assert look(LON, LAT, reject_mask=0)["reason"].to_pylist()[5] is None
    assert look(LON, LAT, reject_mask=0x0001)["reason"].to_pylist()[0] == "flagged"


def test_counts_name_every_reason_and_add_up() -> None:
    labels = look([*LON, 0], [*LAT, 0])
    counts = count_reasons(labels)
    expected = {"out_of_bounds": 1, "missing": 1, "out_of_range": 2, "flagged": 1, "good": 2}
    assert counts == expected
    assert count_reasons(labels.slice(0, 0)) == dict.fromkeys(expected, 0)


def test_columns_are_ready_for_the_lake() -> None:
    hanoi = NOON.astimezone(timezone(timedelta(hours=7)))
    labels = observe(LON, LAT, SWC, sensed_utc=hanoi)
    assert labels.schema.field("sensed_utc").type == pa.timestamp("us", tz="UTC")
    assert labels.schema.field("sm_m3m3").type == pa.float32()
    assert labels.schema.field("reason").type == pa.string()
    assert set(labels["sensed_utc"].to_pylist()) == {NOON}


def test_no_places_give_no_rows() -> None:
    assert look([], []).num_rows == 0


def test_granule_on_another_projection_is_read_at_the_same_place() -> None:
    window = ease2.window_around(ease2.LEVEL_1KM, 106.15, 20.9, (5, 5))
    sm = np.linspace(0.1, 0.34, 25, dtype=np.float32).reshape(5, 5)
    swc = Raster(window, {"sm_m3m3": sm, "swc_flags": np.zeros((5, 5), np.uint16)})
    lon, lat = (part.ravel() for part in lonlat(window))
    labels = observe(lon, lat, swc, sensed_utc=NOON)
    np.testing.assert_array_equal(labels["sm_m3m3"].to_numpy(), sm.ravel())
