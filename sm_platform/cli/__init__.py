"""The command `sm-platform`: the same graph as the UI, from a terminal.

JSON and tables go to stdout, talk to stderr. Exit code 0: done; 1: data are missing or damaged;
2: wrong use. Heavy imports stay inside the commands so that --help answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sm_platform import __version__
from sm_platform.cli import archive, backfill, labels, models, regions, samples, train
from sm_platform.cli.alerts import alerts
from sm_platform.cli.evaluate import evaluate
from sm_platform.cli.status import status
from sm_platform.cli.talk import say
from sm_platform.errors import GridError, SmPlatformError, UsageError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Soil moisture at 100 m from Sentinel-1: download, map, query, export.",
)
app.add_typer(models.app, name="models")
app.add_typer(archive.app, name="archive")
app.add_typer(regions.app, name="regions")
app.add_typer(backfill.app, name="backfill")
app.add_typer(labels.app, name="labels")
app.add_typer(samples.app, name="samples")
app.command()(train.train)
app.command()(train.pretrain)
app.command()(evaluate)
app.command()(alerts)
app.command()(status)

RegionOption = Annotated[str, typer.Option("--region", help="Name of the region.")]
CheckpointOption = Annotated[
    str | None, typer.Option("--checkpoint", help="Name of a checkpoint, see `models list`.")
]
LocalOption = Annotated[
    bool, typer.Option("--local", help="Days typed are days of the region's time zone, not UTC.")
]
RecipeOption = Annotated[
    str | None, typer.Option("--recipe", help="densesm-2024, eov-2025 or sm-100m-v1.")
]


def main() -> None:
    """Run the command line; the one place where errors become a line for a person."""
    # Before OpenMP is loaded, and for the processes that `up` and `demo` start: threads that wait
    # by spinning starve those of the process beside them (two evaluations on two cores took ten
    # times as long).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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
    local: LocalOption = False,
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

    With --local the UTC days that the local days touch are run whole, as far as they have begun;
    the list of maps tells UTC and local time, as a morning in Vietnam is the UTC day before.

    Example: sm-platform run --region goldroi --start 2025-01-03 --end 2025-01-27
    --archive ./roi --recipe eov-2025 --checkpoint published
    """
    from sm_platform.defs.commands.run import Asked, run_command

    named = {
        "download": download,
        "extract": extract,
        "process": process,
        "inference": inference,
        "visualize": visualize,
    }
    steps = [name for name, is_named in named.items() if is_named] or list(named)
    run_command(Asked(region, start, end, local), steps, archive, (recipe, checkpoint), say)


@app.command()
def download(
    region: RegionOption,
    start: Annotated[str, typer.Option(help="First UTC day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="Last UTC day, YYYY-MM-DD.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell requests, megabytes and time.")
    ] = False,
) -> None:
    """Land what maps of these days need; what is there is not fetched again.

    Example: sm-platform download --region my-farm --start 2026-03-01 --end 2026-03-31 --dry-run
    """
    from sm_platform.defs.commands.download import download_command
    from sm_platform.defs.commands.run import Asked

    download_command(Asked(region, start, end), is_dry=dry_run, say=say)


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
def up(
    port: Annotated[int, typer.Option(help="Port of the UI on loopback.")] = 3000,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="A UI that shows all and starts nothing.")
    ] = False,
) -> None:
    """Start the UI and one daemon on this machine; Ctrl-C ends both.

    Example: sm-platform up --port 3000
    """
    from sm_platform.defs.commands.up import up_command

    up_command(port, say, is_read_only=read_only)


@app.command()
def prepare() -> None:
    """Make Dagster's records and set the limits of the pools, for a daemon without `up`.

    Example: sm-platform prepare
    """
    from sm_platform.defs.commands.prepare import prepare_command

    prepare_command(say)


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
    local: LocalOption = False,
    layer: Annotated[str, typer.Option(help="SM, SD, AGE or QA.")] = "SM",
    stack: Annotated[bool, typer.Option("--stack", help="All layers in one file.")] = False,
    as_float: Annotated[bool, typer.Option("--float", help="float32 in m3/m3, NaN.")] = False,
    crs: Annotated[str | None, typer.Option(help="For example EPSG:4326.")] = None,
    pass_id: Annotated[str | None, typer.Option("--pass", help="For example D091.")] = None,
) -> None:
    """Write a map of a day to one file; with --local of the passes of that local day alone.

    Example: sm-platform export --region red-river --day 2026-03-09 --out sm.tif --crs EPSG:4326
    """
    from sm_platform.defs.commands.export import MapChoice, export_command

    options = {"crs": crs, "as_float": as_float, "stack": stack}
    export_command(MapChoice(region, day, pass_id, local), layer.upper(), out, options, say)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="DuckDB SQL over the lake's tables.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
) -> None:
    """Query the lake; without a table name in mind: `show tables`. Days and times are UTC.

    Example: sm-platform sql "select region_id, day, sm_mean_m3m3 from sm_maps where is_latest"

    Local times: sm-platform sql "select map_id, timezone(time_zone, pass_start_utc) as local
    from sm_maps join regions using (region_id) where is_latest"

    What became of each day: sm-platform sql "from day_status where status = 'failed'"
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
def doctor(
    live: Annotated[
        bool, typer.Option("--live", help="Ask each service of SM_SOURCES as well.")
    ] = False,
) -> None:
    """Say what is configured, reachable and missing.

    Example: sm-platform doctor --live
    """
    from sm_platform.defs.commands.doctor import doctor_command

    raise typer.Exit(doctor_command(is_live=live))
