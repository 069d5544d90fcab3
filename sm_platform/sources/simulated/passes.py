"""The passes of Sentinel-1A, 1C and, if wanted, 1D over a place: repeats, orbit numbers, traps."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from sm_platform.errors import UsageError
from sm_platform.sources.sentinel1_names import ORBIT_OFFSET
from sm_platform.sources.simulated.fleet import USUAL_FLEET, Fleet
from sm_platform.sources.simulated.places import Place, Track

CYCLE_DAYS = 12
CYCLE_ORBITS = 175
ORBIT_S = CYCLE_DAYS * 86400 / CYCLE_ORBITS
"""5924.57 s from one ascending node to the next."""
ANCHOR_UTC = datetime(2021, 1, 19, 2, 22, 27, tzinfo=UTC)
ANCHOR_ORBIT = 36201
"""Sentinel-1A's absolute orbit that began at ANCHOR_UTC; its relative orbit is 79."""
S1C_LAG = timedelta(days=6)
"""Sentinel-1C repeats Sentinel-1A's track 6 days later."""
S1C_PUBLIC = date(2025, 3, 26)
S1C_ORBIT_SHIFT = 56776
"""S1A's absolute orbit 6 days before, less S1C's (absolute 5676 on 30 December 2025)."""
S1D_LAG = timedelta(days=3)
"""Sentinel-1D, where it flies, repeats Sentinel-1A's track 3 days later: a place that is free."""
S1D_ORBIT_SHIFT = 56031
"""S1A's absolute orbit 3 days before, less S1D's: 31 more than a multiple of 175, so that both
have one relative orbit, and large enough for five digits. The real S1D was launched later."""
DATATAKES_PER_ORBIT = 7.6856
"""Real datatake numbers grow by this much an orbit (036201 is datatake 043ED0)."""

LOST = (("red-river", "S1A", 55, date(2025, 5, 8)),)
"""Passes that were never acquired: region, platform, relative orbit, UTC day."""
INVENTED = (("red-river", Track(84, "A", time(11, 2, 0), 38.5, 0.06, date(2025, 8, 14))),)
"""Extra single passes less than 12 hours before a regular one: region, track with its only day."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One overflight of a place."""

    region_id: str
    platform: str
    """"S1A", "S1C" or "S1D"."""
    start_utc: datetime
    """When the radar sees the place's centre."""
    orbit_state: str
    """"A" or "D"."""
    relative_orbit: int
    absolute_orbit: int
    datatake_id: str
    """Six capital hexadecimal digits; the same for all regions of one overflight."""
    angle_deg: float
    """Ellipsoid incidence angle at the place's centre."""
    angle_per_km_deg: float
    """Its change per kilometre eastward."""
    is_invented: bool
    """A planted pass on an orbit that no satellite flies over this place."""
    bias_db: float = 0.0
    """How much higher the radar reads than its platform usually does."""

    @property
    def day(self) -> date:
        """UTC day of the pass."""
        return self.start_utc.date()

    @property
    def pass_id(self) -> str:
        """Platform and second: unique within a region."""
        return f"{self.platform}_{self.start_utc:%Y%m%dT%H%M%S}"


def s1a_orbit(moment: datetime) -> int:
    """Sentinel-1A's absolute orbit at a moment (UTC), counted from the anchor."""
    return ANCHOR_ORBIT + int((moment - ANCHOR_UTC).total_seconds() // ORBIT_S)


def s1c_orbit(moment: datetime) -> int:
    """Sentinel-1C's absolute orbit at a moment (UTC) before its manoeuvre of June 2026."""
    return s1a_orbit(moment - S1C_LAG) - S1C_ORBIT_SHIFT


def s1d_orbit(moment: datetime) -> int:
    """The absolute orbit of this world's Sentinel-1D at a moment (UTC)."""
    return s1a_orbit(moment - S1D_LAG) - S1D_ORBIT_SHIFT


def relative_orbit(platform: str, absolute_orbit: int) -> int:
    """1..175 from the absolute orbit: S1A (abs - 73), S1C before 2026-06-16 (abs - 172)."""
    return (absolute_orbit - ORBIT_OFFSET[platform]) % CYCLE_ORBITS + 1


def datatake_id(absolute_orbit: int, orbit_state: str) -> str:
    """Six hexadecimal digits, one number per platform's orbit and half of it."""
    number = int(absolute_orbit * DATATAKES_PER_ORBIT) + (orbit_state == "D")
    return f"{number:06X}"


ORBITS = {"S1A": s1a_orbit, "S1C": s1c_orbit, "S1D": s1d_orbit}


def passes(place: Place, first_day: date, last_day: date, fleet: Fleet = USUAL_FLEET) -> list[Pass]:
    """The passes over a place from first to last UTC day, both included, in order of time.

    Raises:
        UsageError: the last day lies before the first.
    """
    if last_day < first_day:
        raise UsageError(f"The last day {last_day} lies before the first {first_day}: swap them.")
    found = [
        replace(_pass(place, track, platform, day), bias_db=_bias_db(platform, fleet))
        for track in place.tracks
        for platform, day in _flights(track, first_day, last_day, fleet)
        if (place.region_id, platform, track.relative_orbit, day) not in LOST
    ]
    found += [
        _pass(place, track, "S1A", track.first_s1a_day, is_invented=True)
        for region_id, track in INVENTED
        if region_id == place.region_id and first_day <= track.first_s1a_day <= last_day
    ]
    return sorted(found, key=lambda one: one.start_utc)


def _bias_db(platform: str, fleet: Fleet) -> float:
    return fleet.s1d_bias_db if platform == "S1D" else 0.0


def _flights(track: Track, first_day: date, last_day: date, fleet: Fleet) -> list[tuple[str, date]]:
    """Platform and UTC day of each regular pass of a track."""
    flights = []
    for n in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=n)
        phase = (day - track.first_s1a_day).days % CYCLE_DAYS
        if phase == 0:
            flights.append(("S1A", day))
        elif phase == S1C_LAG.days and day >= S1C_PUBLIC:
            flights.append(("S1C", day))
        elif phase == S1D_LAG.days and fleet.s1d_first and day >= fleet.s1d_first:
            flights.append(("S1D", day))
    return flights


def _pass(
    place: Place, track: Track, platform: str, day: date, *, is_invented: bool = False
) -> Pass:
    start = datetime.combine(day, track.utc, UTC)
    absolute = ORBITS[platform](start)
    return Pass(
        region_id=place.region_id,
        platform=platform,
        start_utc=start,
        orbit_state=track.orbit_state,
        relative_orbit=relative_orbit(platform, absolute),
        absolute_orbit=absolute,
        datatake_id=datatake_id(absolute, track.orbit_state),
        angle_deg=track.angle_deg,
        angle_per_km_deg=track.angle_per_km_deg,
        is_invented=is_invented,
    )
