"""Jobs of the UI that change no data but which regions there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from pydantic import Field

from sm_platform.defs.area_choice import AreaChoice
from sm_platform.defs.pictures import as_markdown
from sm_platform.defs.region_figure import region_figure
from sm_platform.defs.region_origin import named_origin
from sm_platform.defs.regions import add_region, remove_region
from sm_platform.defs.resources import LakeResource
from sm_platform.errors import SmPlatformError


class AddRegion(dg.Config):
    """A new region, from exactly one of bbox, file, sheet or country."""

    name: str = Field(description="2 to 40 small letters, digits and hyphens")
    bbox: list[float] = Field([], description="west, south, east, north in degrees")
    file: str = Field("", description="GeoJSON, GeoPackage or zipped shapefile on the server")
    layer: str = Field("", description="layer of that file, when it has several")
    sheet: str = Field("", description="1:50,000 sheet of Vietnam, for example D-49-49-A")
    sheets: str = Field("", description="GeoJSON of sheets with the field PhienHieu")
    country: str = Field("", description="name or code of a country, for example vietnam")
    archive: str = Field("", description="folder with its granules; nothing: SM_ARCHIVE")
    live: bool = Field(False, description="its granules come from the services of SM_SOURCES")
    time_zone: str = Field(
        "", description="IANA name, for example Asia/Ho_Chi_Minh; nothing: found from its place"
    )


class RemoveRegion(dg.Config):
    """A region to take away."""

    name: str = Field(description="name of the region")
    delete_data: bool = Field(False, description="delete its granules, tables and maps as well")
    confirm: str = Field("", description="the name once more, when data are to be deleted")


@contextmanager
def _explained() -> Iterator[None]:
    """An error of ours as the message of the run, without a stack that helps nobody."""
    try:
        yield
    except SmPlatformError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@dg.op
def make_region(context: dg.OpExecutionContext, config: AddRegion, lake: LakeResource) -> None:
    """Check the area, store the region, add its partition."""
    choice = AreaChoice(
        file=Path(config.file) if config.file else None,
        layer=config.layer or None,
        bbox=config.bbox or None,
        sheet=config.sheet or None,
        sheets=Path(config.sheets) if config.sheets else None,
        country=config.country or None,
    )
    with _explained():
        archive = Path(config.archive) if config.archive else None
        origin = named_origin(archive, is_live=config.live)
        added = add_region(
            lake.layout,
            context.instance,
            config.name,
            choice.area(),
            origin,
            time_zone=config.time_zone.strip() or None,
        )
    picture = dg.MetadataValue.md(as_markdown(region_figure(added.region), config.name))
    context.add_output_metadata({"map": picture, **added.told()})


@dg.op
def take_region_away(
    context: dg.OpExecutionContext, config: RemoveRegion, lake: LakeResource
) -> None:
    """Take a region away; its data stay unless `delete_data` is set and confirmed."""
    if config.delete_data and config.confirm != config.name:
        raise dg.Failure(
            f"To delete the data of {config.name}, write its name in `confirm` as well.",
            allow_retries=False,
        )
    with _explained():
        done = remove_region(
            lake.layout, context.instance, config.name, delete_data=config.delete_data
        )
    context.add_output_metadata(done)


@dg.job
def add_region_job() -> None:
    """Add a region from an area."""
    make_region()


@dg.job
def remove_region_job() -> None:
    """Take a region away, with or without its data."""
    take_region_away()
