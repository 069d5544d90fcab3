"""Days on which granules of SMAP are known to be bad though no flag in the file says so.

NSIDC, which distributes them, tells such days in notices and replaces the files. Of the wrong scan
angles of 2019 and 2020 it told how to know a replacement: the counter at the end of the name is
above 001, or the composite release id (CRID) before it is newer.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Notice:
    """Days whose granules are not to be used until they are replaced."""

    product: str
    first_day: date
    last_day: date
    """UTC days, both included."""
    release: int
    """Digits of the CRID that granules of these days had at first."""
    is_counted: bool
    """Whether a counter above 001 tells a replacement."""


SPL4, SPL3SMP_E = "spl4", "spl3smp_e"
FIRST_COUNTER = 1
_GEOLOCATION = date(2026, 5, 14), date(2026, 7, 28)
# The geolocation was wrong; the standard products are being made anew. Told at second hand: three
# public projects of 2026 quote the notice; the notice itself could not be seen, nor by which sign
# its replacements are known. The CRIDs are those of file names that projects show of these days
# (Vv8011) and of the months before and after (R19240). SPL3SMP_E of ordinary days often has the
# counter 002, so that there it tells no replacement: only a newer CRID does.
NOTICES = (
    Notice(SPL4, *_GEOLOCATION, release=8011, is_counted=True),
    Notice(SPL3SMP_E, *_GEOLOCATION, release=19240, is_counted=False),
)


def is_bad(product: str, day: date, *, release: int, counter: int) -> bool:
    """Whether a notice speaks against a granule and its name shows no replacement.

    Args:
        product: SPL4 or SPL3SMP_E.
        day: UTC day of the granule.
        release: digits of the CRID in its name, for example 8011 of `Vv8011`.
        counter: last number of its name, 1 for `_001`.
    """
    return any(
        notice.product == product
        and notice.first_day <= day <= notice.last_day
        and release <= notice.release
        and not (notice.is_counted and counter > FIRST_COUNTER)
        for notice in NOTICES
    )
