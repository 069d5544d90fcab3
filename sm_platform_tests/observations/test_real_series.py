"""Real stations: counts by flag, and scores against SMAP with formulas that are not ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from sm_platform.observations.collocation import collocate, keep_near
from sm_platform.observations.rejection import count_reasons
from sm_platform.observations.series import judge_series
from sm_platform.trust.metrics import agreement
from sm_platform_tests.observations.rows import series

STATIONS = ("Hpayargyi", "Thanatpin")
BOUNDS = (96.0, 17.0, 97.0, 18.0)


def read_station(shared: Callable[..., Path], station: str) -> pd.DataFrame:
    """Hours, values and flags of the upper layer of a header+values file."""
    path = next(shared("realdata", "ismn", "VDS", station).glob("*_0.010000_0.100000_*.stm"))
    lines = [line.split() for line in path.read_text().splitlines()[1:]]
    frame = pd.DataFrame(lines, columns=["day", "hour", "sm", "flag", "provider"])
    moments = pd.to_datetime(frame["day"] + " " + frame["hour"])
    return frame.assign(time=moments, sm=frame["sm"].astype(float))


def as_readings(frame: pd.DataFrame, station: str, lon: float, lat: float) -> pa.Table:
    reasons = [None if flag == "G" else flag for flag in frame["flag"]]
    place = {"lon_deg": lon, "lat_deg": lat, "depth_from_m": 0.01, "depth_to_m": 0.1}
    times = frame["time"].to_numpy().astype("datetime64[us]")
    columns = {"station_id": f"VDS/{station}", "provider_reason": reasons, **place}
    return series(frame["sm"].tolist(), times, **columns)


@pytest.mark.parametrize(("station", "good"), [("Hpayargyi", 4822), ("Thanatpin", 4818)])
def test_good_hours_are_those_of_flag_g(
    station: str, good: int, shared: Callable[..., Path]
) -> None:
    frame = read_station(shared, station)
    assert (frame["flag"] == "G").sum() == good
    judged = judge_series(as_readings(frame, station, 96.55, 17.4), BOUNDS)
    counts = {name: n for name, n in count_reasons(judged).items() if n}
    assert counts == {"good": good, "provider_flag": len(frame) - good}
    by_flag = pd.Series(judged["reason"].is_null().to_numpy()).groupby(frame["flag"]).sum()
    assert by_flag.to_dict() == {flag: good * (flag == "G") for flag in set(frame["flag"])}


def test_bad_input_put_into_a_real_series_is_told_and_nothing_else(
    shared: Callable[..., Path],
) -> None:
    frame = read_station(shared, "Hpayargyi")
    frame = frame[frame["flag"] == "G"].reset_index(drop=True)
    frame.loc[10:19, "sm"] = -9999.0
    frame.loc[30:199, "sm"] = 0.25
    twice = pd.concat([frame, frame.iloc[400:410].assign(sm=lambda t: t["sm"] + 0.01)])
    counts = count_reasons(judge_series(as_readings(twice, "x", 96.55, 17.4), BOUNDS))
    found = {name: n for name, n in counts.items() if n}
    expected = {"fill_value": 10, "stuck_sensor": 170, "duplicate_time": 20}
    assert found == {"good": len(twice) - 200, **expected}
    percent = judge_series(as_readings(frame.assign(sm=100 * frame["sm"]), "x", 96.55, 17.4))
    assert count_reasons(percent)["good"] == 0
    assert count_reasons(percent)["unit_percent"] == len(frame) - 10
    swapped = judge_series(as_readings(frame, "x", 17.4, 96.55), BOUNDS)
    assert count_reasons(swapped)["swapped_lonlat"] == len(frame)


@pytest.mark.parametrize("station", STATIONS)
def test_a_pass_gets_the_hour_nearest_to_it(station: str, shared: Callable[..., Path]) -> None:
    frame = read_station(shared, station)
    judged = judge_series(as_readings(frame, station, 96.55, 17.4), BOUNDS)
    rows = judged.append_column("site_id", judged["station_id"])
    rows = rows.append_column("source", pa.array(["ismn"] * rows.num_rows))
    passes = np.arange("2020-03-01T23:41", "2020-12-31", 12 * 24 * 60, "datetime64[m]")
    kept = keep_near(rows, passes.astype("datetime64[us]"), max_hours=12)
    good = frame[frame["flag"] == "G"]
    table = kept.rows.to_pandas()
    table = table[table["reason"].isna()].set_index("pass_index")
    for number, moment in enumerate(passes):
        apart = (good["time"] - pd.Timestamp(moment)).dt.total_seconds() / 3600
        nearest = apart.abs().min()
        assert (number in table.index) == (nearest <= 12)
        if nearest <= 12:
            assert abs(table.loc[number, "time_difference_h"]) == pytest.approx(nearest)
    assert kept.rows.num_rows + kept.n_without_pass + kept.n_not_nearest == len(frame)


@dataclass(frozen=True, slots=True)
class Meetings:
    """A station's daily soil moisture and that of the SMAP pass nearest to it."""

    smap: NDArray[np.float64]
    station: NDArray[np.float64]


def meetings(shared: Callable[..., Path], station: str, half: str) -> tuple[Meetings, Meetings]:
    """As the rows of the file say, and as we find them when nobody tells what belongs together."""
    path = shared("realdata", "ismn", f"VDS_Myanmar_{station}_insitu_SMAP_daily.csv")
    frame = pd.read_csv(path).rename(columns={f"smap_soil_moisture_{half}": "smap"})
    told = frame[["smap", "sm"]].dropna()
    # SMAP passes at 6 and 18 hours of local solar time; the station's mean is put to midnight.
    local = pd.Timedelta({"am": 6, "pm": 18}[half] - 96.54 / 15, unit="h")
    midnight = pd.to_datetime(frame["time"]).dt.as_unit("us")
    rng = np.random.default_rng(1)
    passes = (
        frame.assign(time=midnight + local).dropna(subset="smap").sample(frac=1, random_state=rng)
    )
    days = frame.assign(time=midnight).dropna(subset="sm").sample(frac=1, random_state=rng)
    found = collocate(days["time"].to_numpy(), passes["time"].to_numpy(), max_hours=12).pass_index
    met = found >= 0
    ours = Meetings(passes["smap"].to_numpy()[found[met]], days["sm"].to_numpy()[met])
    return Meetings(told["smap"].to_numpy(), told["sm"].to_numpy()), ours


@pytest.mark.parametrize("half", ["am", "pm"])
@pytest.mark.parametrize("station", STATIONS)
def test_scores_against_smap_are_those_of_the_file(
    station: str, half: str, shared: Callable[..., Path]
) -> None:
    told, ours = meetings(shared, station, half)
    score = agreement(ours.smap, ours.station)
    error = told.smap - told.station
    assert score.n == len(error) == 64
    assert score.bias == pytest.approx(error.mean(), abs=1e-12)
    assert score.ubrmse == pytest.approx(np.sqrt((error**2).mean() - error.mean() ** 2), abs=1e-12)
    r = pd.Series(told.smap).corr(pd.Series(told.station))
    assert score.r == pytest.approx(r, abs=1e-12)


@pytest.mark.parametrize("half", ["am", "pm"])
@pytest.mark.parametrize("station", STATIONS)
def test_scores_against_smap_are_those_of_pytesmo(
    station: str, half: str, shared: Callable[..., Path]
) -> None:
    metrics = pytest.importorskip("pytesmo.metrics", reason="pip install --no-deps pytesmo")
    told, ours = meetings(shared, station, half)
    score = agreement(ours.smap, ours.station)
    theirs = (metrics.bias, metrics.ubrmsd, metrics.pearson_r)
    expected = [float(np.ravel(one(told.smap, told.station))[0]) for one in theirs]
    assert score.n == len(told.smap)
    assert [score.bias, score.ubrmse, score.r] == pytest.approx(expected, abs=1e-6)


def test_flags_of_the_file_are_as_its_legend_writes_them(shared: Callable[..., Path]) -> None:
    flags = set(read_station(shared, "Thanatpin")["flag"])
    assert all(re.fullmatch(r"G|[CD]\d\d(,[CD]\d\d)*", flag) for flag in flags)
