"""`sm-platform models`: what is in the registry, what it is worth, and who decides about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from sm_platform.defs.estimators import read_card
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.model_card import whole_card
from sm_platform.defs.promotion import promote, retire
from sm_platform.defs.registry import Entry, everywhere, find_entry
from sm_platform.defs.resources import settings
from sm_platform.defs.side_by_side import HEADER, comparison
from sm_platform.defs.stored_scores import ground_of, scores_of, stored_scores, value
from sm_platform.errors import CheckpointError, RecipeError
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.card import Card

COLUMNS = ("name", "recipe", "kind", "members", "until", "region", "cut-off", "stage", "RMSE")
WIDE = 400
"""Characters of a line: tables are not cut, whatever the terminal; pipes get whole lines."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the command finds things."""

    layout: Layout
    models: ModelStore


def open_desk() -> Desk:
    """Lake and model store of the settings of now."""
    now = settings()
    return Desk(Layout(now.data_lake), ModelStore(now.models))


def list_command() -> None:
    """Print the stored checkpoints; raises CheckpointError for damaged ones after the others."""
    desk, damaged = open_desk(), list[str]()
    known, shown = everywhere(desk.layout), Table(*COLUMNS, box=None, pad_edge=False)
    for name in desk.models.names():
        try:
            card = read_card(desk.models.folder(name))
        except (CheckpointError, RecipeError) as error:
            damaged.append(str(error))
            continue
        places = [one for one in known if one.checkpoint_id == card.checkpoint_id]
        for line in _lines(desk, card, places):
            shown.add_row(*line)
    if shown.row_count:
        _print(shown)
    if damaged:
        raise CheckpointError("\n".join(damaged))


def show_command(name: str) -> None:
    """Print the model card; raises CheckpointError when the checkpoint is not whole."""
    desk = open_desk()
    read_card(desk.models.folder(name))
    print(whole_card(desk.layout, desk.models, name))


def compare_command(names: tuple[str, str], region: str) -> None:
    """Print the figures of two checkpoints of a region side by side."""
    desk = open_desk()
    find_region(desk.layout, region)
    found = comparison(desk.layout, region, names)
    shown = Table(*HEADER, *names, box=None, pad_edge=False)
    for line in found.lines:
        shown.add_row(*line)
    _print(shown)
    for sentence in found.remarks:
        print(sentence)


def promote_command(name: str, region: str, reason: str) -> None:
    """Accept a checkpoint for a region, whatever the gate says, and keep the reason."""
    desk = open_desk()
    find_region(desk.layout, region)
    entry = find_entry(desk.layout, region, name)
    read_card(desk.models.folder(name))  # one that is not whole would break every map
    beaten = promote(desk.layout, entry, reason, datetime.now(UTC))
    print(f"{name} is accepted for {region}: maps of {entry.cut_off} and later use it.")
    for one in beaten:
        print(f"{one.checkpoint_id}, which it succeeds, is retired.")


def retire_command(name: str, region: str, reason: str) -> None:
    """Take a checkpoint of a region out of use, and keep the reason."""
    desk = open_desk()
    find_region(desk.layout, region)
    retire(desk.layout, find_entry(desk.layout, region, name), reason, datetime.now(UTC))
    print(f"{name} is retired for {region}: maps are made without it from now on.")


def _lines(desk: Desk, card: Card, places: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    """A line for each place that it is registered for, or one without a region."""
    members = str(len(card.members))
    until = str(card.metadata.get("trained_until") or "unknown")
    head = (card.checkpoint_id, card.recipe_id, card.kind, members, until)
    for one in places:
        rmse = _rmse(desk.layout, one)
        yield (*head, one.region_id, str(one.cut_off), one.stage.value, rmse)
    if not places:
        yield (*head, "-", "-", "-", "-")


def _rmse(layout: Layout, entry: Entry) -> str:
    """RMSE by which the gate judges it, `-` before it is evaluated."""
    scores = scores_of(stored_scores(layout, entry.region_id, entry.cut_off), entry.checkpoint_id)
    ground = ground_of(scores, entry)
    return f"{value(scores, ground, 'rmse'):.3f} {ground.reference}" if ground else "-"


def _print(shown: Table) -> None:
    for column in shown.columns:
        column.no_wrap = True
    Console(width=WIDE, soft_wrap=True, highlight=False).print(shown)
