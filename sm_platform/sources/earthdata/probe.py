"""What `doctor --live` tells of NASA Earthdata."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sm_platform.errors import SmPlatformError, SourceError
from sm_platform.sources.earthdata.answering import answering
from sm_platform.sources.earthdata.catalogue import Catalogue
from sm_platform.sources.earthdata.checks import check_version, gone
from sm_platform.sources.earthdata.collections import SERVICE, Collection
from sm_platform.sources.earthdata.items import granule_of
from sm_platform.sources.earthdata.login import expiry
from sm_platform.sources.protocol import Finding
from sm_platform.sources.terms import OPEN_NASA

SOON = timedelta(days=7)
"""A token that ends sooner is worth a warning."""


def look(
    catalogue: Callable[[], Catalogue],
    in_use: Callable[[], Sequence[Collection]],
    bearer: Callable[[], str],
) -> Iterator[Finding]:
    """The login, each collection in use, the terms; whatever goes wrong becomes a finding."""
    try:
        yield _login(bearer())
        searched, collections = catalogue(), in_use()
    except SmPlatformError as error:
        yield Finding(False, str(error))
        return
    for number, one in enumerate(collections, start=1):
        try:
            yield _collection(searched, one)
        except SmPlatformError as error:  # the next ones would fail alike, and take as long
            left = ", ".join(other.name for other in collections[number:])
            yield Finding(False, f"{error} Not looked at: {left or 'nothing more'}.")
            return
    yield Finding(
        True,
        f"{SERVICE.title}: no quota is told. Licence: {OPEN_NASA}. GES DISC and ASF want their "
        "applications and terms to be accepted once, in the profile at "
        "https://urs.earthdata.nasa.gov (Applications, EULAs); only a download shows that.",
    )


def _login(token: str) -> Finding:
    ends = expiry(token)
    if ends is None:
        return Finding(True, f"{SERVICE.title}: a token is there; it does not tell when it ends.")
    left = ends - datetime.now(UTC)
    text = f"{SERVICE.title}: a token is there, it ends on {ends:%Y-%m-%d %H:%M} UTC"
    if left < SOON:
        return Finding(False, f"{text}, in {left.days} days: make a new one at {SERVICE.account}.")
    return Finding(True, f"{text}.")


def _collection(catalogue: Catalogue, one: Collection) -> Finding:
    try:
        check_version(one)
    except SourceError as error:
        return Finding(False, str(error))
    item = catalogue.one_item(one)
    with answering(SERVICE, f"the list of {one.name}"):
        granule = granule_of(item, one) if item else None
    if item is None:
        return Finding(False, str(gone(one)))
    size = (granule.estimated_bytes if granule else None) or one.estimated_bytes
    return Finding(True, f"{one.name}: can be listed, a granule has about {size / 1e6:.0f} MB.")
