"""The samples that a training reads: of its own region, and of others where it has few labels.

Rows of other regions in blocks of 3 km on which the own region steers, calibrates or tests are
left out: two regions may share ground.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.sample_set import SampleSet, gather, read_roles
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.errors import MissingInputError, RecipeError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role
from sm_platform.schema.rows import FeatureRows, take

_TRAIN, _STEER = Role.TRAIN.value, Role.VALIDATION.value
_JUDGING = (Role.CALIBRATION.value, Role.TEST.value)
_HELD = (_STEER, *_JUDGING)


def own_samples(
    layout: Layout, region: str, cut_off: date, choice: TrainingChoice
) -> SampleSet | None:
    """The region's own samples in all roles; None when none are wanted and none are there."""
    try:
        return gather(
            layout, region, cut_off, choice.most_rows, choice.scheme, sources=choice.sources
        )
    except MissingInputError:
        if choice.own_sites == 0:
            return None
        raise


def taught_samples(
    layout: Layout, region: str, cut_off: date, choice: TrainingChoice, own: SampleSet | None
) -> SampleSet:
    """The samples of roles train and validation, of all regions that are learnt from.

    With all own labels the own validation rows steer. With few or none those of the other regions
    do, so that no more own labels are used than was said; where there are no other regions, so
    many sites steer as a third of those that train, and no fewer than the least.

    Raises:
        MissingInputError: another region has no roles under the cut-off.
        RecipeError: the samples of two regions are of two recipes.
        UsageError: the region itself is named among the others, or one of them twice.
    """
    names = (region, *choice.source_regions)
    if len(set(names)) < len(names):
        raise UsageError(f"Source regions {', '.join(names[1:])}: name each once, not {region}.")
    parts = [_of_other(layout, name, region, cut_off, choice) for name in choice.source_regions]
    if own is not None and choice.own_sites != 0:
        parts.insert(0, _of_own(own, choice))
    return pooled(parts)


def pooled(parts: Sequence[SampleSet]) -> SampleSet:
    """Samples of several regions as one, in order; raises RecipeError when recipes differ."""
    first = parts[0]
    for part in parts[1:]:
        if part.recipe.fingerprint != first.recipe.fingerprint:
            raise RecipeError(
                f"Samples of recipe {first.recipe.recipe_id} and of {part.recipe.recipe_id} cannot "
                "be learnt from together: materialize `site_features` and `training_samples` of "
                "one region anew with the other's recipe."
            )
    if len(parts) == 1:
        return first
    return replace(
        first,
        rows=_joined([part.rows for part in parts]),
        sm_m3m3=np.concatenate([part.sm_m3m3 for part in parts]),
        role=np.concatenate([part.role for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        labels=tuple(sorted({label for part in parts for label in part.labels})),
        about=pa.concat_tables([part.about for part in parts]).combine_chunks(),
    )


def judging_names(layout: Layout, region: str, cut_off: date, scheme: str) -> set[str]:
    """Ids of the sites (by time: of the passes) that calibrate or test; none without roles."""
    try:
        roles = read_roles(layout, region, cut_off, scheme)
    except MissingInputError:
        return set()
    judging = roles.filter(pc.is_in(roles["role"], value_set=pa.array(_JUDGING)))
    return set(judging["scene_id" if scheme == Scheme.TIME else "site_id"].to_pylist())


def chosen(samples: SampleSet, rows: NDArray[np.integer] | NDArray[np.bool_]) -> SampleSet:
    """The samples of these rows; a mask keeps their order."""
    place = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    return replace(
        samples,
        rows=take(samples.rows, place),
        sm_m3m3=samples.sm_m3m3[place],
        role=samples.role[place],
        weight=samples.weight[place],
        about=samples.about.take(place),
    )


def _of_own(own: SampleSet, choice: TrainingChoice) -> SampleSet:
    """Rows that train and steer; of few sites where few labels are to be used."""
    train, steer = own.role == _TRAIN, own.role == _STEER
    if choice.own_sites is not None:
        n_steer = 0 if choice.source_regions else max(choice.own_sites // 3, choice.fewest_sites)
        train &= _of_few_sites(own, train, choice.own_sites, choice.seed)
        steer &= _of_few_sites(own, steer, n_steer, choice.seed)
    return chosen(own, train | steer)


def _of_few_sites(
    samples: SampleSet, among: NDArray[np.bool_], most: int, seed: int
) -> NDArray[np.bool_]:
    """Rows (n,) at `most` of the sites of the rows `among`, drawn by the seed."""
    site = np.array(samples.about["site_id"].to_pylist(), np.str_)
    there = np.unique(site[among])
    drawn = np.random.default_rng(seed).permutation(there)[:most]
    return np.isin(site, drawn)


def _of_other(
    layout: Layout, name: str, region: str, cut_off: date, choice: TrainingChoice
) -> SampleSet:
    """Rows of another region by scheme block, off the ground that the own region holds back."""
    scheme = Scheme.BLOCK.value
    samples = gather(layout, name, cut_off, choice.most_rows, scheme, sources=choice.sources)
    wanted = [_TRAIN] if choice.own_sites is None else [_TRAIN, _STEER]
    held = _held_blocks(layout, region, cut_off, choice.scheme)
    is_held = np.isin(values_of(samples.about["block_id"]), held)
    found = np.isin(samples.role, wanted) & ~is_held
    if not found.any():
        raise MissingInputError(
            f"Region {name} has no sample to learn from outside the ground that {region} is judged "
            "on: name another region."
        )
    return chosen(samples, found)


def _held_blocks(layout: Layout, region: str, cut_off: date, scheme: str) -> NDArray[np.int64]:
    """Blocks in which the region steers, calibrates or tests; none where it has no roles."""
    try:
        roles = read_roles(layout, region, cut_off, scheme)
    except MissingInputError:
        return np.array([], np.int64)
    held = roles.filter(pc.is_in(roles["role"], value_set=pa.array(_HELD)))
    return np.unique(values_of(held["block_id"]).astype(np.int64))


def _joined(parts: Sequence[FeatureRows]) -> FeatureRows:
    """Rows of one recipe in order; series are not compared across the parts."""
    offsets = np.cumsum([0, *(len(part.series) for part in parts)])
    index = [part.series_index + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
    return FeatureRows(
        scalars=np.concatenate([part.scalars for part in parts]),
        series=np.concatenate([part.series for part in parts]),
        series_index=np.concatenate(index).astype(np.int32),
        recipe_id=parts[0].recipe_id,
        recipe_fingerprint=parts[0].recipe_fingerprint,
    )
