"""Which samples are learnt from, which steer and which are judged, and with which labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.samples import Samples, chosen
from sm_platform.defs.splitting import EVEN_SHARES
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.errors import UsageError
from sm_platform.samples.split_schemes import DEFAULT, SampleKeys, Scheme, assign_roles
from sm_platform.samples.splits import Role
from sm_platform.schema.rows import FeatureRows, dense, from_dense

PRODUCT, NOISE = "product", "truth + noise"
"""Labels: as they are in the lake, or the truth of drained pixels with independent noise."""
NOISE_SD = 0.05
"""m3/m3"""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Samples by their use; none is in two of them."""

    learn: Samples
    steer: Samples
    test: Samples
    """Drained, so that soil moisture is what the truth tells."""

    @property
    def taught(self) -> LabelledRows:
        """Of `learn`, for a training."""
        return labelled(self.learn)

    @property
    def steering(self) -> LabelledRows:
        """Of `steer`, for a training."""
        return labelled(self.steer)


def labelled(samples: Samples) -> LabelledRows:
    """Rows and labels alone."""
    return LabelledRows(samples.rows, samples.label)


def with_labels(samples: Samples, kind: str, seed: int) -> Samples:
    """The samples with labels of a kind.

    With noise there is none of a pixel under water: those samples are left out.

    Raises:
        UsageError: another kind.
    """
    if kind == PRODUCT:
        return samples
    if kind != NOISE:
        raise UsageError(f"There are no labels '{kind}': choose '{PRODUCT}' or '{NOISE}'.")
    noise = NOISE_SD * np.random.default_rng([seed, 5]).standard_normal(len(samples))
    label = np.clip(samples.truth + noise, 0, 1).astype(np.float32)
    dry = np.zeros(len(samples), np.bool_)
    samples = replace(samples, label=label, is_beside_water=dry)
    return chosen(samples, ~samples.is_flooded & np.isfinite(label))


def split(
    samples: Samples, scheme: Scheme, seed: int, most: int, *, is_published: bool = False
) -> Lesson:
    """Roles by one of the platform's schemes; rows of its calibration are not used.

    Labels beside water teach and steer nothing, unless all rows are used as `is_published`.
    """
    samples = replace(samples, is_beside_water=samples.is_beside_water & (not is_published))
    keys = SampleKeys(
        samples.block_id, samples.site_id, samples.scene_id, samples.day, samples.support_m
    )
    even = replace(DEFAULT, shares=EVEN_SHARES)
    how = even if scheme is Scheme.BLOCK_TIME else DEFAULT
    role = assign_roles(keys, scheme, seed=seed, settings=how)
    parts = [role == one.value for one in (Role.TRAIN, Role.VALIDATION, Role.TEST)]
    return _lesson(samples, parts, seed, most)


def folds(samples: Samples, n: int, seed: int, most: int) -> Iterator[Lesson]:
    """As many lessons; each tests another n-th of the 3 km blocks, together all of them."""
    blocks, block = np.unique(samples.block_id, return_inverse=True)
    fold = np.random.default_rng([seed, 7]).permutation(len(blocks))[block] % n
    for tested in range(n):
        steers = (tested + 1) % n
        parts = [(fold != tested) & (fold != steers), fold == steers, fold == tested]
        yield _lesson(samples, parts, seed, most)


def few_sites(samples: Samples, n: int, seed: int) -> Samples:
    """The samples of n sites drawn at random."""
    sites = np.random.default_rng([seed, 11]).permutation(np.unique(samples.site_id))
    return chosen(samples, np.isin(samples.site_id, sites[:n]))


def at_most(samples: Samples, most: int, seed: int) -> Samples:
    """The samples, or so many of them drawn at random, in their order."""
    drawn = np.random.default_rng([seed, 13]).permutation(len(samples))[:most]
    return chosen(samples, np.sort(drawn))


def joined(parts: Sequence[LabelledRows]) -> LabelledRows:
    """Labelled rows of several regions as one."""
    rows = joined_rows([part.rows for part in parts])
    return LabelledRows(rows, np.concatenate([part.sm_m3m3 for part in parts]))


def joined_rows(parts: Sequence[FeatureRows]) -> FeatureRows:
    """Rows of several regions as one; they are of one recipe."""
    first = parts[0]
    inputs = np.concatenate([dense(part) for part in parts])
    return from_dense(inputs, first.recipe_id, first.recipe_fingerprint)


def _lesson(samples: Samples, parts: Sequence[NDArray[np.bool_]], seed: int, most: int) -> Lesson:
    dry = ~samples.is_beside_water
    learn, steer = (chosen(samples, part & dry) for part in parts[:2])
    test = chosen(samples, parts[2])
    return Lesson(at_most(learn, most, seed), at_most(steer, most, seed), chosen(test, _dry(test)))


def _dry(samples: Samples) -> NDArray[np.bool_]:
    return np.asarray(~samples.is_flooded & np.isfinite(samples.truth))
