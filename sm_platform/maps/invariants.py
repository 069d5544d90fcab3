"""The product's rules over the layers of one map."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import ProductError
from sm_platform.grid.window import GridWindow
from sm_platform.schema.product import (
    AGE,
    HI,
    LO,
    NODATA,
    QA,
    QA_OUTSIDE_REGION,
    REQUIRED_LAYERS,
    SD,
    SM,
    Qa,
    find_layer,
)

Mask = NDArray[np.bool_]
Layers = Mapping[str, NDArray[np.generic]]


def check_layers(window: GridWindow, layers: Layers, critical_mask: int) -> None:
    """Check shapes, types, the shared mask, the bits and the order of the interval.

    Raises:
        ProductError: naming the rule, the layer and how many cells break it.
    """
    _check_form(window, layers)
    has_value = ~np.isnan(layers[SM.name].astype(np.float32))
    _check_mask(layers, has_value)
    _check_bits(layers[QA.name].astype(np.uint16), has_value, critical_mask)
    _check_values(layers, has_value)


def is_missing(name: str, array: NDArray[np.generic]) -> Mask:
    """True where the layer has no value (NaN, or 65535 in whole-number layers)."""
    if find_layer(name).is_float:
        return np.isnan(array.astype(np.float32, copy=False))
    return np.asarray(array == NODATA)


def _check_form(window: GridWindow, layers: Layers) -> None:
    absent = [layer.name for layer in REQUIRED_LAYERS if layer.name not in layers]
    if absent:
        raise ProductError(f"A map lacks its layers {', '.join(absent)}: assemble it again.")
    for name, array in layers.items():
        wanted = np.float32 if find_layer(name).is_float else np.uint16
        if array.dtype != wanted or array.shape != window.shape:
            raise ProductError(
                f"Layer {name} is {array.dtype} {array.shape}; a map of {window.shape} cells "
                f"needs {np.dtype(wanted)}."
            )


def _check_mask(layers: Layers, has_value: Mask) -> None:
    for name, array in layers.items():
        if name != QA.name:
            differs = is_missing(name, array) == has_value
            _refuse(differs, f"{name} and SM do not share one mask: mask both or neither")


def _check_bits(qa: NDArray[np.uint16], has_value: Mask, critical_mask: int) -> None:
    both = int(Qa.NO_SENTINEL1 | Qa.INUNDATED)
    real = qa != QA_OUTSIDE_REGION
    _refuse(real & ((qa & both) == both), "QA has bits 0 and 15 together: clear bit 15")
    _refuse(has_value & ((qa & critical_mask) != 0), "SM has a value under a critical bit: mask it")
    _refuse(has_value & ((qa & int(Qa.NO_SENTINEL1)) != 0), "SM has a value without radar: mask it")


def _check_values(layers: Layers, has_value: Mask) -> None:
    sm, sd = (layers[layer.name].astype(np.float32)[has_value] for layer in (SM, SD))
    _refuse(~((sm >= 0) & (sm <= 1)), "SM lies outside 0..1 m3/m3: clip it and set bit 12")
    _refuse(~((sd >= 0) & (sd <= 1)), "SD lies outside 0..1 m3/m3: check the members")
    if LO.name in layers and HI.name in layers:
        low, high = (layers[layer.name].astype(np.float32)[has_value] for layer in (LO, HI))
        _refuse(~((low <= sm) & (sm <= high)), "SM lies outside its interval: check LO and HI")


def _refuse(broken: Mask, rule: str) -> None:
    count = int(np.count_nonzero(broken))
    if count:
        raise ProductError(f"{rule} ({count} cells).")


def age_days(array: NDArray[np.generic]) -> NDArray[np.uint16]:
    """Whole days from days as a number (float, NaN missing, or integer, 65535 missing).

    Raises:
        ProductError: an age is negative or does not fit; naming the layer.
    """
    values = np.asarray(array, dtype=np.float64)
    known = ~np.isnan(values) & (values != NODATA)
    _refuse(
        known & ((values < AGE.valid[0]) | (values > AGE.valid[1])),
        "AGE lies outside 0..65534 days: mark unknown ages as 65535",
    )
    return np.where(known, np.rint(np.where(known, values, 0)), NODATA).astype(np.uint16)
