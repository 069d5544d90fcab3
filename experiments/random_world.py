"""Can the evaluation be fooled: is there any skill where the truth has nothing to do with inputs?

    sm-platform archive simulate --out DIR --labels independent --truth random
    python -m experiments.random_world          # with SM_ARCHIVE=DIR and a lake made from it

With a lake of another archive the same is done within it: each sample's truth becomes that of any
other, its label that truth and noise.
"""

from dataclasses import replace

import numpy as np

from experiments.arguments import Arguments, parse
from experiments.methods import boosting, densesm, trees
from experiments.sample_tables import Array
from experiments.samples import Samples, load
from experiments.splits import NOISE, Lesson, split, with_labels
from experiments.tables import pairs, print_table
from sm_platform.defs.resources import settings
from sm_platform.samples.split_schemes import Scheme
from sm_platform.trust.baselines import KnownLabels, climatology, site_mean
from sm_platform.trust.comparison import compare
from sm_platform.trust.scoring import score_by_site, score_pooled, score_spatial

SKILLS = ("r", "anomaly_r")
"""Zero where there is no skill."""
SCHEMES = (Scheme.BLOCK, Scheme.TIME, Scheme.RANDOM)


def is_random_archive() -> bool:
    """Whether the archive of the environment says that its truth is random."""
    path = settings().archive / "parameters.json"
    return path.is_file() and '"random"' in path.read_text()


def random_truth(samples: Samples, seed: int) -> Samples:
    """Each sample with the drained truth of any other."""
    pool = samples.truth[~samples.is_flooded & np.isfinite(samples.truth)]
    drawn = np.random.default_rng([seed, 19]).choice(pool, len(samples))
    return replace(samples, truth=drawn)


def estimates(lesson: Lesson, told: Arguments, seed: int) -> dict[str, Array]:
    """What each method and baseline says of the test rows."""
    learn, test = lesson.learn, lesson.test
    labels = KnownLabels(learn.label, learn.site_id, learn.day)
    return {
        "DenseSM": densesm(lesson, told.training(seed))(test.rows),
        "boosted trees": trees(lesson, boosting(told, seed))(test.rows),
        "site mean": site_mean(labels, site_id=test.site_id),
        "climatology": climatology(labels, site_id=test.site_id, day=test.day),
    }


def judged(lesson: Lesson, said: Array) -> list[tuple[str, float, float, float, bool]]:
    """Skills with their intervals, and whether zero is within: name, value, low, high, is_zero."""
    found = pairs(lesson.test, said)
    scored = {
        "per site": score_by_site(found),
        "pooled": score_pooled(found),
        "within 9 km": score_spatial(found),
    }
    rows = [
        (f"{one.metric}, {pooling}", one.value, one.low, one.high)
        for pooling, scores in scored.items()
        for one in scores
        if one.metric in SKILLS
    ]
    mean = pairs(lesson.test, np.full(len(lesson.test), lesson.learn.label.mean()))
    better = compare(mean, found)
    rows.append(("RMSE gained on the mean label", better.value, better.low, better.high))
    return [(*row, not row[2] > 0) for row in rows]  # NaN and below zero are no skill


def main() -> None:
    """Print every skill, and how many of them are above zero by more than their interval."""
    told = parse(str(__doc__), seeds=1)
    own_archive = is_random_archive()
    rows, above = [], 0
    for region in told.regions:
        for seed in told.seeds:
            samples = load(region, told.cache)
            samples = samples if own_archive else random_truth(samples, seed)
            samples = samples if own_archive else with_labels(samples, NOISE, seed)
            for scheme in SCHEMES:
                lesson = split(samples, scheme, seed, told.rows)
                for who, said in estimates(lesson, told, seed).items():
                    for name, value, low, high, is_zero in judged(lesson, said):
                        above += not is_zero
                        figures = f"{value:.3f}", f"[{low:.3f}, {high:.3f}]"
                        mark = "" if is_zero else "above zero"
                        rows.append([region, scheme.value, who, name, *figures, mark])
    head = ["region", "scheme", "who", "skill", "value", "95 %", ""]
    where = "its own archive" if own_archive else "truth dealt out anew within the lake"
    print_table(f"No skill is possible: {where}", head, rows)
    known = [row for row in rows if "nan" not in row[5]]
    print(
        f"\n{above} of {len(known)} skills with an interval lie above zero by more than it; "
        f"about {len(known) / 40:.0f} do by chance."
    )


if __name__ == "__main__":
    main()
