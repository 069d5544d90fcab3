"""What a region's source does not hold of it, and what a person can do then."""

from collections.abc import Sequence

from sm_platform.errors import SmPlatformError
from sm_platform.schema.region import ARCHIVE, LIVE, Region
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
    """The sentence for products that the source holds nothing of, with the next step."""
    names = ", ".join(one.value.replace("_", " ") for one in products)
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
