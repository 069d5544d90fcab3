"""`sm-platform labels`: bring labels, list sources, count readings."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from sm_platform.defs.bring_labels import (
    Brought,
    bring_csv,
    bring_fields,
    bring_ismn,
    bring_planet_csv,
)
from sm_platform.defs.instance import home_explained, open_instance
from sm_platform.defs.label_report import counts_of
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.own_series import BESIDE, OwnSeries
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_sources import LABEL_SOURCES, find_label_type
from sm_platform.schema.region import Region

ASSET_OF = {
    "planet_swc": "swc_granules",
    "nsidc_0779": "nsidc_granules",
    "spl3smp_e": "smap_l3_granules",
    "spl4smgp": "smap_l4_granules",
    "spl4smau": "smap_l4_granules",
}
"""Asset whose day a brought granule belongs to; series belong to `station_granules`."""

MOST_SAID = 20
"""Files named among those left out; the rest is counted."""


def sources_command() -> None:
    """Print the label sources as JSON lines."""
    for one in LABEL_SOURCES.values():
        told = {
            "source": one.source_id,
            "label_type": one.label_type.value,
            "support_m": one.support_m,
            "depth_m": [one.depth_from_m, one.depth_to_m],
            "made_from": sorted(one.made_from),
        }
        print(json.dumps(told))


def add_files_command(region: str, paths: Sequence[Path], say: Say) -> None:
    """Land gridded products from files or folders."""
    _bring(region, say, lambda layout, found: bring_fields(layout, found, paths))


def add_ismn_command(region: str, path: Path, say: Say) -> None:
    """Land an ISMN download."""
    _bring(region, say, lambda layout, found: bring_ismn(layout, found, path))


def add_csv_command(region: str, file: Path, said: Mapping[str, Any], say: Say) -> None:
    """Land a series of one's own."""
    label_type = find_label_type(said["label_type"])
    named = {name: value for name, value in said.items() if value is not None}
    columns = SeriesColumns(**{name: named[name] for name in named.keys() - set(BESIDE)})
    series = OwnSeries(columns, label_type, said["temperature"])
    _bring(region, say, lambda layout, found: bring_csv(layout, found, file, series))


def add_planet_csv_command(region: str, file: Path, place: Mapping[str, Any], say: Say) -> None:
    """Land a Planet series."""
    _bring(region, say, lambda layout, found: bring_planet_csv(layout, found, file, place))


def show_command(region: str) -> None:
    """Print counts of the region's observations by source and reason."""
    layout = Layout(settings().data_lake)
    find_region(layout, region)
    print(json.dumps(counts_of(layout, region), indent=1))


@home_explained()
def _bring(region: str, say: Say, bring: Callable[[Layout, Region], Brought]) -> None:
    layout = Layout(settings().data_lake)
    found = find_region(layout, region)
    brought = bring(layout, found)
    _tell(brought, say)
    _record(open_instance(), region, brought)
    n = len(brought.granules)
    verb = "granule is" if n == 1 else "granules are"
    say(f"{region}: {n} {verb} in the lake, {brought.n_new} of them new.")
    days = brought.days
    when = f"the days {days[0]} to {days[-1]}" if days else "the region"
    first = "`sm_observations`" if days else "`station_readings` and `site_catalog`"
    say(f"Next: materialize {first} of {when} in the UI (`make up`).")


def _tell(brought: Brought, say: Say) -> None:
    for sentence in brought.refused[:MOST_SAID]:
        say(f"Left out: {sentence}")
    if len(brought.refused) > MOST_SAID:
        say(f"Left out as well: {len(brought.refused) - MOST_SAID} more files.")
    for sentence in brought.told:
        say(sentence)


def _record(instance: dg.DagsterInstance, region: str, brought: Brought) -> None:
    """Tell Dagster of what was landed, so that it stands in the lineage."""
    for granule in brought.granules:
        asset = ASSET_OF.get(granule.product, "station_granules")
        key = f"{granule.day.isoformat()}|{region}" if granule.day else region
        told = {"granule": granule.granule_id, "source": granule.source, "sha256": granule.sha256}
        event = dg.AssetMaterialization(dg.AssetKey(asset), partition=key, metadata=told)
        instance.report_runless_asset_event(event)
