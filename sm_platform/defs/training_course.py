"""A training from its start to a stored checkpoint; stopped at any moment, it can go on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sm_platform.defs.learned import Learned
from sm_platform.defs.lesson import Lesson
from sm_platform.defs.training import Means, TestedOn, teach, test, training_key
from sm_platform.defs.training_choice import TrainingChoice
from sm_platform.defs.training_record import metadata_of, outcome_of
from sm_platform.defs.training_watch import Show, TrainingWatch
from sm_platform.densesm.checkpoint import Checkpoint, load
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.lake.snapshots import open_snapshots, sweep_snapshots
from sm_platform.samples.split_schemes import Scheme
from sm_platform.schema.card import TREES, Card, card_in

LONGEST_ID = 61


@dataclass(frozen=True, slots=True)
class Course:
    """Where a training happens, and whom it tells."""

    layout: Layout
    models: ModelStore
    region_id: str
    day: date
    """Cut-off."""
    say: Callable[[str], None]
    show: Show


@dataclass(frozen=True, slots=True, eq=False)
class Graduate:
    """A stored checkpoint with how it got there."""

    card: Card
    learned: Learned
    tested: TestedOn | None


def take_course(course: Course, choice: TrainingChoice, lesson: Lesson, name: str = "") -> Graduate:
    """Train and store a checkpoint, named by `name`, region, day, recipe and fingerprint.

    Members are kept after each epoch until the checkpoint is stored; trainings that nobody has
    gone on with for a month are forgotten. The same weights have the same name.

    Raises:
        UsageError: the start is not known, is no ensemble of networks, or has seen later labels.
        LakeError: the disk is full; what is finished is kept, the same training goes on from it.
    """
    start, parent = open_start(course.models, choice.start, course.day)
    sweep_snapshots(course.models.root, datetime.now(UTC))
    snapshots = open_snapshots(course.models.root, training_key(lesson, choice, start))
    watch = TrainingWatch(choice.n_members * choice.n_repeats, course.say, course.show)
    learned = teach(lesson, choice, Means(start, snapshots, watch.hear))
    tested = test(learned, lesson.own)
    told = metadata_of(course.layout, (course.region_id, course.day), choice, lesson, parent)
    told |= outcome_of(learned, choice, tested)
    recipe = lesson.samples.recipe.recipe_id
    parts = (name, course.region_id, f"{course.day:%Y%m%d}", recipe, learned.fingerprint[:6])
    checkpoint_id = checkpoint_name(*parts)
    if checkpoint_id not in course.models.names():
        course.models.add(checkpoint_id, lambda folder: learned.save(checkpoint_id, told, folder))
    snapshots.remove()
    return Graduate(card_in(course.models.folder(checkpoint_id)), learned, tested)


def check_storable(choice: TrainingChoice) -> None:
    """Refuse what may be trained for a comparison, but must never be judged and mapped with.

    Raises:
        UsageError: rows of one site would train and test.
    """
    if Scheme(choice.scheme).is_comparison_only:
        raise UsageError(
            f"Scheme {choice.scheme} has rows of one site on both sides, its figures are no test: "
            "train by block, and compare with `sm-platform evaluate --schemes random`."
        )


def open_start(
    models: ModelStore, name: str, cut_off: date
) -> tuple[Checkpoint | None, Card | None]:
    """The checkpoint whose weights are the first, with its card; nothing where none is named.

    Raises:
        UsageError: there is none of that name, it holds trees, or it was trained here on labels of
            the cut-off or later, which no map or test before that day may have seen.
    """
    if not name:
        return None, None
    folder = models.folder(name)
    card = card_in(folder)
    if card.kind == TREES:
        raise UsageError(f"Start '{name}' holds trees, networks cannot go on from it: name others.")
    until = card.metadata.get("trained_until")
    if card.metadata.get("region") and until and parse_day(str(until)) > cut_off:
        raise UsageError(
            f"Start '{name}' has learned from labels up to {until}, after the cut-off {cut_off}: "
            "name one of an earlier cut-off, or train for a later one."
        )
    return load(folder), card


def checkpoint_name(name: str, region: str, day: str, recipe: str, mark: str) -> str:
    """The parts joined; a long region name is cut."""
    ends = [part for part in (name, day, recipe, mark) if part]
    room = LONGEST_ID - sum(len(part) + 1 for part in ends)
    return "-".join([*ends[: bool(name)], region[:room], *ends[bool(name) :]])
