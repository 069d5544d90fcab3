"""Landing granules of a region: each once and whole, several at a time, at a price that is noted.

All services go through here: what is fetched, retried, checked, set aside and paid is the same.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sm_platform.defs.budget import Purse, no_limit
from sm_platform.defs.days import DayReport
from sm_platform.defs.fetching import USUAL, Patience, fetch_whole, patiently, text_in_place
from sm_platform.defs.landing_progress import Progress
from sm_platform.errors import BudgetError, DataError, DeniedError, GranuleError, PassingError
from sm_platform.lake.granules import LandedGranule, is_landed, land, quarantine_fetched
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform.sources.metering import Meter, metered
from sm_platform.sources.mixed import MixedSource
from sm_platform.sources.protocol import Granule, Product, Source

MOST_DENIED = 3
Landed = tuple[LandedGranule, bool]
"""A granule in the lake, and whether it was fetched now."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Lands granules of one region from its source."""

    layout: Layout
    region: Region
    source: Source
    patience: Patience = USUAL
    purse: Purse = field(default_factory=no_limit)
    say: Callable[[str], None] | None = None
    """Told how far it is; None: nobody asks."""

    def listed(self, product: Product, days: Sequence[date] | None) -> list[Granule]:
        """What the source has of a product and days, None: its static granules.

        Raises:
            PassingError: the source did not answer, on the last try either.
        """
        window, began = self.region.window, time.monotonic()
        with metered() as meter:
            try:
                return patiently(self.patience, lambda: self.source.granules(product, window, days))
            finally:
                self.purse.note(self._place(product), meter, time.monotonic() - began)

    def land(self, granules: Sequence[Granule]) -> DayReport:
        """Land these granules, several at once where the source allows it.

        Raises:
            PassingError: naming each that could not be had, after the others have been landed;
                all of them may be had later.
            DataError: the same when trying again will not help with one of them.
        """
        with self.ahead(granules) as ahead:
            return ahead.report(granules)

    @contextmanager
    def ahead(self, granules: Sequence[Granule]) -> Iterator["Ahead"]:
        """Begin to land all of these; `report` waits for those that it is asked for.

        What has not begun when the block ends is not begun; what is on its way is stopped.
        """
        new = [one for one in granules if not self._is_there(one)]
        threads = max((self.source.in_flight(one.product) for one in new), default=1)
        ahead = Ahead(self, self._progress(new))
        if threads == 1 or len(new) < 2:
            yield ahead
            ahead.progress.end()
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="landing")
        try:
            ahead.futures = {one.granule_id: pool.submit(ahead.land_one, one) for one in new}
            yield ahead
            ahead.progress.end()
        finally:
            ahead.stopping.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _progress(self, new: Sequence[Granule]) -> Progress:
        say = self.say
        if say is None or not new:
            return Progress(new, None)
        what = f"{self.region.region_id} {new[0].product.value}"
        return Progress(new, lambda text: say(f"{what}: {text}"))

    def _is_there(self, granule: Granule) -> bool:
        name, product = self.region.region_id, granule.product.value
        folder = self.layout.granule(product, name, granule.day, granule.granule_id)
        return is_landed(folder, granule.stamp)

    def _place(self, product: Product) -> tuple[str, str, str, str]:
        mixed = self.source if isinstance(self.source, MixedSource) else None
        service = mixed.service_of(product) if mixed else self.source.name
        return service, product.value, self.region.region_id, ""


@dataclass(slots=True)
class Ahead:
    """Granules on their way."""

    landing: Landing
    progress: Progress
    futures: dict[str, Future[Landed]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    refused: PassingError | None = None
    """The service's no to all of them: no credentials, no money. The others are not tried."""
    n_denied: int = 0
    """In a row."""

    def report(self, granules: Sequence[Granule]) -> DayReport:
        """Wait until these have landed; what is there already is left alone.

        Raises:
            PassingError: as `Landing.land`.
            DataError: likewise.
        """
        landed, failed = [], []
        for one in granules:
            try:
                future = self.futures.get(one.granule_id)
                landed.append(self.land_one(one) if future is None else future.result())
            except DataError as error:
                failed.append(error)
        if len(failed) == 1:
            raise failed[0]
        if failed:
            raise _joined(failed)
        return DayReport(
            status="landed" if landed else "none",
            rows=len(landed),
            metadata={
                "fetched": sum(is_new for _, is_new in landed),
                "megabytes": sum(one.size_bytes for one, _ in landed) / 1e6,
                "granules": ", ".join(one.granule_id for one, _ in landed),
            },
        )

    def land_one(self, granule: Granule) -> Landed:
        """Land one granule; its cost is noted whether it came or not."""
        landing, sidecar = self.landing, self._sidecar(granule)
        began, is_whole, is_new = time.monotonic(), False, True
        with metered(self._watch) as meter:
            try:
                landed, is_new = self._land(granule, sidecar, meter)
                is_whole = True
                self.n_denied = 0
            except (DeniedError, BudgetError) as error:
                self._denied(error)
                raise
            finally:
                if is_new:
                    place = landing.source.name, granule.product.value, landing.region.region_id
                    service = granule.service or place[0]
                    landing.purse.note(
                        (service, *place[1:], granule.granule_id),
                        meter,
                        time.monotonic() - began,
                        is_whole=is_whole,
                    )
                    self.progress.done(granule, is_whole=is_whole)
        return landed, is_new

    def _land(self, granule: Granule, sidecar: dict[str, object], meter: Meter) -> Landed:
        """One granule; text in the place of data lies in quarantine after the last try."""
        landing, name = self.landing, self.landing.region.region_id

        def fetch(folder: Path) -> None:
            window = landing.region.window
            if self.refused is not None:
                raise self.refused
            landing.purse.check()
            try:
                fetch_whole(landing.source, granule, window, folder, patience=landing.patience)
            except PassingError as error:
                strange = text_in_place(granule, folder)
                if strange is None:
                    raise
                place = quarantine_fetched(landing.layout, name, sidecar, folder, strange)
                raise GranuleError(f"{strange} It lies in {place}.") from error
            sidecar.update(_cost(meter))  # known by now; the sidecar is written after this

        return land(landing.layout, name, sidecar, fetch)

    def _denied(self, error: PassingError) -> None:
        """A service may say no to one granule by mistake; not to several in a row."""
        self.n_denied += 1
        if isinstance(error, BudgetError) or self.n_denied >= MOST_DENIED:
            self.refused = error

    def _watch(self, n_bytes: int) -> None:
        """Count what comes; ends the transfers when the run has been stopped."""
        if self.stopping.is_set():
            raise PassingError("Stopped: run the same again, it goes on from there.")
        self.progress.came(n_bytes)

    def _sidecar(self, granule: Granule) -> dict[str, object]:
        available = granule.available_utc
        told: dict[str, object] = {
            "product": granule.product.value,
            "granule_id": granule.granule_id,
            "day": granule.day.isoformat() if granule.day else None,
            "format": granule.format,
            "files": list(granule.files),
            "available_utc": available.isoformat() if available else None,
            "licence": granule.licence,
            "source": granule.service or self.landing.source.name,
            "stamp": granule.stamp,
        }
        more = {"hrefs": list(granule.hrefs), "citation": granule.citation}
        return told | {name: value for name, value in more.items() if value}


def _cost(meter: Meter) -> dict[str, object]:
    if not meter.requests:
        return {}
    return {
        "requests": meter.requests,
        "received_bytes": meter.received_bytes,
        "eecu_s": meter.eecu_s,
    }


def _joined(failed: Sequence[DataError]) -> DataError:
    """All reasons as one error, each sentence once."""
    reasons = " ".join(dict.fromkeys(str(error) for error in failed))
    first = failed[0]
    if isinstance(first, DeniedError | BudgetError):
        return type(first)(reasons, first.retry_after_s)
    is_passing = all(isinstance(error, PassingError) for error in failed)
    return PassingError(reasons) if is_passing else DataError(reasons)
