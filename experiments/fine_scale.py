"""What are 100 m worth: who tells the pattern within 9 km on a day, whatever the day's mean?

    python -m experiments.fine_scale --seeds 3

All blocks are tested in turn, by networks that saw none of them. A coarse product is judged at the
rows where it has a value at the site's cell, and the estimate once more at these same rows.
"""

import numpy as np

from experiments.arguments import parse
from experiments.methods import boosting, densesm, trees
from experiments.sample_tables import Array
from experiments.samples import Samples, load
from experiments.splits import NOISE, PRODUCT, folds, with_labels
from experiments.tables import Results, pairs
from sm_platform.trust.scoring import score_spatial

FOLDS, QUICK_FOLDS = 5, 3
EVERY_ROW = "all"
CONSTANT = "has the same value in each 9 km cell: no pattern at all, R = 0"


def spatial_r(samples: Samples, said: Array, where: Array) -> dict[str, float]:
    """Spatial R within 9 km with the ends of its own interval, and the pairs it rests on."""
    masked = np.where(where, said, np.nan)
    (score,) = score_spatial(pairs(samples, masked))
    value = 0.0 if score.n and np.isnan(score.value) else score.value
    return {"R": value, "low": score.low, "high": score.high, "pairs": float(score.n)}


def main() -> None:
    """Print the spatial R of estimates, labels and coarse products."""
    told = parse(str(__doc__), seeds=1)
    found = Results(("region", "labels", "rows", "who"))
    for region in told.regions:
        for labels in (NOISE, PRODUCT):
            for seed in told.seeds:
                samples = with_labels(load(region, told.cache), labels, seed)
                tests, said = [], {"DenseSM": list[Array](), "boosted trees": list[Array]()}
                n = QUICK_FOLDS if told.quick else FOLDS
                for lesson in folds(samples, n, seed, told.rows):
                    tests.append(lesson.test)
                    networks = densesm(lesson, told.training(seed))
                    boosted = trees(lesson, boosting(told, seed))
                    said["DenseSM"].append(networks(lesson.test.rows))
                    said["boosted trees"].append(boosted(lesson.test.rows))
                _judge(found, (region, labels), tests, said)
    found.show(f"R within 9 km on a day against the truth, {len(told.seeds)} repeats")
    print(f"\nA 9 km product {CONSTANT}. `low` and `high` by resampling 3 km blocks.")


def _judge(
    found: Results, key: tuple[str, str], tests: list[Samples], said: dict[str, list[Array]]
) -> None:
    """Add the estimates on all rows, then each product beside them on the rows it knows."""
    test = _together(tests)
    own = {who: np.concatenate(parts) for who, parts in said.items()}
    everywhere = np.ones(len(test), np.bool_)
    for who, values in {**own, "the labels themselves": test.label}.items():
        found.add((*key, EVERY_ROW, who), **spatial_r(test, values, everywhere))
    for product, values in test.products.items():
        where = np.isfinite(values)
        for who, estimate in {product: values, **own}.items():
            found.add((*key, f"with {product}", who), **spatial_r(test, estimate, where))


def _together(tests: list[Samples]) -> Samples:
    """All tests as one; the rows of inputs are those of the first and not to be used."""
    names = ("label", "truth", "is_flooded", "site_id", "scene_id", "block_id", "coarse_id")
    arrays = {
        name: np.concatenate([getattr(one, name) for one in tests])
        for name in (*names, "day", "support_m", "is_beside_water")
    }
    products = {
        name: np.concatenate([one.products[name] for one in tests]) for name in tests[0].products
    }
    return Samples(tests[0].rows, products=products, **arrays)


if __name__ == "__main__":
    main()
