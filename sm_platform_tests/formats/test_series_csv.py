"""A series of one's own: what it says is read however it is written, and the rest is told."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.series_csv import SeriesColumns, read_series_csv
from sm_platform.formats.series_file import SeriesFile

HEAD = "site,lon,lat,depth,time,theta"
ROW = "A,106.4,20.45,0.05,2025-01-10 01:30,0.25"
MOMENT = datetime(2025, 1, 10, 1, 30, tzinfo=UTC)


def columns(**changes: object) -> SeriesColumns:
    named = {"site": "site", "lon": "lon", "lat": "lat", "depth": "depth", "time": "time"}
    return SeriesColumns(**{**named, "value": "theta", "unit": "m3/m3", **changes})


def at_one_place(**changes: object) -> SeriesColumns:
    place = {"site_name": "A", "lon_deg": 106.4, "lat_deg": 20.45}
    return SeriesColumns(**{"time": "time", "value": "theta", "unit": "m3/m3", **place, **changes})


def read(
    folder: Path, *lines: str, of: SeriesColumns | None = None, encoding: str = "utf-8"
) -> SeriesFile:
    path = folder / "a.csv"
    path.write_bytes("\n".join(lines).encode(encoding))
    return read_series_csv(path, of or columns())


def rows_of(series: SeriesFile, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in series.readings.select(names).to_pylist()]


def times_of(folder: Path, *texts: str, **how: object) -> SeriesFile:
    rows = [f"{text};0,25" for text in texts]
    return read(folder, "time;theta", *rows, of=at_one_place(**how))


def test_a_row_says_site_place_depth_time_and_value(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, ROW)
    (row,) = found.readings.to_pylist()
    assert found.skipped == ()
    assert row == {
        "station_id": "A",
        "lon_deg": 106.4,
        "lat_deg": 20.45,
        "depth_from_m": np.float32(0.05),
        "depth_to_m": np.float32(0.05),
        "sensor": None,
        "sensed_utc": MOMENT,
        "sm_m3m3": np.float32(0.25),
        "provider_reason": None,
    }


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_how_it_is_written_does_not_matter(
    tmp_path: Path, separator: str, decimal: str, end: str, encoding: str
) -> None:
    cells = [
        HEAD.split(","),
        ["Tên trạm", "106.4", "20.45", "0.05", "2025-01-10 01:30", "0.25"],
        ["", "", "", "", "", ""],
        ["Tên trạm", "106.4", "20.45", "0", "2025-01-10 02:30", "1"],
    ]
    lines = [
        separator.join(
            f'"{text}"' if separator == "," == decimal else text
            for text in (cell.replace(".", decimal) for cell in row)
        )
        for row in cells
    ]
    (tmp_path / "a.csv").write_bytes((end.join(lines) + end).encode(encoding))
    found = read_series_csv(tmp_path / "a.csv", columns())
    names = ("station_id", "lon_deg", "lat_deg", "depth_to_m", "sm_m3m3")
    place = ("Tên trạm", 106.4, 20.45)
    assert rows_of(found, *names) == [
        (*place, np.float32(0.05), 0.25),
        (*place, 0.0, 1.0),
    ]
    assert found.skipped == ()


def windows_1258(text: str) -> bytes:
    """As Windows writes Vietnamese: a letter, then its tone as a mark of its own."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    found = b""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        base = unicodedata.normalize("NFC", "".join(one for one in parts if one not in tones))
        tone = "".join(one for one in parts if one in tones)
        try:
            found += letter.encode("cp1258")
        except UnicodeEncodeError:
            found += (base + tone).encode("cp1258")
    return found


@pytest.mark.parametrize(
    ("encoding", "site", "column"),
    [
        ("cp1258", "Trạm Nam Định", "độ ẩm"),
        ("cp1258", "Hà Nội", "độ ẩm đất"),
        ("latin-1", "Müncheberg Süd", "Feuchte"),
        ("latin-1", "Évora à côté", "humidité"),
        ("latin-1", "ciò Ìsola", "umidità"),
        ("latin-1", "ciò però", "umidità"),
        ("cp1252", "Café – 5 €", "theta"),
        ("gb2312", "黑河 阿柔", "土壤水分"),
        ("utf-8", "Đồng Tháp Mười", "độ ẩm"),
    ],
)
def test_names_are_read_in_their_encoding(
    tmp_path: Path, encoding: str, site: str, column: str
) -> None:
    text = f"site;time;{column}\n{site};2025-01-10 01:30;0,25\n"
    content = windows_1258(text) if encoding == "cp1258" else text.encode(encoding)
    (tmp_path / "a.csv").write_bytes(content)
    of = at_one_place(site="site", site_name=None, value=column)
    assert rows_of(read_series_csv(tmp_path / "a.csv", of), "station_id", "sm_m3m3") == [
        (site, 0.25)
    ]


def test_a_name_is_found_however_its_letters_are_composed(tmp_path: Path) -> None:
    for told, asked in (("NFD", "NFC"), ("NFC", "NFD")):
        head = f"time;{unicodedata.normalize(told, 'độ ẩm')}"
        of = at_one_place(value=unicodedata.normalize(asked, "độ ẩm"))
        assert read(tmp_path, head, "2025-01-10;0,2", of=of).readings.num_rows == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.25", 0.25),
        ("0,25", 0.25),
        (",25", 0.25),
        ("-0,01", -0.01),
        ("\u22120.01", -0.01),
        ("2,5e-1", 0.25),
        ("1.000,5", 1000.5),
        ("1,000.5", 1000.5),
        (" 0.25 ", 0.25),
        ("0", 0.0),
    ],
)
def test_numbers_of_both_manners_stand_in_one_file(tmp_path: Path, text: str, value: float) -> None:
    lines = [f"2025-01-1{n};{one}" for n, one in enumerate(("0.25", text, "0,3"))]
    found = read(tmp_path, "time;theta", *lines, of=at_one_place())
    assert rows_of(found, "sm_m3m3") == [(np.float32(one),) for one in (0.25, value, 0.3)]


@pytest.mark.parametrize("text", ["", "NA", "nan", "N/A", "-", "null", "-9999", "-999.99", "-99"])
def test_no_value_is_a_missing_reading_with_its_reason(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, "time;theta", f"2025-01-10;{text}", "2025-01-11;0.2", of=at_one_place())
    assert rows_of(found, "sm_m3m3", "provider_reason") == [
        (None, "missing"),
        (np.float32(0.2), None),
    ]


def test_percent_is_named_by_site_and_not_converted(tmp_path: Path) -> None:
    rows = [f"{site},106.4,20.45,0.05,2025-01-{day},{sm}" for site, sm, days in (
        ("wet", 31.5, (10, 11, 12)), ("dry", 0.31, (10, 11)), ("gone", -9999, (10,))
    ) for day in days]  # fmt: skip
    found = read(tmp_path, HEAD, *rows)
    assert rows_of(found, "station_id", "sm_m3m3", "provider_reason") == [
        *[("wet", np.float32(31.5), "unit_percent")] * 3,
        *[("dry", np.float32(0.31), None)] * 2,
        ("gone", None, "missing"),
    ]


@pytest.mark.parametrize("unit", ["percent", "%"])
def test_stated_percent_is_converted_and_fractions_said_to_be_it_are_named(
    tmp_path: Path, unit: str
) -> None:
    found = read(
        tmp_path, HEAD, ROW.replace("0.25", "31.5"), ROW.replace("A", "B"), of=columns(unit=unit)
    )
    assert rows_of(found, "sm_m3m3", "provider_reason") == [
        (np.float32(0.315), None),
        (np.float32(0.0025), "unit_fraction"),
    ]


def test_exchanged_coordinates_are_named(tmp_path: Path) -> None:
    swapped = ROW.replace("106.4,20.45", "20.45,106.4")
    found = read(tmp_path, HEAD, ROW, swapped)
    assert rows_of(found, "lon_deg", "provider_reason") == [
        (106.4, None),
        (20.45, "swapped_lonlat"),
    ]


def test_a_time_that_stands_twice_is_kept_twice(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, ROW, ROW.replace("0.25", "0.26"), ROW)
    assert found.readings["sm_m3m3"].to_pylist() == np.float32([0.25, 0.26, 0.25]).tolist()


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2025-01-10T01:30:00Z", "Asia/Ho_Chi_Minh", MOMENT),
        ("2025-01-10 01:30 UTC", "Asia/Ho_Chi_Minh", MOMENT),
        ("2025-01-10T08:30+07:00", "UTC", MOMENT),
        ("2025-01-10 08:30:00.5+0700", "UTC", MOMENT.replace(microsecond=500_000)),
        ("2025-01-10 08:30:00+07", "Europe/Berlin", MOMENT),
        ("2025-01-09 20:30-05", "UTC", MOMENT),
        ("2025-01-10 01:30", "UTC", MOMENT),
        ("2025/01/10 01:30", "UTC", MOMENT),
        ("20250110T0130", "UTC", MOMENT),
        ("2025-01-10 08:30", "Asia/Ho_Chi_Minh", MOMENT),
        ("2025-01-10", "UTC", MOMENT.replace(hour=0, minute=0)),
        ("2025-01-10 02:30:00.123456789", "Europe/Berlin", MOMENT.replace(microsecond=123_456)),
    ],
)
def test_times_are_utc_with_the_zone_in_the_text_or_the_stated_one(
    tmp_path: Path, text: str, zone: str, utc: datetime
) -> None:
    naive = "2025-01-10 00:00"
    found = times_of(tmp_path, text, naive, timezone=zone)
    assert found.readings["sensed_utc"].to_pylist()[0] == utc
    assert found.readings.num_rows == 2


@pytest.mark.parametrize(
    ("form", "text", "zone", "utc"),
    [
        ("%d/%m/%Y %H:%M", "10/01/2025 08:30", "Asia/Ho_Chi_Minh", MOMENT),
        ("%m/%d/%Y %H:%M", "01/10/2025 01:30", "UTC", MOMENT),
        ("%d/%m/%Y %H:%M %z", "10/01/2025 08:30 +0700", "Europe/Berlin", MOMENT),
        ("%Y%m%d%H%M", "202501100130", "UTC", MOMENT),
    ],
)
def test_times_are_read_by_a_stated_format(
    tmp_path: Path, form: str, text: str, zone: str, utc: datetime
) -> None:
    other = text.replace("+0700", "-0100")
    found = times_of(tmp_path, text, other, "soon", timezone=zone, time_format=form)
    assert found.readings["sensed_utc"].to_pylist()[0] == utc
    ((_, told),) = found.skipped
    assert told.startswith("1 rows with no time")
    assert told.endswith(": line 4")


def test_an_hour_that_a_change_of_clocks_skips_or_repeats_is_told(tmp_path: Path) -> None:
    texts = ["2025-03-30 01:30", "2025-03-30 02:30", "2025-03-30 03:30", "2025-10-26 02:30"]
    found = times_of(tmp_path, *texts, "2025-10-26 03:30", timezone="Europe/Berlin")
    hours = [(one.month, one.hour, one.minute) for one in found.readings["sensed_utc"].to_pylist()]
    assert hours == [(3, 0, 30), (3, 1, 30), (10, 2, 30)]
    told = "2 rows with no time (an hour that Europe/Berlin skips or has twice is none): line 3, 5"
    assert found.skipped == (("a.csv", told),)


@pytest.mark.parametrize(
    "text",
    ["", "now", "today", "2025", "2025-01", "45667.0625", "10/01/2025", "2025-02-30", "24:00"],
)
def test_what_is_no_time_is_told(tmp_path: Path, text: str) -> None:
    found = times_of(tmp_path, "2025-01-10", text)
    assert found.skipped == (("a.csv", "1 rows with no time: line 3"),)


def test_rows_that_cannot_be_read_are_told_by_their_line_and_the_rest_is_read(
    tmp_path: Path,
) -> None:
    lines = [
        "# a logger wrote this",
        HEAD,
        ROW,
        "",
        "A,106.4,20.45,0.05,yesterday,0.25",  # 5
        "A,106.4,20.45,0.05,2025-01-10 01:30,wet",
        ",,,,,",
        " ,106.4,20.45,0.05,2025-01-10 01:30,0.25",  # 8
        "A,,20.45,0.05,2025-01-10 01:30,0.25",
        "# a note",
        "A,106.4,20.45,0.05,2025-01-10 01:30,0.25,0.26",  # 11
        "A,106.4,20.45,0.05,2025-01-10 01:30,0.25,",
        "A,106.4,20.45,5cm,2025-01-10 01:30,0.25",  # 13
        "A,106.4,inf,0.05,2025-01-10 01:30,0.25",
        "A,106.4,20.45",
        '"A,106.4,20.45,0.05,2025-01-10 01:30,0.27',  # 16
        ROW,
    ]
    found = read(tmp_path, *lines)
    sm = found.readings["sm_m3m3"].to_pylist()
    assert sm == np.float32([0.25, 0.25, 0.27, 0.25]).tolist()
    assert found.skipped == (
        ("a.csv", "1 rows with more fields than the header: line 11"),
        ("a.csv", "2 rows with no time: line 5, 15"),
        ("a.csv", "1 rows with no site: line 8"),
        ("a.csv", "2 rows with no place: line 9, 14"),
        ("a.csv", "1 rows with no value: line 6"),
        ("a.csv", "1 rows with no depth: line 13"),
    )


def test_many_rows_are_counted_and_the_first_twenty_named(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, ROW, *[ROW.replace("0.25", "wet")] * 30)
    ((_, told),) = found.skipped
    assert told.startswith("30 rows with no value: line 3, 4, ")
    assert told.endswith(", 22 and 10 more")


def test_a_quoted_cell_may_hold_the_separator_and_a_line_end(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, '"A, ""left""\nbank",106.4,20.45,0,2025-01-10,"0,25"', "wet", ROW)
    assert found.readings["station_id"].to_pylist() == ['A, "left"\nbank', "A"]
    assert found.skipped == (("a.csv", "1 rows with no time: line 4"),)


@pytest.mark.parametrize("other", ['"' + ROW, ROW.replace("A", 'A"'), ROW])
def test_stray_quotation_marks_swallow_no_rows(tmp_path: Path, other: str) -> None:
    found = read(tmp_path, HEAD, '"' + ROW, *[ROW] * 50, other, ROW)
    assert found.readings["station_id"].to_pylist() == ["A"] * 53


@pytest.mark.parametrize("before", [["sep=;"], ["Logger 5", "plot; 7; 2025", ""], ["# note", " "]])
def test_lines_before_the_header_are_passed_over(tmp_path: Path, before: list[str]) -> None:
    found = read(
        tmp_path, *before, "n;time;theta", "1;soon;0,2", "2;2025-01-10;0,2", of=at_one_place()
    )
    assert found.readings.num_rows == 1
    assert found.skipped == (("a.csv", f"1 rows with no time: line {len(before) + 2}"),)


def test_a_separator_in_names_of_columns_does_not_mislead(tmp_path: Path) -> None:
    head = "time;theta;rain, mm, per hour, gauge"
    found = read(tmp_path, head, "2025-01-10;0,25;0", of=at_one_place())
    assert rows_of(found, "sm_m3m3") == [(0.25,)]


def test_a_column_that_is_not_there_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column 'theta': it has site, Theta, time \(read as"):
        read(tmp_path, "site;Theta;time", "A;0,2;2025", of=at_one_place())
    with pytest.raises(UsageError, match="more than one column 'theta': it has time, theta, theta"):
        read(tmp_path, "time,theta,theta", "2025-01-10,0.2,0.3", of=at_one_place())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "has no header and rows"),
        (["# only", "# notes"], "no rows below its header|one column only"),
        ([HEAD], "has no rows below its header"),
        (["soil moisture", "0.2"], "one column only: 'soil moisture'"),
        ([HEAD, ROW.replace("2025-01-10", "10.1.2025")], r"check the columns and the time format"),
        (["\0" * 7], "is no text in a known encoding"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(GranuleError, match=f"^a.csv: .*({message})"):
        read(tmp_path, *lines)


def test_an_absent_file_is_wrong_use(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_series_csv(path, columns())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "mm"}, "Unit 'mm' is no unit"),
        ({"site_name": "A"}, "Name the site once"),
        ({"lon": None}, "Name the longitude once"),
        ({"lat": None, "lat_deg": 106.4}, "is not on the globe: longitude comes first"),
        ({"lon": None, "lon_deg": float("nan")}, "is not on the globe"),
        ({"depth_m": 0.05}, "Name the depth once"),
        ({"depth": None, "depth_m": 5.0e1}, "Depth 50.0 is not within 0..10 m"),
        ({"depth": None, "depth_to": "to"}, "Column 'to' is the lower end"),
        ({"timezone": "Vietnam/Hanoi"}, "no time zone 'Vietnam/Hanoi'"),
        ({"timezone": "../x"}, "no time zone"),
    ],
)
def test_what_is_said_of_the_columns_is_checked_first(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        columns(**changes)


@pytest.mark.parametrize("form", ["%Q", "%H:%H", "no directive"])
def test_a_format_that_there_is_not_is_wrong_use_or_reads_nothing(
    tmp_path: Path, form: str
) -> None:
    with pytest.raises((UsageError, GranuleError), match=r"[Tt]ime format"):
        times_of(tmp_path, "2025-01-10", time_format=form)


def test_a_layer_has_two_ends_and_a_depth_one(tmp_path: Path) -> None:
    of = at_one_place(depth="from", depth_to="to")
    found = read(
        tmp_path, "from;to;time;theta", "0;0,05;2025-01-10;0,2", "0;;2025-01-10;0,2", of=of
    )
    assert rows_of(found, "depth_from_m", "depth_to_m") == [(0.0, np.float32(0.05))]
    assert found.skipped == (("a.csv", "1 rows with no depth: line 3"),)
    untold = read(tmp_path, "time;theta", "2025-01-10;0,2", of=at_one_place())
    assert rows_of(untold, "depth_from_m", "depth_to_m") == [(None, None)]


READINGS = st.lists(
    st.tuples(
        st.sampled_from(["A", "Trạm 5", 'x "y", z']),
        st.datetimes(datetime(1980, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
        st.integers(1, 7000),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60)
@given(readings=READINGS, separator=st.sampled_from(",;\t|"), decimal=st.sampled_from(".,"))
def test_a_series_that_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    readings: Sequence[tuple[str, datetime, int]],
    separator: str,
    decimal: str,
) -> None:
    rows = [
        (site, f"{moment.isoformat()}Z", f"{digits / 1e4:.4f}".replace(".", decimal))
        for site, moment, digits in readings
    ]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    lines = [separator.join(row) for row in (["site", "time", "theta"], *quoted)]
    found = read(
        tmp_path_factory.mktemp("own"), *lines, of=at_one_place(site="site", site_name=None)
    )
    assert rows_of(found, "station_id", "sensed_utc", "sm_m3m3") == [
        (site, moment.replace(tzinfo=UTC), np.float32(f"{digits / 1e4:.4f}"))
        for site, moment, digits in readings
    ]
    assert found.skipped == ()
