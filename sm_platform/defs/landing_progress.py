"""How far a landing is: granules, megabytes and the time that is left."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sm_platform.defs.known_services import title_of
from sm_platform.defs.talk import counted, spoken
from sm_platform.lake.granules import LandedGranule
from sm_platform.sources.protocol import Granule

SAY_EVERY_S = 5.0
WAIT_EVERY_S = 15.0
"""Who waits is told so after this long without a word."""
MOVES_BYTES = 1 << 16
"""Less than a block of a file is talk of a queue, not data."""
SERVICES = "services"
"""Name in the metadata: who brought the granules."""
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Tally:
    """Granules that the assets of one command looked at, by product and id."""

    fetched: set[tuple[str, str]] = field(default_factory=set)
    there: set[tuple[str, str]] = field(default_factory=set)
    """Those that were in the lake, or fetched by an earlier try."""

    @property
    def told(self) -> str:
        """In words."""
        n_before = len(self.there - self.fetched)
        if not self.fetched:
            return nothing_to_fetch(n_before)
        before = f", {n_before} there before" if n_before else ""
        return f"Together: {counted(len(self.fetched), 'granule')} fetched{before}."


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """A tally of what is landed inside the block, for the command that asked for it."""
    tally = Tally()
    token = _TALLY.set(tally)
    try:
        yield tally
    finally:
        _TALLY.reset(token)


def nothing_to_fetch(n_there: int) -> str:
    """That nothing is to be fetched of so many granules that are listed."""
    if not n_there:
        return "Together: no granule is listed for these days: nothing to fetch."
    there = "it is there" if n_there == 1 else "all of them there"
    return f"Together: {counted(n_there, 'granule')}, {there}: nothing to fetch."


def landed_told(
    landed: Sequence[tuple[LandedGranule, bool]], requests: Mapping[str, int]
) -> dict[str, Any]:
    """What is shown of granules in the lake, each with whether it was fetched now; tallied.

    Args:
        landed: the granules.
        requests: what fetching took, by id, where it took any.
    """
    tally = _TALLY.get()
    if tally is not None:
        for one, is_new in landed:
            (tally.fetched if is_new else tally.there).add((one.product, one.granule_id))
    services = ", ".join(sorted({title_of(one.source) for one, _ in landed}))
    n_requests = sum(requests.get(one.granule_id, 0) for one, is_new in landed if is_new)
    return {
        "fetched": sum(is_new for _, is_new in landed),
        "megabytes": sum(one.size_bytes for one, _ in landed) / 1e6,
        **({SERVICES: services} if services else {}),
        **({"requests": n_requests} if n_requests else {}),
        "granules": ", ".join(one.granule_id for one, _ in landed),
    }


def together(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is shown of several products landed by one asset: sums of what `landed_told` gives."""
    services = sorted({name for one in told for name in one.get(SERVICES, "").split(", ") if name})
    n_requests = sum(one.get("requests", 0) for one in told)
    return {
        "fetched": sum(one["fetched"] for one in told),
        "megabytes": sum(one["megabytes"] for one in told),
        **({SERVICES: ", ".join(services)} if services else {}),
        **({"requests": n_requests} if n_requests else {}),
    }


class Progress:
    """Counts what comes, from several threads, and says it now and then."""

    def __init__(
        self,
        granules: Sequence[Granule],
        say: Callable[[str], None] | None,
        *,
        every_s: float = SAY_EVERY_S,
        wait_every_s: float = WAIT_EVERY_S,
    ) -> None:
        self._say, self._every_s, self._wait_every_s = say, every_s, wait_every_s
        self._services = " and ".join(sorted({title_of(one.service) for one in granules}))
        self._lock = threading.Lock()
        self._n, self._done, self._failed = len(granules), 0, 0
        self._bytes = 0
        sizes = [one.size_bytes or one.estimated_bytes for one in granules]
        self._expected = None if None in sizes else sum(size or 0 for size in sizes)
        self._began = self._said = self._moved = time.monotonic()
        self._moved_bytes = 0

    def came(self, n_bytes: int) -> None:
        """So many bytes more."""
        with self._lock:
            self._bytes += n_bytes
            if self._bytes - self._moved_bytes >= MOVES_BYTES:
                self._moves()
            text = self._due()
        self._tell(text)

    def done(self, granule: Granule, *, is_whole: bool) -> None:
        """A granule has landed, or failed."""
        with self._lock:
            self._done += 1
            self._failed += not is_whole
            self._moves()
            text = self._due(granule.granule_id)
        self._tell(text)

    def awaited(self, future: Future[Answer]) -> Answer:
        """What comes of a granule on its way; while nothing is heard, that is said now and then.

        A service that hangs, and a queue, would otherwise mean minutes without a word.
        """
        while not wait([future], timeout=self._wait_every_s / 3).done:
            with self._lock:
                text = self._due(every_s=self._wait_every_s)
            self._tell(text)
        return future.result()

    def end(self) -> None:
        """Say what came in all, if anything was on its way."""
        if self._done and self._say is not None:
            failed = f", {self._failed} failed" if self._failed else ""
            passed = spoken(time.monotonic() - self._began)
            self._say(
                f"{counted(self._done, 'granule')}, {self._bytes / 1e6:.1f} MB in {passed}{failed}"
            )

    def _moves(self) -> None:
        """Something came just now; the lock is held."""
        self._moved, self._moved_bytes = time.monotonic(), self._bytes

    def _due(self, newest: str = "", *, every_s: float | None = None) -> str | None:
        """The line when it is time for one; the lock is held."""
        now = time.monotonic()
        if self._say is None or now - self._said < (every_s or self._every_s):
            return None
        self._said = now
        parts = [f"{self._done} of {counted(self._n, 'granule')}", self._megabytes()]
        if self._failed:
            parts.append(f"{self._failed} failed")
        left = self._left_s(now - self._began)
        if now - self._moved >= self._wait_every_s:
            parts.append(f"waiting for {self._services} since {spoken(now - self._moved)}")
        elif left is not None:
            parts.append(f"about {spoken(left)} left")
        return ", ".join(parts) + (f" (last: {newest})" if newest else "")

    def _megabytes(self) -> str:
        if self._expected is None:
            return f"{self._bytes / 1e6:.1f} MB"
        return f"{self._bytes / 1e6:.1f} of about {self._expected / 1e6:.1f} MB"

    def _left_s(self, passed_s: float) -> float | None:
        """By the granules that are done, and by the bytes where all sizes are known."""
        shares = [self._done / self._n if self._n else 1.0]
        if self._expected:
            shares.append(min(self._bytes / self._expected, 1.0))
        share = max(shares)
        return passed_s * (1 - share) / share if share > 0 else None

    def _tell(self, text: str | None) -> None:
        if text is not None and self._say is not None:
            self._say(text)
