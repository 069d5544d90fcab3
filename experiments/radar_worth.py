"""What is radar worth against the truth, and does the answer show when labels are the judge?

    python -m experiments.radar_worth --seeds 5

Backscatter and angle are given as they are; taken away (half of the range everywhere); dealt out
anew among the rows of a day; and among all rows. Each time anew in training and test alike.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from experiments.arguments import parse
from experiments.methods import boosting, densesm, trees
from experiments.sample_tables import Array
from experiments.samples import Samples, load
from experiments.splits import NOISE, PRODUCT, split, with_labels
from experiments.tables import Results, against
from sm_platform.samples.split_schemes import Scheme

RADAR = slice(0, 3)
"""VV, VH and incidence angle among the scalars."""
NOTHING = np.float32(0.5)
Spoil = Callable[[Samples, np.random.Generator], Array]


def kept(samples: Samples, _: np.random.Generator) -> Array:
    """Radar as it is."""
    return samples.rows.scalars[:, RADAR]


def removed(samples: Samples, _: np.random.Generator) -> Array:
    """A constant."""
    return np.full((len(samples), 3), NOTHING)


def dealt_on_the_day(samples: Samples, rng: np.random.Generator) -> Array:
    """Radar of another row of the day."""
    luck = rng.random(len(samples))
    taken = np.lexsort((luck, samples.day))  # days in order, within each any order
    given = np.argsort(samples.day, kind="stable")
    found = np.empty((len(samples), 3), np.float32)
    found[given] = samples.rows.scalars[taken, RADAR]
    return found


def dealt(samples: Samples, rng: np.random.Generator) -> Array:
    """Radar of any other row."""
    return samples.rows.scalars[rng.permutation(len(samples)), RADAR]


VARIANTS: dict[str, Spoil] = {
    "with radar": kept,
    "without": removed,
    "shuffled within days": dealt_on_the_day,
    "shuffled": dealt,
}


def spoilt(samples: Samples, variant: str, seed: int) -> Samples:
    """The samples with another radar; place, day, labels and all other inputs are the same."""
    scalars = samples.rows.scalars.copy()
    scalars[:, RADAR] = VARIANTS[variant](samples, np.random.default_rng([seed, 17]))
    return replace(samples, rows=replace(samples.rows, scalars=scalars))


def main() -> None:
    """Print the error against truth and labels for each radar, and by how much it is worse."""
    told = parse(str(__doc__))
    found = Results(("region", "labels", "method", "radar"))
    for region in told.regions:
        for labels in (NOISE, PRODUCT):
            for seed in told.seeds:
                samples = with_labels(load(region, told.cache), labels, seed)
                first: dict[str, dict[str, float]] = {}
                for variant in VARIANTS:
                    lesson = split(spoilt(samples, variant, seed), Scheme.BLOCK, seed, told.rows)
                    for method in ("DenseSM", "boosted trees"):
                        if method == "DenseSM":
                            predict = densesm(lesson, told.training(seed))
                        else:
                            predict = trees(lesson, boosting(told, seed))
                        scores = against(lesson.test, predict)
                        usual = first.setdefault(method, scores)
                        names = {"RMSE": "worse %", "RMSE to labels": "worse to labels %"}
                        worse = {
                            said: 100 * (scores[name] / usual[name] - 1)
                            for name, said in names.items()
                        }
                        found.add((region, labels, method, variant), **(scores | worse))
    found.show(f"What radar is worth: blocks not seen, {len(told.seeds)} splits, m3/m3")


if __name__ == "__main__":
    main()
