"""Which sensor a vegetation granule is of, by the name of its format, and which sensors end."""

from datetime import date

from sm_platform.schema.recipes import NdviSensor

VIIRS_FORMATS = ("vnp13", "vj113", "vj213", "viirs")
"""How names of formats begin that hold composites of VIIRS; all others hold those of MODIS."""

SUOMI_NPP_ENDS = date(2026, 11, 1)
"""NASA and NOAA announced that they deliver no VIIRS data of Suomi NPP after it. That is quoted by
several public projects of 2026; the notice itself could not be seen. On Earth Engine its fires
(VNP14A1) end on 2026-11-02, those of NOAA-20 (VJ114A1) go on."""
FOLLOWS = "earthdata:VJ113A1 (NOAA-20), or else earthdata:VJ213A1 (NOAA-21)"
"""What goes on where a vegetation index ends: as the configuration names it."""


def ndvi_sensor_of(format_name: str) -> NdviSensor:
    """The sensor of a vegetation granule; a folder of the seed system holds MODIS."""
    is_viirs = format_name.lower().startswith(VIIRS_FORMATS)
    return NdviSensor.VIIRS if is_viirs else NdviSensor.MODIS
