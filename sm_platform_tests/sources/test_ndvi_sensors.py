"""Whose composite a granule is, by its format: those of VIIRS must not pass for MODIS."""

import pytest

from sm_platform.defs.readers import READERS
from sm_platform.schema.recipes import NdviSensor
from sm_platform.sources.earth_engine.collections import NDVI_SENSORS, collections_of
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of
from sm_platform.sources.protocol import Product

MODIS, VIIRS = NdviSensor.MODIS, NdviSensor.VIIRS


def test_each_format_that_is_read_is_of_its_sensor() -> None:
    found = {kind: ndvi_sensor_of(kind) for product, kind in READERS if product == "ndvi"}
    assert found == {
        "mod13q1": MODIS,
        "mod13q1_earth_engine": MODIS,
        "mod13q1_hdf": MODIS,
        "seed_layout": MODIS,
        "vnp13a1": VIIRS,
        "vnp13a1_earth_engine": VIIRS,
    }


@pytest.mark.parametrize("sensor", NDVI_SENSORS)
def test_a_collection_of_earth_engine_is_of_the_sensor_that_was_asked_for(sensor: str) -> None:
    for one in collections_of(Product.NDVI, sensor):
        assert ndvi_sensor_of(one.format).value == sensor
        assert ("ndvi", one.format) in READERS
