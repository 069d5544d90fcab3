"""The demo's maps against the archive's truth (`reference=simulated`): moisture and inundation.

    python -m experiments.against_truth

Reads the lake and the archive of the environment (SM_DATA_LAKE, SM_ARCHIVE) and prints a line a
region. Of the platform itself only the evaluation opens the truth.
"""

import numpy as np

from sm_platform.defs.lake_access import find_region
from sm_platform.defs.resources import settings
from sm_platform.lake.layout import Layout
from sm_platform.lake.views import connect
from sm_platform.maps.cog import decode
from sm_platform.maps.names import layer_file
from sm_platform.schema.model_tables import SM_MAPS
from sm_platform.schema.product import QA_REJECT_MASK, Qa
from sm_platform.sources.simulated.truth import read_truth
from sm_platform.trust.metrics import agreement

CURRENT = "select region_id, map_id, path, day from sm_maps where is_latest order by all"


def main() -> None:
    """Print RMSE, bias and R on drained land, and precision and recall of bit 15."""
    layout = Layout(settings().data_lake)
    rows = connect(layout, [SM_MAPS]).execute(CURRENT).fetchall()
    for region in sorted({row[0] for row in rows}):
        parts = [_cells(layout, row) for row in rows if row[0] == region]
        sm, qa, truth, flooded = (np.concatenate(part) for part in zip(*parts, strict=True))
        land = (qa & (Qa.OPEN_WATER | Qa.SCENE_BORDER | Qa.NO_SENTINEL1)) == 0
        said = (qa & Qa.INUNDATED) > 0
        good = ((qa & QA_REJECT_MASK) == 0) & ~np.isnan(sm)
        hit = int((said & flooded & land).sum())
        print(
            f"{region}: {len(parts)} maps; inundation precision "
            f"{hit / max(int((said & land).sum()), 1):.2f} recall "
            f"{hit / max(int((flooded & land).sum()), 1):.2f}"
        )
        for name, chosen in (("recommended", good), ("recommended, drained", good & ~flooded)):
            found = agreement(sm[chosen], truth[chosen])
            print(
                f"  {name}: n {found.n} RMSE {found.rmse:.4f} bias {found.bias:+.4f} "
                f"ubRMSE {found.ubrmse:.4f} R {found.r:.2f} (reference=simulated)"
            )


def _cells(layout: Layout, row: tuple[object, ...]) -> tuple[np.ndarray, ...]:
    region, map_id, path, day = row
    window = find_region(layout, str(region)).window
    folder = layout.root / str(path)
    layers = [decode(folder / layer_file(str(map_id), name))[0] for name in ("SM", "QA")]
    truth = read_truth(settings().archive, str(region), window, day)  # type: ignore[arg-type]
    sm, qa = (next(iter(raster.values.values())).ravel() for raster in layers)
    return sm, qa, truth.values["sm_m3m3"].ravel(), truth.values["is_flooded"].ravel().astype(bool)


if __name__ == "__main__":
    main()
