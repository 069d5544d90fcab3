"""What may be spent on services in a month, and the purse from which it is paid."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sm_platform.errors import BudgetError
from sm_platform.lake.layout import Layout
from sm_platform.lake.spending import Spent, Sums, note_spending, spent_in, total
from sm_platform.sources.configuration import UNITS, Budget
from sm_platform.sources.metering import Meter

READ_EVERY_S = 30.0
"""How often it is looked what other processes have spent meanwhile."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What is paid for."""

    service: str
    product: str
    region: str
    granule_id: str = ""
    """Empty for a listing."""


@dataclass(slots=True)
class Purse:
    """Notes what is spent; refuses more once the month's budget is used up."""

    layout: Layout
    """The lake that keeps the books."""
    budget: Budget = field(default_factory=Budget)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _spent: Sums = field(default_factory=Sums)
    _read_at: float | None = None

    def check(self) -> None:
        """Raises BudgetError, with what to do, when the month's budget is used up."""
        if self.budget.is_open:
            return
        now = datetime.now(UTC)
        told = used_up(self.budget, self._known(), now)
        if told is not None:
            raise BudgetError(told, (next_month(now) - now).total_seconds())

    def note(self, what: Spending, meter: Meter, seconds: float, *, is_whole: bool) -> None:
        """Book what was metered; folders cost nothing and are not booked."""
        if not meter.requests:
            return
        spent = Spent(
            spent_utc=datetime.now(UTC),
            service=what.service,
            product=what.product,
            region=what.region,
            granule_id=what.granule_id,
            requests=meter.requests,
            received_bytes=meter.received_bytes,
            eecu_s=meter.eecu_s,
            seconds=round(seconds, 3),
            is_whole=is_whole,
        )
        with self._lock:
            note_spending(self.layout, spent)
            self._spent = self._spent + Sums(
                meter.requests, meter.received_bytes, meter.eecu_s or 0.0, seconds
            )

    def _known(self) -> Sums:
        """Spent this month: read now and then, own spending added at once."""
        now = time.monotonic()
        with self._lock:
            if self._read_at is None or now - self._read_at > READ_EVERY_S:
                self._spent = total(spent_in(self.layout).values())
                self._read_at = now
            return self._spent


def overspent(budget: Budget, spent: Sums) -> str | None:
    """What is used up, with figures; None while there is something left of all."""
    used = [
        f"{amount:.6g} of {most:.6g} {name}"
        for name, most, amount in zip(
            UNITS,
            budget.limits,
            (spent.requests, spent.received_bytes / 1e6, spent.eecu_s / 3600),
            strict=True,
        )
        if most is not None and amount >= most
    ]
    return ", ".join(used) or None


def used_up(budget: Budget, spent: Sums, now: datetime) -> str | None:
    """A sentence with what to do once the budget of the month of `now` (UTC) is used up."""
    over = overspent(budget, spent)
    if over is None:
        return None
    return (
        f"The month's budget is used up: {over}. Downloads go on in {next_month(now):%B}, or with "
        "a larger [budget] in the file that SM_SOURCES names."
    )


def used_up_in(layout: Layout, budget: Budget) -> str | None:
    """As `used_up`, by the books of a lake; raises LakeError when they cannot be read."""
    if budget.is_open:
        return None
    return used_up(budget, total(spent_in(layout).values()), datetime.now(UTC))


def next_month(moment: datetime) -> datetime:
    """The first moment of the month after."""
    later = moment.replace(day=28) + timedelta(days=5)
    return later.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
