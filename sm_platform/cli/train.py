"""`sm-platform train` and `pretrain`: networks or trees from a region's samples."""

from typing import Annotated

import typer

from sm_platform.cli.talk import say

Region = Annotated[str, typer.Option("--region", help="Name of the region.")]
Day = Annotated[str, typer.Option("--day", help="Cut-off: no label of that UTC day or later.")]
Members = Annotated[
    int | None, typer.Option(help="The first so many of 25 networks; 5 are close to all.")
]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training rows, at most.")]
Seed = Annotated[int, typer.Option(help="The same seed trains the same networks.")]
MostRows = Annotated[int, typer.Option(help="Samples used at most of each region.")]


def train(
    region: Region,
    day: Day,
    profile: Annotated[
        str, typer.Option(help="recommended, parity (as published) or trees.")
    ] = "recommended",
    members: Members = None,
    repeats: Annotated[
        int | None, typer.Option(help="Of all members, other blocks steering each.")
    ] = None,
    epochs: Epochs = None,
    seed: Seed = 1,
    most_rows: MostRows = 20_000,
    scheme: Annotated[str, typer.Option(help="Split: block, time or block_time.")] = "block",
    source: Annotated[
        list[str] | None, typer.Option(help="Label source, again for more; default all fine ones.")
    ] = None,
    start: Annotated[str, typer.Option(help="Stored checkpoint to start from.")] = "",
    start_recipe: Annotated[
        str, typer.Option(help="Its recipe, where it is another and that is meant.")
    ] = "",
    source_region: Annotated[
        list[str] | None, typer.Option(help="Another region to learn from, again for more.")
    ] = None,
    own_sites: Annotated[
        int | None, typer.Option(help="Labels of so many own sites only; 0: none.")
    ] = None,
    domain_loss: Annotated[str | None, typer.Option(help="none, coral or mmd.")] = None,
    stage: Annotated[str, typer.Option(help="Parity: ft12, or ft13 with labels of 9 km.")] = "ft12",
    loss: Annotated[str, typer.Option(help="Parity: mape or mse.")] = "mape",
    alpha: Annotated[float, typer.Option(help="Parity: weight of the moisture loss.")] = 0.7,
    beta: Annotated[
        float | None, typer.Option(help="Parity: weight of the domain loss; default: found.")
    ] = None,
    fewest_sites: Annotated[int, typer.Option(help="Sites that each role needs.")] = 5,
    fewest_blocks: Annotated[int, typer.Option(help="3 km blocks that each role needs.")] = 3,
) -> None:
    """Train a checkpoint on a region's samples; stopped, the same command goes on from there.

    Example: sm-platform train --region red-river --day 2026-03-01 --members 5

    Without labels of its own, from another region:
    sm-platform train --region highland --day 2026-03-01 --source-region red-river --own-sites 0
    """
    from sm_platform.defs.commands.train import train_command

    options = {
        "profile": profile,
        "members": members,
        "repeats": repeats,
        "epochs": epochs,
        "seed": seed,
        "most_rows": most_rows,
        "scheme": scheme,
        "sources": list(source or []),
        "start": start,
        "start_recipe": start_recipe,
        "source_regions": list(source_region or []),
        "own_sites": own_sites,
        "domain_loss": domain_loss,
        "stage": stage,
        "loss": loss,
        "alpha": alpha,
        "beta": beta,
        "fewest_sites": fewest_sites,
        "fewest_blocks": fewest_blocks,
    }
    train_command(region, day, {k: v for k, v in options.items() if v is not None}, say)


def pretrain(
    region: Region,
    day: Day,
    source: Annotated[str, typer.Option(help="Labels of 9 km: spl4smgp or spl3smp_e.")] = (
        "spl4smgp"
    ),
    more_region: Annotated[
        list[str] | None, typer.Option(help="Another region to learn from, again for more.")
    ] = None,
    members: Members = None,
    epochs: Epochs = None,
    seed: Seed = 1,
    most_rows: MostRows = 20_000,
) -> None:
    """Train networks on labels of 9 km, as a start for `train`.

    Example: sm-platform pretrain --region red-river --day 2026-03-01 --source spl4smgp
    """
    from sm_platform.defs.commands.train import pretrain_command

    options = {
        "source": source,
        "more_regions": list(more_region or []),
        "members": members,
        "epochs": epochs,
        "seed": seed,
        "most_rows": most_rows,
    }
    pretrain_command(region, day, {k: v for k, v in options.items() if v is not None}, say)
