"""Years of materializations in an event log, made from those of a month that Dagster recorded.

The rows of each asset in a month of one region, with all their metadata and tags, are stored again
for other regions and days, each month of a region with a run of its own. They read like records of
runs, and tens of thousands are stored in a second.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

ASSETS = (
    "s1_granules",
    "s1_scenes",
    "s1_backscatter",
    "ndvi_granules",
    "ndvi",
    "weather_granules",
    "weather",
    "scene_features",
    "sm_maps",
    "map_figures",
)
DAYS_PER_RUN = 31
EVENTS = ("ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION")
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A new run over a month of a region."""

    run_id: str
    region: str
    days: Sequence[date]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The month that was recorded by Dagster."""

    region: str
    days: Sequence[date]


def record_years(home: Path, month: Recorded, regions: Sequence[str], days: Sequence[date]) -> int:
    """Record all assets on all days of the regions; returns the number of materializations.

    Args:
        home: Dagster home with an `event_log.db` of all runs, used by no process now.
        month: where the patterns lie, of every asset and day.
        regions: ids, other than that of the month.
        days: in order.
    """
    runs = [
        Run(str(uuid4()), region, stretch)
        for region in regions
        for stretch in _in_parts(days, DAYS_PER_RUN)
    ]
    with closing(_opened(home / "history" / "runs.db")) as database:
        _add_runs(database, _pattern_run(home, month), runs)
        database.commit()
    with closing(_opened(home / "event_log.db")) as database:
        for asset in ASSETS:
            for event in EVENTS:
                _add_events(database, month, f'["{asset}"]', event, runs)
        database.commit()
        database.execute("analyze")
    return len(ASSETS) * len(regions) * len(days)


def _opened(path: Path) -> sqlite3.Connection:
    """A database that would be lost in a crash, written once; Dagster turns its log on again."""
    database = sqlite3.connect(path)
    database.execute("pragma journal_mode=off")
    database.execute("pragma synchronous=off")
    database.execute("pragma cache_size=-400000")
    return database


def _pattern_run(home: Path, month: Recorded) -> str:
    """The run of the maps of the month's first day."""
    with closing(sqlite3.connect(home / "event_log.db")) as database:
        found: str = database.execute(
            "select run_id from event_logs where asset_key = ? and partition = ?"
            " and dagster_event_type = ? order by id desc",
            ('["sm_maps"]', f"{month.days[0]}|{month.region}", EVENTS[1]),
        ).fetchone()[0]
        return found


def _add_runs(database: sqlite3.Connection, pattern: str, runs: Sequence[Run]) -> None:
    """Rows of `runs` and `run_tags` for each run, as the pattern's but for its range."""
    columns = [row[1] for row in database.execute("pragma table_info(runs)")][1:]
    (row,) = database.execute(
        f"select {', '.join(columns)} from runs where run_id = ?", (pattern,)
    ).fetchall()
    tags = database.execute("select key, value from run_tags where run_id = ?", (pattern,))
    known = dict(tags.fetchall())
    told = {
        one.run_id: {RANGE[0]: _key(one.days[0], one), RANGE[1]: _key(one.days[-1], one)}
        for one in runs
    }
    _insert(
        database,
        "runs",
        columns,
        (_replaced(row, {pattern: name} | _pairs(known, keys)) for name, keys in told.items()),
    )
    rows = ((name, *pair) for name, keys in told.items() for pair in (known | keys).items())
    _insert(database, "run_tags", ["run_id", "key", "value"], rows)


def _add_events(
    database: sqlite3.Connection, month: Recorded, asset: str, event: str, runs: Sequence[Run]
) -> None:
    """Rows of `event_logs`, and of `asset_event_tags` where the pattern has them."""
    columns = [row[1] for row in database.execute("pragma table_info(event_logs)")]
    found = [_newest(database, columns, (asset, event, f"{d}|{month.region}")) for d in month.days]
    tags = [
        database.execute(
            "select asset_key, key, value, event_timestamp from asset_event_tags"
            " where event_id = ?",
            (row[0],),
        ).fetchall()
        for row in found
    ]
    (last,) = database.execute("select max(id) from event_logs").fetchone()
    spots = [(run, day) for run in runs for day in run.days]
    old = [
        (row[1], day.isoformat(), month.region) for row, day in zip(found, month.days, strict=True)
    ]

    def changes(number: int) -> dict[str, str]:
        run, day = spots[number]
        return dict(
            zip(old[number % len(old)], (run.run_id, day.isoformat(), run.region), strict=True)
        )

    numbers = range(len(spots))
    events = ((last + 1 + n, *_replaced(found[n % len(old)][1:], changes(n))) for n in numbers)
    _insert(database, "event_logs", columns, events)
    told = (
        (last + 1 + n, *_replaced(row, changes(n))) for n in numbers for row in tags[n % len(old)]
    )
    names = ["event_id", "asset_key", "key", "value", "event_timestamp"]
    _insert(database, "asset_event_tags", names, told)


def _newest(database: sqlite3.Connection, columns: Sequence[str], what: Row) -> Row:
    found: Row = database.execute(
        f"select {', '.join(columns)} from event_logs where asset_key = ?"
        " and dagster_event_type = ? and partition = ? order by id desc limit 1",
        what,
    ).fetchone()
    return found


def _pairs(known: dict[str, str], keys: dict[str, str]) -> dict[str, str]:
    return {known[name]: keys[name] for name in keys}


def _key(day: date, run: Run) -> str:
    return f"{day}|{run.region}"


def _replaced(row: Row, changes: dict[str, str]) -> Row:
    return tuple(_text(value, changes) if isinstance(value, str) else value for value in row)


def _text(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def _insert(
    database: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterator[Row]
) -> None:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    database.executemany(f"insert into {table} ({names}) values ({marks})", rows)


def _in_parts(days: Sequence[date], most: int) -> Iterator[list[date]]:
    left = iter(days)
    while part := list(islice(left, most)):
        yield part
