"""`sm-platform regions`: what is registered."""

from sm_platform.defs.lake_access import find_region
from sm_platform.defs.resources import settings
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import REGIONS


def list_command() -> None:
    """Print the stored regions."""
    layout = Layout(settings().data_lake)
    for name in store.regions_made(layout, REGIONS):
        region = find_region(layout, name)
        rows, cols = region.window.shape
        print(
            f"{name}  {rows} x {cols}  {region.window.crs}  {region.source}  {region.source_path}"
        )
