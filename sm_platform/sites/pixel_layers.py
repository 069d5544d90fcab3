"""What is known of each pixel of a region beside its land cover, as flat arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import DataError, GridError
from sm_platform.grid.window import GridWindow
from sm_platform.sites.texture import Texture


@dataclass(frozen=True, slots=True)
class PixelLayers:
    """Arrays (pixels,), row-major over one window."""

    is_inside: NDArray[np.bool_]
    texture: NDArray[np.int8] | None
    """1 coarse, 2 medium, 3 fine, 0 not known; None: not known anywhere."""
    mean_sm: NDArray[np.float32] | None
    """m3/m3, NaN not known; None: not known anywhere."""


def pixel_layers(
    window: GridWindow,
    *,
    texture: NDArray[np.int8] | None,
    mean_sm: NDArray[np.float32] | None,
    inside: NDArray[np.bool_] | None,
) -> PixelLayers:
    """The layers, each of the window's shape; without `inside` the whole window is the region.

    Raises:
        GridError: a layer has another shape than the window.
        DataError: a texture code is not one of 0..3.
    """
    layers = {"texture": texture, "mean_sm": mean_sm, "inside": inside}
    for name, layer in layers.items():
        if layer is not None and layer.shape != window.shape:
            raise GridError(
                f"Layer {name} has shape {layer.shape}, the region's window {window.shape}: make "
                "it on the region's pixels."
            )
    if texture is not None and not 0 <= texture.min() <= texture.max() <= max(Texture):
        raise DataError(
            f"Texture holds codes {texture.min()}..{texture.max()}: make it with texture_codes."
        )
    return PixelLayers(
        is_inside=np.ones(window.size, np.bool_) if inside is None else inside.ravel() > 0,
        texture=None if texture is None else texture.ravel(),
        mean_sm=None if mean_sm is None else mean_sm.ravel(),
    )
