"""Times of a table as UTC: ISO 8601 or a stated format, with a zone in the text or a stated one."""

import re
from datetime import UTC
from zoneinfo import ZoneInfo

import pandas as pd

from sm_platform.errors import UsageError

DAY_FIRST = r"\d{4}-?\d{2}-?\d{2}(?:$|[T ])"
"""How a text in ISO 8601 begins: pandas takes `now` and a bare year for times too."""
ZONE = r"[T ]\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)$"
UTC_NAMES = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)


def utc_times(texts: pd.Series, zone: str, time_format: str | None) -> pd.Series:
    """UTC times (microseconds), NaT where a text is none.

    A local hour that a change of clocks skips or repeats is no time.

    Args:
        texts: without blanks around them.
        zone: of times that name none.
        time_format: with `%` directives; None: ISO 8601, also with `/` between its parts.

    Raises:
        UsageError: the format has a directive that there is not.
    """
    if time_format is None:
        return _iso(texts, zone)
    has_zone = "%z" in time_format or "%Z" in time_format
    try:
        found = pd.to_datetime(texts, format=time_format, errors="coerce", utc=has_zone)
    except (ValueError, re.error) as error:
        raise UsageError(
            f"Time format '{time_format}' is not known ({error}): write it as %d/%m/%Y %H:%M."
        ) from error
    return _in_utc(found, None if has_zone else zone)


def _iso(texts: pd.Series, zone: str) -> pd.Series:
    """ISO 8601, with or without a zone on each row."""
    plain = texts.str.replace("/", "-", regex=False)
    ends_in_letter = plain.str.contains("[A-Za-z]$", regex=True)
    if ends_in_letter.any():
        plain = plain.where(~ends_in_letter, plain.str.replace(UTC_NAMES, "Z", regex=True))
    is_iso, has_zone = plain.str.match(DAY_FIRST), plain.str.contains(ZONE, regex=True)
    found = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    for is_zoned in (True, False):
        own = plain[is_iso & (has_zone == is_zoned)]
        if len(own):
            read = pd.to_datetime(own, format="ISO8601", errors="coerce", utc=is_zoned)
            found[own.index] = _in_utc(read, None if is_zoned else zone)
    return found


def _in_utc(moments: pd.Series, zone: str | None) -> pd.Series:
    if zone is not None:
        moments = moments.dt.tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="NaT")
    return pd.Series(moments.dt.tz_convert(UTC).astype("datetime64[us, UTC]"))
