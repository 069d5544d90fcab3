"""What the id of a Sentinel-1 GRD granule says, and relative orbits by formula."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sm_platform.errors import GranuleError

REPEAT_ORBITS = 175
"""Orbits of one repeat cycle of 12 days (Sentinel-1 handbook)."""
S1C_PUBLIC = date(2025, 3, 26)
"""Before this day Sentinel-1C was moving to its reference orbit: no formula holds."""
S1C_LEFT_ORBIT = date(2026, 6, 16)
S1C_NEW_ORBIT = date(2026, 6, 24)

_ID = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>[A-Z0-9]{2})_(?P<product>GRD[FHM])_(?P<level>1S(?:SH|SV|DH|DV))_"
    r"(?P<start>\d{8}T\d{6})_(?P<end>\d{8}T\d{6})_(?P<orbit>\d{6})_"
    r"(?P<datatake>[0-9A-F]{6})_(?P<unique>[0-9A-F]{4})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class GranuleName:
    """What the id of a Sentinel-1 GRD granule says (Sentinel-1 product specification, naming)."""

    platform: str
    """`S1A` to `S1D`."""
    mode: str
    product: str
    level: str
    """Level, class and polarisation, for example `1SDV`: VV and VH."""
    start_utc: datetime
    end_utc: datetime
    absolute_orbit: int
    datatake_id: str
    """Six hexadecimal digits, the same for all frames of one pass."""
    unique_id: str


def parse_granule_id(granule_id: str) -> GranuleName:
    """The parts of a GRD id; raises GranuleError for anything else."""
    parts = _ID.fullmatch(granule_id)
    if parts is None:
        raise GranuleError(f"{granule_id}: is no Sentinel-1 GRD id: check the file's name.")
    try:
        start, end = _time(parts["start"]), _time(parts["end"])
    except ValueError as error:
        raise GranuleError(f"{granule_id}: start or end is no time: check its name.") from error
    return GranuleName(
        platform=parts["platform"],
        mode=parts["mode"],
        product=parts["product"],
        level=parts["level"],
        start_utc=start,
        end_utc=end,
        absolute_orbit=int(parts["orbit"]),
        datatake_id=parts["datatake"],
        unique_id=parts["unique"],
    )


def relative_orbit(platform: str, absolute_orbit: int, day: date) -> int | None:
    """Relative orbit (1..175) by formula, for products whose metadata do not say it.

    None for Sentinel-1C in its commissioning and between its two reference orbits in 2026.
    """
    offset = {"S1A": 73, "S1B": 27, "S1C": 172, "S1D": 42}.get(platform)
    if platform == "S1C":
        if day < S1C_PUBLIC or S1C_LEFT_ORBIT <= day < S1C_NEW_ORBIT:
            return None
        offset = 99 if day >= S1C_NEW_ORBIT else offset
    return None if offset is None else (absolute_orbit - offset) % REPEAT_ORBITS + 1


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
