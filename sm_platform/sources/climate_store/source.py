"""ClimateStoreSource: ERA5-Land days from the Copernicus Climate Data Store.

Listing asks nothing: which days are out follows from the store's rules (`climate_store_pieces`).
A day is cut out of its month, which is asked for once (`climate_store_work`).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import PassingError, SourceError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.climate_store.jobs import PAGE, SERVICE, Jobs, LostRequestError, Polling
from sm_platform.sources.climate_store.netcdf_excerpt import write_excerpt
from sm_platform.sources.climate_store.pieces import (
    Area,
    area_around,
    available,
    final_utc,
    newest_day,
    out_utc,
    stamp_of_day,
)
from sm_platform.sources.climate_store.work import Work
from sm_platform.sources.names import empty_folder
from sm_platform.sources.protocol import Finding, Granule, Product
from sm_platform.sources.services import lacks_credentials
from sm_platform.sources.terms import ERA5_LAND

URL = "https://cds.climate.copernicus.eu/api"
FORMAT = "era5_land"
HOURS = 25
"""00 UTC of a day to 00 UTC of the next, both included."""
REQUESTS_A_PIECE = 9
"""Notices, form, sending, two looks or more, three for the result, the file."""
BYTES_AN_HOUR = 2 * 4
"""Of a cell: two variables in single precision."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClimateStoreSource:
    """Weather of UTC days around a window, on the store's 0.1 degree grid."""

    work: Path
    """Folder for months that were fetched and requests on their way; kept between runs."""
    key: str | None = field(default=None, repr=False)
    """Personal access token of the store's account."""
    url: str = URL
    at_once: int = 32
    """Days fetched at once: those of a month wait for one request."""
    polling: Polling = field(default_factory=Polling)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    """Gives the present moment (UTC)."""

    @property
    def name(self) -> str:
        """Short name for lineage."""
        return SERVICE.service_id

    def now(self) -> datetime:
        """The present."""
        return self.clock()

    def granules(
        self, product: Product, window: GridWindow, days: Sequence[date] | None
    ) -> list[Granule]:
        """The days that are out; as `Source.granules`.

        Raises:
            SourceError: all days lie before 1950, or the window crosses the 180th meridian.
        """
        if product is not Product.WEATHER or days is None:
            return []
        now, area = self.now(), area_around(window)
        found = available(days, now)
        firsts = {(day.year, day.month): day for day in reversed(found)}
        return [
            self._granule(area, day, now, is_first=firsts[day.year, day.month] == day)
            for day in found
        ]

    def listed_since(
        self,
        products: Collection[Product],
        window: GridWindow,
        since: datetime | None,
        first_day: date,
    ) -> list[Granule]:
        """Days that came out, or became final, at or after a moment; as `Source.listed_since`."""
        if Product.WEATHER not in products:
            return []
        now = self.now()
        n_days = (newest_day(now) - first_day).days + 1
        days = [first_day + n * ONE_DAY for n in range(n_days)]
        new = [day for day in days if since is None or _changed_utc(day, now) >= since]
        return self.granules(Product.WEATHER, window, new)

    def in_flight(self, product: Product) -> int:
        """As many as the configuration says."""
        return self.at_once

    def fetch(self, granule: Granule, window: GridWindow, folder: Path) -> None:
        """Cut the day out of its month, which is asked for when it is not in the work folder.

        Raises:
            PassingError: the store did not answer, or has not finished yet.
            SourceError: it refuses, or lacks hours of the day.
        """
        empty_folder(folder)
        day = granule.day
        if granule.product is not Product.WEATHER or day is None:
            raise SourceError(f"{granule.granule_id} is no day of weather: list it again.")
        work = self._work()
        files = work.hours_of(area_around(window), day, self.now())
        try:
            write_excerpt(files, _times(day), folder / granule.files[0])
        except SourceError as error:
            work.forget(files)
            raise PassingError(f"{SERVICE.title}: {error}") from error

    def probe(self, products: Collection[Product]) -> Iterator[Finding]:
        """Key, catalogue, account and licence; as `LiveSource.probe`."""
        title, names = SERVICE.title, " or ".join(SERVICE.variables)
        if not self.key:
            yield Finding(False, str(lacks_credentials(SERVICE)))
            return
        yield Finding(True, f"{title}: the key is set ({names}).")
        jobs = self._work().jobs
        yield _found(lambda: f"{title}: the catalogue has ERA5-Land up to {_told(jobs.newest())}.")
        yield _found(
            lambda: (
                f"{title}: the key is taken; licences accepted: "
                f"{', '.join(jobs.account()) or 'none'}. That of ERA5-Land has to be among them, "
                f"see {PAGE}."
            )
        )
        yield Finding(
            True,
            f"{title}: no quota is told; requests wait in a queue, a month of a region is one "
            f"request. Licence {ERA5_LAND.licence}: cite doi 10.24381/cds.e2161bac.",
        )

    def _work(self) -> Work:
        return Work(self.work / SERVICE.service_id, Jobs(self.url, self.key, self.polling))

    def _granule(self, area: Area, day: date, now: datetime, *, is_first: bool) -> Granule:
        name = f"era5-land_{area.tag}_{day:%Y%m%d}"
        return Granule(
            product=Product.WEATHER,
            granule_id=name,
            day=day,
            files=(f"{name}.nc",),
            format=FORMAT,
            available_utc=out_utc(day),
            licence=ERA5_LAND.licence,
            stamp=stamp_of_day(day, now),
            hrefs=("https://cds.climate.copernicus.eu/datasets/reanalysis-era5-land",),
            service=SERVICE.service_id,
            citation=ERA5_LAND.citation,
            n_requests=REQUESTS_A_PIECE if is_first else 0,
            estimated_bytes=HOURS * BYTES_AN_HOUR * area.n_cells,
        )


def _times(day: date) -> NDArray[np.int64]:
    """The day's 25 hours, seconds since 1970-01-01."""
    start = int(datetime.combine(day, time(), UTC).timestamp())
    return start + 3600 * np.arange(HOURS, dtype=np.int64)


def _changed_utc(day: date, now: datetime) -> datetime:
    """When the version of a day that can be had now came out."""
    return final_utc(day) if final_utc(day) <= now else out_utc(day)


def _told(moment: datetime | None) -> str:
    return "a day that it does not tell" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _found(look: Callable[[], str]) -> Finding:
    try:
        return Finding(True, look())
    except (SourceError, LostRequestError) as error:
        return Finding(False, str(error))
