"""`sm-platform backfill`: days of several regions through the daemon."""

import sys
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(
    invoke_without_command=True,
    help="Days of several regions, a month of a region per run, carried out by the daemon.",
)
Id = Annotated[str, typer.Argument(help="Id of a backfill, see `backfill list`.")]
Watch = Annotated[
    bool | None,
    typer.Option("--watch/--no-watch", help="Show progress to its end; default in a terminal."),
]


@app.callback()
def backfill(
    context: typer.Context,
    region: Annotated[
        list[str] | None, typer.Option(help="Name of a region, again for more.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day (UTC), YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day (UTC), YYYY-MM-DD.")] = None,
    assets: Annotated[
        list[str] | None,
        typer.Option(help="Dated assets, with commas or again for more; default all."),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="The days are those of each region's time zone.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Finished days, too: what changed since is made anew."),
    ] = False,
    name: Annotated[str | None, typer.Option(help="Title of the backfill in the UI.")] = None,
    watch: Watch = None,
) -> None:
    """Ask for the maps of days of several regions; finished days are left out.

    Example: sm-platform backfill --region red-river --region highland --start 2025-01-01
    --end 2025-12-31
    """
    if context.invoked_subcommand is not None:
        return
    if region is None and start is None and end is None:
        print(context.get_help())
        return
    from sm_platform.defs.backfill.asked import parse_assets, parse_period
    from sm_platform.defs.backfill.planning import Wanted
    from sm_platform.defs.commands.backfill import Manner, backfill_command

    period = parse_period(start, end, is_local=local)
    wanted = Wanted(parse_assets(assets or []), again)
    backfill_command(region or [], period, Manner(wanted, name, _is_watched(watch)), say)


@app.command("list")
def list_backfills() -> None:
    """List the backfills, the newest first, also those asked for in the UI.

    Example: sm-platform backfill list
    """
    from sm_platform.defs.commands.backfill import list_command

    list_command(say)


@app.command("show")
def show(backfill_id: Id) -> None:
    """Tell how far a backfill is, by region, and why days failed.

    Example: sm-platform backfill show ypontwhj
    """
    from sm_platform.defs.commands.backfill import show_command

    show_command(backfill_id)


@app.command("cancel")
def cancel(backfill_id: Id) -> None:
    """End a backfill and its runs; finished days are kept.

    Example: sm-platform backfill cancel ypontwhj
    """
    from sm_platform.defs.commands.backfill import cancel_command

    cancel_command(backfill_id, say)


@app.command("retry")
def retry(backfill_id: Id, watch: Watch = None) -> None:
    """Ask again for what failed or is missing of a backfill that is over.

    Example: sm-platform backfill retry ypontwhj
    """
    from sm_platform.defs.commands.backfill import retry_command

    retry_command(backfill_id, is_watched=_is_watched(watch), say=say)


def _is_watched(said: bool | None) -> bool:
    return sys.stderr.isatty() if said is None else said
