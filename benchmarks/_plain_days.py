"""Days of a region made by plain calls in one process: no Dagster, only the lake."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from sm_platform.defs.assets.drivers import extract_day
from sm_platform.defs.assets.features import write_features
from sm_platform.defs.assets.maps import write_figures
from sm_platform.defs.assets.scenes import write_backscatter, write_scenes
from sm_platform.defs.choice import choose_checkpoint
from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.landing import Landing
from sm_platform.defs.mapping import Mapper
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import settings
from sm_platform.grid.calendar import days_between
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.driver_tables import NDVI, WEATHER
from sm_platform.schema.recipes import find_recipe
from sm_platform.schema.region import Region
from sm_platform.schema.tables import Table
from sm_platform.sources.protocol import Product

AHEAD = timedelta(8)
TABLES: dict[Product, Table] = {Product.NDVI: NDVI, Product.WEATHER: WEATHER}


def make_days(layout: Layout, region: Region, days: Sequence[date]) -> int:
    """Land, extract, map and draw the days of a region whose static layers are made; its maps."""
    landing = Landing(layout, region, open_source(region))
    with_drivers = days_between(settings().first_day, days[-1] + AHEAD)
    for product, table in TABLES.items():
        _land(landing, product, with_drivers)
        for day in with_drivers:
            found = landed(layout, product.value, region.region_id, day)
            extract_day(layout, region, table, found, day)
    earlier = days_between(settings().first_day, days[-1])
    _land(landing, Product.S1_GRD, earlier)
    for day in earlier:
        write_scenes(layout, region, day)
        write_backscatter(layout, region, day)
    return _map(layout, region, days)


def _land(landing: Landing, product: Product, days: Sequence[date]) -> None:
    by_day = defaultdict(list)
    for granule in landing.listed(product, days):
        by_day[granule.day].append(granule)
    for granules in by_day.values():
        landing.land(granules)


def _map(layout: Layout, region: Region, days: Sequence[date]) -> int:
    """Features, maps and figures; how many maps are current."""
    store = ModelStore(settings().models)
    chosen = choose_checkpoint(layout, lambda n: read_card(store.folder(n)), region, None, days[0])
    name = chosen.checkpoint.checkpoint_id
    inputs = open_inputs(layout, region, days, find_recipe(chosen.checkpoint.recipe_id))
    for day in days:
        write_features(layout, inputs, day, settings().min_lookback_share)
    mapper = Mapper(layout, region, chosen, open_estimator(store.folder(name)))
    n_maps = 0
    for day in days:
        n_maps += sum(row["is_latest"] for row in mapper.map_day(day))
        write_figures(layout, region.region_id, day)
    return n_maps
