"""What `doctor --live` looks at of Earth Engine: access, registration, the smallest requests."""

import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sm_platform.errors import SmPlatformError
from sm_platform.sources import terms
from sm_platform.sources.earth_engine.client import LISTING, PROJECT, Access, asking, connect
from sm_platform.sources.earth_engine.collections import Collection as Dated
from sm_platform.sources.earth_engine.collections import collections_of
from sm_platform.sources.earth_engine.images import GLO30, SOIL_PROPERTIES, WORLDCOVER, soil_asset
from sm_platform.sources.earth_engine.wire import SERVICE
from sm_platform.sources.protocol import Finding, Product

PAID = "REGISTERED_COMMERCIALLY"
UNPAID = "REGISTERED_NOT_COMMERCIALLY"
AGENCY = (
    "the daily service of an agency or company needs the paid registration, research and teaching "
    "the free one (https://earthengine.google.com/noncommercial)"
)
STATIC = {
    Product.SOIL: (tuple(soil_asset(one) for one in SOIL_PROPERTIES), terms.SOILGRIDS),
    Product.ELEVATION: ((GLO30,), terms.GLO30),
    Product.LAND_COVER: ((WORLDCOVER,), terms.WORLDCOVER),
}
"""Assets and terms of the products without days."""


def findings(access: Access, products: Collection[Product], ndvi_sensor: str) -> Iterator[Finding]:
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
        found = [_tried(_registration, access), _tried(_computed, access)]
        found += [_looked_at(access, product, ndvi_sensor) for product in products]
    yield from found
    yield _quota([str(one.message) for one in told])


def _tried(step: Callable[[Access], Finding], access: Access) -> Finding:
    try:
        return step(access)
    except SmPlatformError as error:
        return Finding(False, str(error))


def _looked_at(access: Access, product: Product, ndvi_sensor: str) -> Finding:
    try:
        return _listed(access, product, ndvi_sensor)
    except SmPlatformError as error:
        return Finding(False, str(error), (product,))


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


def _computed(access: Access) -> Finding:
    ee = connect(access)
    with asking("the smallest computation"):
        value = ee.data.computeValue(ee.Number(1).add(1))
    return Finding(value == 2, f"{SERVICE.title}: a computation gives {value} (2 expected).")


def _listed(access: Access, product: Product, ndvi_sensor: str) -> Finding:
    """One image of each asset that brings the product is looked at, and its licence told."""
    ee = connect(access)
    assets, licence = _assets(product, ndvi_sensor)
    for asset in assets:
        with asking(f"{LISTING}{asset}"):
            is_there = _has_image(ee, asset, is_image=product is Product.SOIL)
        if not is_there:
            text = f"{SERVICE.title}: {asset} has no image: see its page in the catalogue for its "
            return Finding(False, f"{text}successor, or choose another service.", (product,))
    ends = " ".join(one.end_told for one in _dated(product, ndvi_sensor) if one.end_told)
    return Finding(
        True,
        f"{SERVICE.title}: {' and '.join(assets)} can be listed; licence: {licence}, and the terms "
        f"of Earth Engine itself. {ends}".rstrip(),
        (product,),
    )


def _assets(product: Product, ndvi_sensor: str) -> tuple[tuple[str, ...], str]:
    """Asset ids of a product, and its licence."""
    if product in STATIC:
        assets, told = STATIC[product]
        return assets, told.licence
    found = _dated(product, ndvi_sensor)
    return tuple(one.asset_id for one in found), found[0].terms.licence


def _dated(product: Product, ndvi_sensor: str) -> Sequence[Dated]:
    return () if product in STATIC else collections_of(product, ndvi_sensor)


def _has_image(ee: Any, asset: str, *, is_image: bool) -> bool:  # noqa: ANN401
    if is_image:
        return bool(ee.data.getAsset(asset))
    return bool(ee.data.listImages({"parent": asset, "pageSize": 1})["images"])


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
