"""What `doctor --live` has to say to people whose services answer, and to those who lack them."""

WEATHER = "temperature, precipitation: Copernicus Climate Data Store"
SERVICES = (
    "Google Earth Engine",
    "Planetary Computer",
    "Copernicus Climate Data Store",
    "ISRIC SoilGrids",
    "Copernicus DEM GLO-30",
    "ESA WorldCover",
    "NASA Earthdata",
    "Planet",
)
OTHER_LINES = ("packages: ", "SM_SOURCES: ", "this month ")
"""What `doctor --live` says besides: of the platform itself, and which variables are set."""
TOLD = (
    ("well", "ok      Sentinel-1 radar: Google Earth Engine answers"),
    ("well", "ok      Sentinel-1 radar: Google Earth Engine: COPERNICUS/S1_GRD can be listed"),
    ("well", f"ok      {WEATHER}: the key is taken"),
    ("well", "ok      soil: ISRIC SoilGrids: answers"),
    ("well", "ok      elevation: Copernicus DEM GLO-30: answers"),
    ("well", "ok      land cover: ESA WorldCover: answers"),
    ("well", "ok      Planet soil water content: Planet: subscriptions to soil water content:"),
    ("well", "ok      SMAP level 4 soil moisture: NASA Earthdata: SPL4SMGP.008 can be listed"),
    ("well", "MISSING NDVI: Planetary Computer: modis-13Q1-061 has nothing of the last 120 d"),
    ("none", "no credentials, GOOGLE_APPLICATION_CREDENTIALS is not set"),
    ("none", f"MISSING {WEATHER}: no credentials, CDSAPI_KEY or"),
    ("none", "NASA Earthdata: no credentials, EARTHDATA_TOKEN or EARTHDATA_USERNAME"),
    ("none", "MISSING Planet soil water content: Planet: no credentials, PL_API_KEY is not"),
    ("wrong", f"MISSING {WEATHER} denied"),
    ("wrong", "the token expired on 2023-11-14 22:13 UTC: make a new one"),
    ("wrong", "MISSING Planet soil water content: Planet denied the list of subscriptions (40"),
    ("down", "MISSING Sentinel-1 radar: Google Earth Engine broke off"),
    ("down", "MISSING NDVI: Planetary Computer broke off at the catalogue ("),
    ("down", f"MISSING {WEATHER} broke off at the catalogue entry"),
    ("down", "MISSING soil: ISRIC SoilGrids broke off"),
    ("down", "MISSING elevation: Copernicus DEM GLO-30 broke off"),
    ("down", "MISSING land cover: ESA WorldCover broke off"),
    ("down", "NASA Earthdata broke off"),
    ("down", "MISSING Planet soil water content: Planet broke off at the list of"),
)
"""Who is told which words."""


def asked_of_services(said: str) -> list[str]:
    """The findings about services, without their marks."""
    lines = [one.removeprefix("ok      ").removeprefix("MISSING ") for one in said.splitlines()]
    return [one for one in lines if not one.startswith(OTHER_LINES) and " is set (" not in one]
