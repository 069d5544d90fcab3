"""`sm-platform status`: how each region stands, and what works or waits."""

from typing import Annotated

import typer

MOST_DAYS = 366


def status(
    region: Annotated[str | None, typer.Option(help="This region alone.")] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Last days to count.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="JSON to stdout.")] = False,
) -> None:
    """Tell the newest pass and map of each region, what became of its last days and what failed.

    Days are UTC days at the clock of the region's source; moments are told in UTC and local time.

    Example: sm-platform status --region red-river --days 31
    """
    from sm_platform.defs.commands.status import status_command

    status_command(region, days, as_json=as_json)
