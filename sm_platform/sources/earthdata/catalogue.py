"""Searching NASA's catalogue (CMR, Common Metadata Repository) through the client earthaccess.

The client builds the query, pages and reads; it has no time-out, and ends at the first page that is
shorter than asked for. So its session is bounded, and what came is compared with the count.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sm_platform.errors import PassingError, SourceError
from sm_platform.sources.earthdata.answering import answering, patient
from sm_platform.sources.earthdata.collections import SERVICE, Collection

if TYPE_CHECKING:
    import earthaccess

CMR_URL = "https://cmr.earthdata.nasa.gov/search/"
PAGE_PATIENCE = 3
"""A page of 2000 granules (30 MB of JSON) may take so many times longer than a small answer."""
MOST_HITS = 100_000
"""Of one query; more is a mistake in the days or the region."""
Bounds = tuple[float, float, float, float]
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Where and as whom to search."""

    cmr_url: str
    login_host: str
    token: str
    patience_s: float
    """Longest time for a small answer; for a page of a list PAGE_PATIENCE times that."""

    def items(
        self,
        collection: Collection,
        bounds: Bounds,
        span: tuple[date, date],
        *,
        since: datetime | None = None,
    ) -> Sequence[Item]:
        """Every granule that touches the bounds (degrees) and the days, first and last.

        `since`: only what the catalogue has heard of at that moment or later; a granule is told to
        it when it has come into the archive, so none that came later is lost.

        Raises:
            SourceError: whatever the search failed with, see `answering`.
            PassingError: fewer came than the catalogue counts.
        """
        first, last = span
        asked = f"the list of {collection.name}"
        with answering(SERVICE, asked, [self.token]):
            query = self._query(collection, PAGE_PATIENCE * self.patience_s).parameters(
                bounding_box=bounds,
                temporal=(f"{first}T00:00:00Z", f"{last}T23:59:59Z"),
            )
            if since is not None:
                query.parameters(revision_date=(f"{since:%Y-%m-%dT%H:%M:%SZ}", None))
            hits = query.hits()
            if hits > MOST_HITS:
                raise SourceError(f"{SERVICE.title}: {hits} granules in {asked}: ask for less.")
            found = query.get(hits) if hits else []
        if len(found) < hits:
            raise PassingError(
                f"{SERVICE.title}: {asked} came with {len(found)} of {hits} granules: list again."
            )
        return found

    def one_item(self, collection: Collection) -> Item | None:
        """Any granule: the smallest question; None when the collection has none (any more).

        Raises:
            SourceError: whatever the search failed with, see `answering`.
        """
        with answering(SERVICE, f"the list of {collection.name}", [self.token]):
            found = self._query(collection, self.patience_s).get(1)
        return found[0] if found else None

    def _query(self, collection: Collection, patience_s: float) -> "earthaccess.DataGranules":
        import earthaccess
        from earthaccess.system import System

        # it warns of its own next version, once for each granule that it reads
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"earthaccess\.results")
        auth = earthaccess.Auth()  # one of our own: the client's is one for the whole process
        auth.system = System(self.cmr_url, "", "", self.login_host)  # type: ignore[arg-type]
        auth.token = {"access_token": self.token}
        auth.authenticated = True
        query = earthaccess.DataGranules(auth)
        patient(query.session, patience_s).headers["Accept-Encoding"] = "gzip"
        return query.parameters(short_name=collection.short_name, version=collection.version)
