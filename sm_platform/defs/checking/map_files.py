"""The rule that the files of a map are what its index says, and keep the product's rules."""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sm_platform.defs.checking.rules import ERROR, Matter, Rule, Verdict
from sm_platform.defs.checking.stored import MapIndex, Row, critical_mask
from sm_platform.errors import ProductError, SmPlatformError
from sm_platform.grid.window import Raster
from sm_platform.lake.layout import Layout
from sm_platform.maps.cog import decode, encode
from sm_platform.maps.invariants import check_layers
from sm_platform.maps.names import layer_file
from sm_platform.schema.product import find_layer

AGAIN = "remove its folder and map the day again."


def fits_product() -> Rule:
    """The rule on the files of each current map."""
    return Rule(
        "fits_product",
        "All layers of a current map are there, hold the pixels that its index tells, and keep the "
        "rules of the product. A map that fails keeps figures from being drawn in the same run.",
        _judge,
        is_blocking=True,
    )


def _judge(matter: Matter) -> Verdict:
    rows = [row for _, row in MapIndex(matter.layout).current(matter.scope) if not row["is_pruned"]]
    told = [why for row in rows for why in _faults(matter.layout, row)]
    counted = {"maps": len(rows), "megabytes": sum(row["bytes_total"] or 0 for row in rows) / 1e6}
    return Verdict(not told, "\n".join(told), counted, ERROR)


def _faults(layout: Layout, row: Row) -> list[str]:
    try:
        _check_map(layout, row)
    except SmPlatformError as error:
        return [f"{row['map_id']}: {error}"]
    return []


def _check_map(layout: Layout, row: Row) -> None:
    rasters, folder = dict[str, Raster](), layout.root / row["path"]
    for name, digest in row["layer_sha256"]:
        path = folder / layer_file(row["map_id"], name)
        if not path.is_file():
            raise ProductError(f"{path} is not there: map the day again.")
        raster, _ = decode(path)
        if _digest(name, raster.values[name]) != digest:
            raise ProductError(f"{path} holds other pixels than its index tells: {AGAIN}")
        rasters[name] = raster
    _check_together(rasters, critical_mask(row))


def _check_together(rasters: Mapping[str, Raster], mask: int) -> None:
    windows = {raster.window for raster in rasters.values()}
    if len(windows) != 1:
        raise ProductError(f"Its layers lie on {len(windows)} grids: {AGAIN}")
    layers = {name: raster.values[name] for name, raster in rasters.items()}
    check_layers(windows.pop(), layers, mask)


def _digest(name: str, values: NDArray[np.generic]) -> str:
    numbers = encode(find_layer(name), values)
    return hashlib.sha256(numbers.astype("<u2").tobytes()).hexdigest()
