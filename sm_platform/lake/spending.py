"""What the services were asked for and sent, month by month: a line for each granule fetched.

    <lake>/spending/<yyyy-mm>/<process>.jsonl

Each process appends to a file of its own; the sums of a month are those of all its files.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from sm_platform.errors import LakeError
from sm_platform.lake.atomic import explained
from sm_platform.lake.layout import Layout


@dataclass(frozen=True, slots=True)
class Spent:
    """One granule or listing: what it cost, whether it came or not."""

    spent_utc: datetime
    service: str
    product: str
    region: str
    granule_id: str
    """Empty for a listing."""
    requests: int
    received_bytes: int
    eecu_s: float | None
    seconds: float
    is_whole: bool
    """Whether it came as it should."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of a month, or of a service in it."""

    requests: int = 0
    received_bytes: int = 0
    eecu_s: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.requests + other.requests,
            self.received_bytes + other.received_bytes,
            self.eecu_s + other.eecu_s,
            self.seconds + other.seconds,
        )


def note_spending(layout: Layout, spent: Spent) -> None:
    """Append a line; raises LakeError when the lake cannot be written."""
    path = _folder(layout, spent.spent_utc) / f"{_own_name(os.getpid())}.jsonl"
    line = json.dumps({**asdict(spent), "spent_utc": spent.spent_utc.isoformat()}) + "\n"
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:  # one short write at the end: lines of threads do not mix
            file.write(line)


def spent_in(layout: Layout, moment: datetime | None = None) -> dict[str, Sums]:
    """Sums by service of the month (UTC) of a moment, None: of now.

    Raises:
        LakeError: a file cannot be read.
    """
    sums: dict[str, Sums] = {}
    month = _folder(layout, moment or datetime.now(UTC))
    for path in sorted(month.glob("*.jsonl")):
        for line in _lines(path):
            one = Sums(
                line["requests"], line["received_bytes"], line["eecu_s"] or 0.0, line["seconds"]
            )
            sums[line["service"]] = sums.get(line["service"], Sums()) + one
    return sums


def total(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    found = Sums()
    for one in sums:
        found = found + one
    return found


@lru_cache
def _own_name(pid: int) -> str:
    """Two processes may have had the same number in one month."""
    return f"{pid}-{uuid4().hex[:8]}"


def _folder(layout: Layout, moment: datetime) -> Path:
    return layout.spending(f"{moment:%Y-%m}")


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines; the last one of a process that was killed may be cut."""
    try:
        text = path.read_text()
    except OSError as error:
        raise LakeError(f"{path} cannot be read: {error.strerror}.") from error
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
