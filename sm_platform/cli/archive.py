"""`sm-platform archive`: the embedded archive of provider files, its clock and its faults."""

from pathlib import Path
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(no_args_is_help=True, help="The embedded archive of provider files.")


@app.command("simulate")
def simulate(
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
    modis_last: Annotated[
        str | None, typer.Option(help="Day of the last MODIS composite; none: it goes on.")
    ] = None,
    viirs_first: Annotated[
        str | None, typer.Option(help="Day from which VIIRS composites are there; none: never.")
    ] = None,
    imerg_first: Annotated[
        str | None, typer.Option(help="Day from which IMERG Late rain is there; none: never.")
    ] = None,
    s1d_first: Annotated[
        str | None, typer.Option(help="Day from which Sentinel-1D flies; none: it does not.")
    ] = None,
    s1d_bias_db: Annotated[
        float, typer.Option(help="How much higher Sentinel-1D reads than 1A, dB.")
    ] = 0.0,
) -> None:
    """Write the embedded archive: a simulated world in the providers' file formats.

    Its clock starts 21 days before its end, so that there are days to advance into.

    Example: sm-platform archive simulate --out ./archive

    Where no skill is possible:
    sm-platform archive simulate --out ./no-skill --labels independent --truth random

    Where a sensor dies and another takes over:
    sm-platform archive simulate --out ./change --modis-last 2026-01-01 --viirs-first 2025-09-01
    """
    from sm_platform.defs.commands.archive import named_fleet, simulate_command

    days = {
        "modis_last": modis_last,
        "viirs_first": viirs_first,
        "imerg_first": imerg_first,
        "s1d_first": s1d_first,
    }
    simulate_command(out, seed, say, (labels, truth), fleet=named_fleet(days, s1d_bias_db))


@app.command("advance")
def advance(
    days: Annotated[
        int | None, typer.Option(help="Days to move the clock forward.", min=1, max=10_000)
    ] = None,
    hours: Annotated[
        int | None, typer.Option(help="Hours, instead of or with days.", min=1, max=10_000)
    ] = None,
) -> None:
    """Move the clock of the embedded archive, so that new files become available; a day by default.

    Example: sm-platform archive advance --days 1

    A frame that comes three hours after another: sm-platform archive advance --hours 3
    """
    from sm_platform.defs.commands.archive import advance_command

    advance_command(days, hours, say)


@app.command("faults")
def faults(
    kind: Annotated[
        str | None,
        typer.Option(
            help="timeout, too-many-requests, server-error, half-file, wrong-checksum, html, silent"
        ),
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the requests that fail, 0 to 1.")] = 1.0,
    product: Annotated[
        str | None, typer.Option(help="Only its granules, for example s1_grd.")
    ] = None,
    until: Annotated[
        int | None, typer.Option(help="Only the first so many requests of each granule.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed strikes the same requests.")] = 1,
    off: Annotated[bool, typer.Option("--off", help="Take the faults away.")] = False,
) -> None:
    """Let the embedded archive fail as a provider does, to see how it is handled.

    Example: sm-platform archive faults --kind timeout --share 0.3 --product s1_grd

    Nothing new is listed from now on: sm-platform archive faults --kind silent
    """
    from sm_platform.defs.commands.archive import faults_command

    asked = {"share": share, "product": product, "first_requests": until, "seed": seed}
    faults_command(kind, asked, off=off, say=say)
