"""What `doctor --live` tells of NASA Earthdata."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sm_platform.errors import SmPlatformError, SourceError
from sm_platform.sources.earthdata.answering import answering
from sm_platform.sources.earthdata.catalogue import Catalogue
from sm_platform.sources.earthdata.checks import check_version, end_told, gone
from sm_platform.sources.earthdata.collections import SERVICE, Collection
from sm_platform.sources.earthdata.items import granule_of
from sm_platform.sources.earthdata.login import expiry
from sm_platform.sources.protocol import Finding, Product

SOON = timedelta(days=7)
"""A token that ends sooner is worth a warning."""
AGREEMENTS = {Product.LATE_RAIN: "GES DISC", Product.S1_GRD: "ASF"}
"""Archives that want their terms accepted, by what comes from them."""


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
    yield _terms(collections)


def _login(token: str) -> Finding:
    ends = expiry(token)
    if ends is None:
        return Finding(True, f"{SERVICE.title}: a token is there; it does not tell when it ends.")
    left = ends - datetime.now(UTC)
    text = f"{SERVICE.title}: a token is there, it ends on {ends:%Y-%m-%d %H:%M} UTC"
    if left < SOON:
        return Finding(False, f"{text}, soon: make a new one at {SERVICE.account}.")
    return Finding(True, f"{text}.")


def _collection(catalogue: Catalogue, one: Collection) -> Finding:
    about = (one.product,)
    try:
        check_version(one)
    except SourceError as error:
        return Finding(False, str(error), about)
    item = catalogue.one_item(one)
    with answering(SERVICE, f"the list of {one.name}"):
        granule = granule_of(item, one) if item else None
    if item is None:
        return Finding(False, str(gone(one)), about)
    size = (granule.estimated_bytes if granule else None) or one.estimated_bytes
    text = f"{one.name} can be listed, a granule has about {size / 1e6:.0f} MB."
    goes_on = one.last_day is None or datetime.now(UTC).date() <= one.last_day
    return Finding(goes_on, f"{SERVICE.title}: {text} {end_told(one)}".rstrip(), about)


def _terms(collections: Sequence[Collection]) -> Finding:
    """Licences of what is used, and the agreements without which a download is refused."""
    licences = sorted({one.terms.licence for one in collections})
    text = f"{SERVICE.title}: no quota is told. Licence: {'; '.join(licences)}."
    archives = [name for one, name in AGREEMENTS.items() if one in {c.product for c in collections}]
    if archives:
        text += (
            f" To be accepted once, in the profile at https://urs.earthdata.nasa.gov "
            f"(Applications, EULAs): what {' and '.join(archives)} asks; only a download shows "
            "that."
        )
    return Finding(True, text)
