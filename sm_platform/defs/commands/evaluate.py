"""`sm-platform evaluate`: how well a region's checkpoints do, as tables."""

from datetime import date
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from sm_platform.defs.commands.train import lines_to
from sm_platform.defs.evaluation_table import HEADER, NOTE, sheets
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.partitions import parse_cut_off
from sm_platform.defs.registry import entries
from sm_platform.defs.resources import settings
from sm_platform.defs.stored_scores import stored_scores
from sm_platform.defs.talk import Say
from sm_platform.errors import DataError
from sm_platform.lake.layout import Layout

WIDTH = 140
"""Columns of a table where the terminal does not tell its own."""


@home_explained()
def evaluate_command(what: tuple[str, str], choice: dict[str, Any], say: Say) -> None:
    """Judge the checkpoints of (region, cut-off day) and print a table a reference.

    Raises:
        DataError: it cannot be done, in the asset's words.
        UsageError: the region or the day is none.
    """
    name, cut_off = what[0], parse_cut_off(what[1])
    layout = Layout(settings().data_lake)
    find_region(layout, name)
    launcher = Launcher(open_instance(), name, say)
    launcher.instance.add_dynamic_partitions("regions", [name])
    said = {key: value for key, value in choice.items() if value not in (None, [])}
    with lines_to(say):
        launcher.over(["evaluations"], [cut_off], {"evaluations": said})
    if launcher.failures:
        raise DataError(launcher.failures[cut_off])
    show_scores(layout, name, cut_off, choice.get("checkpoint"))


def show_scores(layout: Layout, region: str, cut_off: date, checkpoint: str | None) -> None:
    """Print scores and stages of the checkpoints of a cut-off, or of one of them, to stdout."""
    found = [
        sheet
        for sheet in sheets(stored_scores(layout, region, cut_off))
        if checkpoint in (None, sheet.checkpoint_id)
    ]
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH)
    for sheet in found:
        table = Table(title=sheet.title, title_justify="left", show_lines=True)
        for number, title in enumerate(HEADER):
            side: Literal["left", "right"] = "right" if number else "left"
            table.add_column(title, justify=side, overflow="fold")
        for line in sheet.lines:
            table.add_row(*line)
        console.print(table)
    if found:
        console.print(NOTE)
    for entry in entries(layout, region):
        decision = entry.decision if entry.cut_off == cut_off else None
        if decision and checkpoint in (None, entry.checkpoint_id):
            console.print(f"{entry.checkpoint_id} is {entry.stage}: {decision.reason}")
