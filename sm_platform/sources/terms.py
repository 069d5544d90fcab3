"""Licence and citation of each product, the same through whichever service it comes.

Licences as SPDX ids or short names; citations as the makers ask for them, with the DOI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

OPEN_NASA = "CC0-1.0 (NASA EOSDIS data use policy), to be cited"
OPEN_NSIDC = "NSIDC DAAC: open, to be cited"
"""Of data sets that others than NASA made and gave to its archive."""
COPERNICUS = "Copernicus Sentinel data terms"
OWN = "brought by the user"
DOI = "https://doi.org/"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a product may be used, and how it is cited."""

    licence: str
    citation: str

    def through(self, processor: str) -> "Terms":
        """The same terms; the citation names who processed or served it as well."""
        return replace(self, citation=f"{self.citation}. {processor}")


EARTH_ENGINE = (
    "Google Earth Engine: Gorelick, N. et al. (2017), Remote Sensing of Environment 202, 18-27, "
    f"{DOI}10.1016/j.rse.2017.06.031"
)
SENTINEL_HUB = "Processed by Sentinel Hub, https://www.sentinel-hub.com"
PLANETARY_COMPUTER = (
    "Terrain-corrected for the Planetary Computer: Microsoft Open Source, McFarland, M., Emanuele, "
    "R., Morris, D. & Augspurger, T. (2022): microsoft/PlanetaryComputer: October 2022, "
    f"{DOI}10.5281/zenodo.7261897 (sentinel-1-rtc)"
)

SENTINEL_1 = Terms(
    COPERNICUS,
    # The notice that the terms prescribe; [year] stands for the year of the data.
    "Contains modified Copernicus Sentinel data [year]; mission: Torres, R. et al. (2012), GMES "
    f"Sentinel-1 mission, Remote Sensing of Environment 120, 9-24, {DOI}10.1016/j.rse.2011.05.028",
)
SENTINEL_1_RTC = replace(SENTINEL_1, licence="CC-BY-4.0").through(PLANETARY_COMPUTER)
OPERA_RTC = Terms(
    f"{OPEN_NASA}; contains modified Copernicus Sentinel data",
    "OPERA (2023): OPERA Radiometric Terrain Corrected SAR Backscatter from Sentinel-1 validated "
    f"product, Version 1. NASA ASF DAAC, {DOI}10.5067/SNWG/OPERA_L2_RTC-S1_V1",
)
ERA5_LAND = Terms(
    "CC-BY-4.0",
    "Muñoz Sabater, J. (2019): ERA5-Land hourly data from 1950 to present. Copernicus Climate "
    f"Change Service (C3S) Climate Data Store (CDS), {DOI}10.24381/cds.e2161bac",
)
LATE_RAIN = Terms(
    OPEN_NASA,
    "Huffman, G. J. and others (2024): GPM IMERG Late Precipitation L3 1 day 0.1 degree x 0.1 "
    f"degree V07. NASA GES DISC, {DOI}10.5067/GPM/IMERGDL/DAY/07",
)
SOILGRIDS = Terms(
    "CC-BY-4.0",
    "Poggio, L. et al. (2021): SoilGrids 2.0: producing soil information for the globe with "
    f"quantified spatial uncertainty. SOIL 7, 217-240, {DOI}10.5194/soil-7-217-2021",
)
GLO30 = Terms(
    "Copernicus DEM GLO-30 licence (free, attribution)",
    # Without a year: its DOI stands for all releases. The notice is that of the licence.
    "European Space Agency: Copernicus Global Digital Elevation Model, "
    f"{DOI}10.5270/ESA-c5d3d65; produced using Copernicus WorldDEM-30 (c) DLR e.V. 2010-2014 and "
    "(c) Airbus Defence and Space GmbH 2014-2018 provided under COPERNICUS by the European Union "
    "and ESA; all rights reserved",
)
WORLDCOVER = Terms(
    "CC-BY-4.0",
    f"Zanaga, D. et al. (2022): ESA WorldCover 10 m 2021 v200, {DOI}10.5281/zenodo.7254221; "
    "(c) ESA WorldCover project / Contains modified Copernicus Sentinel data (2021) processed by "
    "ESA WorldCover consortium",
)
SPL4SMGP = Terms(
    OPEN_NASA,
    "Reichle, R., De Lannoy, G., Koster, R. D., Crow, W. T., Kimball, J. S., Liu, Q. & Bechtold, "
    "M. (2025): SMAP L4 Global 3-hourly 9 km EASE-Grid Surface and Root Zone Soil Moisture "
    f"Geophysical Data, Version 8. NASA NSIDC DAAC, {DOI}10.5067/T5RUATAQREF8",
)
SPL3SMP_E = Terms(
    OPEN_NASA,
    "O'Neill, P. E. and others (2023): SMAP Enhanced L3 Radiometer Global and Polar Grid Daily "
    f"9 km EASE-Grid Soil Moisture, Version 6. NASA NSIDC DAAC, {DOI}10.5067/M20OXIZHY3RJ",
)
NSIDC_0779 = Terms(
    OPEN_NSIDC,  # made at a university
    # Authors, year and DOI could not be looked up: compare them with https://nsidc.org/data/nsidc-0779.
    "Lakshmi, V. and Fang, B. (2023): SMAP-Derived 1-km Downscaled Surface Soil Moisture Product, "
    f"Version 1. NASA NSIDC DAAC, {DOI}10.5067/U8QZ2AXE5V7B",
)
PLANET_SWC = Terms(
    "Planet, terms of the subscription",
    "Planet Labs PBC: Soil Water Content, 100 m. "
    "https://docs.planet.com/data/planetary-variables/soil-water-content",
)
_SATELLITES: Mapping[str, str] = {
    "MOD13Q1": "MODIS/Terra",
    "MYD13Q1": "MODIS/Aqua",
    "VNP13A1": "VIIRS/NPP",
    "VJ113A1": "VIIRS/JPSS1",
    "VJ213A1": "VIIRS/JPSS2",
}


def vegetation(short_name: str) -> Terms:
    """Of the 16-day vegetation indices of a satellite, for example `MOD13Q1`."""
    satellite = _SATELLITES[short_name]
    sensor = satellite.partition("/")[0]
    version, cell = ("061", "250m") if sensor == "MODIS" else ("002", "500m")
    return Terms(
        OPEN_NASA,
        f"Didan, K. and others: {satellite} Vegetation Indices 16-Day L3 Global {cell} SIN Grid "
        f"V{version}. NASA LP DAAC, {DOI}10.5067/{sensor}/{short_name}.{version}",
    )
