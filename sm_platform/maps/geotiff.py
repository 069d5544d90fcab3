"""Cloud-optimised GeoTIFFs in memory: bands with their metadata in, the same bytes every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.io import DatasetWriter, MemoryFile

from sm_platform.grid.window import GridWindow
from sm_platform.schema.product import Layer, Overview


@dataclass(frozen=True, slots=True)
class Band:
    """One band as it will lie in the file."""

    description: str
    unit: str
    scale: float
    offset: float
    values: NDArray[np.generic]
    """(rows, cols), uint16 or float32."""
    tags: Mapping[str, str] = field(default_factory=dict)


def layer_band(layer: Layer, values: NDArray[np.uint16], tags: Mapping[str, str]) -> Band:
    """The band of a layer's DN."""
    return Band(layer.band, layer.unit, layer.scale, layer.offset, values, tags)


def cog_bytes(
    window: GridWindow,
    bands: Sequence[Band],
    *,
    nodata: float,
    tags: Mapping[str, str],
    overview: Overview,
    is_predicted: bool = True,
) -> bytes:
    """A COG of bands of one type: DEFLATE 6, blocks of 256 cells, exact statistics of the DN.

    Args:
        window: grid of all bands.
        bands: at least one.
        nodata: value of cells without one, in every band.
        tags: of the file.
        overview: resampling of the overviews of all bands.
        is_predicted: whether a predictor helps (not for bit masks).
    """
    with MemoryFile() as plain, MemoryFile() as cog:
        with plain.open(**_profile(window, bands, nodata)) as file:
            _write(file, bands, tags)
        rasterio.shutil.copy(
            plain.name,
            cog.name,
            driver="COG",
            BLOCKSIZE=256,
            COMPRESS="DEFLATE",
            LEVEL=6,
            PREDICTOR="YES" if is_predicted else "NO",
            OVERVIEW_RESAMPLING=str(overview),
            STATISTICS="YES",
            BIGTIFF="IF_SAFER",
        )
        return bytes(cog.getbuffer())


def _profile(window: GridWindow, bands: Sequence[Band], nodata: float) -> dict[str, object]:
    rows, cols = window.shape
    return {
        "driver": "GTiff",
        "height": rows,
        "width": cols,
        "count": len(bands),
        "dtype": str(bands[0].values.dtype),
        "crs": CRS.from_user_input(window.crs),
        "transform": window.affine,
        "nodata": nodata,
    }


def _write(file: DatasetWriter, bands: Sequence[Band], tags: Mapping[str, str]) -> None:
    file.update_tags(**tags)
    file.scales = tuple(band.scale for band in bands)
    file.offsets = tuple(band.offset for band in bands)
    file.units = tuple(band.unit for band in bands)
    file.colorinterp = (ColorInterp.gray,) + (ColorInterp.undefined,) * (len(bands) - 1)
    for number, band in enumerate(bands, start=1):
        file.write(band.values, number)
        file.set_band_description(number, band.description)
        file.update_tags(number, **band.tags)
