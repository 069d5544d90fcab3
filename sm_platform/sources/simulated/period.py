"""Period: the days an archive covers; less than the whole makes a small archive for a try."""

from dataclasses import dataclass
from datetime import date, timedelta

from sm_platform.errors import UsageError
from sm_platform.sources.simulated.world import FIRST_DAY, LAST_DAY, TRUTH_DAY


@dataclass(frozen=True, slots=True)
class Period:
    """First and last days (UTC, both included) of what is written."""

    drivers_first: date = FIRST_DAY
    """First day of vegetation and weather: a sample looks back more than a year."""
    radar_first: date = TRUTH_DAY
    """First day of radar, labels and truth."""
    last: date = LAST_DAY

    def __post_init__(self) -> None:
        ordered = FIRST_DAY <= self.drivers_first <= self.radar_first <= self.last <= LAST_DAY
        if not ordered or self.radar_first < TRUTH_DAY:
            raise UsageError(
                f"The archive cannot begin with drivers on {self.drivers_first} and radar on "
                f"{self.radar_first} and end on {self.last}: keep this order, drivers from "
                f"{FIRST_DAY}, radar from {TRUTH_DAY}, the end by {LAST_DAY}."
            )

    @property
    def driver_days(self) -> list[date]:
        """Days with vegetation and weather."""
        return _days(self.drivers_first, self.last)

    @property
    def radar_days(self) -> list[date]:
        """Days with radar, labels and truth."""
        return _days(self.radar_first, self.last)


WHOLE = Period()


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
