"""One layer, one file: physical values to digital numbers and back."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile

from sm_platform.errors import ProductError
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.maps.geotiff import cog_bytes, layer_band
from sm_platform.maps.product import MapProduct
from sm_platform.maps.tags import band_tags, file_tags
from sm_platform.schema.product import NODATA, Layer, find_layer


def encode(layer: Layer, array: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Digital numbers (DN) of physical values, rounded to the nearest; same shape.

    Args:
        layer: whose scale and valid range hold.
        array: float32 with NaN missing, or uint16 with 65535 missing for whole-number layers.

    Raises:
        ProductError: a value lies outside the valid range, which would wrap or pass for nodata.
    """
    if not layer.is_float:
        return array.astype(np.uint16, casting="safe")
    values = array.astype(np.float64)
    missing = np.isnan(values)
    low, high = layer.valid
    numbers = np.rint((np.where(missing, 0.0, values) - layer.offset) / layer.scale)
    if layer.is_clipped:
        numbers = np.minimum(numbers, high)
    broken = ~missing & ~((numbers >= low) & (numbers <= high))
    if broken.any():
        worst = values[broken][0]
        raise ProductError(
            f"Layer {layer.name} cannot hold {worst:g} {layer.unit} ({int(broken.sum())} cells): "
            f"its range is {low * layer.scale:g} to {high * layer.scale:g}."
        )
    return np.where(missing, NODATA, numbers).astype(np.uint16)


def physical(layer: Layer, numbers: NDArray[np.uint16]) -> NDArray[np.generic]:
    """Physical values of DN: float32 with NaN missing; whole-number layers stay uint16 DN."""
    if not layer.is_float:
        return numbers
    values = numbers.astype(np.float64) * layer.scale + layer.offset
    return np.where(numbers == NODATA, np.nan, values).astype(np.float32)


def layer_cog(product: MapProduct, layer: Layer) -> bytes:
    """The file of one layer; the same product gives the same bytes."""
    numbers = encode(layer, product.layers[layer.name])
    return cog_bytes(
        product.window,
        [layer_band(layer, numbers, band_tags(layer))],
        nodata=NODATA,
        tags=file_tags(product, layer),
        overview=layer.overview,
        is_predicted=layer.is_predicted,
    )


def decode(source: bytes | Path) -> tuple[Raster, dict[str, str]]:
    """One layer's file read back: its values, named by the layer, and its tags.

    Values are as in `MapProduct`: float32 with NaN, or uint16 with 65535, missing.

    Raises:
        ProductError: it cannot be read, or is no layer of this product.
    """
    name = source.name if isinstance(source, Path) else "layer in memory"
    try:
        if isinstance(source, Path):
            with rasterio.open(source) as file:
                return _read(file, name)
        with MemoryFile(source) as memory, memory.open() as file:
            return _read(file, name)
    except RasterioError as error:
        raise ProductError(f"{name} cannot be read: make the map again.") from error


def _read(file: DatasetReader, name: str) -> tuple[Raster, dict[str, str]]:
    tags = dict(file.tags())
    if "PRODUCT_ID" not in tags or "LAYER" not in tags or file.dtypes != ("uint16",):
        raise ProductError(f"{name} is no layer of a map: give a file of the maps folder.")
    layer = find_layer(tags["LAYER"])
    raster = Raster(window_of(file), {layer.name: physical(layer, file.read(1))})
    return raster, tags


def window_of(file: DatasetReader) -> GridWindow:
    """Grid of an open file; a CRS without an EPSG code is kept as WKT."""
    code = file.crs.to_epsg()
    crs = f"EPSG:{code}" if code else file.crs.to_wkt()
    return GridWindow(crs, file.transform, (file.height, file.width))
