"""The time zone of a place: whose clocks people there keep.

Source: timezone-boundary-builder (OpenStreetMap, ODbL 1.0), as the package tzfpy (MIT) ships it,
borders simplified to within about 111 m. Places whose clocks have agreed since 1970 share one
name: all of northern Vietnam is `Asia/Bangkok` there, as in the IANA table. On the open sea the
zone is that of the meridian.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzfpy

DEGREES_PER_HOUR = 15.0


@dataclass(frozen=True, slots=True)
class FoundZone:
    """A zone by its IANA name, and what a person should know of how it was found."""

    name: str
    warning: str | None = None


def time_zone_at(lon_deg: float, lat_deg: float) -> FoundZone:
    """The zone of a place (WGS 84, degrees); that of its meridian, with a warning, if none is told.

    A zone that this machine has no rules of counts as none.
    """
    told = tzfpy.get_tz(lon_deg, lat_deg)
    try:
        return FoundZone(ZoneInfo(told).key)
    except (ZoneInfoNotFoundError, ValueError):
        name = nautical_zone(lon_deg)
        why = f"'{told}' is not known on this machine" if told else "no zone is known there"
        return FoundZone(
            name,
            f"The time zone of {lat_deg:.2f}, {lon_deg:.2f} is taken by its meridian ({name}), "
            f"{why}: name another one with --time-zone.",
        )


def nautical_zone(lon_deg: float) -> str:
    """The zone of a meridian, to whole hours; its IANA name counts hours *behind* UTC."""
    hours = round(lon_deg / DEGREES_PER_HOUR)
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
