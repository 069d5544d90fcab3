"""What the sidecar of a landed granule tells of where it is from, and of what it cost."""

from sm_platform.sources.metering import Meter
from sm_platform.sources.protocol import Granule


def sidecar_of(granule: Granule) -> dict[str, object]:
    """What is known before it is fetched, of a granule with its service (`named`)."""
    available = granule.available_utc
    told: dict[str, object] = {
        "product": granule.product.value,
        "granule_id": granule.granule_id,
        "day": granule.day.isoformat() if granule.day else None,
        "format": granule.format,
        "files": list(granule.files),
        "available_utc": available.isoformat() if available else None,
        "licence": granule.licence,
        "source": granule.service,
        "stamp": granule.stamp,
    }
    more = {
        "hrefs": list(granule.hrefs),
        "citation": _citation(granule),
        "version_of": granule.version_of,
        "processing": granule.processing,
    }
    return told | {name: value for name, value in more.items() if value}


def _citation(granule: Granule) -> str | None:
    """Some makers want the year of their data in it."""
    if granule.citation is None or granule.day is None:
        return granule.citation
    return granule.citation.replace("[year]", str(granule.day.year))


def cost_of(meter: Meter) -> dict[str, object]:
    """Requests, bytes and Earth Engine's compute; nothing where no request was made."""
    if not meter.requests:
        return {}
    return {
        "requests": meter.requests,
        "received_bytes": meter.received_bytes,
        "eecu_s": meter.eecu_s,
    }
