"""Which sensor a vegetation granule is of, by the name of its format."""

from sm_platform.schema.recipes import NdviSensor

VIIRS_FORMATS = ("vnp13", "vj113", "vj213", "viirs")
"""How names of formats begin that hold composites of VIIRS; all others hold those of MODIS."""


def ndvi_sensor_of(format_name: str) -> NdviSensor:
    """The sensor of a vegetation granule; a folder of the seed system holds MODIS."""
    is_viirs = format_name.lower().startswith(VIIRS_FORMATS)
    return NdviSensor.VIIRS if is_viirs else NdviSensor.MODIS
