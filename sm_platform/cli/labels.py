"""`sm-platform labels`: soil-moisture labels that a person brings."""

from pathlib import Path
from typing import Annotated

import typer

from sm_platform.cli.talk import say

app = typer.Typer(no_args_is_help=True, help="Labels: bring files of your own, list the sources.")
Region = Annotated[str, typer.Option("--region", help="Name of the region.")]


@app.command("sources")
def sources() -> None:
    """List the label sources: support, depth, type and what each is made from.

    Example: sm-platform labels sources
    """
    from sm_platform.defs.commands.labels import sources_command

    sources_command()


@app.command("add-files")
def add_files(
    region: Region,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders that hold them.")],
) -> None:
    """Bring SPL4SMGP/SPL4SMAU, SPL3SMP_E, NSIDC-0779, Planet SWC or EO Browser files.

    Example: sm-platform labels add-files --region my-farm ./smap
    """
    from sm_platform.defs.commands.labels import add_files_command

    add_files_command(region, paths, say)


@app.command("add-ismn")
def add_ismn(
    region: Region,
    path: Annotated[Path, typer.Argument(help="ISMN download: a zip, a folder or one .stm.")],
) -> None:
    """Bring stations of the International Soil Moisture Network.

    Example: sm-platform labels add-ismn --region my-farm Data_separate_files.zip
    """
    from sm_platform.defs.commands.labels import add_ismn_command

    add_ismn_command(region, path, say)


@app.command("add-csv")
def add_csv(
    region: Region,
    file: Annotated[Path, typer.Argument(help="CSV, any encoding; , ; or tab.")],
    time: Annotated[str, typer.Option(help="Column of the time.")],
    value: Annotated[str, typer.Option(help="Column of soil moisture.")],
    unit: Annotated[str, typer.Option(help="Unit of it: m3/m3 or percent.")],
    site: Annotated[str | None, typer.Option(help="Column of the site's name.")] = None,
    lon: Annotated[str | None, typer.Option(help="Column of longitude (degrees).")] = None,
    lat: Annotated[str | None, typer.Option(help="Column of latitude (degrees).")] = None,
    depth: Annotated[str | None, typer.Option(help="Column of the sensor's depth (m).")] = None,
    site_name: Annotated[str | None, typer.Option(help="The site, if no column tells.")] = None,
    lon_deg: Annotated[float | None, typer.Option(help="Its longitude.")] = None,
    lat_deg: Annotated[float | None, typer.Option(help="Its latitude.")] = None,
    depth_to: Annotated[
        str | None, typer.Option(help="Column of the layer's lower end, if --depth is its upper.")
    ] = None,
    depth_m: Annotated[float | None, typer.Option(help="The depth of all readings (m).")] = None,
    timezone: Annotated[str, typer.Option(help="Zone of times that name none.")] = "UTC",
    time_format: Annotated[str | None, typer.Option(help="As %d/%m/%Y %H:%M.")] = None,
    label_type: Annotated[
        str, typer.Option(help="What the values are: in_situ, model, product or simulated.")
    ] = "in_situ",
    temperature: Annotated[
        str | None,
        typer.Option(help="Column of air or skin temperature: tells if the times are UTC."),
    ] = None,
) -> None:
    """Bring readings of your own; the columns are named by options.

    Example: sm-platform labels add-csv --region my-farm soil.csv --site plot --lon lon --lat lat
    --depth depth_m --time time --value theta --unit m3/m3 --timezone Asia/Ho_Chi_Minh
    """
    from sm_platform.defs.commands.labels import add_csv_command

    said = {
        "time": time,
        "value": value,
        "unit": unit,
        "site": site,
        "lon": lon,
        "lat": lat,
        "depth": depth,
        "depth_to": depth_to,
        "site_name": site_name,
        "lon_deg": lon_deg,
        "lat_deg": lat_deg,
        "depth_m": depth_m,
        "timezone": timezone,
        "time_format": time_format,
        "label_type": label_type,
        "temperature": temperature,
    }
    add_csv_command(region, file, said, say)


@app.command("add-planet-csv")
def add_planet_csv(
    region: Region,
    file: Annotated[Path, typer.Argument(help="CSV series of Planet soil water content.")],
    lon: Annotated[float, typer.Option(help="Longitude of the place (degrees).")],
    lat: Annotated[float, typer.Option(help="Latitude of the place (degrees).")],
    name: Annotated[str, typer.Option(help="What to call the place.")],
) -> None:
    """Bring a Planet series; the file does not tell its place.

    Example: sm-platform labels add-planet-csv --region my-farm SWC_C_ND.csv --lon 106.4
    --lat 20.45 --name field-7
    """
    from sm_platform.defs.commands.labels import add_planet_csv_command

    add_planet_csv_command(region, file, {"lon": lon, "lat": lat, "station_id": name}, say)


@app.command("show")
def show(region: Region) -> None:
    """Count the stored readings of a region by source and reason of rejection.

    Example: sm-platform labels show --region my-farm
    """
    from sm_platform.defs.commands.labels import show_command

    show_command(region)
