"""What `doctor --live` looks at of Earth Engine: access, registration, the smallest request."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from sm_platform.errors import SmPlatformError
from sm_platform.sources.earth_engine.client import LISTING, PROJECT, Access, asking, connect
from sm_platform.sources.earth_engine.images import WORLDCOVER
from sm_platform.sources.earth_engine.wire import SERVICE
from sm_platform.sources.protocol import Finding

PAID = "REGISTERED_COMMERCIALLY"
UNPAID = "REGISTERED_NOT_COMMERCIALLY"
AGENCY = (
    "the daily service of an agency or company needs the paid registration, research and teaching "
    "the free one (https://earthengine.google.com/noncommercial)"
)
LICENCES = (
    "Licences: Sentinel-1 Copernicus terms, MODIS and VIIRS no restrictions, ERA5-Land, SoilGrids "
    "and WorldCover CC-BY-4.0, GLO-30 Copernicus DEM licence; and the terms of Earth Engine itself."
)


def findings(access: Access) -> Iterator[Finding]:
    """What is found, from the first thing needed to the last; ends at one that stops the rest."""
    yield _credentials(access)
    if not access.project:
        yield Finding(False, f"{SERVICE.title}: no project is named: {PROJECT}.")
        return
    reached = _tried(_reach, access)
    yield reached
    if not reached.is_good:
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = [_tried(step, access) for step in (_registration, _smallest)]
    yield from found
    yield _quota([str(one.message) for one in told])
    yield Finding(True, LICENCES)


def _tried(step: Callable[[Access], Finding], access: Access) -> Finding:
    try:
        return step(access)
    except SmPlatformError as error:
        return Finding(False, str(error))


def _credentials(access: Access) -> Finding:
    """What kind is used; whether it is accepted shows when the service is reached."""
    if isinstance(access.credentials, str):
        return Finding(True, f"{SERVICE.title}: {SERVICE.variables[0]} names a key file.")
    kind = "those stored for this user" if access.credentials is None else "those handed over"
    return Finding(
        True, f"{SERVICE.title}: {SERVICE.variables[0]} is not set, credentials: {kind}."
    )


def _reach(access: Access) -> Finding:
    connect(access)
    return Finding(True, f"{SERVICE.title} answers at {access.url}, project {access.project}.")


def _registration(access: Access) -> Finding:
    ee = connect(access)
    with asking("the project's registration"):
        state = str(ee.data.getProjectConfig()["registrationState"])
    said = f"{SERVICE.title}: project {access.project} is"
    if state == PAID:
        return Finding(True, f"{said} registered for commercial and operational use.")
    if state == UNPAID:
        return Finding(True, f"{said} registered for noncommercial use only: {AGENCY}.")
    return Finding(False, f"{said} not registered ({state}): {PROJECT}; {AGENCY}.")


def _smallest(access: Access) -> Finding:
    """One number computed, and one collection looked at: the two kinds of requests there are."""
    ee = connect(access)
    with asking("the smallest computation"):
        value = ee.data.computeValue(ee.Number(1).add(1))
    with asking(f"{LISTING}{WORLDCOVER}"):
        images: list[Any] = ee.data.listImages({"parent": WORLDCOVER, "pageSize": 1})["images"]
    is_good = value == 2 and bool(images)
    return Finding(
        is_good,
        f"{SERVICE.title}: a computation gives {value} (2 expected), a "
        f"collection can be listed: {'yes' if images else 'no'}.",
    )


def _quota(told: list[str]) -> Finding:
    """The client warns when the month's compute quota is used up; it tells no number."""
    restricted = [one for one in told if "quota" in one]
    if restricted:
        return Finding(
            False,
            f"{SERVICE.title}: the month's noncommercial compute quota is used up, requests are "
            "slowed until the next month: use the paid registration or wait.",
        )
    return Finding(
        True,
        f"{SERVICE.title}: no quota is said to be used up; limits are shown at "
        "https://console.cloud.google.com/earth-engine/quota.",
    )
