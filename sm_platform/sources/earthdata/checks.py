"""What NASA Earthdata cannot have, said before it is asked."""

from collections.abc import Sequence
from datetime import date

from sm_platform.errors import SourceError
from sm_platform.sources.earthdata.catalogue import Bounds
from sm_platform.sources.earthdata.collections import RETIRED, SERVICE, Collection
from sm_platform.sources.ndvi_sensors import FOLLOWS


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


def end_told(collection: Collection) -> str:
    """What is reported of the end of a collection, with what goes on; empty when nothing is."""
    if collection.last_day is None:
        return ""
    return f"{collection.name} is reported to end about {collection.last_day}: choose {FOLLOWS}."


def check_ended(collections: Sequence[Collection], day: date) -> None:
    """Raises SourceError when all collections are reported to have ended before a day.

    Only where nothing was found: the end is reported, not proven.
    """
    ended = [one for one in collections if one.last_day is not None and one.last_day < day]
    if ended and len(ended) == len(collections):
        told = " ".join(end_told(one) for one in ended)
        raise SourceError(f"{SERVICE.title} lists nothing of {day} or after. {told}")


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
    if collection.lies_at:
        return SourceError(
            f"{SERVICE.title}: the catalogue has no granule of {collection.name}: it may hold only "
            f"the description; the files lie at {collection.lies_at}: fetch them there and name "
            'their folder in the configuration (service "folder").'
        )
    return SourceError(
        f"{SERVICE.title}: the catalogue has no granule of {collection.name} at all: a newer "
        "version may have taken its place; see "
        f"https://search.earthdata.nasa.gov/search?q={collection.short_name}."
    )
