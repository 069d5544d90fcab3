"""What helps in a region without labels, or with few?

    python -m experiments.transfer --seeds 5

Networks pre-trained on 9 km labels go to a region untuned; tuned in the other region; with a
domain loss towards the new region's unlabelled rows; with labels of ten of its sites; with all of
its training labels. Judged on blocks of the new region that nobody saw, against the truth. The
labels are the truth with noise, so that no product's own error is mixed in. Where few own labels
are used, rows of the other region steer, so that no more of them are.
"""

from typing import Any

from experiments.arguments import Arguments, parse
from experiments.methods import checkpoint, predictor, pretrained
from experiments.samples import Samples, load
from experiments.splits import (
    NOISE,
    Lesson,
    few_sites,
    joined,
    joined_rows,
    labelled,
    split,
    with_labels,
)
from experiments.tables import Results, against, over_repeats
from sm_platform.densesm.checkpoint import Checkpoint
from sm_platform.densesm.training import train
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.samples.split_schemes import Scheme

FEW_SITES = 10
UNTUNED, OTHER = "untuned (9 km)", "tuned in the other region"
DOMAIN = {f"{OTHER}, {loss}": loss for loss in ("coral", "mmd")}
FROM_RANDOM = f"{OTHER}, from random weights"
FEW, FEW_ALONE = f"and {FEW_SITES} sites of its own", f"{FEW_SITES} sites of its own alone"
MANY, MANY_ALONE = "and all its own", "all its own alone"


def tries(
    told: Arguments, there: Lesson, here: Lesson, start: Checkpoint, seed: int
) -> dict[str, Checkpoint]:
    """A checkpoint of each way to come from `there` to `here`."""
    plain = told.training(seed)
    unlabelled = joined_rows([here.learn.rows, here.steer.rows])
    few = labelled(few_sites(here.learn, FEW_SITES, seed))
    found = {UNTUNED: start}

    def fit(name: str, learn: LabelledRows, steer: LabelledRows, **more: Any) -> None:  # noqa: ANN401  as `train`
        settings = more.pop("settings", plain)
        found[name] = checkpoint(train(learn, steer, settings, **({"start": start} | more)))

    fit(OTHER, there.taught, there.steering)
    fit(FROM_RANDOM, there.taught, there.steering, start=None)
    for name, loss in DOMAIN.items():
        settings = told.training(seed, domain_loss=loss)
        fit(name, there.taught, there.steering, settings=settings, target=unlabelled)
    fit(FEW, joined([there.taught, few]), there.steering)
    fit(FEW_ALONE, few, there.steering)
    fit(MANY, joined([there.taught, here.taught]), here.steering)
    fit(MANY_ALONE, here.taught, here.steering)
    return found


def lessons(told: Arguments, seed: int) -> dict[str, Lesson]:
    """Of each region, by block."""
    samples: dict[str, Samples] = {
        one: with_labels(load(one, told.cache), NOISE, seed) for one in told.regions
    }
    return {one: split(own, Scheme.BLOCK, seed, told.rows) for one, own in samples.items()}


def main() -> None:
    """Print the error of each way in both directions, and what it gains."""
    told = parse(str(__doc__), seeds=5)
    found = Results(("to", "way"))
    for seed in told.seeds:
        start, of = pretrained(told, seed), lessons(told, seed)
        for region, here in of.items():
            (there,) = (of[one] for one in of if one != region)
            for name, made in tries(told, there, here, start, seed).items():
                found.add((region, name), **against(here.test, predictor(made)))
    found.show(f"Transfer, {len(told.members)} members, {len(told.seeds)} seeds, m3/m3")
    print("\nRMSE less that of the networks tuned in the other region, seed by seed:\n")
    for key in found.found:
        if key[1] != OTHER:
            gain = over_repeats(found.compare("RMSE", key, (key[0], OTHER)))
            print(f"- to {key[0]}, {key[1]}: {gain}")


if __name__ == "__main__":
    main()
