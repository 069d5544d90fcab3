"""Earth Engine's dated collections that drivers come from, each described once."""

from dataclasses import dataclass, replace
from datetime import date

from sm_platform.errors import UsageError
from sm_platform.sources.earth_engine.grids import ERA5_LAND, MODIS_250M, VIIRS_500M, NativeGrid
from sm_platform.sources.earth_engine.images import ERA5, MODIS, RADAR, S1, VIIRS, WEATHER, Bands
from sm_platform.sources.ndvi_sensors import FOLLOWS, SUOMI_NPP_ENDS
from sm_platform.sources.protocol import Product
from sm_platform.sources.terms import EARTH_ENGINE, SENTINEL_1, Terms, vegetation
from sm_platform.sources.terms import ERA5_LAND as ERA5_TERMS

NDVI_SENSORS = ("MODIS", "VIIRS")


@dataclass(frozen=True, slots=True)
class Collection:
    """Images of one product, an image a granule."""

    product: Product
    asset_id: str
    prefix: str
    """Of granule ids, before the image's own name."""
    format: str
    bands: Bands
    first_day: date
    last_offset_days: int
    """From the first to the last day of one image."""
    terms: Terms
    grid: NativeGrid | None = None
    """None: images come on the region's own grid."""
    end_told: str = ""
    """What is reported of its end."""

    def granule_id(self, name: str) -> str:
        """Id of the granule of an image, by the image's name in the collection."""
        return f"{self.prefix}{name}"

    def image_id(self, granule_id: str) -> str:
        """Asset id of a granule's image."""
        return f"{self.asset_id}/{granule_id.removeprefix(self.prefix)}"


def _vegetation(asset_id: str, first_day: date) -> Collection:
    short_name = asset_id.rpartition("/")[2]
    is_modis = "MODIS" in asset_id
    return Collection(
        Product.NDVI,
        asset_id,
        f"{short_name}.{'061' if is_modis else '002'}_",
        f"{'mod13q1' if is_modis else 'vnp13a1'}_earth_engine",
        MODIS if is_modis else VIIRS,
        first_day,
        15,
        vegetation(short_name).through(EARTH_ENGINE),
        MODIS_250M if is_modis else VIIRS_500M,
    )


RADAR_FRAMES = Collection(
    Product.S1_GRD,
    S1,
    "",
    "s1_earth_engine",
    RADAR,
    date(2014, 10, 3),
    0,
    SENTINEL_1.through(EARTH_ENGINE),
)
TERRA = _vegetation("MODIS/061/MOD13Q1", date(2000, 2, 18))
AQUA = _vegetation("MODIS/061/MYD13Q1", date(2002, 7, 4))
SUOMI_NPP = replace(
    _vegetation("NASA/VIIRS/002/VNP13A1", date(2012, 1, 17)),
    end_told=f"It is reported to end about {SUOMI_NPP_ENDS}: then choose {FOLLOWS}.",
)
DAILY_WEATHER = Collection(
    Product.WEATHER,
    ERA5,
    "era5_land_daily_",
    "era5_land_earth_engine",
    WEATHER,
    date(1950, 1, 2),
    0,
    ERA5_TERMS.through(EARTH_ENGINE),
    ERA5_LAND,
)


def collections_of(product: Product, ndvi_sensor: str) -> tuple[Collection, ...]:
    """Collections that bring a dated product; none for others.

    Raises:
        UsageError: the sensor is none of NDVI_SENSORS.
    """
    if ndvi_sensor not in NDVI_SENSORS:
        raise UsageError(f"NDVI of {ndvi_sensor}: choose one of {', '.join(NDVI_SENSORS)}.")
    if product is Product.NDVI:
        return (TERRA, AQUA) if ndvi_sensor == "MODIS" else (SUOMI_NPP,)
    return {Product.S1_GRD: (RADAR_FRAMES,), Product.WEATHER: (DAILY_WEATHER,)}.get(product, ())


def collection_of(granule_id: str, product: Product) -> Collection:
    """The collection that a granule is of."""
    found = [*collections_of(product, "MODIS"), *collections_of(product, "VIIRS")]
    return next(one for one in found if granule_id.startswith(one.prefix))
