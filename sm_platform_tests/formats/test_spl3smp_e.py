"""SPL3SMP_E: the passes of a day, their quality, their times, and files that are wrong."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.ease2_hdf import solar_moment
from sm_platform.formats.spl3smp_e import NAME, NOON_2000, day_of, read_spl3
from sm_platform.grid import ease2
from sm_platform_tests.formats.smap_files import (
    CORNER,
    GROUPS,
    L3_ATTRIBUTES,
    SPL3,
    moisture,
    write_spl3,
)

SHAPE = (6, 8)
DAY = date(2025, 1, 10)
BOUNDS = (104.95, 20.2, 105.4, 20.5)
MORNING = datetime(2025, 1, 10, 22, 47, 5, tzinfo=UTC)
"""A plausible morning pass over northern Vietnam: in UTC it comes after the evening one."""


def seconds_of(moment: datetime, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Times of cells that were scanned one after another, two seconds a row, around a moment."""
    rows = np.arange(shape[0]) - shape[0] // 2
    since = (moment - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds()
    return since + 2.0 * rows[:, None] + np.zeros(shape)


def test_both_passes_with_their_own_values_flags_and_times(tmp_path: Path) -> None:
    fields = {"am": moisture(1, SHAPE), "pm": moisture(2, SHAPE)}
    evening = datetime(2025, 1, 10, 11, 2, 40, tzinfo=UTC)
    seconds = {"am": seconds_of(MORNING), "pm": seconds_of(evening)}
    am, pm = read_spl3(write_spl3(tmp_path / SPL3, fields, seconds=seconds, corner=CORNER))
    for found, name, moment in ((am, "am", MORNING), (pm, "pm", evening)):
        expected = np.where(fields[name] < 0, np.nan, fields[name])
        np.testing.assert_array_equal(found.raster.values["sm_m3m3"], expected)
        assert found.raster.values["sm_m3m3"].dtype == np.float32
        assert found.raster.values["is_flagged"].dtype == bool
        assert found.raster.window == ease2.window(ease2.LEVEL_9KM, *CORNER, SHAPE)
        assert found.pass_name == name
        assert abs(found.sensed_utc - moment) <= timedelta(seconds=4)


def test_units_fill_and_range_are_read_as_a_real_granule_writes_them(
    tmp_path: Path, shared: Callable[..., Path]
) -> None:
    """Of the radiometer's sister product with radar: all that its soil moisture says of itself."""
    path = shared("realdata", "smap", "SC_SPL2SMAP_S.dmr")
    tree = ElementTree.parse(path)  # noqa: S314 - a file at hand
    space = {"dap": "http://xml.opendap.org/ns/DAP/4.0#"}
    (field,) = tree.findall(".//dap:Float32[@name='soil_moisture_3km']", space)
    told: dict[str, str | float] = {}
    for one in field.findall("dap:Attribute", space):
        text = one.findtext("dap:Value", "", space)
        told[one.attrib["name"]] = float(text) if one.attrib["type"] == "Float32" else text
    assert {"units", "valid_min", "valid_max", "_FillValue"} <= set(told)
    values = np.array([[-9999, -0.01, 0.0, 0.3, 0.75, 0.76]], np.float32)
    made = write_spl3(tmp_path / SPL3, {"am": values}, corner=CORNER, attributes=told)
    (found,) = read_spl3(made)
    expected = np.float32([[np.nan, np.nan, 0.0, 0.3, 0.75, np.nan]])
    np.testing.assert_array_equal(found.raster.values["sm_m3m3"], expected)


@pytest.mark.parametrize("name", ["am", "pm"])
def test_flags_0_and_8_are_good(tmp_path: Path, name: str) -> None:
    flags = np.array([[0, 8, 1, 2, 3, 4, 5, 7, 9, 13, 15, 16, 65534]], np.uint16)
    values = np.full(flags.shape, 0.3, np.float32)
    path = write_spl3(tmp_path / SPL3, {name: values}, quality={name: flags}, corner=CORNER)
    (found,) = read_spl3(path)
    good = [[False, False, *[True] * 11]]
    np.testing.assert_array_equal(found.raster.values["is_flagged"], good)
    np.testing.assert_array_equal(found.raster.values["sm_m3m3"], values)


def test_the_valid_range_is_the_files(tmp_path: Path) -> None:
    nan = np.nan
    values = np.array([[0.0199, 0.02, 0.3, 0.5, 0.501, -9999, nan]], np.float32)
    (found,) = read_spl3(write_spl3(tmp_path / SPL3, {"am": values}, corner=CORNER))
    expected = np.array([[nan, 0.02, 0.3, 0.5, nan, nan, nan]], np.float32)
    np.testing.assert_array_equal(found.raster.values["sm_m3m3"], expected)


def test_a_global_file_is_placed_without_latitudes(tmp_path: Path) -> None:
    globe = np.full(ease2.LEVEL_9KM.shape, -9999, np.float32)
    row, col = ease2.cells(ease2.LEVEL_9KM, *ease2.project(105.2, 20.35))
    globe[row, col] = 0.35
    (found,) = read_spl3(write_spl3(tmp_path / SPL3, {"am": globe}), bounds_lonlat=BOUNDS)
    corner = ease2.corner_cell(ease2.LEVEL_9KM, found.raster.window)
    assert corner is not None
    known = np.argwhere(np.isfinite(found.raster.values["sm_m3m3"]))
    np.testing.assert_array_equal(known + corner, [[row, col]])


def test_a_subset_outside_the_swath_but_for_a_cell_is_placed_by_it(tmp_path: Path) -> None:
    values = np.full(SHAPE, -9999, np.float32)
    values[4, 5] = 0.2
    path = write_spl3(tmp_path / SPL3, {"pm": values}, corner=CORNER)
    with h5py.File(path, "r+") as file:
        for name in ("EASE_row_index_pm", "EASE_column_index_pm"):
            stored = file[f"{GROUPS['pm']}/{name}"]
            stored[...] = np.where(values < 0, 65534, stored[()])
    (found,) = read_spl3(path)
    assert found.raster.window == ease2.window(ease2.LEVEL_9KM, *CORNER, SHAPE)
    assert found.raster.values["sm_m3m3"][4, 5] == np.float32(0.2)


def test_a_pass_that_saw_nothing_has_no_field(tmp_path: Path) -> None:
    unseen = np.full(SHAPE, -9999, np.float32)
    fields = {"am": unseen, "pm": moisture(3, SHAPE)}
    path = write_spl3(tmp_path / SPL3, fields, corner=CORNER)
    assert [found.pass_name for found in read_spl3(path)] == ["pm"]
    # Outside the swath the provider fills the indexes, too: nothing says where the cells lie.
    assert read_spl3(write_spl3(tmp_path / SPL3, {"am": unseen})) == []
    globe = np.full(ease2.LEVEL_9KM.shape, -9999, np.float32)
    assert read_spl3(write_spl3(tmp_path / SPL3, {"am": globe}), bounds_lonlat=BOUNDS) == []


def test_without_times_the_sun_tells_the_time(tmp_path: Path) -> None:
    fields = {"am": moisture(4, SHAPE), "pm": moisture(5, SHAPE)}
    am, pm = read_spl3(write_spl3(tmp_path / SPL3, fields, corner=CORNER))
    middle, _ = ease2.centre_lonlat(ease2.LEVEL_9KM, CORNER[0], CORNER[1] + SHAPE[1] // 2)
    ahead = timedelta(hours=float(middle) / 15)
    for found, hour in ((am, 6), (pm, 18)):
        local = found.sensed_utc + ahead
        assert found.sensed_utc.date() == DAY
        assert abs((local.hour - hour) * 3600 + local.minute * 60 + local.second) < 15
    assert am.sensed_utc > pm.sensed_utc


@pytest.mark.parametrize("spoil", [-9999.0, np.nan, 0.0, 1e300])
def test_times_that_cannot_be_of_the_day_are_not_used(tmp_path: Path, spoil: float) -> None:
    fields = {"am": moisture(6, SHAPE)}
    plain = read_spl3(write_spl3(tmp_path / SPL3, fields, corner=CORNER))
    seconds = {"am": np.full(SHAPE, spoil)}
    path = write_spl3(tmp_path / SPL3, fields, seconds=seconds, corner=CORNER)
    assert [found.sensed_utc for found in read_spl3(path)] == [plain[0].sensed_utc]


def test_times_of_cells_without_a_reading_do_not_count(tmp_path: Path) -> None:
    values = np.full(SHAPE, -9999, np.float32)
    values[2] = 0.3
    seconds = np.full(SHAPE, seconds_of(MORNING - timedelta(hours=5))[0, 0])
    seconds[2] = seconds_of(MORNING)[3]
    path = write_spl3(tmp_path / SPL3, {"am": values}, seconds={"am": seconds}, corner=CORNER)
    assert [found.sensed_utc for found in read_spl3(path)] == [MORNING]


def test_two_half_orbits_of_a_day_are_two_fields(tmp_path: Path) -> None:
    """Near 90 E a UTC day begins and ends with a morning pass."""
    values = moisture(7, SHAPE, gaps=0)
    first, last = (datetime(2025, 1, 10, *clock, tzinfo=UTC) for clock in ((0, 4), (23, 51)))
    seconds = seconds_of(last)
    seconds[:, :3] = seconds_of(first)[:, :3]
    path = write_spl3(tmp_path / SPL3, {"am": values}, seconds={"am": seconds}, corner=CORNER)
    early, late = read_spl3(path)
    assert (early.pass_name, late.pass_name) == ("am_0004", "am_2351")
    assert (early.sensed_utc, late.sensed_utc) == (first, last)
    np.testing.assert_array_equal(early.raster.values["sm_m3m3"][:, :3], values[:, :3])
    np.testing.assert_array_equal(late.raster.values["sm_m3m3"][:, 3:], values[:, 3:])
    assert np.isnan(early.raster.values["sm_m3m3"][:, 3:]).all()
    assert np.isnan(late.raster.values["sm_m3m3"][:, :3]).all()


@example(hour=0, lon=1e-6)
@given(hour=st.floats(0, 24, exclude_max=True), lon=st.floats(-180, 180))
def test_the_sun_stands_right_at_that_moment_of_the_day(hour: float, lon: float) -> None:
    moment = solar_moment(DAY, hour, lon)
    assert moment.date() == DAY
    utc = moment.hour + moment.minute / 60 + moment.second / 3600
    late = (utc + lon / 15 - hour + 12) % 24 - 12
    assert abs(late) * 3600 <= 0.6


@pytest.mark.parametrize(
    ("hour", "lon", "clock"),
    [(6, 106.4, (22, 54, 24)), (18, 106.4, (10, 54, 24)), (6, 0, (6, 0)), (18, -120, (2, 0))],
)
def test_solar_time_worked_by_hand(hour: float, lon: float, clock: tuple[int, ...]) -> None:
    expected = datetime(2025, 1, 10, tzinfo=UTC) + timedelta(
        seconds=sum(part * unit for part, unit in zip(clock, (3600, 60, 1), strict=False))
    )
    assert solar_moment(DAY, hour, lon) == expected


def test_the_mission_counts_from_noon(shared: Callable[..., Path]) -> None:
    """A real granule of the sister product, of 15:00 UTC by its name, has that many seconds."""
    with h5py.File(shared("realdata", "smap", "SMAP_L4_SM_aup_comparison.h5")) as file:
        moment = NOON_2000 + timedelta(seconds=float(file["time"][0]))
    assert moment == datetime(2020, 1, 28, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", [SPL3, "SMAP_L3_SM_P_E_20250110_R19240_002_subset.h5", SPL3[:-2] + "hdf5"]
)
def test_names_tell_the_day(name: str) -> None:
    assert NAME.fullmatch(name)
    assert day_of(name) == DAY


@pytest.mark.parametrize(
    "name", ["", "a.h5", "SMAP_L3_SM_P_20250110_R19240_001.h5", SPL3.replace("0110", "1310")]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(GranuleError, match="is no name like SMAP_L3_SM_P_E_"):
        day_of(name)


def drop_both(file: h5py.File) -> None:
    del file[f"{GROUPS['am']}/soil_moisture"]
    del file[GROUPS["pm"]]


def drop_quality(file: h5py.File) -> None:
    del file[f"{GROUPS['pm']}/retrieval_qual_flag_pm"]


def change_quality(file: h5py.File) -> None:
    drop_quality(file)
    file[f"{GROUPS['pm']}/retrieval_qual_flag_pm"] = np.zeros(SHAPE, np.float32)


def cut_quality(file: h5py.File) -> None:
    drop_quality(file)
    file[f"{GROUPS['pm']}/retrieval_qual_flag_pm"] = np.zeros((2, 2), np.uint16)


def change_units(file: h5py.File) -> None:
    file[f"{GROUPS['pm']}/soil_moisture_pm"].attrs["units"] = "percent"


def drop_rows(file: h5py.File) -> None:
    del file[f"{GROUPS['am']}/EASE_row_index"]


def turn_columns(file: h5py.File) -> None:
    stored = file[f"{GROUPS['am']}/EASE_column_index"]
    stored[...] = stored[()][:, ::-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_both, "_AM/soil_moisture and .*_PM/soil_moisture_pm are missing"),
        (drop_quality, "_PM/retrieval_qual_flag_pm is missing"),
        (change_quality, "_PM/retrieval_qual_flag_pm is no flag"),
        (cut_quality, "_PM/retrieval_qual_flag_pm is no flag"),
        (change_units, "_PM/soil_moisture_pm is in 'percent', not in m3/m3"),
        (drop_rows, "neither .*_AM/EASE_row_index nor y says which"),
        (turn_columns, "_AM/EASE_column_index and x do not count cells"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, change: Callable[[h5py.File], None], said: str
) -> None:
    fields = {"am": moisture(8, SHAPE), "pm": moisture(9, SHAPE)}
    path = write_spl3(tmp_path / SPL3, fields, corner=CORNER)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(GranuleError, match=rf"{SPL3}: .*{said}"):
        read_spl3(path)


def test_a_file_may_hold_one_pass_and_a_web_page_none(tmp_path: Path) -> None:
    path = write_spl3(tmp_path / SPL3, {"pm": moisture(10, SHAPE)}, corner=CORNER)
    assert [found.pass_name for found in read_spl3(path)] == ["pm"]
    path.write_text("<html>Earthdata Login</html>")
    with pytest.raises(GranuleError, match=rf"{SPL3}: is a web page .*, not HDF5"):
        read_spl3(path)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A whole file and a place to damage copies of it."""
    path = tmp_path_factory.mktemp("spl3") / SPL3
    fields = {"am": moisture(11, SHAPE), "pm": moisture(12, SHAPE)}
    seconds = {"am": seconds_of(MORNING)}
    quality = {"am": np.zeros(SHAPE, np.uint16)}
    attributes = dict(L3_ATTRIBUTES)
    written = write_spl3(
        path, fields, quality=quality, seconds=seconds, corner=CORNER, attributes=attributes
    )
    return path, written.read_bytes()


@settings(max_examples=40)
@given(cut=st.floats(0, 0.9999))
def test_a_file_cut_anywhere_is_refused(content: tuple[Path, bytes], cut: float) -> None:
    path, whole = content
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(GranuleError, match=rf"{SPL3}: .*fetch it again"):
        read_spl3(path)


@settings(max_examples=200)
@given(place=st.floats(0, 0.9999), value=st.integers(0, 255))
def test_a_changed_byte_never_escapes_as_another_error(
    content: tuple[Path, bytes], place: float, value: int
) -> None:
    path, whole = content
    changed = bytearray(whole)
    changed[int(len(whole) * place)] = value
    path.write_bytes(bytes(changed))
    try:
        found = read_spl3(path)
    except GranuleError as error:
        assert SPL3 in str(error)  # noqa: PT017
    else:
        assert all(abs(one.sensed_utc.date() - DAY) <= timedelta(days=2) for one in found)
