"""Bursts of OPERA: which overflight of Sentinel-1 each of them was cut of.

The catalogue names the SLC (UMM-G, `InputGranules`), whose name holds absolute orbit and datatake;
the files say the same in their tags, which `formats.opera_rtc` reads.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sm_platform.sources.earthdata.collections import (
    OPERA_RTC,
    Collection,
    match_id,
    moment_of,
    parse_id,
)
from sm_platform.sources.pass_days import first_days
from sm_platform.sources.protocol import Granule
from sm_platform.sources.sentinel1_names import FrameName

BURST = timedelta(seconds=3)
"""A burst lasts 2.75 s and a little more, where it overlaps the next (product specification)."""
ONE_PASS = timedelta(minutes=20)
"""Bursts of a track with a longer gap between them are of different overflights (99 minutes)."""
_SLC = re.compile(
    r"(?P<platform>S1[A-D])_IW_SLC__1S[DS][VH]_(?:\d{8}T\d{6}_){2}(?P<orbit>\d{6})_"
    r"(?P<datatake>[0-9A-F]{6})_",
    re.ASCII,
)


def frame_in(umm: Mapping[str, Any], granule_id: str) -> FrameName | None:
    """The overflight of a burst; None where the catalogue tells neither SLC nor orbit.

    Args:
        umm: what the catalogue tells of the burst.
        granule_id: its id.
    """
    name = match_id(OPERA_RTC, granule_id)
    found = _of_slc(umm, name["platform"]) or _of_orbit(umm)
    if found is None:
        return None
    start, (orbit, datatake_id) = moment_of(OPERA_RTC, granule_id), found
    track = int(name["track"].removeprefix("T"))
    return FrameName(name["platform"], start, start + BURST, orbit, track, datatake_id)


def burst_of(granule_id: str) -> str | None:
    """Burst and subswath, for example `176965-IW1`; None for any other granule."""
    name = parse_id(OPERA_RTC, granule_id)
    return name["burst"] if name else None


def days_of_passes(granules: Sequence[Granule], collection: Collection) -> list[Granule]:
    """Bursts with the day of the first burst of their overflight, in order of time.

    Overflights are told apart by platform, track and gaps: the catalogue need not tell the SLC.
    """
    ordered = sorted(granules, key=lambda one: _track(collection, one))
    passes: list[tuple[str, str, int]] = []
    before, last, number = ("", ""), datetime.min.replace(tzinfo=UTC), 0
    for one in ordered:
        platform, track, moment = _track(collection, one)
        number += (platform, track) != before or moment - last > ONE_PASS
        passes.append((platform, track, number))
        before, last = (platform, track), moment
    own = [moment_of(collection, one.granule_id).date() for one in ordered]
    days = first_days(list(zip(passes, own, strict=True)))
    return [replace(one, day=day) for one, day in zip(ordered, days, strict=True)]


def _track(collection: Collection, granule: Granule) -> tuple[str, str, datetime]:
    name = match_id(collection, granule.granule_id)
    return name["platform"], name["track"], moment_of(collection, granule.granule_id)


def _of_slc(umm: Mapping[str, Any], platform: str) -> tuple[int, str] | None:
    """Absolute orbit and datatake of the SLC that the burst was cut of."""
    for told in umm.get("InputGranules") or ():
        slc = _SLC.search(str(told))
        if slc is not None and slc["platform"] == platform:
            return int(slc["orbit"]), slc["datatake"]
    return None


def _of_orbit(umm: Mapping[str, Any]) -> tuple[int, str] | None:
    """Absolute orbit, which stands for the datatake where no SLC is named, as in the reader."""
    for told in umm.get("OrbitCalculatedSpatialDomains") or ():
        orbit = told.get("OrbitNumber")
        if isinstance(orbit, int):
            return orbit, f"{orbit:06d}"
    return None
