"""The catalog of a region's sites: cells drawn at each level, and the stations within."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.defs.label_readers import read_fields
from sm_platform.defs.lake_access import hash_of, static_raster
from sm_platform.defs.region_area import inside_of
from sm_platform.grid.window import Raster, link
from sm_platform.lake import store
from sm_platform.lake.granules import LandedGranule, landed, landed_days
from sm_platform.lake.layout import Layout
from sm_platform.observations.rejection import Rejection
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, SOIL
from sm_platform.schema.label_tables import SITE_CATALOG, STATION_READINGS
from sm_platform.schema.region import Region
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import SiteSelection, select_sites
from sm_platform.sites.stations import StationSites, station_sites
from sm_platform.sites.texture import texture_codes
from sm_platform.sources.protocol import Product


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """What was asked for."""

    levels: Mapping[str, int]
    """Sites wanted at each EASE-Grid 2.0 level."""
    seed: int
    spacing_km: float | None
    min_purity: float
    min_valid_share: float
    classes: tuple[int, ...] | None
    """None: those where radar sees soil."""
    moisture_granules: int
    """Landed label granules whose mean moisture makes strata."""

    def rules(self, level: str, count: int) -> SiteRules:
        """The rules of one level."""
        return SiteRules(
            count,
            self.seed,
            level,
            spacing_km=self.spacing_km,
            min_purity=self.min_purity,
            classes=self.classes,
            min_valid_share=self.min_valid_share,
        )


@dataclass(frozen=True, slots=True)
class ChosenSites:
    """The stored catalog, and what was left out."""

    rows: pa.Table
    land_cover_code: NDArray[np.uint8]
    """Of the region's window, for its map."""
    rejected: dict[str, dict[str, int]]
    """Cells that are no site, by level and reason."""
    stations_left_out: dict[str, str]
    """Stations that are no site, with the reason."""

    @property
    def per_class(self) -> dict[str, int]:
        """Sites by land cover code."""
        counts = Counter(self.rows["land_cover_code"].to_pylist())
        return {str(code): n for code, n in sorted(counts.items())}


@dataclass(frozen=True, slots=True)
class _Layers:
    """What is known of every pixel, and the hash of what it comes from."""

    cover: Raster
    texture: NDArray[np.int8]
    mean_sm: NDArray[np.float32] | None
    inside: NDArray[np.bool_] | None
    inputs: str


def choose_sites(layout: Layout, region: Region, choice: SiteChoice) -> ChosenSites:
    """Draw the sites and store the catalog of the region.

    Raises:
        MissingInputError: land cover or soil has not been made.
        DataError: no cell is left, saying which rule took how many.
    """
    layers = _layers(layout, region, choice.moisture_granules)
    drawn = {
        level: _drawn(region, layers, choice.rules(level, count))
        for level, count in choice.levels.items()
        if count
    }
    stations = _stations(layout, region, layers)
    rows = pa.concat_tables([*(found.rows() for found in drawn.values()), stations.rows])
    asked = (repr(choice), region.outline_wkt)
    note = {
        "inputs": hash_of(layers.inputs, asked, rows["site_id"].to_pylist()),
        "status": "made",
        "rows": rows.num_rows,
    }
    store.write(layout, SITE_CATALOG, rows, region=region.region_id, note=note)
    return ChosenSites(
        rows=rows,
        land_cover_code=layers.cover.values["land_cover_code"].astype(np.uint8),
        rejected={level: dict(found.rejected) for level, found in drawn.items()},
        stations_left_out=dict(stations.rejected),
    )


def _drawn(region: Region, layers: _Layers, rules: SiteRules) -> SiteSelection:
    return select_sites(
        region.window,
        layers.cover,
        rules,
        texture=layers.texture,
        mean_sm=layers.mean_sm,
        inside=layers.inside,
    )


def _stations(layout: Layout, region: Region, layers: _Layers) -> StationSites:
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


def _layers(layout: Layout, region: Region, moisture_granules: int) -> _Layers:
    cover, cover_hash = static_raster(layout, LAND_COVER_CELLS, region.region_id, "--extract")
    soil, soil_hash = static_raster(layout, SOIL, region.region_id, "--extract")
    granules = _label_granules(layout, region, moisture_granules)
    inputs = hash_of(cover_hash, soil_hash, [one.sha256 for one in granules])
    mean_sm = _mean_sm(layout, region, granules)
    return _Layers(cover, _texture(region, soil), mean_sm, inside_of(region), inputs)


def _label_granules(layout: Layout, region: Region, most: int) -> list[LandedGranule]:
    """Landed 100 m label granules, spread evenly over the days they are there for."""
    days = landed_days(layout, Product.SWC.value, region.region_id) if most else []
    step = max(len(days) / most, 1.0) if most else 1.0
    chosen = [days[int(n)] for n in np.arange(0, len(days), step)]
    found = (landed(layout, Product.SWC.value, region.region_id, day) for day in chosen)
    return [granule for granules in found for granule in granules]


def _mean_sm(
    layout: Layout, region: Region, granules: Sequence[LandedGranule]
) -> NDArray[np.float32] | None:
    """Mean label of each pixel over the granules, NaN where none has one; None without granules."""
    if not granules:
        return None
    total, count = np.zeros(region.window.shape), np.zeros(region.window.shape)
    for _, field in read_fields(layout, region, granules).fields:
        sm = np.where(field.raster.values["is_flagged"], np.nan, field.raster.values["sm_m3m3"])
        there = _taken(np.asarray(sm, np.float64), link(region.window, field.raster.window))
        total += np.nan_to_num(there)
        count += ~np.isnan(there)
    with np.errstate(invalid="ignore"):  # 0 / 0 is a pixel without a label
        return (total / count).astype(np.float32)


def _texture(region: Region, soil: Raster) -> NDArray[np.int8]:
    """Texture code of each pixel, from the soil cell at its centre."""
    place = link(region.window, soil.window)
    sand, clay = (
        _taken(soil.values[name].astype(np.float64), place) for name in ("sand_g_kg", "clay_g_kg")
    )
    return texture_codes(sand, clay)


def _taken(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value at each flat place, NaN at -1."""
    return np.where(place < 0, np.nan, values.ravel()[place])
