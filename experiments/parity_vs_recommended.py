"""Is the recommended training better than the published one, and how optimistic is a random split?

    python -m experiments.parity_vs_recommended --seeds 3 --weights FOLDER

Both learn from the same product labels and are judged on the same rows of each split. The
published one starts from the weights in FOLDER (at random without), its domain target are the
unlabelled test rows. `as published` steers by the rows it is judged on, too.
"""

from experiments.arguments import Arguments, parse
from experiments.methods import Predictor, densesm, parity, published
from experiments.samples import Samples, load
from experiments.splits import Lesson, at_most, labelled, split
from experiments.tables import Results, against, over_repeats
from sm_platform.densesm.parity import ParitySettings
from sm_platform.errors import DataError, UsageError
from sm_platform.samples.split_schemes import Scheme

RECOMMENDED, PARITY, AS_PUBLISHED = "recommended", "parity", "parity, as published"
SCHEMES = (Scheme.BLOCK, Scheme.TIME, Scheme.BLOCK_TIME, Scheme.REGION, Scheme.RANDOM)
QUICK_AVERAGE = 1


def lesson_of(
    told: Arguments, samples: dict[str, Samples], place: tuple[str, Scheme], seed: int, profile: str
) -> Lesson:
    """By region: learnt in the others by block, judged in all of this one."""
    (region, scheme), published_way = place, profile != RECOMMENDED
    if scheme is not Scheme.REGION:
        return split(samples[region], scheme, seed, told.rows, is_published=published_way)
    if len(samples) != 2:
        raise UsageError("Scheme region needs two --regions: one to learn in, one to be judged in.")
    (other,) = (one for one in samples if one != region)
    taught = split(samples[other], Scheme.BLOCK, seed, told.rows, is_published=published_way)
    judged = split(samples[region], Scheme.REGION, seed, told.rows).test
    return Lesson(taught.learn, taught.steer, judged)


def trained(told: Arguments, lesson: Lesson, profile: str, seed: int) -> Predictor:
    """A profile's training of a lesson."""
    if profile == RECOMMENDED:
        return densesm(lesson, told.training(seed))
    first = QUICK_AVERAGE if told.quick else ParitySettings().average_from
    settings = ParitySettings(
        members=told.members, epochs=told.parity_epochs, seed=seed, average_from=first
    )
    target = at_most(lesson.test, told.rows, seed)
    held_out = target if profile == AS_PUBLISHED else lesson.steer
    return parity(lesson, labelled(held_out), settings, start=published(told), target=target.rows)


def main() -> None:
    """Print errors of both profiles by split, and what a random split hides."""
    told = parse(str(__doc__))
    samples = {region: load(region, told.cache) for region in told.regions}
    found = Results(("region", "split", "profile"))
    for region in told.regions:
        for scheme in [one for one in SCHEMES if not told.schemes or one.value in told.schemes]:
            profiles = [RECOMMENDED, PARITY]
            profiles += [AS_PUBLISHED] if scheme is Scheme.RANDOM else []
            for seed in told.seeds:
                for profile in profiles:
                    try:
                        lesson = lesson_of(told, samples, (region, scheme), seed, profile)
                        predict = trained(told, lesson, profile, seed)
                    except DataError as error:  # too few rows of a role: the others go on
                        print(f"{region} | {scheme.value} | {profile}: {error}")
                        continue
                    found.add((region, scheme.value, profile), **against(lesson.test, predict))
    found.show(
        f"Parity against recommended: {len(told.members)} members, 1 repeat, "
        f"{told.parity_epochs} epochs of parity, {len(told.seeds)} seeds, m3/m3"
    )
    if {Scheme.BLOCK.value, Scheme.RANDOM.value} <= set(told.schemes or SCHEMES):
        _tell_optimism(found, told)


def _tell_optimism(found: Results, told: Arguments) -> None:
    print()
    for region in told.regions:
        for profile in (RECOMMENDED, PARITY):
            keys = [(region, one.value, profile) for one in (Scheme.BLOCK, Scheme.RANDOM)]
            for name in ("RMSE", "RMSE to labels"):
                hidden = over_repeats(found.compare(name, keys[0], keys[1]))
                print(f"- {region}, {profile}: a random split hides {hidden} m3/m3 of {name}.")


if __name__ == "__main__":
    main()
