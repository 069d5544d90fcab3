"""Maps for the tests: small, seeded, with every kind of cell."""

from datetime import UTC, datetime

import numpy as np
from affine import Affine

from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow
from sm_platform.maps.assemble import assemble
from sm_platform.maps.product import MapLineage, MapPass, MapProduct
from sm_platform.schema.product import Qa

START = datetime(2026, 1, 15, 22, 45, 12, tzinfo=UTC)
CREATED = datetime(2026, 1, 16, 22, 46, tzinfo=UTC)
GRANULES = (("S1C_IW_GRDH_1SDV_20260115T224512", "ab" * 32), ("S1C_NEXT", "cd" * 32))
SEEN = MapPass(
    "vn-thaibinh", START, datetime(2026, 1, 15, 22, 45, 37, tzinfo=UTC), "S1C", "D", 91, 6012,
    GRANULES,
)  # fmt: skip
DAY = MapPass(
    "goldroi",
    datetime(2025, 1, 3, tzinfo=UTC),
    datetime(2025, 1, 3, 23, 59, 59, tzinfo=UTC),
    "S1X",
    "X",
    None,
    None,
    (("S1_2025-01-03", "ef" * 32),),
    is_day_only=True,
)
LINEAGE = MapLineage(
    "sm-100m-v1", "f" * 16, "demo", "c" * 16, "0.1.0", "9" * 64, "preliminary", 0x8057, False,
    "SM100 maps of the test", "other",
)  # fmt: skip
PARITY = MapLineage(
    "eov-2025", "e" * 16, "seed", "c" * 16, "0.1.0", "9" * 64, "final", 0, True, "Seed", "other"
)
SEED_GRID = GridWindow(
    "EPSG:4326",
    Affine(0.000898315290521004, 0.0, 106.3, 0.0, -0.000898315290521004, 9.95),
    (24, 24),
)


def window(rows: int = 60, cols: int = 80) -> GridWindow:
    """A window of the EASE-Grid 2.0 in the Red River delta."""
    return window_around(LEVEL_100M, 106.3, 20.5, (rows, cols))


def product(
    grid: GridWindow | None = None,
    *,
    seed: int = 7,
    seen: MapPass = SEEN,
    lineage: MapLineage = LINEAGE,
    revision: int = 0,
) -> MapProduct:
    """A map with waves of moisture, a lake, a strip without radar and a cut-off corner."""
    grid = grid or window()
    rows, cols = grid.shape
    row, col = np.mgrid[:rows, :cols]
    rng = np.random.default_rng(seed)
    mean = 0.26 + 0.2 * np.sin(row / 7) * np.cos(col / 9) + rng.normal(0, 0.01, grid.shape)
    qa = np.zeros(grid.shape, np.uint16)
    qa[(row - rows // 2) ** 2 + (col - cols // 2) ** 2 < (rows // 7) ** 2] |= int(Qa.OPEN_WATER)
    qa[:, : cols // 6] |= int(Qa.OUTSIDE_APPLICABILITY)
    qa[: rows // 4] |= int(Qa.RAIN_ON_DAY)
    chosen = (col < cols - cols // 8).ravel()
    cell_id = np.flatnonzero(chosen)
    return assemble(
        grid,
        cell_id=cell_id,
        mean=mean.ravel()[cell_id].astype(np.float32),
        sd=rng.uniform(0.01, 0.05, len(cell_id)).astype(np.float32),
        qa=qa.ravel()[cell_id],
        ndvi_age_d=rng.integers(1, 30, len(cell_id)).astype(np.uint16),
        inside=row + col > rows // 3,
        seen=seen,
        lineage=lineage,
        majority_pass=SEEN.pass_id,
        revision=revision,
    )
