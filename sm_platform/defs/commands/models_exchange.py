"""`sm-platform models import` and `export`: checkpoints from elsewhere, and to elsewhere."""

from datetime import UTC, date, datetime
from pathlib import Path

from sm_platform import __version__
from sm_platform.defs.commands.models import open_desk
from sm_platform.defs.exchange import export_checkpoint, import_exported
from sm_platform.defs.talk import Say
from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.published import read_published
from sm_platform.errors import RecipeError, UsageError
from sm_platform.grid.calendar import parse_day
from sm_platform.lake.exported import is_export
from sm_platform.schema.card import CARD_NAME, check_checkpoint_id
from sm_platform.schema.recipes import find_recipe

LICENCE = "unknown: the imported files name none"


def import_command(
    path: Path, name: str | None, recipe_id: str | None, trained_until: str | None, say: Say
) -> None:
    """Store published networks, or what `models export` wrote, as one checkpoint."""
    if name is not None:
        check_checkpoint_id(name)
    if not path.exists():
        raise UsageError(f"There is no folder {path}: name the folder of the .pt files, or a zip.")
    if is_export(path, CARD_NAME):
        _import_exported(path, name, (recipe_id, trained_until), say)
    else:
        _import_published(path, name, (recipe_id, trained_until), say)


def export_command(name: str, out: Path, format_name: str, say: Say) -> None:
    """Write a stored checkpoint with its model card to a folder or zip."""
    desk = open_desk()
    files = export_checkpoint((desk.layout, desk.models), name, out, format_name)
    say(f"{name} is in {out}: {', '.join(files)}")


def _import_exported(
    path: Path, name: str | None, said: tuple[str | None, str | None], say: Say
) -> None:
    """An exported checkpoint says itself what the options say of published networks."""
    recipe_id, trained_until = said
    if trained_until:
        raise UsageError(
            f"{path} says itself until when it was trained: leave --trained-until out."
        )
    models = open_desk().models
    recipe = find_recipe(recipe_id).recipe_id if recipe_id else None
    card = import_exported(models, path, name, recipe)
    say(
        f"{card.checkpoint_id}: {len(card.members)} members ({card.kind}), recipe "
        f"{card.recipe_id}, {card.fingerprint}, {models.folder(card.checkpoint_id)}"
    )


def _import_published(
    folder: Path, name: str | None, said: tuple[str | None, str | None], say: Say
) -> None:
    recipe_id, trained_until = said
    if name is None:
        raise UsageError("Published networks have no name of their own: say one with --name.")
    if recipe_id is None:
        raise RecipeError(
            "Published networks do not tell the recipe of their rows: say it with --recipe "
            "(densesm-2024 or eov-2025)."
        )
    recipe = find_recipe(recipe_id)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name the folder of the .pt files.")
    until = _day_trained_until(trained_until)
    states = read_published(folder)
    checkpoint = Checkpoint(
        checkpoint_id=name,
        recipe_id=recipe.recipe_id,
        recipe_fingerprint=recipe.fingerprint,
        members=tuple(Member(one.name, one, state) for one, state in states.items()),
        metadata={
            "trained_until": until.isoformat(),
            "origin": f"imported from {folder.name}",
            "licence": LICENCE,
            "profile": "imported",
            "code_version": __version__,
        },
    )
    place = open_desk().models.add(name, lambda draft: save(checkpoint, draft))
    say(f"{name}: {len(states)} networks, recipe {recipe_id}, {checkpoint.fingerprint}, {place}")


def _day_trained_until(said: str | None) -> date:
    today = datetime.now(UTC).date()
    until = parse_day(said) if said else today
    if until > today:
        raise UsageError(f"--trained-until {until} lies in the future: say {today} or before.")
    return until
