"""What a download is said to take: requests that serve several days are counted once."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sm_platform.defs.commands.download import download_command
from sm_platform.defs.commands.run import Asked
from sm_platform.defs.download_plan import Shared, planned
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.landing import Landing
from sm_platform.defs.sidecars import sidecar_of
from sm_platform.defs.steps import Request
from sm_platform.lake.granules import land
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform.sources.climate_store.source import REQUESTS_A_PIECE, ClimateStoreSource
from sm_platform.sources.configuration import NEEDED
from sm_platform.sources.protocol import Product
from sm_platform_tests.sources.made_archive import WINDOW, archive_of

FIRST, LAST = date(2025, 1, 25), date(2025, 3, 10)
NOW = datetime(2025, 4, 1, tzinfo=UTC)
REGION = Region("delta", WINDOW, LIVE, "")


@pytest.fixture
def landing(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Landing:
    """Of a store that lists without being asked."""
    monkeypatch.setenv("SM_FIRST_DAY", FIRST.isoformat())
    source = ClimateStoreSource(layout.root / "work", clock=lambda: NOW)
    return Landing(layout, REGION, source)


def lands(landing: Landing, days: list[date]) -> None:
    for one in landing.listed(Product.WEATHER, days):

        def fetch(folder: Path, name: str = one.files[0]) -> None:
            (folder / name).write_bytes(b"CDF\x01")

        land(landing.layout, REGION.region_id, sidecar_of(one), fetch)


def days(month: int, first: int, last: int) -> list[date]:
    return [date(2025, month, day) for day in range(first, last + 1)]


def test_a_month_is_one_request_for_its_days(landing: Landing) -> None:
    (row,) = planned(landing, Request(REGION, FIRST, LAST))
    assert row.requests == 3 * REQUESTS_A_PIECE
    assert [one.n_days for one in row.shared] == [7, 28, row.n_lacking - 35]
    assert sum(one.requests for one in row.shared) == row.requests


def test_the_later_days_of_a_month_take_its_request(landing: Landing) -> None:
    """The first day, by which the listing names the request, is in the lake."""
    lands(landing, [*days(1, 25, 31), *days(2, 1, 20), date(2025, 3, 1)])
    (row,) = planned(landing, Request(REGION, FIRST, date(2025, 3, 2)))
    february, march = row.shared
    assert february == Shared(REQUESTS_A_PIECE, 8, date(2025, 2, 21), date(2025, 2, 28))
    assert march.first == date(2025, 3, 2)
    assert row.requests == 2 * REQUESTS_A_PIECE
    assert row.seconds > 5, "two requests, however many days may be fetched at once"


def test_what_is_all_there_takes_nothing(landing: Landing) -> None:
    (row,) = planned(landing, Request(REGION, FIRST, LAST))
    lands(landing, [*days(1, 25, 31), *days(2, 1, 28), *days(3, 1, 31)])
    (after,) = planned(landing, Request(REGION, FIRST, LAST))
    assert (after.n_listed, after.n_lacking) == (row.n_listed, 0)
    assert (after.requests, after.shared, after.seconds) == (0, (), 0.0)


def test_each_shared_request_has_its_line_below_its_product(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive_of(tmp_path / "archive")
    others = ",".join(f"{one}=archive" for one in NEEDED if one != "weather")
    for name, value in {
        "SM_DATA_LAKE": str(tmp_path / "lake"),
        "SM_ARCHIVE": str(tmp_path / "archive"),
        "SM_FIRST_DAY": FIRST.isoformat(),
        "SM_SOURCES": f"{others},weather=climate_store",
    }.items():
        monkeypatch.setenv(name, value)
    save_region(Layout(tmp_path / "lake"), REGION)
    what = Asked(REGION.region_id, str(FIRST), str(FIRST))
    download_command(what, is_dry=True, say=lambda _: None)
    _, row, january, february, together = capsys.readouterr().out.splitlines()[:5]
    assert row.split()[:5] == ["weather", "climate_store", "9", "9", "18"]
    assert january.strip() == "9 requests together for 7 days: 2025-01-25..2025-01-31"
    assert february.strip() == "9 requests together for 2 days: 2025-02-01..2025-02-02"
    assert together.startswith("Together: 9 granules, 18 requests, ")
