"""Small lakes from which something can be learnt: labels that follow the first input."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import dagster as dg
import numpy as np
import pyarrow as pa

from benchmarks._sample_lake import site_rows, write_sites
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.resources import LakeResource, ModelsResource
from sm_platform.defs.splitting import SplitRules, write_splits
from sm_platform.grid import ease2
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.label_tables import TRAINING_SAMPLES
from sm_platform.schema.recipes import N_INPUTS, SM_100M_V1, Recipe
from sm_platform.schema.region import Region
from sm_platform_tests.defs.sample_lake import (
    COL,
    DAY,
    NAME,
    ROW,
    sample_rows,
    with_column,
    write_samples,
)

CUT_OFF = DAY + timedelta(360)
RULES = SplitRules(seed=1, days=365, source_weights={}, is_balanced=False)
ELSEWHERE = "upland"
SHIFTS = {NAME: 0, ELSEWHERE: 900}
"""Rows of 100 m between the two regions."""


def taught_region(
    layout: Layout,
    name: str = NAME,
    *,
    n_sites: int = 144,
    n_passes: int = 4,
    every: int = 12,
    recipe: Recipe = SM_100M_V1,
    noise: float = 0.0,
) -> pa.Table:
    """A region of sites 1.5 km apart with samples every so many days and roles before CUT_OFF."""
    corner = (ROW + SHIFTS[name], COL)
    window = ease2.window(ease2.LEVEL_100M, *corner, (180, 180))
    save_region(layout, Region(name, window, "archive", "somewhere"))
    place = np.stack(np.divmod(np.arange(n_sites), 12), axis=1) * 15 + corner
    sites = site_rows(window, ease2.LEVEL_100M, place)
    write_sites(layout, name, sites)
    for day in passes(n_passes, every):
        rows = with_labels(sample_rows(sites, day, seed=SHIFTS[name]), noise)
        write_samples(layout, day, rows, recipe, name)
    write_splits(layout, name, CUT_OFF, RULES)
    return sites


def coarse_samples(layout: Layout, name: str = NAME, *, source: str = "spl4smgp") -> None:
    """Samples of two 9 km cells beside the others, every 3 days, and all roles anew."""
    corner = (ROW + SHIFTS[name], COL)
    window = ease2.window(ease2.LEVEL_100M, *corner, (180, 180))
    cells = np.array([[0, 0], [1, 1]]) + (corner[0] // 90, corner[1] // 90)
    sites = site_rows(window, ease2.LEVEL_9KM, cells)
    for n in range(120):
        day = DAY + timedelta(3 * n)
        rows = with_labels(sample_rows(sites, day, seed=7, sources=(source,)), 0.0)
        rows = with_column(rows, "support_m", [9000.0] * rows.num_rows)
        write_samples(layout, day, _with_others(layout, name, day, rows), SM_100M_V1, name)
    write_splits(layout, name, CUT_OFF, RULES)


def _with_others(layout: Layout, name: str, day: date, rows: pa.Table) -> pa.Table:
    before = store.read(layout, TRAINING_SAMPLES, name, day)
    return pa.concat_tables([before.rows, rows]) if before else rows


def passes(n: int, every: int = 12) -> Sequence[date]:
    """Days of passes, the last ones before CUT_OFF."""
    return [CUT_OFF - timedelta(every * (n - k)) for k in range(n)]


def with_labels(rows: pa.Table, noise: float) -> pa.Table:
    """Labels 0.05 to 0.45 m3/m3, a line in the first input."""
    inputs = rows["inputs"].combine_chunks().flatten().to_numpy().reshape(-1, N_INPUTS)
    wet = 0.05 + 0.4 * inputs[:, 0]
    rng = np.random.default_rng(5)
    return with_column(rows, "sm_m3m3", (wet + noise * rng.standard_normal(len(wet))).clip(0, 1))


def trained_here(
    layout: Layout,
    models: ModelStore,
    assets: Sequence[dg.AssetsDefinition],
    config: Mapping[str, object],
    name: str = NAME,
) -> dg.ExecuteInProcessResult:
    """The result of a run of CUT_OFF in this process, good or bad; its events stay readable."""
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("regions", [name])
    (asset,) = assets
    return dg.materialize(
        assets,
        instance=instance,
        partition_key=str(dg.MultiPartitionKey({"day": CUT_OFF.isoformat(), "region": name})),
        resources={
            "lake": LakeResource(root=str(layout.root)),
            "models": ModelsResource(root=str(models.root)),
        },
        run_config={
            "ops": {asset.key.to_python_identifier(): {"config": dict(config)}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        raise_on_error=False,
    )
