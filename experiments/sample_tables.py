"""What `samples` keeps of a region and source: from a lake's tables and an archive's truth."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.defs.evaluation_set import coarse_cells
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.readings_of_products import product_readings
from sm_platform.defs.resources import settings
from sm_platform.errors import MissingInputError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.samples.fusion import MOST_INUNDATED, besides_water
from sm_platform.schema.label_tables import SITE_CATALOG, TRAINING_SAMPLES
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.rows import from_dense
from sm_platform.sources.simulated.truth import read_truth

Array = NDArray[Any]
STORED = (
    *("site_id", "scene_id", "source", "block_id", "sm_m3m3", "support_m", "qa", "inputs"),
    *("label_type", "inundated_share"),
)
PRODUCT = "product_"
"""Before the name of a coarse product."""
ROWS = ("scalars", "series", "series_index", "recipe_id", "recipe_fingerprint")
"""Parts of the rows of inputs."""


def gathered(layout: Layout, region_id: str, source: str) -> dict[str, Array]:
    """Arrays by the names under which `samples.load` keeps them."""
    table = _read(layout, region_id, source)
    frame = table.drop_columns("inputs").to_pandas()
    note = store.note_of(layout, TRAINING_SAMPLES, region_id, frame["sample_day"].iloc[0]) or {}
    flat = pa.concat_arrays([chunk.flatten() for chunk in table["inputs"].chunks]).to_numpy()
    recipe = note["recipe_id"], note["recipe_fingerprint"]
    rows = from_dense(flat.reshape(-1, N_INPUTS), *recipe)
    sites = store.read(layout, SITE_CATALOG, region_id)
    known = sites.rows if sites else SITE_CATALOG.arrow_schema.empty_table()
    catalog = pa.table(known).to_pandas().set_index("site_id", drop=False)
    truth, is_flooded = _truth(layout, region_id, frame, catalog)
    block = frame["block_id"].to_numpy(np.int64)
    return {
        **dict(zip(ROWS, (rows.scalars, rows.series, rows.series_index, *recipe), strict=True)),
        "label": frame["sm_m3m3"].to_numpy(np.float32),
        "truth": truth,
        "is_flooded": is_flooded,
        "site_id": frame["site_id"].to_numpy(str),
        "scene_id": frame["scene_id"].to_numpy(str),
        "block_id": block,
        "coarse_id": coarse_cells(block),
        "day": frame["sample_day"].to_numpy().astype("datetime64[D]"),
        "support_m": frame["support_m"].to_numpy(np.float32),
        "is_beside_water": besides_water(
            frame["label_type"].to_numpy(str),
            frame["inundated_share"].to_numpy(np.float32),
            MOST_INUNDATED,
        ),
        **{
            f"{PRODUCT}{name}": values
            for name, values in product_readings(layout, region_id, catalog, frame).items()
        },
    }


def _read(layout: Layout, region_id: str, source: str) -> pa.Table:
    """Samples with a label that are no critical pixels (water, border, flooded), with their day."""
    nothing = TRAINING_SAMPLES.arrow_schema.empty_table().select(STORED)
    tables = [nothing.append_column("sample_day", pa.array([], pa.date32()))]
    for day in store.days_made(layout, TRAINING_SAMPLES, region_id):
        part = store.read(layout, TRAINING_SAMPLES, region_id, day, columns=STORED)
        rows = part.rows.select(STORED) if part else nothing
        is_clear = (rows["qa"].to_numpy() & QA_CRITICAL_MASK) == 0
        is_own = (rows["source"].to_numpy() == source) & ~np.isnan(rows["sm_m3m3"].to_numpy())
        kept = rows.filter(pa.array(is_own & is_clear))
        tables.append(kept.append_column("sample_day", pa.repeat(pa.scalar(day), len(kept))))
    found = pa.concat_tables(tables)
    if not found.num_rows:
        why = f"{layout.root} has no samples of {region_id} from {source}"
        raise MissingInputError(f"{why}: point SM_DATA_LAKE to a lake that has.")
    return found


def _truth(
    layout: Layout, region_id: str, frame: pd.DataFrame, catalog: pd.DataFrame
) -> tuple[Array, Array]:
    """Soil moisture and flooding of each sample's pixel at the end of its day."""
    region, sites = find_region(layout, region_id), catalog.reindex(frame["site_id"])
    pixel = sites["cell_id"].to_numpy(np.int64)
    is_pixel = (sites["level"] == "100m").to_numpy() & (pixel >= 0)
    truth, is_flooded = np.full(len(frame), np.nan, np.float32), np.zeros(len(frame), np.bool_)
    for day, own in frame.groupby("sample_day").indices.items():
        here = own[is_pixel[own]]
        told = read_truth(settings().archive, region_id, region.window, day).values  # type: ignore[arg-type]
        truth[here] = told["sm_m3m3"].ravel()[pixel[here]]
        is_flooded[here] = told["is_flooded"].ravel()[pixel[here]]
    return truth, is_flooded
