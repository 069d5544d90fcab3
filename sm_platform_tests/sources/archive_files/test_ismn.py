"""Station files: hours as put in, with silent loggers, -9999, flags, a stuck and a moved sensor."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.station_network import MOVE_DAY, NAMES, sensors
from sm_platform.sources.simulated.world import World
from sm_platform.sources.simulated.write_ismn import write_ismn
from sm_platform_tests.sources.archive_files.full_labels import FullLabels
from sm_platform_tests.sources.conftest import TINY

N_HOURS = 455 * 24


def top(told: pd.DataFrame) -> pd.DataFrame:
    return told[told.depth_to_m < 0.1]


def raw_rows(highland: FullLabels) -> list[list[str]]:
    """Rows of all files, read without any reader of ours."""
    return [
        line.split()
        for entry in highland.entries[Product.ISMN]
        for name in entry.files
        for line in (highland.folder(entry) / name).read_text().splitlines()[1:]
    ]


def test_every_month_is_a_granule_with_a_file_a_sensor(highland: FullLabels) -> None:
    entries = highland.entries[Product.ISMN]
    assert [one.granule_id[-6:] for one in entries] == [
        f"{month:%Y%m}" for month in pd.period_range("2025-01", "2026-03", freq="M")
    ]
    assert {len(one.files) for one in entries} == {13}
    assert entries[0].files[0] == (
        "SIM_SIM_An-Binh_sm_0.050000_0.050000_ThetaProbe-ML3_20250101_20250131.stm"
    )


def test_the_reader_finds_every_row(highland: FullLabels) -> None:
    rows, told = raw_rows(highland), highland.stations
    assert len(rows) == len(told)
    assert told.sensed_utc.dt.strftime("%Y/%m/%d %H:%M").tolist() == [
        f"{row[0]} {row[1]}" for row in rows
    ]
    stored = np.array([float(row[2]) for row in rows], np.float32)
    np.testing.assert_array_equal(told.sm_m3m3.fillna(-9999).to_numpy(np.float32), stored)
    assert set(told.station_id) == {f"SIM/{name}" for name in NAMES}
    assert set(told.depth_to_m.round(2)) == {np.float32(0.05), np.float32(0.2)}
    assert not told.duplicated(["station_id", "depth_to_m", "sensed_utc"]).any()


def test_good_hours_are_the_sensors_daily_state_and_a_little_noise(highland: FullLabels) -> None:
    told = highland.stations
    for sensor in sensors(highland.world):
        own = told[
            (told.station_id == f"SIM/{sensor.station}")
            & (told.sensor == sensor.name)
            & told.provider_reason.isna()
            & (told.sensed_utc.dt.hour == 17)
        ]
        day = (own.sensed_utc - pd.Timestamp("2025-01-01", tz="UTC")).dt.days.to_numpy()
        rest = own.sm_m3m3.to_numpy() - sensor.daily[day]
        is_free = ((day < 160) | (day >= 190)) & (sensor.daily[day] > 0.05)
        assert np.std(rest[is_free]) == pytest.approx(0.012, rel=0.15)
        assert abs(np.mean(rest[is_free])) < 0.005


def test_lost_and_bad_hours_carry_their_flags(highland: FullLabels) -> None:
    rows = raw_rows(highland)
    flags = pd.Series([row[3] for row in rows])
    assert set(flags) == {"G", "M", "D06", "C03,D06"}
    assert [row[2] for row in rows if row[3] == "M"] == ["-9999.0000"] * int((flags == "M").sum())
    share = flags.value_counts(normalize=True)
    assert share["M"] == pytest.approx(0.02, rel=0.1)
    assert share["D06"] + share["C03,D06"] == pytest.approx(0.004, rel=0.15)
    told = highland.stations
    assert told.provider_reason.isna().sum() == (flags == "G").sum()
    assert told.loc[told.provider_reason == "ismn M", "sm_m3m3"].isna().all()


def test_hours_are_absent_one_by_one_and_for_days(highland: FullLabels) -> None:
    for _, own in top(highland.stations).groupby("station_id"):
        assert 0.01 < 1 - len(own) / N_HOURS < 0.08
        gaps = own.sensed_utc.sort_values().diff().dt.total_seconds() / 3600
        assert 1 <= (gaps > 48).sum() <= 2
        assert gaps.max() <= 24 * 24 + 4


def test_one_sensor_is_stuck_for_a_month_without_a_flag(highland: FullLabels) -> None:
    spread = {
        name: own[own.provider_reason.isna()]
        .groupby(own.sensed_utc.dt.date)
        .sm_m3m3.agg(lambda day: day.max() - day.min())
        for name, own in top(highland.stations).groupby("station_id")
    }
    stuck = {name: int((days == 0).sum()) for name, days in spread.items()}
    assert stuck.pop("SIM/Khanh-Son") > 15
    assert set(stuck.values()) == {0}


def test_one_station_is_put_up_well_away(highland: FullLabels) -> None:
    places = top(highland.stations).groupby("station_id")[["lon_deg", "lat_deg"]].nunique()
    assert places.index[places.max(axis=1) > 1].tolist() == ["SIM/Gia-Lap"]
    own = highland.stations[highland.stations.station_id == "SIM/Gia-Lap"]
    later = own.sensed_utc.dt.date >= MOVE_DAY
    (lon, lat), (new_lon, new_lat) = (
        own.loc[part, ["lon_deg", "lat_deg"]].drop_duplicates().to_numpy()[0]
        for part in (~later, later)
    )
    assert 1.7 < 111.2 * np.hypot((new_lon - lon) * np.cos(np.radians(lat)), new_lat - lat) < 4


def test_a_month_in_which_a_station_moves_has_two_files_of_it(
    worlds: dict[str, World], tmp_path: Path
) -> None:
    first, last = MOVE_DAY.replace(month=9, day=20), MOVE_DAY.replace(day=3)
    period = Period(first, first, last)
    september, october = write_ismn(tmp_path, worlds["highland"], period)
    assert september.files[5].endswith("20250920_20250930.stm")
    heads = {
        (tmp_path / "ismn" / "highland" / one.granule_id / name).read_text().splitlines()[0]
        for one in (september, october)
        for name in one.files
        if "Gia-Lap" in name
    }
    assert len(heads) == 2


def test_a_shorter_period_cuts_out_of_the_same_hours(
    tiny: Path, worlds: dict[str, World], tmp_path: Path
) -> None:
    """The hours of a day do not depend on where the archive begins."""
    later = Period(TINY.drivers_first, TINY.radar_first.replace(day=20), TINY.last)
    (part, _) = write_ismn(tmp_path, worlds["highland"], later)
    whole = tiny / "ismn/highland" / part.granule_id
    for name in part.files:
        rows = (tmp_path / "ismn/highland" / part.granule_id / name).read_text().splitlines()
        (other,) = whole.glob(f"{name[:-22]}*")
        kept = [row for row in other.read_text().splitlines()[1:] if row[:10] >= "2025/03/20"]
        assert rows[1:] == kept
