"""The services as people call them, and whose credentials are lacking before anything is asked."""

from sm_platform.defs.live_sources import configuration
from sm_platform.defs.resources import netrc_file, source_credentials
from sm_platform.sources.climate_store.jobs import SERVICE as CLIMATE_STORE
from sm_platform.sources.earth_engine.wire import SERVICE as EARTH_ENGINE
from sm_platform.sources.earthdata.collections import SERVICE as EARTHDATA
from sm_platform.sources.earthdata.login import LOGIN_HOST, Credentials
from sm_platform.sources.open_data.elevation import SERVICE as ELEVATION
from sm_platform.sources.open_data.land_cover import SERVICE as LAND_COVER
from sm_platform.sources.open_data.soil import SERVICE as SOIL
from sm_platform.sources.planet.account import SERVICE as PLANET
from sm_platform.sources.planetary_computer.source import SERVICE as PLANETARY_COMPUTER
from sm_platform.sources.sentinel_hub.web import SERVICE as SENTINEL_HUB
from sm_platform.sources.services import lacks_credentials

TITLES = {
    one.service_id: one.title
    for one in (
        CLIMATE_STORE,
        EARTH_ENGINE,
        EARTHDATA,
        ELEVATION,
        LAND_COVER,
        SOIL,
        PLANET,
        PLANETARY_COMPUTER,
        SENTINEL_HUB,
    )
}
"""By the name in the configuration."""


def title_of(service: str | None) -> str:
    """What people call a service; a folder keeps its own name."""
    return TITLES.get(service or "", service or "the source")


def credentials_lacking(service: str) -> str | None:
    """A sentence when a service lists without an account, but hands over nothing without one.

    All others that need an account refuse the listing already.
    """
    if service == CLIMATE_STORE.service_id:
        is_known = any(one in source_credentials() for one in CLIMATE_STORE.variables)
        return None if is_known else str(lacks_credentials(CLIMATE_STORE))
    if service == EARTHDATA.service_id:
        return None if _has_login() else str(lacks_credentials(EARTHDATA))
    return None


def _has_login() -> bool:
    known, chosen = source_credentials(), configuration()
    options = chosen.options_of(EARTHDATA.service_id) if chosen else {}
    user, password = known.get("EARTHDATA_USERNAME"), known.get("EARTHDATA_PASSWORD")
    credentials = Credentials(known.get("EARTHDATA_TOKEN"), user, password, netrc_file())
    host = str(options.get("login_host", LOGIN_HOST))
    return bool(credentials.token) or credentials.pair(host) is not None
