"""Silence: a provider that lists nothing, passes that do not come, regions that are well."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sm_platform.defs.alerting.alert import Alert
from sm_platform.defs.alerting.alert_log import all_alerts, read_alerts
from sm_platform.defs.alerting.silence import alert_silence, raise_silence
from sm_platform.defs.alerting.silence_told import IN_WORDS
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.map_index import NO_MAP, write_index
from sm_platform.defs.watching.calendar import PassRow, passes_of
from sm_platform.defs.watching.scene_log import register
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.removal import forget_region
from sm_platform.lake.watched import watched_since
from sm_platform.schema.driver_tables import SOIL
from sm_platform.schema.region import Region
from sm_platform.schema.watch_tables import PASS_STATUSES
from sm_platform_tests.defs.label_lake import FARM, farm, write_passes
from sm_platform_tests.defs.watching.frames import frame

START = datetime(2026, 3, 1, 22, 45, tzinfo=UTC)
SILENT_DAYS = 8
EVERY = timedelta(days=3)


def a_pass(day: float, status: str, reason: str | None = None) -> PassRow:
    """A pass so many days after START."""
    start = START + timedelta(day)
    scene = None if status in ("expected", "overdue") else f"S1A_{day}"
    local_day = (start + timedelta(hours=7)).date().isoformat()
    return PassRow("S1A", "D", 91, start, start.date(), local_day, scene, status, reason, None)


def calendar(now: datetime, last_listed: float) -> list[PassRow]:
    """A pass every three days; those until `last_listed` (days) came and were mapped."""
    rows = []
    for day in range(0, 40, EVERY.days):
        late = now - (START + timedelta(day))
        status = "overdue" if late > timedelta(hours=24) else "expected"
        rows.append(a_pass(day, "mapped" if day <= last_listed and late > EVERY / 9 else status))
    return [one for one in rows if one.pass_start_utc > now - timedelta(30)]


def kinds(layout: Layout, rows: Sequence[PassRow], now_day: float) -> list[str]:
    now = START + timedelta(now_day)
    found = raise_silence(layout, FARM, rows, now, silent_days=SILENT_DAYS)
    return [one.kind.value for one in found]


def test_each_status_but_good_and_awaited_ones_is_missing() -> None:
    assert set(IN_WORDS) == set(PASS_STATUSES) - {"mapped", "expected"}


def test_a_provider_that_lists_nothing_is_alerted_by_region_once_a_day(layout: Layout) -> None:
    """Swept every 6 hours for 13 days after the last pass that was listed, in two regions.

    A third one goes on as ever.
    """
    for name in (FARM, "hill", "well"):
        farm(layout, name=name)
    told: dict[tuple[str, object], int] = {}
    for hours in range(0, 13 * 24 + 7, 6):
        now = START + timedelta(hours=hours)
        for name in (FARM, "hill", "well"):
            rows = calendar(now, last_listed=99 if name == "well" else 0)
            for alert in alert_silence(layout, name, rows, now, silent_days=SILENT_DAYS):
                told[name, now.date()] = told.get((name, now.date()), 0) + 1
                assert alert.region_id == name
    assert set(told.values()) == {1}
    days = {name: [day for other, day in told if other == name] for name in (FARM, "hill", "well")}
    assert days["well"] == []
    assert days[FARM] == days["hill"]
    silent = [one for one in read_alerts(layout, FARM) if one.alert_kind == "silent"]
    first = date(2026, 3, 10)  # on the 9th a pass was told to be overdue, before the 8 days were up
    assert [one.alert_day for one in silent] == [first + timedelta(n) for n in range(6)]
    last = silent[-1]
    assert last.subject == "farm: its source lists no pass for 13 days"
    assert last.alert_text.splitlines() == [
        "farm has had no new map for 13 days. The newest map is of S1A D091 at 2026-03-01 22:45 "
        "UTC (local day 2026-03-02).",
        "Passes without a map since 2026-03-04: 4 due, but not listed by the source.",
        *(
            f"- S1A D091 at 2026-03-{day:02d} 22:45 UTC (local day 2026-03-{day + 1:02d}): due, "
            "but not listed by the source"
            for day in (13, 10, 7, 4)
        ),
        "Next: look whether the provider announces an outage or left out the acquisition. What "
        "comes late is mapped by itself.",
    ]


def test_an_overdue_pass_is_told_once_and_names_the_pass(layout: Layout, region: Region) -> None:
    rows = [a_pass(0, "mapped"), a_pass(3, "overdue", "not listed 26 h later"), a_pass(6, "mapped")]
    for hours in range(0, 72, 6):
        alert_silence(layout, FARM, rows, START + timedelta(4, hours=hours), silent_days=8)
    (alert,) = all_alerts(layout)
    assert (alert.alert_kind, alert.subject) == ("overdue", "farm: a pass is overdue")
    assert "2026-03-04 22:45 UTC (local day 2026-03-05)" in alert.alert_text
    assert "(not listed 26 h later)" in alert.alert_text


@pytest.mark.parametrize(
    ("now_day", "rows"),
    [
        (9, [a_pass(0, "mapped"), a_pass(12, "expected")]),
        (12.5, [a_pass(0, "mapped"), a_pass(12, "listed")]),
        (9, [a_pass(7, "failed"), a_pass(8, "mapped")]),
        (7.9, [a_pass(0, "mapped"), a_pass(3, "failed")]),
        (20, [a_pass(0, "mapped"), a_pass(3, "overdue"), a_pass(18, "mapped")]),
        (14.5, [a_pass(3, "failed"), a_pass(6, "mapped")]),
        (9, []),
    ],
    ids=[
        "none was due",
        "just listed",
        "one failed",
        "not yet",
        "long ago",
        "none was due since",
        "nothing known",
    ],
)
def test_a_region_that_is_well_is_left_alone(
    now_day: float, rows: Sequence[PassRow], layout: Layout, region: Region
) -> None:
    assert kinds(layout, rows, now_day) == []


@pytest.mark.parametrize("status", sorted(set(IN_WORDS) - {"overdue"}))
def test_passes_that_are_seen_and_never_mapped_are_silence_too(
    status: str, layout: Layout, region: Region
) -> None:
    rows = [a_pass(0, "mapped"), a_pass(3, status, "no checkpoint")]
    assert kinds(layout, rows, 8) == ["silent"]
    (alert,) = raise_silence(layout, FARM, rows, START + timedelta(9), silent_days=SILENT_DAYS)
    assert alert.subject == "farm: no map for 9 days"
    assert f"{IN_WORDS[status]} (no checkpoint)" in alert.text
    assert "where region_id = 'farm' and pass_status <> 'mapped'" in alert.text


def test_a_region_without_any_map_is_silent_when_it_is_watched_for_so_long(
    layout: Layout, region: Region
) -> None:
    rows = [a_pass(0, "listed"), a_pass(3, "listed")]
    assert kinds(layout, rows, 20) == [], "it was added just now: its passes are old, it is not"
    save_region(layout, replace(region, time_zone="Asia/Bangkok"))  # no new beginning
    assert kinds(layout, rows, 27.9) == []
    assert kinds(layout, rows, 28) == ["silent"]
    (alert,) = raise_silence(layout, FARM, rows, START + timedelta(28), silent_days=SILENT_DAYS)
    assert alert.subject == "farm: no map for 8 days"
    assert alert.text.startswith(
        "farm has been watched for 8 days. There is no map yet. It has no accepted checkpoint, for "
        "which its passes wait: train or promote one.\nPasses without a map since 2026-03-01: 2 "
        "listed, not mapped yet."
    )
    forget_region(layout, FARM)
    farm(layout)
    assert kinds(layout, rows, 40) == [], "another region of that name"


def test_a_clock_that_goes_back_begins_the_watch_anew(layout: Layout) -> None:
    far = START + timedelta(900)
    assert watched_since(layout, FARM, far) == far
    assert watched_since(layout, FARM, START) == START
    assert watched_since(layout, FARM, far) == START
    (layout.watched(FARM) / "since.txt").write_text("half a mom")
    assert watched_since(layout, FARM, far) == far


@pytest.mark.parametrize(
    ("has_soil", "checkpoint", "told"),
    [
        (False, None, None),
        (True, None, "It has no accepted checkpoint"),
        (False, "taught", "Soil, terrain and land cover were not made yet"),
        (True, "taught", "It is prepared and has a checkpoint."),
    ],
)
def test_a_region_that_never_listed_anything_is_told_once_it_is_at_work(
    has_soil: bool, checkpoint: str | None, told: str | None, layout: Layout, region: Region
) -> None:
    save_region(layout, replace(region, checkpoint_id=checkpoint))
    if has_soil:
        store.write(layout, SOIL, SOIL.arrow_schema.empty_table(), region=FARM)
    days = []
    for day in (0, 12, 13, 14, 199):
        for hour in (0, 1):  # both before midnight
            now = START + timedelta(day, hours=hour)
            found = alert_silence(layout, FARM, [], now, silent_days=SILENT_DAYS)
            days += [(day, one) for one in found]
    assert [day for day, _ in days] == ([13, 14, 199] if told else [])
    for day, alert in days:
        assert alert.subject == f"farm: its source lists no pass for {day} days"
        assert told is not None
        assert told in alert.text
        assert "Its source has listed no pass so far." in alert.text


def map_of(layout: Layout, day: int, platform: str = "S1A") -> None:
    """A map of a pass so many days after START."""
    start = START + timedelta(day)
    row = NO_MAP | {"status": "mapped", "is_latest": True, "map_id": f"sm_{day}"}
    row |= {"scene_id": f"p{day}", "platform": platform, "orbit_state": "D", "relative_orbit": 91}
    row |= {"pass_start_utc": start}
    write_index(layout, FARM, start.date(), [row], {"status": "mapped", "rows": 1})


LOOKS = (1, 8, 12, 13, 14, 29, 30, 31, 36, 37, 49, 65, 66, 67, 76, 77, 100, 200)
"""Days of a silence: around those on which calendar, track and lake forget something."""


def test_a_silence_of_200_days_is_told_on_each_of_them(layout: Layout, region: Region) -> None:
    """Three passes of a track came; the calendar forgets their maps, then the track itself."""
    starts = {f"p{day}": START + timedelta(day) for day in (-24, -12, 0)}
    write_passes(layout, starts, [one.date() for one in starts.values()])
    for day in (-24, -12, 0):
        map_of(layout, day)
    damaged = layout.part("sm_maps", FARM, (START + timedelta(1)).date())
    damaged.parent.mkdir()
    damaged.write_bytes(b"half an index")
    told: dict[int, list[Alert]] = {}
    for day in LOOKS:
        now = START + timedelta(day, hours=0.5)  # before midnight
        rows = passes_of(layout, region, now, 30)
        for _ in range(2):
            told.setdefault(day, []).extend(
                alert_silence(layout, FARM, rows, now, silent_days=SILENT_DAYS)
            )
    assert [len(told[day]) for day in LOOKS] == [int(day >= 13) for day in LOOKS]
    for day, alert in ((day, told[day][0]) for day in LOOKS if day >= 13):
        assert alert.subject == f"farm: its source lists no pass for {day} days"
        assert "The newest map is of S1A D091 at 2026-03-01 22:45 UTC (local day 2026" in alert.text
    assert "Passes without a map since 2026-03-13: 1 due, but" in told[14][0].text
    assert "What passes are due is not known" in told[100][0].text


def test_passes_that_were_listed_and_not_mapped_are_no_silence_of_the_source(
    layout: Layout, region: Region
) -> None:
    map_of(layout, 0)
    register(layout, FARM, [frame()], START)  # of 2026-03-20, long before what is overdue
    rows = [a_pass(48, "overdue")]
    (alert,) = raise_silence(layout, FARM, rows, START + timedelta(50), silent_days=SILENT_DAYS)
    assert alert.subject == "farm: no map for 50 days"
    assert "The last pass that its source listed was on 2026-03-20." in alert.text


def test_where_only_days_are_known_the_end_of_the_maps_is_told_once(
    layout: Layout, region: Region
) -> None:
    map_of(layout, 0, platform="S1X")
    told = [
        alert
        for day in (0, 12, 13, 14, 40)
        for alert in alert_silence(
            layout, FARM, [], START + timedelta(day), silent_days=SILENT_DAYS
        )
    ]
    (alert,) = told
    assert alert.day == (START + timedelta(13)).date()
    assert "The newest map is of 2026-03-01 (time not known)." in alert.text
