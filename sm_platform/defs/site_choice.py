"""The catalog of a region's sites: cells drawn at each level, and the stations within."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.lake_access import hash_of
from sm_platform.defs.site_layers import SiteLayers, read_layers
from sm_platform.grid.ease2 import LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.observations.rejection import Rejection
from sm_platform.schema.label_tables import SITE_CATALOG, STATION_READINGS
from sm_platform.schema.region import Region
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import SiteSelection, select_sites
from sm_platform.sites.stations import StationSites, station_sites

IMPORTED = "imported"
"""In the note of a catalog: ids of the sites that came with imported samples."""


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """What was asked for."""

    levels: Mapping[str, int]
    """Sites wanted at each EASE-Grid 2.0 level."""
    seed: int
    spacing_km: float | None
    min_purity: float
    min_valid_share: float
    min_purity_9km: float
    """Instead of `min_purity` at 9 km: hardly a cell of that size has one cover."""
    min_valid_share_9km: float
    classes: tuple[int, ...] | None
    """None: those where radar sees soil."""
    moisture_granules: int
    """Landed label granules whose mean moisture makes strata."""

    def rules(self, level: str, count: int) -> SiteRules:
        """The rules of one level."""
        is_9km = level == LEVEL_9KM.name
        return SiteRules(
            count,
            self.seed,
            level,
            spacing_km=self.spacing_km,
            min_purity=self.min_purity_9km if is_9km else self.min_purity,
            classes=self.classes,
            min_valid_share=self.min_valid_share_9km if is_9km else self.min_valid_share,
        )


@dataclass(frozen=True, slots=True)
class ChosenSites:
    """The stored catalog, and what was left out."""

    rows: pa.Table
    land_cover_code: NDArray[np.uint8]
    """Of the region's window, for its map."""
    per_class: dict[str, dict[str, int]]
    """Sites by level and name of the wanted class, 0 where none was found."""
    rejected: dict[str, dict[str, int]]
    """Cells that are no site, by level and reason."""
    stations: int
    """Stations among the rows."""
    stations_left_out: dict[str, str]
    """Stations that are no site, with the reason."""
    damaged: tuple[str, ...]
    """A sentence for each label granule that was set aside over the moisture of the pixels."""


def choose_sites(layout: Layout, region: Region, choice: SiteChoice) -> ChosenSites:
    """Draw the sites and store the catalog of the region.

    Raises:
        MissingInputError: land cover or soil has not been made.
        DataError: no cell is left, saying which rule took how many.
    """
    layers = read_layers(layout, region, choice.moisture_granules)
    drawn = {
        level: _drawn(region, layers, choice.rules(level, count))
        for level, count in choice.levels.items()
        if count
    }
    stations = _stations(layout, region, layers)
    chosen = pa.concat_tables([*(found.rows() for found in drawn.values()), stations.rows])
    imported = _imported(layout, region.region_id, chosen)
    rows = pa.concat_tables([chosen, imported])
    asked = (repr(choice), region.outline_wkt)
    note = {
        "inputs": hash_of(layers.inputs, asked, rows["site_id"].to_pylist()),
        "status": "made",
        "rows": rows.num_rows,
        IMPORTED: imported["site_id"].to_pylist(),
    }
    store.write(layout, SITE_CATALOG, rows, region=region.region_id, note=note)
    return ChosenSites(
        rows=rows,
        land_cover_code=layers.cover.values["land_cover_code"].astype(np.uint8),
        per_class={level: dict(found.class_counts) for level, found in drawn.items()},
        rejected={level: dict(found.rejected) for level, found in drawn.items()},
        stations=stations.rows.num_rows,
        stations_left_out=dict(stations.rejected),
        damaged=layers.damaged,
    )


def _imported(layout: Layout, region: str, chosen: pa.Table) -> pa.Table:
    """Sites that samples brought from files stand on, beside the chosen: they stay."""
    before = store.read(layout, SITE_CATALOG, region)
    if before is None:
        return chosen.schema.empty_table()
    ids = pa.array(before.note.get(IMPORTED, []), pa.string())
    is_kept = pc.and_(
        pc.is_in(before.rows["site_id"], value_set=ids),
        pc.invert(pc.is_in(before.rows["site_id"], value_set=chosen["site_id"].combine_chunks())),
    )
    return before.rows.filter(is_kept).select(chosen.column_names).cast(chosen.schema)


def _drawn(region: Region, layers: SiteLayers, rules: SiteRules) -> SiteSelection:
    return select_sites(
        region.window,
        layers.cover,
        rules,
        texture=layers.texture,
        mean_sm=layers.mean_sm,
        inside=layers.inside,
    )


def _stations(layout: Layout, region: Region, layers: SiteLayers) -> StationSites:
    stored = store.read(layout, STATION_READINGS, region.region_id)
    readings = stored.rows if stored else STATION_READINGS.arrow_schema.empty_table()
    is_placed = pc.fill_null(pc.not_equal(readings["reason"], Rejection.STATION_MOVED.value), True)
    return station_sites(
        region.window,
        readings.filter(is_placed).select(["station_id", "lon_deg", "lat_deg"]),
        land_cover=layers.cover,
        texture=layers.texture,
        mean_sm=layers.mean_sm,
        inside=layers.inside,
    )
