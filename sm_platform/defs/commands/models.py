"""`sm-platform models`: networks from elsewhere become checked checkpoints."""

from datetime import UTC, datetime
from pathlib import Path

from sm_platform import __version__
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.densesm.checkpoint import Checkpoint, Member, check_checkpoint_id, load, save
from sm_platform.densesm.published import read_published
from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import find_recipe


def import_command(
    folder: Path, name: str, recipe_id: str, trained_until: str | None, say: Say
) -> None:
    """Store the networks of a folder as one checkpoint."""
    check_checkpoint_id(name)
    recipe = find_recipe(recipe_id)
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}: name the folder of the .pt files.")
    today = datetime.now(UTC).date()
    until = parse_day(trained_until) if trained_until else today
    if until > today:
        raise UsageError(f"--trained-until {until} lies in the future: say {today} or before.")
    states = read_published(folder)
    checkpoint = Checkpoint(
        checkpoint_id=name,
        recipe_id=recipe.recipe_id,
        recipe_fingerprint=recipe.fingerprint,
        members=tuple(Member(one.name, one, state) for one, state in states.items()),
        metadata={
            "trained_until": until.isoformat(),
            "origin": f"imported from {folder.name}",
            "licence": "unknown: the imported files name none",
            "code_version": __version__,
        },
    )
    store = ModelStore(settings().models)
    place = store.add(name, lambda draft: save(checkpoint, draft))
    say(f"{name}: {len(states)} networks, recipe {recipe_id}, {checkpoint.fingerprint}, {place}")


def list_command() -> None:
    """Print the stored checkpoints; raises CheckpointError for damaged ones after the others."""
    store = ModelStore(settings().models)
    damaged: list[str] = []
    for name in store.names():
        try:
            found = load(store.folder(name))
        except (CheckpointError, RecipeError) as error:
            damaged.append(str(error))
            continue
        until = found.metadata.get("trained_until", "unknown")
        print(
            f"{name}  {found.recipe_id}  {len(found.members)} networks  until {until}  "
            f"{found.fingerprint}"
        )
    if damaged:
        raise CheckpointError("\n".join(damaged))
