"""What the id of a Sentinel-1 GRD frame says, before any of its files has been fetched.

Naming: Sentinel-1 Product Specification, section 3.4. Earth Engine writes the same ids.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

CYCLE_ORBITS = 175
"""Orbits until a Sentinel-1 satellite sees the same ground again, 12 days (user handbook)."""
ORBIT_OFFSET = {"S1A": 73, "S1B": 27, "S1C": 172, "S1D": 42}
"""Relative orbit = (absolute - offset) mod 175 + 1; S1A and S1B: Copernicus S1 wiki, absolute and
relative orbits; S1C and S1D: from manifests that name both."""
S1C_PUBLIC = date(2025, 3, 26)
"""Before this day Sentinel-1C was on its way to its orbit, from the next to the third it moved to
another one: no formula holds."""
S1C_LEFT_ORBIT, S1C_NEW_ORBIT = date(2026, 6, 16), date(2026, 6, 24)
S1C_NEW_OFFSET = 99

_ID = re.compile(
    r"(?P<platform>S1[A-D])_(?:IW|EW|S[1-6])_GRD[FHM]_1S(?:SH|SV|DH|DV)_"
    r"(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})_(?P<orbit>\d{6})_"
    r"(?P<datatake>[0-9A-F]{6})_[0-9A-F]{4}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class FrameName:
    """One frame (slice) of an overflight."""

    platform: str
    """`S1A` to `S1D`."""
    start_utc: datetime
    stop_utc: datetime
    absolute_orbit: int
    relative_orbit: int | None
    """1 to 175; None where no formula holds."""
    datatake_id: str
    """Six capital hexadecimal digits, the same for all frames of one overflight."""

    @property
    def scene_id(self) -> str:
        """The pass that the frame is a part of, as in `s1_scenes`."""
        return f"{self.platform}_{self.datatake_id}"


def parse_frame(granule_id: str) -> FrameName | None:
    """The parts of a GRD id in capitals or not; None when the name is something else."""
    parts = _ID.fullmatch(granule_id.upper())
    if parts is None:
        return None
    try:
        start, stop = _moment(parts["start"]), _moment(parts["stop"])
    except ValueError:  # the calendar or the clock has no such moment
        return None
    platform, orbit = parts["platform"], int(parts["orbit"])
    relative = relative_orbit(platform, orbit, start.date())
    return FrameName(platform, start, stop, orbit, relative, parts["datatake"])


def relative_orbit(platform: str, absolute_orbit: int, day: date) -> int | None:
    """Relative orbit (1 to 175) on a UTC day, None where no formula holds."""
    offset = ORBIT_OFFSET.get(platform)
    if platform == "S1C":
        if day < S1C_PUBLIC or S1C_LEFT_ORBIT <= day < S1C_NEW_ORBIT:
            return None
        offset = S1C_NEW_OFFSET if day >= S1C_NEW_ORBIT else offset
    return None if offset is None else (absolute_orbit - offset) % CYCLE_ORBITS + 1


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
