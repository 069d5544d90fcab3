"""All samples of a region and source with their inputs, place, day and the truth beside them.

Reads the lake and the archive of the environment (SM_DATA_LAKE, SM_ARCHIVE); what was loaded is
kept as a file, so that the next experiment begins at once.
"""

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from experiments.sample_tables import PRODUCT, ROWS, Array, gathered
from sm_platform.defs.resources import settings
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import TRAINING_SAMPLES
from sm_platform.schema.rows import FeatureRows, take


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples of one region and source that may be learnt from or mapped; arrays are (n,)."""

    rows: FeatureRows
    label: Array
    """m3/m3"""
    truth: Array
    """m3/m3 of the site's pixel; NaN for sites wider than a pixel."""
    is_flooded: Array
    """Water stood on the pixel, though nothing flagged it."""
    site_id: Array
    scene_id: Array
    block_id: Array
    coarse_id: Array
    """Flat index of the 9 km cell."""
    day: Array
    support_m: Array
    is_beside_water: Array
    """The label is one of a product that sees flooded fields around the site."""
    products: dict[str, Array]
    """Coarse products at the site's cell (m3/m3), NaN where none was near in time."""

    def __len__(self) -> int:
        return len(self.label)


def chosen(samples: Samples, index: Array) -> Samples:
    """The samples at these places, or where a mask is true."""
    arrays = {one.name: getattr(samples, one.name) for one in fields(samples)}
    own = {name: value[index] for name, value in arrays.items() if name not in ("rows", "products")}
    products = {name: value[index] for name, value in samples.products.items()}
    return replace(samples, rows=take(samples.rows, index), products=products, **own)


def load(region_id: str, cache: Path, source: str = "planet_swc") -> Samples:
    """The samples, from the cache if the lake has not changed since.

    Raises:
        MissingInputError: the lake has no sample of that region and source.
    """
    layout = Layout(settings().data_lake)
    days = store.days_made(layout, TRAINING_SAMPLES, region_id)
    parts = [layout.part(TRAINING_SAMPLES.name, region_id, day) for day in days]
    stamps = [(str(path), path.stat().st_mtime_ns) for path in parts]
    seen = repr([settings().archive, *stamps])
    name = f"{region_id}-{source}-{crc32(seen.encode()):08x}.npz"
    if not (cache / name).is_file():
        cache.mkdir(parents=True, exist_ok=True)
        aside = cache / f".{os.getpid()}-{name}"
        arrays: dict[str, Any] = gathered(layout, region_id, source)
        np.savez(aside, **arrays)
        aside.replace(cache / name)
    with np.load(cache / name) as stored:
        arrays = dict(stored)
    scalars, series, index, recipe, fingerprint = (arrays.pop(one) for one in ROWS)
    products = {
        one.removeprefix(PRODUCT): arrays.pop(one) for one in list(arrays) if PRODUCT in one
    }
    rows = FeatureRows(scalars, series, index, str(recipe), str(fingerprint))
    return Samples(rows, products=products, **arrays)
