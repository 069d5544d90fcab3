"""Figures and hashes of one map, read from the numbers its files hold."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.maps.cog import encode
from sm_platform.maps.invariants import Mask
from sm_platform.maps.product import MapProduct
from sm_platform.schema.product import (
    AGE,
    DI,
    LAYERS,
    NODATA,
    QA,
    QA_OUTSIDE_REGION,
    QA_REJECT_MASK,
    SD,
    SM,
    Layer,
    Qa,
)


@dataclass(frozen=True, slots=True)
class MapSummary:
    """What the index keeps of a map; figures over all cells with a value, None without one."""

    n_cells: int
    """Cells of the region."""
    n_valid: int
    """Cells with a value."""
    n_recommended: int
    """Cells with a value and no critical or reject bit."""
    n_outside_applicability: int | None
    """Cells of the region with bit 11; None without a dissimilarity layer."""
    sm_mean_m3m3: float | None
    sm_p10_m3m3: float | None
    sm_p50_m3m3: float | None
    sm_p90_m3m3: float | None
    sm_sd_mean_m3m3: float | None
    ndvi_age_median_d: float | None
    pixel_sha256: str
    """Over grid and DN of all layers: equal for equal pixels, whatever code made them."""
    layer_sha256: Mapping[str, str]
    """Over the DN of each layer, by name."""

    @property
    def recommended_percent(self) -> float:
        """Share of the region's cells that are recommended, one decimal."""
        return round(100 * self.n_recommended / max(self.n_cells, 1), 1)


def summary(product: MapProduct) -> MapSummary:
    """Figures and hashes of a map."""
    present = [layer for layer in LAYERS if layer.name in product.layers]
    numbers = {layer.name: encode(layer, product.layers[layer.name]) for layer in present}
    qa, sm = numbers[QA.name], numbers[SM.name]
    region, valid = qa != QA_OUTSIDE_REGION, sm != NODATA
    p10, p50, p90 = _percentiles(SM, sm[valid])
    hashes = {
        name: hashlib.sha256(array.astype("<u2").tobytes()).hexdigest()
        for name, array in numbers.items()
    }
    return MapSummary(
        n_cells=int(region.sum()),
        n_valid=int(valid.sum()),
        n_recommended=int(recommended(qa, valid).sum()),
        n_outside_applicability=_outside(qa, region) if DI.name in numbers else None,
        sm_mean_m3m3=_mean(SM, sm[valid]),
        sm_p10_m3m3=p10,
        sm_p50_m3m3=p50,
        sm_p90_m3m3=p90,
        sm_sd_mean_m3m3=_mean(SD, numbers[SD.name][valid]),
        ndvi_age_median_d=float(np.median(numbers[AGE.name][valid])) if valid.any() else None,
        pixel_sha256=_pixel_hash(product, hashes),
        layer_sha256=hashes,
    )


def recommended(qa: NDArray[np.generic], valid: Mask) -> Mask:
    """Cells with a value and without a critical or reject bit."""
    return np.asarray(valid & ((qa.astype(np.uint16) & QA_REJECT_MASK) == 0))


def statistics(layer: Layer, numbers: NDArray[np.uint16]) -> dict[str, float]:
    """Statistics of the DN as stored; of a bit mask only the counts mean something."""
    valid = numbers[numbers != NODATA].astype(np.int64)
    counts = {"count": len(valid), "valid_percent": round(100 * len(valid) / numbers.size, 4)}
    if layer is QA or not len(valid):
        return counts
    total, squares = int(valid.sum()), int((valid * valid).sum())
    variance = (squares * len(valid) - total * total) / len(valid) ** 2
    spread = {"mean": round(total / len(valid), 6), "stddev": round(variance**0.5, 6)}
    return {"minimum": int(valid.min()), "maximum": int(valid.max())} | spread | counts


def _outside(qa: NDArray[np.uint16], region: Mask) -> int:
    return int((region & ((qa & int(Qa.OUTSIDE_APPLICABILITY)) != 0)).sum())


def _mean(layer: Layer, numbers: NDArray[np.uint16]) -> float | None:
    if not len(numbers):
        return None
    return float(round(int(numbers.sum(dtype=np.int64)) / len(numbers) * layer.scale, 7))


def _percentiles(
    layer: Layer, numbers: NDArray[np.uint16]
) -> tuple[float | None, float | None, float | None]:
    if not len(numbers):
        return None, None, None
    low, middle, high = np.percentile(numbers, [10, 50, 90]) * layer.scale
    return round(float(low), 7), round(float(middle), 7), round(float(high), 7)


def _pixel_hash(product: MapProduct, hashes: Mapping[str, str]) -> str:
    grid = [product.window.crs, repr(tuple(product.window.affine)[:6]), repr(product.window.shape)]
    text = "\n".join([*grid, *(f"{name} {digest}" for name, digest in sorted(hashes.items()))])
    return hashlib.sha256(text.encode()).hexdigest()
