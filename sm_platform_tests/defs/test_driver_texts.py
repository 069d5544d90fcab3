"""What assets of granules and drivers say of themselves: of every service, not of the first one."""

import dagster as dg
import pytest

from sm_platform.defs.assets.drivers import ndvi, weather
from sm_platform.defs.assets.granules import ndvi_granules, s1_granules, weather_granules


def told(asset: dg.AssetsDefinition) -> str:
    return asset.descriptions_by_key[asset.key] or ""


@pytest.mark.parametrize(("asset", "name"), [(ndvi, "ndvi"), (weather, "weather")])
def test_a_driver_is_tagged_by_what_it_is_and_not_by_who_measured_it(
    asset: dg.AssetsDefinition, name: str
) -> None:
    assert asset.tags_by_key[asset.key]["source"] == name


@pytest.mark.parametrize(
    ("asset", "words"),
    [
        (s1_granules, ("sigma0", "gamma0", "bursts")),
        (ndvi_granules, ("MODIS", "VIIRS")),
        (ndvi, ("MODIS", "VIIRS")),
        (weather_granules, ("ERA5-Land",)),
    ],
)
def test_granules_tell_all_that_comes_through_them(
    asset: dg.AssetsDefinition, words: tuple[str, ...]
) -> None:
    assert all(word in told(asset) for word in words)
