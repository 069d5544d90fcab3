"""What a region's source does not hold of it, and what a person can do then."""

from collections.abc import Sequence

import shapely

from sm_platform.errors import DataError, SmPlatformError
from sm_platform.grid.window import lonlat_bounds
from sm_platform.schema.region import ARCHIVE, LIVE, Region
from sm_platform.sites.area_checks import COAST_DEG
from sm_platform.sites.areas import area_of
from sm_platform.sites.boundaries import land_within
from sm_platform.sources.protocol import Product, Source

STATIC_PRODUCTS = (Product.SOIL, Product.ELEVATION, Product.LAND_COVER)


def reach_of(region: Region, source: Source) -> str | None:
    """A sentence when the source holds no static file of a region, or cannot be read."""
    try:
        lacking = [one for one in STATIC_PRODUCTS if not source.granules(one, region.window, None)]
    except SmPlatformError as error:
        return str(error)
    return nothing_of(region, lacking) if lacking else None


def nothing_of(region: Region, products: Sequence[Product]) -> str:
    """The sentence for products that the source holds nothing of, with the next step.

    Tiles without land exist nowhere: of a region on open sea no other source would hold more. Where
    there is land, the tiles of the sea beside it lack nobody, and nothing is told of them.
    """
    names = ", ".join(one.value.replace("_", " ") for one in products)
    if _is_at_sea(region):
        return (
            f"{region.region_id} lies on open sea (by the outlines of Natural Earth, 1:10 million),"
            f" where no provider has {names}: no map can be made of it. Take it away and add a "
            "region on land; longitude comes first."
        )
    if region.source == LIVE:
        return (
            f"The services that SM_SOURCES names hold no {names} of {region.region_id}: choose "
            "others for them there, or see that the region lies on land."
        )
    if region.source != ARCHIVE:
        return (
            f"The folder {region.source_path} holds no {names} of {region.region_id}: add the "
            "files there; what needs none of them can be made."
        )
    return (
        f"The archive {region.source_path} holds no {names} of {region.region_id}: take the region "
        "away and add it with --archive and an archive that covers it, or bring a folder of the "
        "seed system with `sm-platform run --archive`."
    )


def _is_at_sea(region: Region) -> bool:
    """Whether no land lies in the region, nor within the uncertainty of the coast around it."""
    wkt = region.outline_wkt
    outline = area_of(wkt) if wkt else shapely.box(*lonlat_bounds(region.window))
    try:
        return bool(land_within(outline, margin_deg=COAST_DEG).is_empty)
    except DataError:  # without the package of outlines nobody can tell
        return False
