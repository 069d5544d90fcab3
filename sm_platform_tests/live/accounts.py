"""Accounts that the services need: which variable, and where a person gets one."""

from collections.abc import Mapping

from sm_platform.defs.resources import netrc_file

ACCOUNTS: Mapping[str, tuple[tuple[tuple[str, ...], ...], str]] = {
    "earth_engine": (
        (("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"),),
        "https://code.earthengine.google.com/register",
    ),
    "earthdata": (
        (("EARTHDATA_TOKEN",), ("EARTHDATA_USERNAME", "EARTHDATA_PASSWORD")),
        "https://urs.earthdata.nasa.gov",
    ),
    "climate_store": (
        (("CDSAPI_KEY",), ("ECMWF_DATASTORES_KEY",)),
        "https://cds.climate.copernicus.eu/profile",
    ),
    "sentinel_hub": (
        (("SH_CLIENT_ID", "SH_CLIENT_SECRET"),),
        "https://shapps.dataspace.copernicus.eu/dashboard/#/account/settings",
    ),
    "planet": ((("PL_API_KEY",),), "https://www.planet.com/account"),
}
"""Service -> sets of variables, one of which has to be set, and a page. Others need none."""


def lacking(service: str, there: Mapping[str, str]) -> str | None:
    """What is not set, and where to get it; None when the service can be asked.

    Args:
        service: its id.
        there: variables that are set.
    """
    if service not in ACCOUNTS or (service == "earthdata" and netrc_file()):
        return None
    choices, page = ACCOUNTS[service]
    if any(set(names) <= there.keys() for names in choices):
        return None
    told = " or ".join(
        " and ".join(name for name in names if name not in there) for names in choices
    )
    return f"{service}: {told} is not set: get an account at {page}"
