"""`sm-platform predict`: score rows of a file."""

from pathlib import Path

import pandas as pd

from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.errors import RecipeError, UsageError
from sm_platform.formats.rows_table import read_rows
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import CARD_NAME
from sm_platform.schema.rows import from_dense


def predict_command(file: Path, checkpoint: str, out: Path, *, members: bool, say: Say) -> None:
    """Read rows, score them with a checkpoint (name or folder), write mean and spread."""
    if out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{out.name} must end in .csv or .parquet.")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to: make it first.")
    if out.resolve() == file.resolve():
        raise UsageError(f"{out} would replace the rows themselves: name another file with --out.")
    folder = _folder(checkpoint)
    found, estimator = read_card(folder), open_estimator(folder)
    table = read_rows(file)
    if table.recipe_id and (table.recipe_id, table.recipe_fingerprint) != (
        found.recipe_id,
        found.recipe_fingerprint,
    ):
        raise RecipeError(
            f"{file.name} holds rows of recipe {table.recipe_id} ({table.recipe_fingerprint}), "
            f"{found.checkpoint_id} asks for {found.recipe_id} ({found.recipe_fingerprint}): "
            "score them with a checkpoint of their recipe."
        )
    if not table.recipe_id:
        say(f"{file.name} names no recipe: taken as {found.recipe_id}, the checkpoint's.")
    rows = from_dense(table.inputs, found.recipe_id, found.recipe_fingerprint)
    made = estimator.predict(rows, members=members)
    columns = {"sm_mean": made.mean, "sm_sd": made.sd}
    if made.members is not None:
        names = [f"member_{name}" for name in found.names]
        columns |= {name: made.members[:, n] for n, name in enumerate(names)}
    _write(pd.DataFrame(columns), out)
    n_members = "1 member" if len(found.members) == 1 else f"{len(found.members)} members"
    say(f"{out}: {len(rows)} rows, {n_members} of {found.checkpoint_id}")


def _folder(checkpoint: str) -> Path:
    """Folder of a checkpoint: what was said, when it is a path, else the store's."""
    folder = Path(checkpoint)
    is_folder = len(folder.parts) > 1 or (folder / CARD_NAME).is_file()
    return folder if is_folder else ModelStore(settings().models).folder(checkpoint)


def _write(frame: pd.DataFrame, out: Path) -> None:
    draft = out.with_name(f".{out.name}.part")
    try:
        if out.suffix == ".csv":
            frame.to_csv(draft, index=False)
        else:
            frame.to_parquet(draft, index=False)
        draft.replace(out)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = error.strerror or error
        raise UsageError(f"Cannot write {out} ({reason}): name another file.") from error
