"""ISMN series: three layouts as file, folder and zip, against a plain reading with pandas."""

import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError
from sm_platform.formats.ismn import read_ismn
from sm_platform.formats.series_file import SeriesFile

Shared = Callable[..., Path]
NAME = "N_N_S_sm_0.050000_0.050000_P_20200101_20201231.stm"
HEADER = "N N S 17.5 96.5 3.0 0.05 0.05 P"
ROW = "2020/01/01 00:00 0.2 G M"


def file_of(folder: Path, *lines: str, name: str = NAME, end: str = "\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join(lines).encode())
    return path


def rows_of(series: SeriesFile, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in series.readings.select(names).to_pylist()]


def good_of(series: SeriesFile) -> np.ndarray:
    is_good = series.readings["provider_reason"].is_null()
    return series.readings["sm_m3m3"].filter(is_good).to_numpy().astype(np.float64)


def plainly(path: Path) -> pd.DataFrame:
    """Any of the three layouts, told apart by the number of columns only."""
    lines = [line.split() for line in path.read_text().replace("\r", "\n").splitlines()]
    if "/" not in lines[0][0]:
        frame = pd.DataFrame(
            [line[:4] for line in lines[1:]], columns=["day", "hour", "sm", "flag"]
        )
        frame = frame.assign(depth=float(lines[0][6]))
    else:
        n, wide = len(lines[0]), pd.DataFrame(lines)
        at = {16: (11, 14, 15), 15: (10, 12, 13)}[n]
        frame = wide[[0, 1, *at]].set_axis(["day", "hour", "depth", "sm", "flag"], axis=1)
    moments = pd.to_datetime(frame["day"] + " " + frame["hour"], utc=True)
    return frame.assign(
        time=moments, sm=frame["sm"].astype(float), depth=frame["depth"].astype(float)
    )


@pytest.mark.parametrize(("station", "good"), [("Hpayargyi", 4822), ("Thanatpin", 4818)])
def test_good_hours_and_means_are_those_of_pandas(shared: Shared, station: str, good: int) -> None:
    path = next(shared("realdata", "ismn", "VDS", station).glob("*_0.010000_0.100000_*.stm"))
    frame = plainly(path)
    values = frame["sm"][frame["flag"] == "G"]
    found = good_of(read_ismn(path))
    assert len(found) == len(values) == good
    assert found.mean() == pytest.approx(values.mean(), abs=1e-8)


def test_every_reading_is_the_one_of_pandas(shared: Shared) -> None:
    paths = sorted(shared("realdata", "ismn").rglob("*.stm"))
    assert len(paths) == 7
    for path in paths:
        frame, found = plainly(path), read_ismn(path)
        table = found.readings.to_pandas()
        assert not found.skipped
        assert table["sensed_utc"].tolist() == frame["time"].tolist()
        np.testing.assert_array_equal(table["sm_m3m3"], frame["sm"].astype(np.float32))
        np.testing.assert_array_equal(table["depth_from_m"], frame["depth"].astype(np.float32))
        told = table["provider_reason"].fillna("ismn G").str.removeprefix("ismn ")
        assert told.tolist() == frame["flag"].tolist()


def test_a_folder_and_its_zip_hold_what_their_files_hold(shared: Shared, tmp_path: Path) -> None:
    folder = shared("realdata", "ismn")
    with zipfile.ZipFile(tmp_path / "ismn.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    of_folder, of_zip = read_ismn(folder), read_ismn(tmp_path / "ismn.zip")
    of_files = [read_ismn(path).readings for path in sorted(folder.rglob("*.stm"))]
    assert of_folder.readings == of_zip.readings == pa.concat_tables(of_files)
    assert of_folder.readings.num_rows == 16_379
    assert of_folder.skipped == of_zip.skipped == ()
    hours = of_folder.readings.group_by(["station_id", "depth_to_m"]).aggregate([([], "count_all")])
    one_row = [row for row in hours.to_pylist() if row["count_all"] == 1]
    assert {row["station_id"] for row in one_row} == {"VDS/Hpayargyi", "VDS/Thanatpin"}


def test_the_layouts_of_one_station_give_the_same_readings(shared: Shared) -> None:
    folder = shared("realdata", "ismn", "formats")
    header, separate, ceop = (
        read_ismn(next(folder.glob(f"{layout}_SMOS*.stm")))
        for layout in ("header_values", "ceop_sep", "ceop")
    )
    assert header.readings == separate.readings
    assert header.readings.num_rows == 741
    place = ("station_id", "lon_deg", "lat_deg")
    assert set(rows_of(ceop, *place)) == set(rows_of(header, *place))
    assert set(rows_of(header, *place)) == {("SMOSMANIA/Narbonne", 2.9567, 43.15)}


def test_of_all_flags_that_the_network_publishes_only_good_is_good(
    shared: Shared, tmp_path: Path
) -> None:
    text = shared("realdata", "ismn", "ISMN_qualityflags_description.txt").read_text("latin-1")
    lines = [line.split(";") for line in text.splitlines() if line.startswith("soil moisture;")]
    flags = [line[-2] for line in lines]
    assert {"C01", "C03", "D01", "D10", "M", "G"} <= set(flags)
    rows = [f"2020/01/{day:02d} 00:00 0.2 {flag} M" for day, flag in enumerate(flags, start=1)]
    found = read_ismn(file_of(tmp_path, HEADER, *rows))
    expected = [None if flag == "G" else f"ismn {flag}" for flag in flags]
    assert found.readings["provider_reason"].to_pylist() == expected
    assert not found.skipped


def test_ceop_rows_keep_their_own_depth(tmp_path: Path) -> None:
    head = "2020/01/01 00:00 2020/01/01 00:00 C N S 17.5 96.5 3.0"
    layers = [(0.05, 21.0, "G", 0.2), (0.10, 20.0, "G", 0.25), (0.30, -999.99, "M", 0.3)]
    path = file_of(
        tmp_path, *(f"{head} - {d} {t} {f} {sm} G" for d, t, f, sm in layers), name="c.stm"
    )
    found = read_ismn(path).readings.to_pandas()
    assert found["depth_from_m"].tolist() == found["depth_to_m"].tolist()
    np.testing.assert_array_equal(found["depth_to_m"], np.float32([0.05, 0.1, 0.3]))
    np.testing.assert_array_equal(found["sm_m3m3"], np.float32([0.2, 0.25, 0.3]))
    assert found["provider_reason"].isna().all()
    assert found["sensor"].isna().all()


@pytest.mark.parametrize(
    ("told", "sm", "reason"),
    [
        ("0.214 G M", 0.214, None),
        ("0.214 G", 0.214, None),
        ("-9999 M M", None, "ismn M"),
        ("-999.99 M M", None, "ismn M"),
        ("-9999.0000 G M", None, "ismn M"),
        ("NaN M M", None, "ismn M"),
        ("0.2 M M", 0.2, "ismn M"),
        ("0.2 C03,D10 M", 0.2, "ismn C03,D10"),
        ("0.2 G,D01 M", 0.2, "ismn G,D01"),
        ("0.2 U M", 0.2, "ismn U"),
        ("-0.01 C01 M", -0.01, "ismn C01"),
        ("0 G M", 0.0, None),
    ],
)
def test_only_a_number_with_flag_g_is_good(
    tmp_path: Path, told: str, sm: float | None, reason: str | None
) -> None:
    (found,) = rows_of(
        read_ismn(file_of(tmp_path, HEADER, f"2020/01/01 00:00 {told}")),
        "sm_m3m3",
        "provider_reason",
    )
    assert found == (pytest.approx(sm, abs=1e-8) if sm is not None else None, reason)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", " \n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_marks_do_not_matter(tmp_path: Path, end: str, mark: str) -> None:
    found = read_ismn(
        file_of(tmp_path, mark + HEADER, ROW, f"\t{ROW.replace(' ', chr(9))}", end=end)
    )
    assert rows_of(found, "sm_m3m3") == [(pytest.approx(0.2),)] * 2
    assert found.skipped == ()


@pytest.mark.parametrize(
    "row",
    [
        "2020/01/01 00:00",
        "2020/01/01 00:00 0.2",
        "2020/01/01 25:00 0.2 G M",
        "2020/13/01 00:00 0.2 G M",
        "2020/01/01 00:00 wet G M",
        '2020/01/01 00:00 "0.2 G M',
        "<html>",
        "\x1a",
    ],
)
def test_a_row_that_cannot_be_read_is_counted_and_the_rest_is_read(
    tmp_path: Path, row: str
) -> None:
    found = read_ismn(file_of(tmp_path, HEADER, ROW, row, ROW))
    assert rows_of(found, "station_id") == [("N/S",)] * 2
    assert found.skipped == ((NAME, "1 rows cannot be read"),)


@pytest.mark.parametrize(
    ("header", "station", "sensor"),
    [
        (HEADER, "N/S", "P"),
        ("N N Hpaya gyi 17.5 96.5 3.0 0.05 0.05 GS1 Port 5", "N/Hpaya gyi", "GS1 Port 5"),
        ("N N Site 12 17.5 96.5 112.0 0.05 0.05 P", "N/Site 12", "P"),
        ("N N Site 12 17.5 96.5 3.0 0.05 0.05 P", "N/Site 12", "P"),
        ("N N Site 12 13 17.5 96.5 112.0 0.05 0.05 P", "N/Site 12 13", "P"),
        ("N N 2012 17.5 96.5 112.0 0.05 0.05 P", "N/2012", "P"),
        ("N N S 17.5 96.5 3.0 0.05 0.05 5", "N/S", "5"),
        ("N N S 17.5 96.5 0.01 0.05 0.05 0.05 1.0", "N/S", "0.05 1.0"),
        ("N N Nan 17.5 96.5 3.0 0.05 0.05 1_000", "N/Nan", "1_000"),
        ("N N S 17.5 96.5 - 0.05 0.05 P", "N/S", "P"),
        ("N N S 17.5 96.5 NaN 0.05 0.05", "N/S", "P"),
    ],
)
@pytest.mark.parametrize("name", [NAME, NAME.replace("sm_0.05", "sm_0.06"), "renamed.stm"])
def test_a_header_is_read_with_blanks_and_numbers_in_names(
    tmp_path: Path, header: str, station: str, sensor: str, name: str
) -> None:
    if name == "renamed.stm" and header.endswith("NaN 0.05 0.05"):
        sensor = None  # told nowhere
    found = read_ismn(file_of(tmp_path, header, ROW, name=name))
    columns = ("station_id", "sensor", "lat_deg", "lon_deg")
    assert rows_of(found, *columns) == [(station, sensor, 17.5, 96.5)]
    layer = np.float32([*rows_of(found, "depth_from_m", "depth_to_m")[0]])
    np.testing.assert_array_equal(layer, np.float32([0.05, 0.05]))


def test_where_numbers_can_be_taken_in_two_ways_the_name_of_the_file_decides(
    tmp_path: Path,
) -> None:
    header = "N N Site 12 17.5 96.5 0.02 0.05 0.1 P"
    found = read_ismn(file_of(tmp_path, header, ROW, name=NAME.replace("_0.050000_P", "_0.1_P")))
    assert rows_of(found, "station_id", "lat_deg", "lon_deg") == [("N/Site 12", 17.5, 96.5)]
    assert rows_of(found, "depth_to_m") == [(np.float32(0.1),)]


@pytest.mark.parametrize("station", ["S", "007", "Hpaya gyi", "Site 12", "Trạm 5"])
@pytest.mark.parametrize(
    "end",
    [
        "3.0 0.05 0.05 0.2 G M",
        "3.0 0.05 0.05 0.2 G",
        "- - 0.05 -9999 M 0.2 G",
        "3 - 0.05 1 G 0.2 G",
    ],
)
def test_a_row_with_its_place_is_read_with_blanks_and_numbers_in_names(
    tmp_path: Path, station: str, end: str
) -> None:
    row = f"2020/01/01 00:00 2020/01/01 00:00 C N {station} 17.5 96.5 {end}"
    found = read_ismn(file_of(tmp_path, row, row, name="a.stm"))
    assert rows_of(found, "station_id", "lat_deg", "lon_deg") == [(f"N/{station}", 17.5, 96.5)] * 2
    np.testing.assert_array_equal(good_of(found), np.float32([0.2, 0.2]))
    assert found.readings["depth_to_m"].to_pylist() == [np.float32(0.05)] * 2


def test_a_station_that_moves_within_a_file_has_both_places(tmp_path: Path) -> None:
    head, layer = "2020/01/01 0{}:00 2020/01/01 0{}:00 C N S", "3.0 0.05 0.05 0.2 G M"
    rows = [f"{head.format(h, h)} 17.5 {lon} {layer}" for h, lon in enumerate((96.5, 96.5, 96.7))]
    broken = rows[1].replace("17.5", "-")
    found = read_ismn(file_of(tmp_path, *rows, broken, rows[0]))
    assert rows_of(found, "lon_deg") == [(96.5,), (96.5,), (96.7,), (96.5,)]
    assert found.skipped == ((NAME, "1 rows cannot be read"),)


def test_damaged_files_among_good_ones_are_named(tmp_path: Path) -> None:
    file_of(tmp_path, HEADER, ROW, name=f"good/{NAME}")
    file_of(tmp_path, HEADER, ROW, name=f"good/._{NAME}")
    file_of(tmp_path, "precipitation", name="N_N_S_p_0.000000_0.000000_P_20200101_20201231.stm")
    file_of(tmp_path, "a readme", name="Readme.txt")
    damaged = {
        "1_empty.stm": "",
        "2_nul.stm": f"{HEADER}\n\0\0\0",
        "3_page.stm": "<html>\nlogin",
        "4_short.stm": "2020/01/01 00:00 0.2 G M",
        "5_rows.stm": f"{HEADER}\nwet\nwet\n",
        "5_values.stm": f"{HEADER}\n{ROW.replace('0.2', 'wet')}\n",
        "6_zip.zip": "no zip",
        "7_blank.stm": " \n \n",
    }
    for name, content in damaged.items():
        (tmp_path / name).write_text(content)
    found = read_ismn(tmp_path)
    assert [name for name, _ in found.skipped] == list(damaged)
    assert all(why.startswith(f"{name}: ") for name, why in found.skipped)
    for name in ("5_rows.stm", "5_values.stm"):
        assert "none of its rows can be read" in dict(found.skipped)[name]
    assert found.readings.num_rows == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.stm", "", "a.stm: is empty"),
        ("a.zip", "no zip", "a.zip: is something else, not a zip"),
        ("a.csv", "a,b", r"a.csv: holds no series of soil moisture \(\*_sm_\*.stm\): bring"),
        (NAME.replace("_sm_", "_ts_"), HEADER, "holds no series of soil moisture"),
    ],
)
def test_nothing_to_read_is_told(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(GranuleError, match=f"^{message}" if name[0] == "a" else message):
        read_ismn(tmp_path / name)


def test_a_header_without_rows_is_no_damage(tmp_path: Path) -> None:
    found = read_ismn(file_of(tmp_path, HEADER))
    assert found.readings.num_rows == 0
    assert found.skipped == ()


def nest(folder: Path, depth: int) -> Path:
    """A zip with a series, in a zip with a series, ..."""
    path = folder / "level_0.zip"
    inner: Path | None = None
    for level in range(depth):
        path = folder / f"level_{level}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(NAME, f"{HEADER}\n{ROW}\n")
            if inner:
                archive.write(inner, inner.name)
        inner = path
    return path


def test_zips_in_zips_are_read_three_deep(tmp_path: Path) -> None:
    found = read_ismn(nest(tmp_path, 3))
    assert (found.readings.num_rows, found.skipped) == (3, ())
    found = read_ismn(nest(tmp_path, 5))
    assert found.readings.num_rows == 3
    (skipped,) = found.skipped
    assert skipped[0] == "level_1.zip"
    assert "lies in 3 zips already" in skipped[1]


def test_zips_in_a_zip_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sm_platform.formats.ismn.MOST_BYTES", 10 << 20)
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, f"{HEADER}\n{ROW}\n")
        archive.writestr("zeros", bytes(3 << 20))
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        for n in range(6):
            archive.write(inner, f"{n}.zip")
    found = read_ismn(tmp_path / "outer.zip")
    assert found.readings.num_rows == 3
    assert [name for name, _ in found.skipped] == ["3.zip", "4.zip", "5.zip"]
    assert all("unpack to more than" in why for _, why in found.skipped)


LINES = st.lists(
    st.tuples(
        st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2049-12-31")),
        st.integers(-200, 7000),
        st.sampled_from(["G", "M", "U", "C01", "C03,D10"]),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=30)
@given(lines=LINES)
def test_the_three_layouts_tell_the_same(
    tmp_path_factory: pytest.TempPathFactory, lines: Sequence[tuple[pd.Timestamp, int, str]]
) -> None:
    folder = tmp_path_factory.mktemp("layouts")
    told = [
        (f"{moment:%Y/%m/%d %H:%M}", f"{digits / 1e4:.4f} {flag}") for moment, digits, flag in lines
    ]
    where = "C N S 17.50000 96.50000 3.00"
    name = NAME.replace("_P_", "_P-1_")
    found = [
        read_ismn(file_of(folder, *rows, name=name)).readings
        for rows in (
            ["C N S 17.5 96.5 3.0 0.05 0.05 P-1", *(f"{when} {what} M" for when, what in told)],
            [f"{when} {when} {where} 0.05 0.05 {what} M" for when, what in told],
            [f"{when} {when} {where} - 0.05 20.0 G {what}" for when, what in told],
        )
    ]
    assert found[0] == found[1] == found[2]
    values = [np.float32(f"{digits / 1e4:.4f}") for _, digits, _ in lines]
    assert found[0]["sm_m3m3"].to_pylist() == values


CEOP = "2020/01/01 00:00 2020/01/01 00:00 C N S 17.5 96.5 3.0 - 0.05 20.0 G 0.2 G"


@settings(max_examples=60)
@given(lines=st.sampled_from([(HEADER, ROW, ROW), (CEOP, CEOP)]), data=st.data())
def test_changed_bytes_are_read_or_refused_and_never_anything_else(
    tmp_path_factory: pytest.TempPathFactory, lines: tuple[str, ...], data: st.DataObject
) -> None:
    path = file_of(tmp_path_factory.mktemp("changed"), *lines)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_ismn(path)
    except GranuleError as error:
        assert NAME in str(error)
    else:
        assert found.readings.num_rows <= len(lines) * 2


def test_a_long_series_is_read_at_a_steady_rate(tmp_path: Path) -> None:
    """100 MB are 3.6 million rows: at 100,000 rows/s or more they take half a minute at most."""
    n = 300_000
    moments = np.datetime64("1990-01-01T00:00") + np.arange(n) * np.timedelta64(60, "m")
    texts = np.char.replace(np.char.replace(moments.astype(str), "-", "/"), "T", " ")
    values = np.random.default_rng(1).integers(0, 6000, n) / 1e4
    body = [f"{when} {sm:.4f} G M" for when, sm in zip(texts, values, strict=True)]
    path = file_of(tmp_path, HEADER, *body)
    start = time.process_time()
    found = read_ismn(path)
    assert n / (time.process_time() - start) > 100_000
    np.testing.assert_array_equal(good_of(found), values.astype(np.float32))
