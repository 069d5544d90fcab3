"""What is computed of each driver: images as graphs that Earth Engine evaluates, and their bands.

Masked pixels are given a number that no band can hold, also outside the image's footprint: without
it the service sends 0 for them, which is a valid backscatter, NDVI and clay content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

S1 = "COPERNICUS/S1_GRD"
S1_LINEAR = "COPERNICUS/S1_GRD_FLOAT"
"""The same images in linear power: a mean of decibels is no mean."""
ERA5 = "ECMWF/ERA5_LAND/DAILY_AGGR"
GLO30 = "COPERNICUS/DEM/GLO30"
WORLDCOVER = "ESA/WorldCover/v200"
SOIL_PROPERTIES = ("sand", "clay", "bdod")
NOTHING_FLOAT, NOTHING_INT, NOTHING_CLASS = -9999, -32768, 0
"""What masked pixels come as: floats, 16 bit numbers, and classes (WorldCover's own no data)."""
MOST_PIXELS = 1024
"""10 m pixels that may go into one cell; some 100 lie in a cell of 100 m, 144 with its edges."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Names, type and missing number of an image's bands."""

    names: tuple[str, ...]
    dtype: str
    """Of every band, as numpy names it."""
    nothing: int
    """Comes where there is nothing; written as NaN in floats, as it is in whole numbers."""

    @property
    def bytes_per_pixel(self) -> int:
        """Of all bands together."""
        return len(self.names) * {"float32": 4, "int16": 2, "uint8": 1}[self.dtype]


RADAR = Bands(("VV", "VH", "angle"), "float32", NOTHING_FLOAT)
MODIS = Bands(("NDVI", "SummaryQA", "DayOfYear"), "int16", NOTHING_INT)
VIIRS = Bands(("NDVI", "pixel_reliability", "composite_day_of_the_year"), "int16", NOTHING_INT)
WEATHER = Bands(("temperature_2m", "total_precipitation_sum"), "float32", NOTHING_FLOAT)
ELEVATION = Bands(("DEM",), "float32", NOTHING_FLOAT)
LAND_COVER = Bands(("Map",), "uint8", NOTHING_CLASS)


def soil_asset(name: str) -> str:
    """Asset of a soil property, `sand`, `clay` or `bdod`."""
    return f"projects/soilgrids-isric/{name}_mean"


def soil_bands(name: str) -> Bands:
    """The band of a soil property."""
    return Bands((f"{name}_0-5cm_mean",), "int16", NOTHING_INT)


def radar_db(ee: Any, image_id: str, *, is_angle_coarse: bool = False) -> Any:  # noqa: ANN401
    """VV and VH (dB of the mean linear power of a cell's 10 m pixels) and the mean angle (deg).

    Masked where no pixel of the cell has a measurement. A coarse angle (its band may have pixels
    of kilometres) is interpolated, and at the border, where that gives nothing, taken as it is.
    """
    image = ee.Image(f"{S1_LINEAR}/{image_id}")
    mean = {"reducer": ee.Reducer.mean(), "maxPixels": MOST_PIXELS}
    power = image.select(["VV", "VH"]).reduceResolution(**mean)
    angle = image.select(["angle"])
    if is_angle_coarse:
        angle = angle.resample("bilinear").unmask(angle)
    else:
        angle = angle.reduceResolution(**mean)
    return power.log10().multiply(10).addBands(angle)


def stored(ee: Any, asset_id: str, bands: Sequence[str]) -> Any:  # noqa: ANN401
    """Bands of an image as it is stored."""
    return ee.Image(asset_id).select(list(bands))


def tiled(ee: Any, collection_id: str, bands: Sequence[str]) -> Any:  # noqa: ANN401
    """Bands of a collection of tiles beside each other, as one image without a grid of its own."""
    return ee.ImageCollection(collection_id).mosaic().select(list(bands))


def filled(image: Any, bands: Bands) -> Any:  # noqa: ANN401
    """The image with the missing number where it is masked or ends, every band of one type."""
    whole = image.unmask(bands.nothing, False)
    casts = {"float32": whole.toFloat, "int16": whole.toInt16, "uint8": whole.toUint8}
    return casts[bands.dtype]()
