"""`sm-platform models`: checkpoints in the store and in the registry."""

from pathlib import Path
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(
    no_args_is_help=True,
    help="Checkpoints: list, show, compare, promote, retire, import, export.",
)
Name = Annotated[str, typer.Argument(help="Name of a checkpoint, see `models list`.")]
Region = Annotated[str, typer.Option("--region", help="Name of the region.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.")]


@app.command("list")
def models_list() -> None:
    """List the checkpoints: recipe, kind, size, and their stage in each region.

    Example: sm-platform models list
    """
    from sm_platform.defs.commands.models import list_command

    list_command()


@app.command("show")
def models_show(name: Name) -> None:
    """Print the model card of a checkpoint, in Markdown.

    Example: sm-platform models show red-river-20260218-sm-100m-v1-1f0c > card.md
    """
    from sm_platform.defs.commands.models import show_command

    show_command(name)


@app.command("compare")
def models_compare(
    first: Name,
    second: Annotated[str, typer.Argument(help="Name of another one.")],
    region: Region,
) -> None:
    """Print the figures of two checkpoints of a region side by side.

    Example: sm-platform models compare published mine --region red-river
    """
    from sm_platform.defs.commands.models import compare_command

    compare_command((first, second), region)


@app.command("promote")
def models_promote(name: Name, region: Region, reason: Reason) -> None:
    """Accept a checkpoint for a region, whatever the gate says.

    One that no gate passed needs a reason of at least 10 characters. Maps use it from then on.

    Example: sm-platform models promote mine --region red-river --reason "no stations here yet"
    """
    from sm_platform.defs.commands.models import promote_command

    promote_command(name, region, reason)


@app.command("retire")
def models_retire(name: Name, region: Region, reason: Reason) -> None:
    """Take a checkpoint of a region out of use.

    Example: sm-platform models retire mine --region red-river --reason "wrong labels in March"
    """
    from sm_platform.defs.commands.models import retire_command

    retire_command(name, region, reason)


@app.command("import")
def models_import(
    path: Annotated[
        Path, typer.Argument(help="Folder of published .pt networks, or an exported folder or zip.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name for the checkpoint; an exported one has its own.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe of the rows of published networks: densesm-2024 or eov-2025."),
    ] = None,
    trained_until: Annotated[
        str | None, typer.Option(help="Day from which on no label was used; default today.")
    ] = None,
) -> None:
    """Turn published networks, or what `models export` wrote, into a checked checkpoint.

    Example: sm-platform models import DenseSM_9km --name published --recipe densesm-2024
    """
    from sm_platform.defs.commands.models_exchange import import_command

    import_command(path, name, recipe, trained_until, say)


@app.command("export")
def models_export(
    name: Name,
    out: Annotated[Path, typer.Option(help="New folder, or a file that ends in .zip.")],
    format_name: Annotated[
        str, typer.Option("--format", help="safetensors (to import again) or onnx (to run).")
    ] = "safetensors",
) -> None:
    """Write a checkpoint with its model card to a folder or zip.

    Example: sm-platform models export mine --out mine.zip --format safetensors
    """
    from sm_platform.defs.commands.models_exchange import export_command

    export_command(name, out, format_name, say)
