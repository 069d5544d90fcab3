"""What NASA Earthdata cannot have, said before it is asked."""

from collections.abc import Sequence
from datetime import date

from sm_platform.errors import SourceError
from sm_platform.sources.earthdata.catalogue import Bounds
from sm_platform.sources.earthdata.collections import RETIRED, SERVICE, Collection


def check_version(collection: Collection) -> None:
    """Raises SourceError for a version that was withdrawn, naming what took its place."""
    successor = RETIRED.get(collection.name)
    if successor is not None:
        raise SourceError(
            f"{collection.name} was withdrawn by {SERVICE.title}, {successor} took its place: "
            "configure that version."
        )


def check_days(collections: Sequence[Collection], days: Sequence[date]) -> None:
    """Raises SourceError when all days lie before the first of the collections."""
    first = min(one.first_day for one in collections)
    if max(days) < first:
        names = " and ".join(one.name for one in collections)
        raise SourceError(
            f"{SERVICE.title}: {names} begins on {first}, asked is {max(days)} and before: choose "
            "later days."
        )


def check_place(collection: Collection, bounds: Bounds) -> None:
    """Raises SourceError when the bounds (degrees) lie beyond what the collection covers."""
    _, south, _, north = bounds
    if south > collection.highest_lat or north < -collection.highest_lat:
        raise SourceError(
            f"{SERVICE.title}: {collection.name} ends at {collection.highest_lat} degrees north "
            "and south: the region lies beyond."
        )


def gone(collection: Collection) -> SourceError:
    """What to say when the catalogue has not one granule of a collection."""
    return SourceError(
        f"{SERVICE.title}: the catalogue has no granule of {collection.name} at all: a newer "
        "version may have taken its place; see "
        f"https://search.earthdata.nasa.gov/search?q={collection.short_name}."
    )
