"""The CSV series of Planet: a real one, its times, and what is no such series."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.planet_csv import read_planet_csv
from sm_platform.formats.series_file import SeriesFile

HEAD = "# Data source: VanderSat\n# Unit m3/m3\n"
TITLE = "SM-AMSR2-C1-DESC_V5.0_1000"


def read(path: Path, content: str | bytes, *, lon: float = 106.4) -> SeriesFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_planet_csv(path, lon=lon, lat=20.45, station_id="field-7")


def test_the_real_series_is_read_as_pandas_reads_it(shared: Callable[..., Path]) -> None:
    path = shared("realdata", "planet", "SWC_C_ND.csv")
    table = pd.read_csv(path, skiprows=6)
    known = table.dropna()
    found = read_planet_csv(path, lon=-105.0, lat=47.0, station_id="nd")
    rows = found.readings.to_pandas()
    assert (len(table), len(rows), found.skipped) == (4473, len(known), ())
    assert 0 < len(known) < len(table)
    np.testing.assert_array_equal(rows["sm_m3m3"], known.iloc[:, 1].astype(np.float32))
    # Descending: 01:30 local solar time, which is 7 hours before UTC at 105 W.
    expected = pd.to_datetime(known.iloc[:, 0]) + pd.Timedelta(hours=8.5)
    assert rows["sensed_utc"].dt.tz_localize(None).tolist() == expected.tolist()
    assert set(rows["sensor"]) == {TITLE}
    assert rows["provider_reason"].isna().all()
    assert rows[["depth_from_m", "depth_to_m"]].drop_duplicates().values.tolist() == [
        [0.0, np.float32(0.05)]
    ]


def test_a_blank_is_a_gap_and_a_day_may_stand_twice(tmp_path: Path) -> None:
    body = f"date,{TITLE}\n2025-01-01,0.2\n2025-01-02,\n2025-01-03,NaN\n2025-01-01,0.3\n"
    found = read(tmp_path / "a.csv", HEAD + body).readings
    assert found["sm_m3m3"].to_pylist() == [np.float32(0.2), np.float32(0.3)]


def test_a_series_of_gaps_is_empty_and_no_damage(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", HEAD + f"date,{TITLE}\n2025-01-02,\n")
    assert (found.readings.num_rows, found.skipped) == (0, ())


@pytest.mark.parametrize(
    ("title", "lon", "utc"),
    [
        ("SM-AMSR2-C1-DESC_V5.0_1000", 106.4, datetime(2025, 1, 9, 18, 24, 24, tzinfo=UTC)),
        ("SM-AMSR2-C1-ASC_V5.0_1000", 106.4, datetime(2025, 1, 10, 6, 24, 24, tzinfo=UTC)),
        ("SWC-SMAP-L_V2.0_100", -120.0, datetime(2025, 1, 10, 9, 30, tzinfo=UTC)),
        ("ASCII-DESC_ASC", 0.0, datetime(2025, 1, 10, 1, 30, tzinfo=UTC)),
    ],
)
def test_the_day_is_that_of_local_solar_time(
    tmp_path: Path, title: str, lon: float, utc: datetime
) -> None:
    found = read(tmp_path / "a.csv", HEAD + f"date,{title}\n2025-01-10,0.2\n", lon=lon)
    assert found.readings["sensed_utc"].to_pylist() == [utc]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_marks_do_not_matter(tmp_path: Path, mark: bytes, end: str) -> None:
    text = f"# Unit m3/m3\ndate,{TITLE}\n2025-01-10,0.2\n".replace("\n", end)
    found = read(tmp_path / "a.csv", mark + text.encode())
    assert found.readings["sm_m3m3"].to_pylist() == [np.float32(0.2)]
    assert found.readings["sensor"].to_pylist() == [TITLE]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# Unit m3/m3\n",
        "# Unit m3/m3\ndate\n2025-01-01\n",
        "# Unit %\ndate,x\n2025-01-01,3\n",
        "date,x\n2025-01-01,0.3\n",
        "# Unit m3/m3\ndate,x\n2025-01-01,wet\n",
        "# Unit m3/m3\ndate,x\nmonday,0.2\n",
        "# Unit m3/m3\ndate,x\n2025-01-01,0.2\n,0.3\n",
        "# Unit m3/m3\ndate,x\n2025-01-01,0.2,0.3\n",
        b"\xff\xfe# Unit m3/m3",
        b"PK\3\4\0\0",
    ],
)
def test_a_table_that_is_no_series_is_refused(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(GranuleError, match=r"^a\.csv: .*: fetch it again"):
        read(tmp_path / "a.csv", content)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(GranuleError, match=r"^a\.csv"):
        read_planet_csv(tmp_path / "a.csv", lon=0, lat=0, station_id="x")


@pytest.mark.parametrize(("lon", "lat"), [(20.45, 106.4), (181, 0), (float("nan"), 0)])
def test_a_place_that_is_not_on_the_globe_is_wrong_use(
    tmp_path: Path, lon: float, lat: float
) -> None:
    with pytest.raises(UsageError, match="longitude comes first"):
        read_planet_csv(tmp_path / "a.csv", lon=lon, lat=lat, station_id="x")


@settings(max_examples=40)
@given(values=st.lists(st.integers(0, 9999) | st.none(), min_size=1, max_size=20))
def test_a_series_that_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: list[int | None]
) -> None:
    days = pd.date_range("2024-02-20", periods=len(values))
    told = ["" if value is None else f"{value / 1e4:.4f}" for value in values]
    rows = "".join(f"{day:%Y-%m-%d},{text}\n" for day, text in zip(days, told, strict=True))
    path = tmp_path_factory.mktemp("planet") / "a.csv"
    found = read(path, f"{HEAD}date,{TITLE}\n{rows}", lon=22.5).readings
    expected = [
        (day.to_pydatetime().replace(tzinfo=UTC), np.float32(text))
        for day, text in zip(days, told, strict=True)
        if text
    ]
    moments = [moment.replace(hour=0, minute=0) for moment in found["sensed_utc"].to_pylist()]
    assert list(zip(moments, found["sm_m3m3"].to_pylist(), strict=True)) == expected
