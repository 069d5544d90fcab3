"""Alerts noted once a day, sent over each channel once, without a secret in what is told."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import duckdb
import pytest

from sm_platform.defs.alerting import delivery
from sm_platform.defs.alerting.addresses import AlertSettings, MailServer
from sm_platform.defs.alerting.alert import (
    LONGEST_TEXT,
    Alert,
    AlertKind,
    cut,
    source_down,
)
from sm_platform.defs.alerting.alert_log import all_alerts, mark_sent, raise_alerts, read_alerts
from sm_platform.defs.alerting.delivery import channels_of, deliver
from sm_platform.defs.resources import alert_settings, secret_values
from sm_platform.defs.talk import counted
from sm_platform.errors import LakeError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.schema.alert_tables import ALERT_KINDS, ALERTS, NO_REGION
from sm_platform.schema.region import Region, check_region_name
from sm_platform.sources.masking import masked
from sm_platform_tests.defs.alert_servers import HOST, Chat, PostOffice
from sm_platform_tests.defs.label_lake import FARM

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
TODAY = NOW.date()
TOMORROW = NOW + timedelta(days=1)


def test_a_text_is_cut_between_words_where_it_can_be() -> None:
    text = "The lake cannot be read: /tmp/review/main/data_lake is not there"
    assert cut(text, 64) == text
    assert cut(text, 50) == "The lake cannot be read: ..."
    assert cut(text.replace(" ", "\n"), 50).endswith("\nread: ...")
    assert cut("a " + "x" * 90, 50) == "a " + "x" * 45 + "..."
    assert all(len(cut(text, n)) <= n for n in range(10, 70))


def test_one_is_told_as_one() -> None:
    assert [counted(n, "day") for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "WAIT_S", 0.01)


def an_alert(day: date = TODAY, key: str = "silent/farm", text: str = "Dry.") -> Alert:
    return Alert(AlertKind.SILENT, FARM, "farm: no map", text, key, day)


def noted(layout: Layout, *alerts: Alert, now: datetime = NOW) -> int:
    """How many of them are new."""
    return len(raise_alerts(layout, alerts, [], now))


def both(chat: Chat, office: PostOffice) -> AlertSettings:
    return AlertSettings(
        chat.address, MailServer(HOST, office.port, False, None, None), ("a@b.vn",)
    )


def test_kinds_are_those_of_the_table() -> None:
    assert tuple(AlertKind) == ALERT_KINDS


def test_what_is_about_no_region_lies_where_no_region_can() -> None:
    with pytest.raises(UsageError):
        check_region_name(NO_REGION)


def test_a_key_is_noted_once_a_day(layout: Layout) -> None:
    assert noted(layout, an_alert(), an_alert()) == 1
    assert noted(layout, replace(an_alert(), text="Drier.")) == 0
    assert noted(layout, an_alert(key="silent/other")) == 1
    assert noted(layout, an_alert(TOMORROW.date()), now=TOMORROW) == 1
    assert [one.alert_text for one in read_alerts(layout, FARM)] == ["Dry."] * 3


def test_what_is_told_once_is_not_told_the_next_day(layout: Layout) -> None:
    once = replace(an_alert(), is_told_once=True)
    assert noted(layout, once, once) == 1
    assert noted(layout, replace(once, day=TOMORROW.date()), now=TOMORROW) == 0


def test_ticks_at_the_same_moment_note_and_send_once(
    layout: Layout, chat: Chat, office: PostOffice
) -> None:
    n_ticks = 6
    start = Barrier(n_ticks)

    def tick(_: int) -> int:
        start.wait()
        new = noted(layout, an_alert(), replace(an_alert(key="stale/x"), region_id=None))
        deliver(layout, channels_of(both(chat, office)), NOW)
        return new

    with ThreadPoolExecutor(n_ticks) as pool:
        assert sum(pool.map(tick, range(n_ticks))) == 2
    told = "".join(chat.texts)
    assert told.count("Dry.") == 2
    assert b"".join(office.mails).count(b"Dry.") == 2


def test_a_channel_that_is_down_keeps_its_alerts_and_the_other_is_not_told_twice(
    layout: Layout, chat: Chat, office: PostOffice
) -> None:
    channels = channels_of(both(chat, office))
    noted(layout, an_alert())
    chat.answers = [503] * delivery.TRIES
    first = deliver(layout, channels, NOW)
    assert [one.problem is None for one in first] == [False, True]
    (row,) = all_alerts(layout)
    assert (row.posted_utc, row.mailed_utc) == (None, NOW)
    later = NOW + timedelta(minutes=1)
    assert [one.channel for one in deliver(layout, channels, later)] == ["webhook"]
    assert deliver(layout, channels, later) == []
    assert [one.posted_utc for one in all_alerts(layout)] == [later]
    assert (len(chat.texts), len(office.mails)) == (1, 1)


def test_alerts_of_a_tick_go_out_together_and_many_in_parts(layout: Layout, chat: Chat) -> None:
    channels = channels_of(AlertSettings(chat.address, None, ()))
    noted(layout, *(an_alert(key=f"silent/{n}", text=f"{n} " + "x" * 290) for n in range(20)))
    while deliver(layout, channels, NOW):
        pass
    assert len(chat.texts) == 2
    assert all(len(text) < 6000 for text in chat.texts)
    assert chat.texts[0].startswith("[sm-platform] 11 alerts: farm\n* farm: no map\n0 xxx")
    assert "\n19 xxx" in chat.texts[1]


def test_after_days_an_alert_is_history(layout: Layout, chat: Chat) -> None:
    channels = channels_of(AlertSettings(chat.address, None, ()))
    noted(layout, an_alert())
    assert deliver(layout, channels, NOW + delivery.KEPT_FOR) == []
    year = NOW + timedelta(days=367)
    assert noted(layout, an_alert(year.date()), now=year) == 1
    assert [one.alert_day for one in all_alerts(layout)] == [year.date()]


def test_nothing_is_sent_that_cannot_be_marked(layout: Layout, chat: Chat) -> None:
    noted(layout, an_alert())
    shutil.rmtree(layout.aside)
    layout.aside.write_text("a file where writes begin: nothing can be written")
    with pytest.raises(LakeError, match="Cannot write"):
        deliver(layout, channels_of(AlertSettings(chat.address, None, ())), NOW)
    assert chat.n_asked == 0


def test_a_damaged_file_of_one_region_holds_up_no_other(layout: Layout, chat: Chat) -> None:
    noted(layout, an_alert(), replace(an_alert(), region_id="other"))
    layout.part(ALERTS.name, FARM, None).write_bytes(b"torn")
    assert len(deliver(layout, channels_of(AlertSettings(chat.address, None, ())), NOW)) == 1
    with pytest.raises(LakeError, match="remove it"):
        noted(layout, an_alert(key="b"))


def test_a_source_that_is_down_is_told_of_each_region_and_names_its_folder(
    layout: Layout, region: Region
) -> None:
    hill = replace(region, region_id="hill", source_path="/mnt/other")
    for hours in (0, 3, 24):
        now = NOW + timedelta(hours=hours)
        noted(layout, *(source_down(one, "no\n answer", now) for one in (region, hill)), now=now)
    for one, folder in ((region, "somewhere"), (hill, "/mnt/other")):
        told = read_alerts(layout, one.region_id)
        assert [alert.alert_day for alert in told] == [TODAY, TOMORROW.date()]
        assert told[0].subject == f"{one.region_id}: its source does not answer"
        assert told[0].alert_text.startswith(
            f"The source of {one.region_id}, archive {folder}, could not be listed on 2026-03-20 "
            "06:00 UTC: no answer\n"
        )


def test_the_table_is_asked_by_sql(layout: Layout) -> None:
    noted(layout, an_alert(), replace(an_alert(), region_id=None, kind=AlertKind.STALE))
    mark_sent(layout, read_alerts(layout, FARM), "mailed_utc", NOW)
    query = "select region_id, alert_kind, mailed_utc is not null from alerts order by region_id"
    rows: duckdb.DuckDBPyConnection = connect(layout, [ALERTS]).execute(query)
    assert rows.fetchall() == [(FARM, "silent", True), (NO_REGION, "stale", False)]


SECRET_TEXTS = [
    "GET https://user:hunter2pass@cmr.example.org/x failed: 401",
    "postgresql+psycopg2://sm:hunter2pass@db/sm refused",
    "login with password=hunter2pass failed",
    "{'password': 'hunter2pass'}",
    '{"api_key": "hunter2pass", "x": 1}',
    "EARTHDATA_PASSWORD=hunter2pass",
    "Authorization: Bearer hunter2pass.abcdefgh",
    "https://a.org/f.tif?X-Amz-Signature=hunter2pass&x=1",
    "https://a.org/f.tif?sig=hunter2pass",
    "https://hooks.slack.com/services/T0/B0/hunter2pass",
    "https://discord.com/api/webhooks/1/hunter2pass",
    "https://chat.example.vn/hooks/hunter2pass",
    "ghp_hunter2passhunter2passhunter2pass",
    "token: hunter2pass",
    "PLAKhunter2passhunter2pass0123",
    "key ends kJ8hunter2passQz72mW1xY0aB3cD4eF5gH6",
]
PLAIN_TEXTS = [
    "S1A_IW_GRDH_1SDV_20260318T224512_20260318T224537_063012_07E8A1_9C4D_COG.SAFE is not there",
    "MOD13Q1.A2026065.h28v06.061.2026082034512.hdf: NDVI is float32, not int16: fetch it again.",
    "SMAP_L4_SM_gph_20250110T013000_Vv8011_001.h5 is 0 bytes long",
    "run 3f0c9a52-7f0b-4a41-9a41-0d5ac0ffee11 of 9b74c9897bac770ffc029102a200c5de ended",
    "sm100m_red-river_20260318T224512_D091_r00 at /srv/lake/maps/sm100m/red-river/2026/03",
    "https://documentation.dataspace.copernicus.eu/Quota.html#limits says 4 at once",
    "due 2026-03-18 22:45 UTC (local day 2026-03-19), 24 h late; Asia/Ho_Chi_Minh",
]


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    shown = masked(text, [])
    assert "hunter2pass" not in shown
    assert "***" in shown


@pytest.mark.parametrize("text", PLAIN_TEXTS)
def test_what_a_person_needs_stays(text: str) -> None:
    assert masked(text, []) == text


def test_known_values_are_masked_in_each_form() -> None:
    known = ["smtp://soil:p%40ss%2Fword@mail.vn:587", "https://chat.vn/a/b/c1d2", "a@b.vn,c@d.vn"]
    text = "p%40ss%2Fword p@ss/word a/b/c1d2 a@b.vn c@d.vn mail.vn soil moisture " + known[0]
    assert masked(text, known) == "*** *** *** *** *** mail.vn soil moisture ***"


def test_masking_a_long_page_takes_no_time() -> None:
    began = datetime.now(UTC)
    assert len(masked("aA1" * 100_000, [])) < 6000
    masked("https://" * 10_000 + "password" * 10_000, ["x" * 50])
    assert datetime.now(UTC) - began < timedelta(seconds=2)


def test_no_secret_is_stored_or_sent(
    layout: Layout, chat: Chat, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp = f"smtp://soil:hunter2pass@{HOST}:{office.port}"
    chosen = {"SM_ALERT_WEBHOOK": chat.address, "SM_ALERT_EMAIL": "a@b.vn", "SM_SMTP_URL": smtp}
    for name, value in {**chosen, "EARTHDATA_TOKEN": "eyTokenOfEarth"}.items():
        monkeypatch.setenv(name, value)
    text = f"{chat.address} {smtp} eyTokenOfEarth hunter2pass " + " ".join(SECRET_TEXTS)
    found = an_alert(text="\n".join([text] * 30))
    raise_alerts(layout, [replace(found, subject=text[:120])], secret_values(), NOW)
    chat.answers = [500, 404]
    for _ in range(2):
        deliver(layout, channels_of(alert_settings()), NOW)
    told = chat.texts[0] + office.mails[0].decode()
    stored = b"".join(path.read_bytes() for path in layout.root.rglob("*") if path.is_file())
    rows = str(all_alerts(layout))
    for secret in ("hunter2pass", "eyTokenOfEarth", "s3cretPath"):
        assert secret not in told + rows
        assert secret.encode() not in stored
    assert len(read_alerts(layout, FARM)[0].alert_text) <= LONGEST_TEXT
