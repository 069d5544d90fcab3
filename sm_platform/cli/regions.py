"""`sm-platform regions`: areas that maps are made of."""

from pathlib import Path
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(no_args_is_help=True, help="Regions: add an area, list, show, remove.")
Name = Annotated[str, typer.Argument(help="Small letters, digits and hyphens, for example my-farm")]


@app.command("add")
def add(
    name: Name,
    file: Annotated[
        Path | None, typer.Option(help="GeoJSON, GeoPackage or (zipped) shapefile, any CRS.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of that file.")] = None,
    bbox: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(help="West south east north in degrees.", metavar="W S E N"),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="1:50,000 map sheet of Vietnam: D-49-49-A.")
    ] = None,
    sheets: Annotated[
        Path | None, typer.Option(help="GeoJSON of sheets with the field PhienHieu.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Name or code: vietnam, VN, VNM.")] = None,
    archive: Annotated[
        Path | None, typer.Option(help="Archive of its granules; default SM_ARCHIVE.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Its granules come from the services of SM_SOURCES.")
    ] = False,
    time_zone: Annotated[
        str | None,
        typer.Option(help="Of its local days: Asia/Ho_Chi_Minh; default that of the place."),
    ] = None,
) -> None:
    """Add a region: check the area, cut it into pixels of 100 m, make it a partition.

    Example: sm-platform regions add my-farm --bbox 106.35 20.40 106.50 20.52

    From services: SM_SOURCES=sources.toml sm-platform regions add my-farm --live --bbox ...
    """
    from sm_platform.defs.area_choice import AreaChoice
    from sm_platform.defs.commands.regions import add_command
    from sm_platform.defs.region_origin import named_origin

    choice = AreaChoice(file, layer, bbox, sheet, sheets, country)
    add_command(name, choice, named_origin(archive, is_live=live), time_zone, say=say)


@app.command("list")
def list_regions() -> None:
    """List the regions with their grid, time zone and source.

    Example: sm-platform regions list
    """
    from sm_platform.defs.commands.regions import list_command

    list_command()


@app.command("show")
def show(
    name: Name,
    picture: Annotated[Path | None, typer.Option(help="PNG to draw the outline into.")] = None,
) -> None:
    """Tell a region's area, grid, time zone, source and what is stored of it.

    Example: sm-platform regions show my-farm --picture my-farm.png
    """
    from sm_platform.defs.commands.regions import show_command

    show_command(name, picture, say)


@app.command("remove")
def remove(
    name: Name,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete its granules, tables and maps, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a region away after asking; its data are kept unless told otherwise.

    Example: sm-platform regions remove my-farm
    """
    from sm_platform.defs.commands.regions import remove_command

    remove_command(name, delete_data=delete_data, is_sure=yes, say=say)
