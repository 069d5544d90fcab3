"""The books of what services cost: a line each, summed by month and service."""

from datetime import UTC, datetime
from pathlib import Path

from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import Spent, Sums, note_spending, spent_in, total
from sm_platform.lake.views import connect

MARCH = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def spent(when: datetime, service: str = "made", **more: object) -> Spent:
    told: dict[str, object] = {"requests": 2, "received_bytes": 1000, "eecu_s": None}
    told |= more
    return Spent(when, service, "ndvi", "delta", "g1", seconds=0.5, is_whole=True, **told)  # type: ignore[arg-type]


def test_sums_are_by_month_and_service(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    note_spending(layout, spent(MARCH))
    note_spending(layout, spent(MARCH, eecu_s=3.0))
    note_spending(layout, spent(MARCH, "other", requests=7))
    note_spending(layout, spent(APRIL))
    march = spent_in(layout, MARCH)
    assert march == {"made": Sums(4, 2000, 3.0, 1.0), "other": Sums(7, 1000, 0.0, 0.5)}
    assert total(march.values()) == Sums(11, 3000, 3.0, 1.5)
    assert spent_in(layout, APRIL)["made"].requests == 2
    assert spent_in(layout, datetime(2025, 1, 1, tzinfo=UTC)) == {}


def test_the_books_are_a_view(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert "spending" not in str(connect(layout, []).sql("show tables").fetchall())
    note_spending(layout, spent(MARCH))
    note_spending(layout, spent(APRIL, eecu_s=3.5))
    query = "select region_id, service, spent_utc, requests, eecu_s from spending order by all"
    assert connect(layout, []).sql(query).fetchall() == [
        ("delta", "made", MARCH, 2, None),
        ("delta", "made", APRIL, 2, 3.5),
    ]


def test_a_line_that_a_kill_has_cut_is_passed_over(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    note_spending(layout, spent(MARCH))
    (path,) = layout.spending("2026-03").iterdir()
    path.write_text(path.read_text() + '{"spent_utc": "2026-')
    assert spent_in(layout, MARCH)["made"].requests == 2
