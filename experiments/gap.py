"""How far are the networks from boosted trees on blocks of 3 km that neither has seen?

python -m experiments.gap --seeds 5 --members 5
"""

from time import perf_counter

from experiments.arguments import parse
from experiments.methods import boosting, densesm, trees
from experiments.samples import load
from experiments.splits import NOISE, PRODUCT, split, with_labels
from experiments.tables import Results, against
from sm_platform.samples.split_schemes import Scheme

DENSESM, TREES = "DenseSM", "boosted trees"


def main() -> None:
    """Print errors against truth and labels, and the networks' less the trees'."""
    told = parse(str(__doc__))
    found = Results(("region", "labels", "method"))
    for region in told.regions:
        for labels in (NOISE, PRODUCT):
            for seed in told.seeds:
                samples = with_labels(load(region, told.cache), labels, seed)
                lesson = split(samples, Scheme.BLOCK, seed, told.rows)
                for method in (DENSESM, TREES):
                    began = perf_counter()
                    if method == DENSESM:
                        predict = densesm(lesson, told.training(seed))
                    else:
                        predict = trees(lesson, boosting(told, seed))
                    seconds = perf_counter() - began
                    scores = against(lesson.test, predict)
                    found.add((region, labels, method), **scores, seconds=seconds)
            keys = (region, labels, DENSESM), (region, labels, TREES)
            for gap in found.compare("RMSE", *keys):
                found.add((region, labels, "difference"), RMSE=gap)
    found.show(f"Blocks not seen, {len(told.members)} members, {len(told.seeds)} splits, m3/m3")


if __name__ == "__main__":
    main()
