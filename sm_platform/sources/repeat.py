"""When a satellite passes again: learned from the passes that were seen.

A Sentinel-1 satellite sees a place from the same track every 12 days at the same second of the day.
Where that phase lies is not known beforehand: two passes of a platform and relative orbit that
lie whole cycles apart are a track; what was seen but once makes nothing expected.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

CYCLE = timedelta(days=12)
"""Of each single satellite of Sentinel-1 (user handbook)."""
TOLERANCE = timedelta(minutes=15)
"""A region is first seen in another frame now and then, 25 s each; other tracks are hours away."""
MOST_CYCLES = 3
"""A track that was not seen for so many cycles has ended: the platform was moved, or is dead."""


@dataclass(frozen=True, slots=True)
class SeenPass:
    """A pass over a region whose frames a source has listed."""

    platform: str
    orbit_state: str
    relative_orbit: int | None
    """None when not known; such passes are told apart by their time alone."""
    start_utc: datetime

    @property
    def track(self) -> tuple[str, str, int]:
        """What repeats: a platform's own orbit."""
        return self.platform, self.orbit_state, self.relative_orbit or 0


@dataclass(frozen=True, slots=True)
class DuePass:
    """A pass that the repeat of a track lets expect."""

    platform: str
    orbit_state: str
    relative_orbit: int | None
    start_utc: datetime
    """As many cycles after the pass seen last before it; of a seen pass its own start."""
    is_seen: bool


@dataclass(frozen=True, slots=True)
class TrackRepeat:
    """A track that was seen at least twice, whole cycles apart."""

    platform: str
    orbit_state: str
    relative_orbit: int | None
    starts_utc: tuple[datetime, ...]
    """Of its passes that were seen, in order, each once."""

    @property
    def last_utc(self) -> datetime:
        """Start of the pass seen last."""
        return self.starts_utc[-1]

    def has_ended(self, moment: datetime) -> bool:
        """Whether the track was not seen for three cycles up to a moment."""
        return moment > self.last_utc + MOST_CYCLES * CYCLE + TOLERANCE


def tracks(seen: Iterable[SeenPass]) -> list[TrackRepeat]:
    """The tracks that repeat, in order of platform, orbit and first pass.

    A track that was seen again after it had ended begins anew, and so does one whose phase
    changed: each is told on its own.
    """
    by_track: dict[tuple[str, str, int], list[SeenPass]] = defaultdict(list)
    for one in sorted(seen, key=lambda one: (one.track, one.start_utc)):
        by_track[one.track].append(one)
    return [
        TrackRepeat(own[0].platform, own[0].orbit_state, own[0].relative_orbit, starts)
        for own in by_track.values()
        for starts in _series([one.start_utc for one in own])
        if len(starts) > 1
    ]


def due_passes(seen: Iterable[SeenPass], first: datetime, last: datetime) -> list[DuePass]:
    """Passes of all tracks that repeat, from `first` to `last`, both included, in order of time.

    Those that were seen are among them, those that were missed in between, and up to three after
    the last; none from before a track was first seen.
    """
    found = [
        DuePass(track.platform, track.orbit_state, track.relative_orbit, start, is_seen)
        for track in tracks(seen)
        for start, is_seen in _expected(track)
        if first <= start <= last
    ]
    return sorted(found, key=lambda one: (one.start_utc, one.platform))


def _series(starts: Sequence[datetime]) -> list[tuple[datetime, ...]]:
    """The starts of one orbit, in order, as series of passes whole cycles apart."""
    series: list[list[datetime]] = []
    for start in starts:
        for own in series:
            cycles = _cycles(start - own[-1])
            if cycles is not None and cycles <= MOST_CYCLES:
                if cycles:  # none: another frame of the same pass
                    own.append(start)
                break
        else:
            series.append([start])
    return [tuple(own) for own in series]


def _cycles(gap: timedelta) -> int | None:
    """How many cycles a gap is long; None when it is no whole number of them."""
    number = round(gap / CYCLE)
    return number if abs(gap - number * CYCLE) <= TOLERANCE else None


def _expected(track: TrackRepeat) -> list[tuple[datetime, bool]]:
    """Each pass of a track since the first, and whether it was seen."""
    found: list[tuple[datetime, bool]] = []
    following = (*track.starts_utc[1:], None)
    for start, after in zip(track.starts_utc, following, strict=True):
        n_cycles = MOST_CYCLES + 1 if after is None else round((after - start) / CYCLE)
        found.append((start, True))
        found += [(start + n * CYCLE, False) for n in range(1, n_cycles)]
    return found
