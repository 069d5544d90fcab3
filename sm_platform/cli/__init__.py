"""The command `sm-platform`: the same graph as the UI, from a terminal.

JSON and tables go to stdout, talk to stderr. Exit code 0: done; 1: data are missing or damaged;
2: wrong use. Heavy imports stay inside the commands so that --help answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sm_platform import __version__
from sm_platform.cli import labels, models, regions, samples, train
from sm_platform.cli.evaluate import evaluate
from sm_platform.cli.talk import say
from sm_platform.errors import GridError, SmPlatformError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Soil moisture at 100 m from Sentinel-1: download, map, query, export.",
)
archive_app = typer.Typer(no_args_is_help=True, help="The embedded archive of provider files.")
app.add_typer(models.app, name="models")
app.add_typer(archive_app, name="archive")
app.add_typer(regions.app, name="regions")
app.add_typer(labels.app, name="labels")
app.add_typer(samples.app, name="samples")
app.command()(train.train)
app.command()(train.pretrain)
app.command()(evaluate)

RegionOption = Annotated[str, typer.Option("--region", help="Name of the region.")]
CheckpointOption = Annotated[
    str | None, typer.Option("--checkpoint", help="Name of a checkpoint, see `models list`.")
]
RecipeOption = Annotated[
    str | None, typer.Option("--recipe", help="densesm-2024, eov-2025 or sm-100m-v1.")
]


def main() -> None:
    """Run the command line; the one place where errors become a line for a person."""
    try:
        app(standalone_mode=True)
    except SmPlatformError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, UsageError | GridError) else 1)


@app.command()
def version() -> None:
    """Print the version.

    Example: sm-platform version
    """
    print(__version__)


@app.command()
def run(
    region: RegionOption,
    start: Annotated[str, typer.Option(help="First UTC day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last UTC day, YYYY-MM-DD.")],
    download: Annotated[bool, typer.Option("--download", help="Land the granules.")] = False,
    extract: Annotated[bool, typer.Option("--extract", help="Granules to driver tables.")] = False,
    process: Annotated[bool, typer.Option("--process", help="Drivers to network inputs.")] = False,
    inference: Annotated[bool, typer.Option("--inference", help="Inputs to maps.")] = False,
    visualize: Annotated[bool, typer.Option("--visualize", help="Figures of the maps.")] = False,
    archive: Annotated[
        Path | None,
        typer.Option(help="Folder of provider files or of the seed system; registers the region."),
    ] = None,
    recipe: RecipeOption = None,
    checkpoint: CheckpointOption = None,
) -> None:
    """Make the maps of a region and days; all steps when none is named.

    Example: sm-platform run --region goldroi --start 2025-01-03 --end 2025-01-27
    --archive ./roi --recipe eov-2025 --checkpoint published
    """
    from sm_platform.defs.commands.run import run_command

    named = {
        "download": download,
        "extract": extract,
        "process": process,
        "inference": inference,
        "visualize": visualize,
    }
    steps = [name for name, is_named in named.items() if is_named] or list(named)
    run_command((region, start, end), steps, archive, (recipe, checkpoint), say)


@app.command()
def demo() -> None:
    """Write the embedded archive and map its last 31 days for two regions, through Dagster.

    Example: sm-platform demo
    """
    from sm_platform.defs.commands.demo import demo_command

    demo_command(say)


@app.command("demo-region", hidden=True)
def demo_region(
    region: Annotated[str, typer.Argument(help="Region of the archive.")],
    part: Annotated[str, typer.Argument(help="samples, start or maps.")],
) -> None:
    """Make a part of one region of the demo."""
    from sm_platform.defs.commands.demo_region import demo_region_command

    demo_region_command(region, part, say)


@app.command()
def up(port: Annotated[int, typer.Option(help="Port of the UI on loopback.")] = 3000) -> None:
    """Start the UI and one daemon on this machine; Ctrl-C ends both.

    Example: sm-platform up --port 3000
    """
    from sm_platform.defs.commands.up import up_command

    up_command(port, say)


@app.command()
def predict(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with the columns 0..152.")],
    checkpoint: Annotated[str, typer.Option(help="Name of a checkpoint, or its folder.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet to write.")],
    members: Annotated[bool, typer.Option("--members", help="One column a member.")] = False,
) -> None:
    """Score rows that are already scaled to 0..1; a missing input gives a missing result.

    Example: sm-platform predict rows.csv --checkpoint published --out sm.csv --members
    """
    from sm_platform.defs.commands.predict import predict_command

    predict_command(file, checkpoint, out, members=members, say=say)


@app.command()
def export(
    region: RegionOption,
    day: Annotated[str, typer.Option(help="UTC day of the map, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="GeoTIFF to write.")],
    layer: Annotated[str, typer.Option(help="SM, SD, AGE or QA.")] = "SM",
    stack: Annotated[bool, typer.Option("--stack", help="All layers in one file.")] = False,
    as_float: Annotated[bool, typer.Option("--float", help="float32 in m3/m3, NaN.")] = False,
    crs: Annotated[str | None, typer.Option(help="For example EPSG:4326.")] = None,
    pass_id: Annotated[str | None, typer.Option("--pass", help="For example D091.")] = None,
) -> None:
    """Write a map of a day to one file.

    Example: sm-platform export --region red-river --day 2026-03-20 --out sm.tif --crs EPSG:4326
    """
    from sm_platform.defs.commands.export import export_command

    options = {"crs": crs, "as_float": as_float, "stack": stack}
    export_command((region, day, pass_id), layer.upper(), out, options, say)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="DuckDB SQL over the lake's tables.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
) -> None:
    """Query the lake; without a table name in mind: `show tables`.

    Example: sm-platform sql "select region_id, day, sm_mean_m3m3 from sm_maps where is_latest"
    """
    from sm_platform.defs.commands.sql import sql_command

    sql_command(query, as_csv=as_csv)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A provider's file, or an ISMN or SAFE folder.")],
    at: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Tell the values at this place (degrees).", metavar="LON LAT"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON to stdout.")] = False,
) -> None:
    """Tell what a provider's file is as the platform reads it.

    Example: sm-platform inspect SMAP_L4_SM_gph_20250110T013000_Vv8011_001.h5 --at 106.4 20.45
    """
    from sm_platform.defs.commands.inspect import inspect_command

    inspect_command(file, at, as_json=as_json, say=say)


@app.command()
def doctor() -> None:
    """Say what is configured, reachable and missing.

    Example: sm-platform doctor
    """
    from sm_platform.defs.commands.doctor import doctor_command

    raise typer.Exit(doctor_command())


@archive_app.command("simulate")
def archive_simulate(
    out: Annotated[Path | None, typer.Option(help="Folder; default SM_ARCHIVE.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed writes the same files.")] = 1,
    labels: Annotated[
        str,
        typer.Option(
            help="100 m labels: published (with the errors of the product) or independent (the "
            "truth with noise of 0.05 m3/m3 of each pixel, drained land only; to judge training)."
        ),
    ] = "published",
    truth: Annotated[
        str,
        typer.Option(
            help="Soil moisture of labels and truth: physical, or random (it has nothing to do "
            "with radar and weather; no skill is possible)."
        ),
    ] = "physical",
) -> None:
    """Write the embedded archive: a simulated world in the providers' file formats.

    Example: sm-platform archive simulate --out ./archive

    Where no skill is possible:
    sm-platform archive simulate --out ./no-skill --labels independent --truth random
    """
    from sm_platform.defs.commands.archive import simulate_command

    simulate_command(out, seed, say, (labels, truth))


@archive_app.command("advance")
def archive_advance(
    days: Annotated[int, typer.Option(help="Days to move the clock forward.")] = 1,
) -> None:
    """Move the clock of the embedded archive, so that new files become available.

    Example: sm-platform archive advance --days 1
    """
    from sm_platform.defs.commands.archive import advance_command

    advance_command(days, say)
