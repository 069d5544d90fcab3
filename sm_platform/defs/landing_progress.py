"""How far a landing is: granules, megabytes and the time that is left."""

import threading
import time
from collections.abc import Callable, Sequence

from sm_platform.defs.talk import counted, spoken
from sm_platform.sources.protocol import Granule

SAY_EVERY_S = 5.0


class Progress:
    """Counts what comes, from several threads, and says it now and then."""

    def __init__(
        self,
        granules: Sequence[Granule],
        say: Callable[[str], None] | None,
        *,
        every_s: float = SAY_EVERY_S,
    ) -> None:
        self._say, self._every_s = say, every_s
        self._lock = threading.Lock()
        self._n, self._done, self._failed = len(granules), 0, 0
        self._bytes = 0
        sizes = [one.size_bytes or one.estimated_bytes for one in granules]
        self._expected = None if None in sizes else sum(size or 0 for size in sizes)
        self._began = self._said = time.monotonic()

    def came(self, n_bytes: int) -> None:
        """So many bytes more."""
        with self._lock:
            self._bytes += n_bytes
            text = self._due()
        self._tell(text)

    def done(self, granule: Granule, *, is_whole: bool) -> None:
        """A granule has landed, or failed."""
        with self._lock:
            self._done += 1
            self._failed += not is_whole
            text = self._due(granule.granule_id)
        self._tell(text)

    def end(self) -> None:
        """Say what came in all, if anything was on its way."""
        if self._done and self._say is not None:
            failed = f", {self._failed} failed" if self._failed else ""
            passed = spoken(time.monotonic() - self._began)
            self._say(
                f"{counted(self._done, 'granule')}, {self._bytes / 1e6:.1f} MB in {passed}{failed}"
            )

    def _due(self, newest: str = "") -> str | None:
        """The line when it is time for one; the lock is held."""
        now = time.monotonic()
        if self._say is None or now - self._said < self._every_s:
            return None
        self._said = now
        parts = [f"{self._done} of {counted(self._n, 'granule')}", self._megabytes()]
        if self._failed:
            parts.append(f"{self._failed} failed")
        left = self._left_s(now - self._began)
        if left is not None:
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
