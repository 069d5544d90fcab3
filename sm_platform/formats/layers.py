"""What the bands of a known raster product mean: name, unit, scale and valid range of each.

The numbers are those of the product's own reader in this room, which quotes their source.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sm_platform.formats import era5_land, glo30, mod13q1, planet_swc, soilgrids, worldcover
from sm_platform.formats.ranges import BACKSCATTER_DB

NEXT_TO_ZERO = 1e-30


@dataclass(frozen=True, slots=True)
class Layer:
    """One band as stored: numbers outside `low`..`high` (both valid) are missing."""

    name: str
    unit: str
    low: float
    high: float
    scale: float = 1.0
    stored: str = ""
    """Kind of the numbers (`i` whole, `f` floating point) that the scale holds for; empty: any."""
    has_nodata: bool = True
    """Whether the file's nodata tag counts."""


_NDVI = (mod13q1.NDVI_LOWEST, mod13q1.NDVI_HIGHEST, mod13q1.NDVI_SCALE)
_POWER = (NEXT_TO_ZERO, 1e6)


def _index(name: str) -> Layer:
    return Layer(name, "1", *_NDVI, "i")


def _db(name: str) -> Layer:
    return Layer(name, "dB", *BACKSCATTER_DB)


_ANGLE = Layer("angle", "deg", NEXT_TO_ZERO, 90 - 1e-6)
_WEATHER = {
    "temperature 2m": Layer("temperature_2m", "K", era5_land.LOWEST_K, era5_land.HIGHEST_K),
    "total precipitation sum": Layer(
        "total_precipitation_sum", "m", era5_land.NOISE_M, era5_land.HIGHEST_M
    ),
}
_SOIL = {
    name: Layer(name, "cg/cm3" if name == "bdod" else "g/kg", low, high)
    for name, (_, low, high) in soilgrids.VALID.items()
}
_MODIS = {
    "pixel reliability": Layer("pixel_reliability", "1", 0, 3),
    r"pr b\d+": Layer("pixel_reliability", "1", 0, 3),
    "summaryqa": Layer("SummaryQA", "1", 0, 3),
    "composite day": Layer("composite_day_of_the_year", "day", 1, 366),
    "dayofyear": Layer("DayOfYear", "day", 1, 366),
    "vi quality": Layer("VI_Quality", "1", 0, 65534),
    "viq": Layer("VI_Quality", "1", 0, 65534),
    "red reflectance": Layer("red_reflectance", "1", 0, 10000, 1e-4, "i"),
    "nir reflectance": Layer("NIR_reflectance", "1", 0, 10000, 1e-4, "i"),
    "blue reflectance": Layer("blue_reflectance", "1", 0, 10000, 1e-4, "i"),
    "mir reflectance": Layer("MIR_reflectance", "1", 0, 10000, 1e-4, "i"),
    "view zenith": Layer("view_zenith_angle", "deg", 0, 18000, 0.01, "i"),
    "sun zenith": Layer("sun_zenith_angle", "deg", 0, 18000, 0.01, "i"),
    "relative azimuth": Layer("relative_azimuth_angle", "deg", -18000, 18000, 0.01, "i"),
    "ndvi": _index("NDVI"),
    "evi": _index("EVI"),
}
"""By words of the layer's name (a pattern); the first found counts (MOD13 guide, layers)."""
_VIIRS = {
    **_MODIS,
    "ndvi": Layer("NDVI", "1", -10000, 10000, 1e-4, "i"),
    "evi": Layer("EVI", "1", -10000, 10000, 1e-4, "i"),
    "pixel reliability": Layer("pixel_reliability", "1", 0, 11),
}
"""VIIRS vegetation indices (VNP13 guide): fill -15000, valid to -10000, reliability 0..11."""
_SEED_NDVI = Layer("NDVI", "1", *_NDVI, has_nodata=False)
_TERRAIN = {
    "elevation": Layer("elevation", "m", glo30.LOWEST_M, glo30.HIGHEST_M),
    "slope": Layer("slope", "deg", 0, 90),
    "aspect": Layer("aspect", "deg", 0, 360),
}
_SMAP = {
    r"sm surface doy\d+": Layer("sm_surface", "m3/m3", 0, 0.9),
    r"sm rootzone doy\d+": Layer("sm_rootzone", "m3/m3", 0, 0.9),
    r"[ap]m soil moisture(?: pm)? doy\d+": Layer("soil_moisture", "m3/m3", 0.02, 0.5),
}
"""Soil moisture as AppEEARS names its files (SMAP product specifications, valid ranges)."""
_COVER = (
    "water", "trees", "grass", "flooded vegetation", "crops", "shrub and scrub", "built", "bare",
    "snow and ice",
)  # fmt: skip
_DYNAMIC_WORLD = {
    "label": Layer("label", "1", 0, len(_COVER) - 1),
    **{words: Layer(words.replace(" ", "_"), "1", 0, 1) for words in _COVER},
}
"""Dynamic World v1: the class, and the probability of each."""
ORDERED: Mapping[str, tuple[Layer, ...]] = {
    "s1_grd": (_db("VV"), _db("VH"), _ANGLE),
    "nsidc_0779": (
        Layer("soil_moisture_am", "m3/m3", NEXT_TO_ZERO, 1),
        Layer("soil_moisture_pm", "m3/m3", NEXT_TO_ZERO, 1),
    ),
    "planet_swc": (
        Layer("swc", "m3/m3", 0, planet_swc.HIGHEST, planet_swc.SCALE_M3M3, "i"),
        Layer("swc_before_flags", "m3/m3", 0, planet_swc.HIGHEST, planet_swc.SCALE_M3M3, "i"),
    ),
    "planet_swc flags": (Layer("swc_qf", "1", 0, 65535, has_nodata=False),),
    "worldcover": (Layer("land_cover", "1", min(worldcover.CLASSES), max(worldcover.CLASSES)),),
    "glo30": (_TERRAIN["elevation"],),
    "weather": tuple(_WEATHER.values()),
    "seed_soil": tuple(_SOIL.values()),
    "seed_terrain": tuple(_TERRAIN.values()),
    "seed_ndvi": (_SEED_NDVI,),
}
"""Bands by their order: in files that do not describe them, and where words do not tell them."""
NAMED: Mapping[str, Mapping[str, Layer]] = {
    "s1_grd": {"vv": _db("VV"), "vh": _db("VH"), "angle": _ANGLE, "hh": _db("HH"), "hv": _db("HV")},
    "weather": _WEATHER,
    "era5_land": _WEATHER,
    "seed_soil": _SOIL,
    "soilgrids": _SOIL,
    "dynamic_world": _DYNAMIC_WORLD,
    "seed_terrain": _TERRAIN,
    "s1_rtc": {
        "mask": Layer("mask", "1", 0, 3),
        **{name: Layer(name.upper(), "1", *_POWER) for name in ("vv", "vh", "hh", "hv")},
    },
    **dict.fromkeys(("spl4smgp", "spl3smp_e", "spl3smp"), _SMAP),
    **dict.fromkeys(
        (f"m{sat}d13{end}" for sat in "oy" for end in ("q1", "a1", "a2", "a3")), _MODIS
    ),
    **dict.fromkeys((f"{sat}13a{n}" for sat in ("vnp", "vj1", "vj2") for n in "123"), _VIIRS),
}
"""Bands by a word of their description, or of the file's name when it has one band."""


def layers_of(product: str, name: str, descriptions: Sequence[str | None]) -> list[Layer | None]:
    """The layer of each band; None where the product's contract says nothing of it.

    Args:
        product: as recognised.
        name: of the file, which names the layer where a file has one band.
        descriptions: of the bands.
    """
    named, ordered = NAMED.get(product, {}), ORDERED.get(product, ())
    alone = name if len(descriptions) == 1 else ""
    found = [_by_words(named, text or "") or _by_words(named, alone) for text in descriptions]
    is_told = any(found) or (bool(named) and any(descriptions))
    if is_told or len(ordered) < len(descriptions):
        return found
    return list(ordered[: len(descriptions)])


def _by_words(named: Mapping[str, Layer], text: str) -> Layer | None:
    plain = re.sub(r"[^a-z0-9]+", " ", text.lower())
    return next((one for words, one in named.items() if re.search(rf"\b{words}\b", plain)), None)
