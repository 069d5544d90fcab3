"""`sm-platform alerts`: what the platform told, and whether it can tell."""

from typing import Annotated

import typer

from sm_platform.cli.talk import say


def alerts(
    region: Annotated[str | None, typer.Option("--region", help="Only of that region.")] = None,
    days: Annotated[int, typer.Option(help="Of so many last days.", min=1, max=366)] = 7,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test alert to each channel instead.")
    ] = False,
) -> None:
    """List alerts: failures, overdue passes, silence, staleness; newest last.

    They go to SM_ALERT_WEBHOOK and, by SM_SMTP_URL, to SM_ALERT_EMAIL, as `up` was started with.

    A failed fetch is first tried again for an hour; such days are counted below the list.

    Example: sm-platform alerts --region red-river --days 30

    Does it reach me: sm-platform alerts --test
    """
    from sm_platform.defs.commands.alerts import alerts_command, test_command

    if test:
        raise typer.Exit(test_command())
    alerts_command(region, days, say)
