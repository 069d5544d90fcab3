"""Weather of the Climate Data Store, through its real client and a stand-in of the store."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.formats.era5_land import read_day
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sources.archive import archive_regions
from sm_platform.sources.climate_store.jobs import Polling, TooLargeError
from sm_platform.sources.climate_store.source import ClimateStoreSource
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.climate_store import KEY

NOW = datetime(2025, 4, 12, 12, tzinfo=UTC)
LATER = datetime(2025, 9, 1, tzinfo=UTC)
QUICK = Polling(first_s=0.01, longest_s=0.02, deadline_s=20)
REGION = "red-river"


@pytest.fixture
def source(servers: StandIn, tmp_path: Path) -> ClimateStoreSource:
    return ClimateStoreSource(
        tmp_path / "work", KEY, f"{servers.url}/cds/api", polling=QUICK, clock=lambda: NOW
    )


@pytest.fixture
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)[REGION]


def fetched(
    source: ClimateStoreSource, window: GridWindow, day: date, folder: Path
) -> tuple[Granule, Path]:
    """The granule of a day and its file."""
    (granule,) = source.granules(Product.WEATHER, window, [day])
    folder.mkdir(parents=True)
    source.fetch(granule, window, folder)
    assert [path.name for path in folder.iterdir()] == list(granule.files)
    return granule, folder / granule.files[0]


def sent(servers: StandIn) -> int:
    """How many requests were sent to the queue."""
    return sum(one["path"].endswith("/execution") for one in servers.log())


def own_day(tiny: Path, day: date) -> Raster:
    """The day as the archive has it."""
    name = f"era5-land_{REGION}_{day:%Y%m%d}"
    return read_day(tiny / "weather" / REGION / name / f"{name}.nc", day)


@pytest.mark.parametrize("is_zip", [False, True])
def test_days_are_those_of_the_archive_bit_for_bit(
    is_zip: bool, source: ClimateStoreSource, servers: StandIn, window: GridWindow,
    tiny: Path, tmp_path: Path,
) -> None:  # fmt: skip
    servers.settings(cds_is_zip=is_zip)
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 31), date(2025, 2, 10)]
    for day in days:
        _, path = fetched(source, window, day, tmp_path / str(day))
        ours, own = read_day(path, day), own_day(tiny, day)
        assert ours.window == own.window
        for band, values in own.values.items():
            np.testing.assert_array_equal(ours.values[band], values, err_msg=f"{day} {band}")
    # December with an hour of January; January with an hour of February; February.
    assert sent(servers) == 5


def test_an_hour_of_a_month_that_is_there_is_not_asked_for(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    for day in (date(2025, 2, 3), date(2025, 1, 31)):
        fetched(source, window, day, tmp_path / str(day))
    assert sent(servers) == 2


def in_threads(
    source: ClimateStoreSource, window: GridWindow, days: list[date], folder: Path
) -> list[tuple[int, Exception | None]]:
    """Fetch days at the same moment, each in its thread: requests spent, and what was raised."""
    barrier = threading.Barrier(len(days))

    def fetch(day: date) -> tuple[int, Exception | None]:
        barrier.wait()
        with metered() as meter:
            try:
                fetched(source, window, day, folder / str(day))
            except SourceError as error:
                return meter.requests, error
        return meter.requests, None

    with ThreadPoolExecutor(len(days)) as pool:
        return list(pool.map(fetch, days))


def test_threads_wait_for_one_request_and_its_cost_is_told_once(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    days = [date(2025, 2, 1) + timedelta(days=n) for n in range(8)]
    told = in_threads(source, window, days, tmp_path)
    assert sent(servers) == 1
    assert sorted(spent for spent, _ in told) == [0] * 7 + [len(servers.log())]


def test_threads_that_wait_hear_why_the_request_failed(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(cds_lacks_licence=True, latency_s=0.2)
    days = [date(2025, 2, 1) + timedelta(days=n) for n in range(4)]
    told = in_threads(source, window, days, tmp_path)
    assert sent(servers) == 1
    assert {type(error) for _, error in told} == {DeniedError}
    assert len({str(error) for _, error in told}) == 1


def test_a_run_that_was_stopped_goes_on_with_its_request(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(cds_polls=100000)
    hasty = replace(source, polling=replace(QUICK, deadline_s=0.05))
    with pytest.raises(PassingError, match=r"still waits \(accepted\).*goes on with it"):
        fetched(hasty, window, date(2025, 4, 1), tmp_path / "one")
    servers.settings(cds_polls=0)
    # Another process, a day later, when one more day of the month is out.
    later = replace(source, clock=lambda: NOW + timedelta(days=1))
    fetched(later, window, date(2025, 4, 2), tmp_path / "two")
    assert sent(servers) == 1
    assert not list((source.work / "climate_store").glob("*.job"))


def test_a_request_that_is_forgotten_there_is_sent_anew(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.settings(cds_polls=100000)
    hasty = replace(source, polling=replace(QUICK, deadline_s=0.01))
    with pytest.raises(PassingError):
        fetched(hasty, window, date(2025, 2, 1), tmp_path / "one")
    (note,) = (source.work / "climate_store").glob("*.job")
    note.write_text('{"request_id": "00000000-0000"}')
    servers.settings(cds_polls=0)
    with pytest.raises(PassingError, match="not known any more"):
        fetched(source, window, date(2025, 2, 1), tmp_path / "two")
    fetched(source, window, date(2025, 2, 1), tmp_path / "three")
    assert sent(servers) == 2


def test_preliminary_days_are_fetched_again_once_final(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    day = date(2025, 2, 1)
    servers.settings(cds_version="0005")
    early, path = fetched(source, window, day, tmp_path / "early")
    assert read_day(path, day).values["is_preliminary"].all()
    servers.settings(cds_version="0001")
    later = replace(source, clock=lambda: LATER)
    late, path = fetched(later, window, day, tmp_path / "late")
    assert not read_day(path, day).values["is_preliminary"].any()
    assert (early.stamp, late.stamp) == ("preliminary", "final")
    assert replace(early, stamp="final") == late
    assert sent(servers) == 2


REFUSALS = {
    "size": (
        [403, "cost limits exceeded", "Your request is too large."],
        TooLargeError,
        "limits have changed",
    ),
    "rate": ([429, "rate limit exceeded", "Please wait 17 seconds."], PassingError, "in 17 s"),
    "queue": (
        [400, "invalid", "Number of queued requests is temporally limited."],
        PassingError,
        "too many requests in the queue",
    ),
    "denied": ([401, "authentication failed", f"bad {KEY}"], DeniedError, "CDSAPI_KEY"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_in_words(
    case: str, source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    refusal, kind, words = REFUSALS[case]
    servers.settings(cds_refusal=refusal)
    with pytest.raises(SourceError, match=words) as caught:
        fetched(source, window, date(2025, 2, 1), tmp_path / "day")
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    if case == "rate":
        assert isinstance(caught.value, PassingError)
        assert caught.value.retry_after_s == 17


def test_licence_key_and_failed_jobs_in_words(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    day = date(2025, 2, 1)
    servers.settings(cds_lacks_licence=True)
    with pytest.raises(DeniedError, match=r"not accepted.*#manage-licences"):
        fetched(source, window, day, tmp_path / "licence")
    servers.settings(cds_lacks_licence=False, cds_failure="MARS has returned an error")
    with pytest.raises(PassingError, match="failed there.*MARS has returned an error"):
        fetched(source, window, day, tmp_path / "failed")
    servers.settings(cds_failure="no data is available within your requested subset")
    with pytest.raises(SourceError, match="has no data for") as caught:
        fetched(source, window, day, tmp_path / "absent")
    assert not isinstance(caught.value, PassingError)
    assert sent(servers) == 3  # a failed request is not gone on with
    for key, words in ((None, "CDSAPI_KEY or"), ("1:b", "old store"), ("wrong-key", "expired")):
        with pytest.raises(SourceError, match=words) as caught:
            fetched(replace(source, key=key), window, day, tmp_path / str(words[:3]))
        assert "wrong-key" not in f"{caught.value} {source!r}"


@pytest.mark.parametrize(
    ("said", "words", "wait_s"),
    [
        (
            "None of the data you have requested is available yet, please revise the period "
            "requested. The latest date available for this dataset is: 2026-09-15 15:00",
            "not out yet.*2026-09-15 15:00",
            21600.0,
        ),
        ("Request has not produced a valid combination of values", "has no data for", None),
        ("Request too large. Cost 64512 over 60000 limit.", "limits have changed", None),
    ],
)
def test_the_stores_own_words_are_understood(
    said: str, words: str, wait_s: float | None, source: ClimateStoreSource,
    servers: StandIn, window: GridWindow, tmp_path: Path,
) -> None:  # fmt: skip
    servers.settings(cds_failure=said)
    with pytest.raises(SourceError, match=words) as caught:
        fetched(source, window, date(2025, 2, 1), tmp_path / "failed")
    assert getattr(caught.value, "retry_after_s", None) == wait_s


def test_a_month_that_is_too_large_comes_in_halves(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    """28 days are refused, so are 14; the other days of a week come with the first."""
    servers.settings(cds_most_days=7)
    for day in (date(2025, 2, 9), date(2025, 2, 14)):
        _, path = fetched(source, window, day, tmp_path / str(day))
        with h5py.File(path) as file:
            assert file["valid_time"].size == 25
    folder = source.work / "climate_store"
    (name,) = [path.stem for path in folder.glob("*_h24_*.nc")]
    assert "_20250208-14_" in name
    fetched(source, window, date(2025, 2, 5), tmp_path / "before")
    assert sent(servers) == 5, "28, 14 and 7 days, the night after them; the first week at once"


def test_a_day_that_is_not_whole_yet_is_asked_for_again_and_the_others_are_kept(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    evening = datetime(2025, 4, 6, 20, tzinfo=UTC)
    servers.settings(cds_last_hour=int(evening.timestamp()))
    with pytest.raises(SourceError, match="not all hours of 2025-04-06 yet.*tomorrow"):
        fetched(source, window, date(2025, 4, 6), tmp_path / "early")
    fetched(source, window, date(2025, 4, 4), tmp_path / "another")
    assert sent(servers) == 1
    midnight = datetime(2025, 4, 6, 23, tzinfo=UTC)
    servers.settings(cds_last_hour=int(midnight.timestamp()))
    with pytest.raises(SourceError, match="has no data for"):
        fetched(source, window, date(2025, 4, 6), tmp_path / "late")
    servers.settings(cds_last_hour=1 << 40)
    _, path = fetched(source, window, date(2025, 4, 6), tmp_path / "whole")
    with h5py.File(path) as file:
        assert file["valid_time"].size == 25
    assert sent(servers) == 4


def test_a_damaged_piece_is_taken_away_and_asked_for_again(
    source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    fetched(source, window, date(2025, 2, 1), tmp_path / "good")
    (piece,) = (source.work / "climate_store").glob("*.nc")
    piece.write_bytes(piece.read_bytes()[:5000])
    with pytest.raises(PassingError, match="damaged"):
        fetched(source, window, date(2025, 2, 2), tmp_path / "damaged")
    fetched(source, window, date(2025, 2, 2), tmp_path / "again")
    assert sent(servers) == 2


@pytest.mark.parametrize("fault", ["error", "html", "cut", "short", "unauthorized"])
def test_faults_of_the_service_become_errors_of_ours(
    fault: str, source: ClimateStoreSource, servers: StandIn, window: GridWindow, tmp_path: Path
) -> None:
    servers.faults([fault], paths="/retrieve/", most=1)
    with pytest.raises(PassingError) as caught:
        fetched(source, window, date(2025, 2, 1), tmp_path / "bad")
    assert isinstance(caught.value, DeniedError) == (fault == "unauthorized")
    assert KEY not in str(caught.value)
    servers.faults()
    fetched(source, window, date(2025, 2, 1), tmp_path / "good")
