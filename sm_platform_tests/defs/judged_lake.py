"""A delta whose truth is known: sites, labels that err by a known amount, checkpoints of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks._sample_lake import site_rows
from benchmarks._sample_lake import write_sites as write_catalog
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.sample_set import gather
from sm_platform.defs.splitting import SplitRules, write_splits
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.grid import ease2
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.label_tables import SAMPLE_SPLITS
from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.region import Region
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform.schema.rows import take
from sm_platform.trees.boosting import TreeSettings, fit_trees
from sm_platform.trees.checkpoint import TreeCheckpoint
from sm_platform.trees.checkpoint import save as save_trees
from sm_platform_tests.defs.sample_lake import (
    COL,
    DAY,
    NAME,
    ROW,
    sample_rows,
    window,
    with_column,
    write_samples,
)

CUT_OFF = DAY + timedelta(360)
N_SITES, N_PASSES, EVERY_DAYS = 144, 24, 15
NOISE = 0.05
"""m3/m3: sd of the labels' error."""
RULES = SplitRules(seed=1, days=365, source_weights={}, is_balanced=False)
FLOODED_PASS = 4
"""On this pass water stands on every third site."""


def moisture(inputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Truth (n,) in m3/m3 of rows (n, 153): what can be known of it stands in two inputs."""
    return np.asarray(0.1 + 0.2 * inputs[:, 0] + 0.15 * inputs[:, 3], np.float64)


def judged_lake(root: Path, *, is_random: bool = False, name: str = NAME, row: int = ROW) -> Layout:
    """Samples of a year with their roles, and the archive that knows the truth of each pixel.

    In a random world neither labels nor truth have anything to do with the inputs.
    """
    layout, archive = Layout(root / "lake"), root / "archive"
    grid = ease2.window(ease2.LEVEL_100M, row, COL, window().shape)
    save_region(layout, Region(name, grid, "archive", str(archive)))
    place = np.stack(np.divmod(np.arange(N_SITES), 12), axis=1) * 15 + (row, COL)
    wide = np.unique(place // 90, axis=0)
    fine = site_rows(grid, ease2.LEVEL_100M, place)
    sites = pa.concat_tables([fine, site_rows(grid, ease2.LEVEL_9KM, wide)])
    write_catalog(layout, name, sites)
    days = [DAY + timedelta(EVERY_DAYS * n) for n in range(N_PASSES)]
    fields = []
    for number, day in enumerate(days):
        rng = np.random.default_rng((row, number))
        rows = sample_rows(fine, day, seed=row)
        flat = rows["inputs"].combine_chunks().flatten().to_numpy().reshape(-1, N_INPUTS)
        truth = rng.uniform(0.1, 0.45, N_SITES) if is_random else moisture(flat)
        noise = rng.normal(0, NOISE, N_SITES)
        label = rng.uniform(0.1, 0.45, N_SITES) if is_random else truth + noise
        labels = with_column(rows, "sm_m3m3", np.clip(label, 0, 1).astype(np.float32))
        write_samples(layout, day, labels, name=name)
        field = np.zeros(grid.size)
        field[fine["cell_id"].to_numpy()] = truth
        fields.append(field)
    flooded = np.zeros((N_PASSES, grid.size), np.bool_)
    flooded[FLOODED_PASS, fine["cell_id"].to_numpy()[::3]] = True
    _write_archive(archive, (name, grid), days, (np.stack(fields), flooded))
    write_splits(layout, name, CUT_OFF, RULES)
    return layout


def _write_archive(
    root: Path,
    place: tuple[str, Any],
    days: list[date],
    told: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    """The list of regions and the truth, in the form that the simulation writes them."""
    (name, grid), (fields, flooded) = place, told
    path = root / "regions.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    own = {"crs": grid.crs, "affine": list(grid.affine)[:6], "shape": list(grid.shape)}
    folder = root / "truth" / name
    folder.mkdir(parents=True)
    path.write_text(json.dumps(known | {name: own}))
    every = days_between(days[0], days[-1])
    at_day = {day: number for number, day in enumerate(days)}
    for _, group in groupby(every, key=lambda day: (day.year, day.month)):
        month = list(group)
        shape = (len(month), *grid.shape)
        digits, wet = np.zeros(shape, np.uint16), np.zeros(shape, np.bool_)
        for n, day in enumerate(month):
            if day in at_day:
                digits[n] = np.round(fields[at_day[day]] / 1e-4).reshape(grid.shape)
                wet[n] = flooded[at_day[day]].reshape(grid.shape)
        np.savez_compressed(
            folder / f"sm_{month[0]:%Y%m}.npz",
            days=np.array([day.toordinal() for day in month], np.int32),
            sm_dn=digits,
            is_flooded=np.packbits(wet),
        )


def add_trees(
    layout: Layout,
    models: ModelStore,
    checkpoint_id: str,
    *,
    name: str = NAME,
    scheme: str | None = "block",
    metadata: Mapping[str, Any] | None = None,
    seed: int = 1,
    cut_off: date = CUT_OFF,
) -> None:
    """Train, store and register trees of the region; as if imported when no scheme is given."""
    samples = gather(layout, name, cut_off, 10**6, scheme or "block")
    learnt = np.flatnonzero(samples.role == "train")
    ensemble = fit_trees(
        take(samples.rows, learnt),
        samples.sm_m3m3[learnt],
        samples.about["block_id"].to_numpy()[learnt],
        TreeSettings(members=1, max_iter=15, learning_rate=0.3, seed=seed),
    )
    note = store.note_of(layout, SAMPLE_SPLITS, name, cut_off) or {}
    own = {"trained_until": str(cut_off), "region": name, "split_scheme": scheme}
    choice = asdict(TrainingChoice(profile="trees", members=2, epochs=30))
    own |= {"splits": note["inputs"], "choice": choice}
    told = {"trained_until": str(cut_off)} if scheme is None else own
    made = TreeCheckpoint(checkpoint_id, ensemble, told | dict(metadata or {}))
    models.add(checkpoint_id, lambda folder: save_trees(made, folder))
    register(layout, checkpoint_id, name=name, scheme=scheme, cut_off=cut_off)


def register(
    layout: Layout,
    checkpoint_id: str,
    *,
    name: str = NAME,
    scheme: str | None = "block",
    cut_off: date = CUT_OFF,
) -> None:
    """Put the checkpoint among the region's."""
    before = store.read(layout, CHECKPOINTS, name, cut_off)
    samples = gather(layout, name, cut_off, 1, "block")
    row = dict.fromkeys(CHECKPOINTS.arrow_schema.names) | {
        "checkpoint_id": checkpoint_id,
        "checkpoint_fingerprint": checkpoint_id,
        "kind": "trees",
        "profile": "imported" if scheme is None else "trees",
        "recipe_id": samples.recipe.recipe_id,
        "recipe_fingerprint": samples.recipe.fingerprint,
        "n_members": 1,
        "scheme": scheme,
        "label_sources": None if scheme is None else ["planet_swc"],
        "licences": [],
        "code_version": "0",
    }
    rows = [*(before.rows.to_pylist() if before else []), row]
    table = pa.Table.from_pylist(rows, schema=CHECKPOINTS.arrow_schema)
    note = {"inputs": checkpoint_id, "rows": len(rows)}
    store.write(layout, CHECKPOINTS, table, region=name, day=cut_off, note=note)
