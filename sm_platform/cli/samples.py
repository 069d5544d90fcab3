"""`sm-platform samples`: training samples as files of the seed system, and back."""

from pathlib import Path
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(no_args_is_help=True, help="Training samples: export and import.")
Region = Annotated[str, typer.Option("--region", help="Name of the region.")]
Format = Annotated[str, typer.Option("--format", help="seed: the files of the seed system.")]


@app.command("export")
def export(
    region: Region,
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist or be empty.")],
    start: Annotated[str | None, typer.Option(help="First UTC day, YYYY-MM-DD.")] = None,
    end: Annotated[str | None, typer.Option(help="Last UTC day, YYYY-MM-DD.")] = None,
    format_name: Format = "seed",
) -> None:
    """Write a region's samples: site_info.csv, one CSV a site, one merged CSV.

    Example: sm-platform samples export --region red-river --format seed --out ./samples
    """
    from sm_platform.defs.commands.samples import export_command

    export_command(region, out, (start, end), format_name, say)


@app.command("radar-at")
def radar_at(
    file: Annotated[Path, typer.Argument(help="CSV with site_id (or station), lon and lat.")],
    start: Annotated[str, typer.Option(help="First UTC day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last UTC day, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="Parquet or CSV to write.")],
) -> None:
    """Radar of every pass at sites anywhere, computed by Earth Engine for many sites at a time.

    Example: sm-platform samples radar-at site_info.csv --start 2025-01-01 --end 2025-03-31
    --out radar.parquet
    """
    from sm_platform.defs.commands.radar_at import radar_at_command

    radar_at_command(file, start, end, out, say)


@app.command("import")
def import_samples(
    region: Region,
    folder: Annotated[Path, typer.Argument(help="Folder of such files.")],
    recipe: Annotated[
        str | None, typer.Option(help="Recipe of the rows, when the files do not tell it.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Label source, when the files do not tell it: user_csv ...")
    ] = None,
    format_name: Format = "seed",
) -> None:
    """Store samples from files as the region's; days that have samples are replaced.

    Read are site_info.csv and the merged CSV, which holds all samples; the CSVs of single sites
    hold the same labels without inputs and are passed over.

    Example: sm-platform samples import ./samples --region red-river
    """
    from sm_platform.defs.commands.samples import import_command

    import_command(region, folder, (recipe, source), format_name, say)
