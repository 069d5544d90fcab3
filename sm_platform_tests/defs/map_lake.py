"""Maps by hand, with the inputs of their pixels and the checkpoint that made them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from sm_platform.defs.checking.trained_inputs import ENTRY, told_ranges
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.map_index import Row, StoredMap, map_row, read_index, write_index
from sm_platform.defs.scenes import Scene
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.maps import write_map
from sm_platform.lake.models import ModelStore
from sm_platform.maps.names import folder_parts
from sm_platform.maps.product import MapProduct
from sm_platform.maps.render import map_files
from sm_platform.maps.summary import summary
from sm_platform.schema.model_tables import SCENE_FEATURES, SCENE_SERIES
from sm_platform.schema.recipes import SCALARS, SM_100M_V1
from sm_platform.schema.region import Region
from sm_platform.schema.rows import FeatureRows
from sm_platform_tests.defs.registry_lake import stored
from sm_platform_tests.maps import cases

REGION = "vn-thaibinh"
DAY = date(2026, 1, 15)
WINDOW = cases.window(24, 32)
CHECKPOINT = "taught"
N_SERIES = 6


def at(day: date) -> datetime:
    """When a pass of a day begins."""
    return datetime(day.year, day.month, day.day, 22, 45, tzinfo=UTC)


def made_map(layout: Layout, day: date = DAY, *, has_files: bool = True, **changed: object) -> Row:
    """A map of the day in the lake, its index row with some values changed.

    Without files it is one whose files have been pruned.
    """
    save_region(layout, Region(REGION, WINDOW, "archive", "somewhere"))
    seen = replace(cases.SEEN, start_utc=at(day), end_utc=at(day) + timedelta(seconds=25))
    lineage = replace(
        cases.LINEAGE, checkpoint_id=CHECKPOINT, recipe_fingerprint=SM_100M_V1.fingerprint
    )
    product = cases.product(WINDOW, seen=seen, lineage=lineage)
    place = _written(layout, product) if has_files else "removed"
    row = map_row(product, summary(product), _scene(product), StoredMap(place, 1000))
    row |= {"is_pruned": not has_files, **changed}
    rows = [*read_index(layout, REGION, day), row]
    write_index(layout, REGION, day, rows, {"status": "mapped", "rows": len(rows)})
    return row


def _written(layout: Layout, product: MapProduct) -> str:
    files = map_files(product, created_utc=cases.CREATED, utc_offset_h=7.0)
    folder = write_map(layout, folder_parts(product.seen, product.revision), files)
    return folder.relative_to(layout.root).as_posix()


def _scene(product: MapProduct) -> Scene:
    seen = product.seen
    return Scene(
        scene_id=scene_of(seen.start_utc.date()),
        start_utc=seen.start_utc,
        end_utc=seen.end_utc,
        platform=seen.platform,
        orbit_state=seen.orbit_state,
        relative_orbit=seen.relative_orbit,
        absolute_orbit=seen.absolute_orbit,
        datatake_id="06A5",
        is_day_only=False,
        available_utc=None,
        granule_ids=[name for name, _ in seen.granules],
        granule_sha256s=[digest for _, digest in seen.granules],
    )


def scene_of(day: date) -> str:
    """Name of a day's pass."""
    return f"S1C_{day:%Y%m%d}"


def inputs(seed: int = 1, shift: Mapping[str, float] | None = None) -> FeatureRows:
    """Scaled inputs of every pixel, spread by 0.05 around 0.5; some shifted.

    Of VV, 35 dB wide, that is a standard deviation of 1.75 dB.
    """
    rng = np.random.default_rng(seed)
    scalars = rng.normal(0.5, 0.05, (WINDOW.size, len(SCALARS)))
    for name, more in (shift or {}).items():
        scalars[:, [one.name for one in SCALARS].index(name)] += more
    series = rng.normal(0.5, 0.05, (N_SERIES, 3, 46))
    return FeatureRows(
        scalars.clip(0, 1).astype(np.float32),
        series.astype(np.float32),
        (np.arange(WINDOW.size) % N_SERIES).astype(np.int32),
        SM_100M_V1.recipe_id,
        SM_100M_V1.fingerprint,
    )


def write_inputs(layout: Layout, rows: FeatureRows, day: date = DAY) -> None:
    """Store them as the features of the day's pass."""
    scene, n, m = scene_of(day), len(rows), len(rows.series)
    told = {"recipe_id": rows.recipe_id, "recipe_fingerprint": rows.recipe_fingerprint}
    pixels = {
        "scene_id": [scene] * n,
        "cell_id": np.arange(n, dtype=np.int32),
        "series_id": rows.series_index,
        "qa": np.zeros(n, np.uint16),
        "ndvi_age_d": np.ones(n, np.uint16),
    } | {one.name: rows.scalars[:, k] for k, one in enumerate(SCALARS)}
    series = {"scene_id": [scene] * m, "series_id": np.arange(m, dtype=np.int32)} | {
        name: pa.FixedSizeListArray.from_arrays(pa.array(rows.series[:, k].ravel()), 46)
        for k, name in enumerate(("ndvi", "temperature_2m", "precipitation"))
    }
    for table, columns in ((SCENE_FEATURES, pixels), (SCENE_SERIES, series)):
        store.write(layout, table, pa.table(columns), region=REGION, day=day, note=told)


def teach(models: Path, rows: FeatureRows | None = None) -> None:
    """A checkpoint in the store that was trained on these rows; None: it does not say."""
    told = {ENTRY: told_ranges(rows)} if rows is not None else {}
    stored(ModelStore(models), CHECKPOINT, SM_100M_V1, **told)
