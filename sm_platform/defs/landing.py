"""Landing granules of a region: each once and whole, several at a time.

All services go through here: what is fetched, retried, checked and set aside is the same.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sm_platform.defs.days import DayReport
from sm_platform.defs.fetching import USUAL, Patience, fetch_whole, patiently, text_in_place
from sm_platform.defs.landing_progress import Progress, landed_told
from sm_platform.defs.service_choice import is_passed_over
from sm_platform.defs.sidecars import cost_of, sidecar_of
from sm_platform.errors import (
    BudgetError,
    DataError,
    DeniedError,
    GranuleError,
    LakeError,
    PassingError,
    SourceError,
)
from sm_platform.lake.granules import (
    LandedGranule,
    in_version,
    land,
    newer_version,
    quarantine_fetched,
)
from sm_platform.lake.layout import SIDECAR, Layout
from sm_platform.lake.lock import locked
from sm_platform.schema.region import Region
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Granule, Product, Source, named

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
    say: Callable[[str], None] | None = None
    """Told how far it is; None: nobody asks."""

    def listed(self, product: Product, days: Sequence[date] | None) -> list[Granule]:
        """What the source has of a product and days, None: its static granules; `named`.

        Raises:
            PassingError: the source did not answer, on the last try either.
        """
        source, window = self.source, self.region.window
        found = patiently(self.patience, lambda: source.granules(product, window, days))
        return named(source, found)

    def land(self, granules: Sequence[Granule]) -> DayReport:
        """Land these listed granules, several at once where the source allows it.

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
        found = {one.granule_id: self.landed_before(one) for one in granules}
        there = {name: one for name, one in found.items() if one is not None}
        new = [one for one in granules if one.granule_id not in there]
        threads = max((self.source.in_flight(one.product) for one in new), default=1)
        ahead = Ahead(self, self._progress(new), there)
        is_alone = threads == 1 or len(new) < 2
        if is_alone and not any(one.hrefs for one in new):  # a service is waited for, and told
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

    def landed_before(self, granule: Granule) -> LandedGranule | None:
        """The granule in the lake, None when it is to be landed, or taken from another day."""
        here = _standing(self.layout, self.region.region_id, granule)
        return None if here is None or self._is_at_next_day(granule) else here

    def _is_at_next_day(self, granule: Granule) -> bool:
        """Whether a frame of a pass over midnight lies under the day after as well (see `land`)."""
        if granule.day is None:
            return False
        day, name = granule.day + timedelta(days=1), self.region.region_id
        folder = self.layout.granule(granule.product.value, name, day, granule.granule_id)
        return (folder / SIDECAR).is_file()


@dataclass(slots=True)
class Ahead:
    """Granules on their way."""

    landing: Landing
    progress: Progress
    there: Mapping[str, LandedGranule] = field(default_factory=dict)
    """Those that were in the lake before, by id."""
    futures: dict[str, Future[Landed]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    refused: PassingError | None = None
    """The service's no to all of them: no credentials, no money. The others are not tried."""
    n_denied: int = 0
    """In a row."""
    requests: dict[str, int] = field(default_factory=dict)
    """What fetching took, by id."""

    def report(self, granules: Sequence[Granule]) -> DayReport:
        """Wait until these have landed; what is there already is left alone.

        Raises:
            PassingError: as `Landing.land`.
            DataError: likewise.
        """
        landed, failed = [], []
        for one in granules:
            try:
                landed.append(self._landed(one))
            except DataError as error:
                failed.append(error)
        if failed:
            raise joined(failed)
        return DayReport(
            status="landed" if landed else "none",
            rows=len(landed),
            metadata=landed_told(landed, self.requests),
        )

    def _landed(self, granule: Granule) -> Landed:
        """The granule, waited for when it is on its way."""
        before = self.there.get(granule.granule_id)
        if before is not None:
            return before, False
        future = self.futures.get(granule.granule_id)
        return self.land_one(granule) if future is None else self.progress.awaited(future)

    def land_one(self, granule: Granule) -> Landed:
        """Land one granule."""
        is_whole, is_new = False, True
        try:
            landed, is_new = self._land(granule)
            is_whole = True
        except (DeniedError, BudgetError) as error:
            self._denied(error)
            raise
        finally:
            if is_new:
                self.n_denied = 0 if is_whole else self.n_denied
                self.progress.done(granule, is_whole=is_whole)
        return landed, is_new

    def _land(self, granule: Granule) -> Landed:
        """One granule, by one process at a time; its cost stands in its sidecar."""
        layout, name = self.landing.layout, self.landing.region.region_id
        sidecar = sidecar_of(granule)

        def fetch(folder: Path) -> None:
            if self.refused is not None:
                raise self.refused
            with metered(self._watch) as meter:
                self._fetch(granule, folder, sidecar)
            sidecar.update(cost_of(meter))  # the sidecar is written after the fetch
            self.requests[granule.granule_id] = meter.requests

        with locked(layout, f"granule-{_stripe(granule)}"):
            return land(layout, name, sidecar, fetch)

    def _fetch(self, granule: Granule, folder: Path, sidecar: Mapping[str, object]) -> None:
        """Fetch it whole; text in the place of data lies in quarantine after the last try.

        A folder's file stays as it is. A service that shows a page to log in on, or of its
        maintenance, will send data again: that may pass.
        """
        landing = self.landing
        window = landing.region.window
        try:
            fetch_whole(
                landing.source,
                granule,
                window,
                folder,
                patience=landing.patience,
                stopping=self.stopping,
            )
        except PassingError as error:
            strange = text_in_place(granule, folder)
            if strange is None:
                raise
            name = landing.region.region_id
            place = quarantine_fetched(landing.layout, name, sidecar, folder, strange)
            kind = PassingError if granule.hrefs else GranuleError
            raise kind(f"{strange} It lies in {place}.") from error

    def _denied(self, error: PassingError) -> None:
        """A service may say no to one granule by mistake; not to several in a row."""
        self.n_denied += 1
        if isinstance(error, BudgetError) or self.n_denied >= MOST_DENIED:
            self.refused = error

    def _watch(self, n_bytes: int) -> None:
        """Count what comes; ends the transfers when the run has been stopped."""
        if self.stopping.is_set():
            raise SourceError("Stopped: run the same again, it goes on from there.")
        self.progress.came(n_bytes)


def joined(failed: Sequence[DataError]) -> DataError:
    """All reasons as one error, each sentence once; of the kind that helps least to try again."""
    if len(failed) == 1:
        return failed[0]
    reasons = " ".join(dict.fromkeys(str(error) for error in failed))
    if not all(isinstance(error, PassingError) for error in failed):
        return DataError(reasons)
    refused = [error for error in failed if isinstance(error, DeniedError | BudgetError)]
    if refused:
        return type(refused[0])(reasons, refused[0].retry_after_s)
    return PassingError(reasons)


def is_there(layout: Layout, region_id: str, granule: Granule) -> bool:
    """Whether a run over its day would find nothing new in a listed granule.

    It is in the lake in the listed version, and its day is not made from another service than the
    one that brings it now. What is damaged is a no.
    """
    if _standing(layout, region_id, granule) is None:
        return False
    try:
        return not is_passed_over(layout, region_id, granule)
    except LakeError:
        return False


def _standing(layout: Layout, region_id: str, granule: Granule) -> LandedGranule | None:
    """The landed granule in the listed version or a later one; with a damaged sidecar none."""
    folder = layout.granule(granule.product.value, region_id, granule.day, granule.granule_id)
    try:
        here = in_version(folder, granule.stamp, granule.service)
        return here or newer_version(layout, region_id, sidecar_of(granule))
    except LakeError:
        return None


def _stripe(granule: Granule) -> str:
    """One of 256 locks: those of all granules would be too many files.

    All processings of a granule have the same: each would take the others away.
    """
    name = f"{granule.product.value}/{granule.version_of or granule.granule_id}"
    return hashlib.sha256(name.encode()).hexdigest()[:2]
