"""Requests: keys that never repeat work, attempts that are spaced, few runs for many days."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.defs.watching.cursor import Cursor, RegionCursor, read_cursor
from sm_platform.defs.watching.requests import (
    WAITS,
    Ask,
    Attempts,
    Why,
    attempts,
    run_request,
    spans,
)

NOW = datetime(2026, 3, 21, 12, tzinfo=UTC)
DAY = date(2026, 3, 20)
DAYS = st.lists(st.dates(date(2026, 1, 1), date(2026, 6, 1)), max_size=30)


def ask(granules_hash: str = "abc", days: tuple[date, date] | None = (DAY, DAY)) -> Ask:
    return Ask("delta", Why.NEW_SCENE, "S1A_06F3A1", granules_hash, ("sm_maps",), days)


def test_the_key_names_region_pass_granules_and_attempt() -> None:
    assert run_request(ask(), 0).run_key == "delta/new_scene/S1A_06F3A1/abc/0"
    keys = {run_request(ask(h), n).run_key for h in ("abc", "abd") for n in (0, 1)}
    assert len(keys) == 4


def test_a_day_is_a_partition_and_a_stretch_is_a_range() -> None:
    one = run_request(ask(), 0)
    assert one.partition_key == dg.MultiPartitionKey({"day": "2026-03-20", "region": "delta"})
    many = run_request(ask(days=(DAY, DAY + timedelta(3))), 0)
    assert many.partition_key is None
    assert many.tags["dagster/asset_partition_range_start"] == "2026-03-20|delta"
    assert many.tags["dagster/asset_partition_range_end"] == "2026-03-23|delta"
    assert run_request(ask(days=None), 0).partition_key == "delta"


def test_attempts_are_counted_from_stored_runs() -> None:
    @dg.op
    def fails() -> None:
        raise dg.Failure("no")

    @dg.job
    def failing() -> None:
        fails()

    with dg.DagsterInstance.ephemeral() as instance:
        assert attempts(instance, ask()) == Attempts(0, False, None)
        failing.execute_in_process(
            instance=instance, tags=dict(run_request(ask(), 0).tags), raise_on_error=False
        )
        found = attempts(instance, ask())
        assert (found.n_over, found.is_running) == (1, False)
        assert attempts(instance, ask("other")).n_over == 0
        instance.create_run_for_job(failing, tags=dict(run_request(ask(), 1).tags))
        assert attempts(instance, ask()).is_running


@pytest.mark.parametrize(("n_over", "wait"), [*enumerate(WAITS, 1), (9, timedelta(days=1))])
def test_attempts_are_spaced(n_over: int, wait: timedelta) -> None:
    over = Attempts(n_over, is_running=False, last_end_utc=NOW)
    assert not over.may_try(NOW + wait - timedelta(seconds=1))
    assert over.may_try(NOW + wait)


def test_nothing_is_tried_beside_itself_and_the_first_at_once() -> None:
    assert Attempts(0, is_running=False, last_end_utc=None).may_try(NOW)
    assert not Attempts(0, is_running=True, last_end_utc=None).may_try(NOW)


@given(DAYS, st.integers(1, 40))
def test_spans_hold_every_day_once_and_are_not_too_long(days: list[date], longest: int) -> None:
    found = spans(days, longest)
    held = [d for first, last in found for d in set(days) if first <= d <= last]
    assert sorted(held) == sorted(set(days))
    assert all((last - first).days < longest for first, last in found)
    assert found == sorted(found)


@given(DAYS, DAYS)
def test_spans_hold_no_barred_day(days: list[date], barred: list[date]) -> None:
    closed = set(barred) - set(days)
    assert not any(
        first <= one <= last for first, last in spans(days, 31, closed) for one in closed
    )


def test_a_cursor_comes_back_as_it_was() -> None:
    before = Cursor({"delta": RegionCursor(NOW, NOW - timedelta(1), NOW, frozenset({"a", "b"}))})
    assert read_cursor(before.as_text()) == before


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "7", '{"delta": 1}', '{"delta": {"since": "x", "logged": null}}']
    + ['{"delta": {"since": "2026-03-20", "logged": null, "open": []}}'],
)
def test_a_lost_or_damaged_cursor_remembers_nothing(text: str | None) -> None:
    assert read_cursor(text) == Cursor()
