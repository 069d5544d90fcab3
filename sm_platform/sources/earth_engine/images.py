"""What is computed of each driver: images as graphs that Earth Engine evaluates, and their bands.

The angle of a radar frame is the grid of points of its annotation, 21 across and 10 along the
track. Its transform puts the points on the corners of its pixels (so they span the swath, 30.2 to
46.2 deg, and the frame), but the service takes values as those of pixel centres: as stored, the
band reads the angle of half a pixel up and left, some 0.4 deg too little.

Masked pixels are given a number that no band can hold, also outside the image's footprint: without
it the service sends 0 for them, which is a valid backscatter, NDVI and clay content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sm_platform.errors import SourceError

S1 = "COPERNICUS/S1_GRD"
S1_LINEAR = "COPERNICUS/S1_GRD_FLOAT"
"""The same images in linear power: a mean of decibels is no mean."""
ERA5 = "ECMWF/ERA5_LAND/DAILY_AGGR"
GLO30 = "COPERNICUS/DEM/GLO30"
WORLDCOVER = "ESA/WorldCover/v200"
SOIL_PROPERTIES = ("sand", "clay", "bdod")
NOTHING_FLOAT, NOTHING_INT, NOTHING_CLASS = -9999, -32768, 0
"""What masked pixels come as: floats, 16 bit numbers, and classes (WorldCover's own no data)."""
DIGITS_OF_ONE = 10_000
"""NDVI is stored times this, by MODIS and VIIRS."""
WHOLE, FRACTIONS = ("INT",), ("FLOAT", "DOUBLE")
"""Precisions of a band's type (PixelDataType of the service)."""
HALF_A_PIXEL = 0.5
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

    @property
    def is_digits(self) -> bool:
        """Whether numbers of a scale are asked for, so that the asset's type matters."""
        return self.dtype == "int16"


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


def radar_db(ee: Any, image_id: str) -> Any:  # noqa: ANN401
    """VV and VH (dB of the mean linear power of a cell's 10 m pixels) and the angle (deg).

    Masked where no pixel of the cell has a measurement.
    """
    image = ee.Image(f"{S1_LINEAR}/{image_id}")
    mean = {"reducer": ee.Reducer.mean(), "maxPixels": MOST_PIXELS}
    power = image.select(["VV", "VH"]).reduceResolution(**mean)
    return power.log10().multiply(10).addBands(_between_points(image.select(["angle"])))


def _between_points(angle: Any) -> Any:  # noqa: ANN401
    """The angle between the points of its grid; beyond the outermost ones, that of the nearest.

    The grid is moved by half a pixel first: so the centre of each pixel lies on its point.
    `translate` counts in pixels, columns and rows, whichever way the grid is turned.
    """
    grid = angle.projection()
    moved = angle.changeProj(grid, grid.translate(-HALF_A_PIXEL, -HALF_A_PIXEL))
    return moved.resample("bilinear").unmask(moved)


def stored(ee: Any, asset_id: str, bands: Sequence[str]) -> Any:  # noqa: ANN401
    """Bands of an image as it is stored."""
    return ee.Image(asset_id).select(list(bands))


def tiled(ee: Any, collection_id: str, bands: Sequence[str]) -> Any:  # noqa: ANN401
    """Bands of a collection of tiles beside each other, as one image without a grid of its own."""
    return ee.ImageCollection(collection_id).mosaic().select(list(bands))


def in_digits(image: Any, bands: Bands, description: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The image as whole numbers, whichever way its asset stores NDVI.

    Cast to whole numbers, an NDVI of 0..1 would be 0 everywhere.

    Args:
        image: of these bands.
        bands: what is asked for; only digits are looked at.
        description: the image's asset, which tells the type of each band.

    Raises:
        SourceError: a band has no type, or holds fractions of an unknown scale.
    """
    if not bands.is_digits:
        return image
    told = {one.get("id"): one.get("dataType") or {} for one in description.get("bands", [])}
    odd = [name for name in bands.names if told.get(name, {}).get("precision") not in WHOLE]
    if not odd:
        return image
    if odd == ["NDVI"] and _is_index(told["NDVI"]):
        others = [name for name in bands.names if name != "NDVI"]
        digits = image.select(odd).multiply(DIGITS_OF_ONE).round()
        return digits.addBands(image.select(others)).select(list(bands.names))
    raise SourceError(
        f"Google Earth Engine stores {odd[0]} of {description.get('name')} as "
        f"{told.get(odd[0]) or 'a type that it does not tell'}, not as whole numbers, so its scale "
        "is not known: choose another sensor or service for this driver."
    )


def _is_index(told: Mapping[str, Any]) -> bool:
    """Whether a type is that of fractions within -1..1; a bound of 0 is left out in messages."""
    ends = told.get("range") or {}
    low, high = ends.get("min", 0), ends.get("max", 0)
    return told.get("precision") in FRACTIONS and -1 <= low < high <= 1


def filled(image: Any, bands: Bands) -> Any:  # noqa: ANN401
    """The image with the missing number where it is masked or ends, every band of one type."""
    whole = image.unmask(bands.nothing, False)
    casts = {"float32": whole.toFloat, "int16": whole.toInt16, "uint8": whole.toUint8}
    return casts[bands.dtype]()
