"""`sm-platform evaluate`: how well a checkpoint does on rows that were not used for it."""

from typing import Annotated

import typer

from sm_platform.cli.talk import say


def evaluate(
    region: Annotated[str, typer.Option("--region", help="Name of the region.")],
    day: Annotated[str, typer.Option(help="Cut-off day of its checkpoints, YYYY-MM-DD.")],
    checkpoint: Annotated[
        str | None, typer.Option(help="One of them; not said: all of that cut-off.")
    ] = None,
    schemes: Annotated[
        str, typer.Option(help="Further splits, as time,random: trained anew on each.")
    ] = "",
    other_regions: Annotated[
        str, typer.Option(help="Regions it has not learned from, with commas.")
    ] = "",
) -> None:
    """Score checkpoints and their baselines: RMSE, bias, ubRMSE, R, KGE with 95 % intervals.

    Example: sm-platform evaluate --region red-river --day 2026-02-28 --schemes time,random
    """
    from sm_platform.defs.commands.evaluate import evaluate_command

    choice = {
        "checkpoint": checkpoint,
        "schemes": _names(schemes),
        "other_regions": _names(other_regions),
    }
    evaluate_command((region, day), choice, say)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
