"""How each service is opened: options of the configuration and variables to its source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sm_platform.defs.resources import netrc_file, settings
from sm_platform.errors import UsageError
from sm_platform.formats.recognise import recognise
from sm_platform.schema.recipes import NdviSensor
from sm_platform.sources.archive import ArchiveSource
from sm_platform.sources.climate_store.source import ClimateStoreSource
from sm_platform.sources.earth_engine.source import EarthEngineSource
from sm_platform.sources.earthdata.source import EarthdataSource
from sm_platform.sources.label_folder.source import LabelFolderSource
from sm_platform.sources.open_data.elevation import OpenElevationSource
from sm_platform.sources.open_data.land_cover import OpenLandCoverSource
from sm_platform.sources.open_data.soil import OpenSoilSource
from sm_platform.sources.planet.source import PlanetSource
from sm_platform.sources.planetary_computer.source import PlanetaryComputerSource
from sm_platform.sources.protocol import Source
from sm_platform.sources.sentinel_hub.source import SentinelHubSource

MODIS = "MODIS"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a service is opened with."""

    variant: str | None
    options: Mapping[str, Any]
    credentials: Mapping[str, str]
    """Variables that are set, by name."""
    work: Path
    """A folder for what is on its way, kept between runs."""

    def only(self, **fields: str) -> dict[str, Any]:
        """Options that were said, under the names of the source's fields; lists as tuples."""
        said = {field: self.options[name] for name, field in fields.items() if name in self.options}
        return {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}


def _archive(opening: Opening) -> Source:
    sensor = NdviSensor(opening.variant) if opening.variant else None
    return ArchiveSource(Path(opening.options.get("path") or settings().archive), sensor)


def earth_engine(opening: Opening) -> EarthEngineSource:
    """Earth Engine; the project may stand in a variable."""
    project = opening.options.get("project") or opening.credentials.get("GOOGLE_CLOUD_PROJECT")
    return EarthEngineSource(
        project,
        credentials=opening.credentials.get("GOOGLE_APPLICATION_CREDENTIALS"),
        ndvi_sensor="VIIRS" if opening.variant else MODIS,
        **opening.only(
            high_volume="high_volume", url="url", in_flight="tiles_in_flight", profile="profile"
        ),
    )


def _earthdata(opening: Opening) -> Source:
    known, is_radar = opening.credentials, opening.variant == "OPERA_RTC"
    return EarthdataSource(
        token=known.get("EARTHDATA_TOKEN"),
        user=known.get("EARTHDATA_USERNAME"),
        password=known.get("EARTHDATA_PASSWORD"),
        netrc=netrc_file(),
        ndvi=MODIS if is_radar or not opening.variant else opening.variant,
        **opening.only(
            cmr_url="cmr_url",
            login_host="login_host",
            trusted_hosts="trusted_hosts",
            download_hosts="download_hosts",
            in_flight="n_in_flight",
        ),
    )


def _planetary_computer(opening: Opening) -> Source:
    return PlanetaryComputerSource(
        subscription_key=opening.credentials.get("PC_SDK_SUBSCRIPTION_KEY"),
        **opening.only(stac_url="stac_url", token_url="token_url", in_flight="most_in_flight"),  # noqa: S106 - an address
    )


def _climate_store(opening: Opening) -> Source:
    known = opening.credentials
    return ClimateStoreSource(
        opening.work,
        key=known.get("CDSAPI_KEY") or known.get("ECMWF_DATASTORES_KEY"),
        **opening.only(url="url", in_flight="at_once"),
    )


def _sentinel_hub(opening: Opening) -> Source:
    return SentinelHubSource(
        client_id=opening.credentials.get("SH_CLIENT_ID"),
        client_secret=opening.credentials.get("SH_CLIENT_SECRET"),
        **opening.only(url="url", token_url="token_url", in_flight="frames_in_flight"),  # noqa: S106 - an address
    )


def _planet(opening: Opening) -> Source:
    return PlanetSource(
        key=opening.credentials.get("PL_API_KEY"),
        **opening.only(url="url", subscriptions="subscriptions", in_flight="at_once"),
    )


def _folder(opening: Opening) -> Source:
    path = opening.options.get("path")
    if not path:
        raise UsageError(
            'A driver is to come from a folder, but none is named: write path = "..." below '
            "[folder] in the file that SM_SOURCES names."
        )
    return LabelFolderSource(Path(path).expanduser(), recognise)


OPENERS: dict[str, Callable[[Opening], Source]] = {
    "archive": _archive,
    "earth_engine": earth_engine,
    "earthdata": _earthdata,
    "planetary_computer": _planetary_computer,
    "isric": lambda opening: OpenSoilSource(**opening.only(url="url")),
    "copernicus_dem": lambda opening: OpenElevationSource(**opening.only(url="url")),
    "worldcover": lambda opening: OpenLandCoverSource(**opening.only(url="url")),
    "climate_store": _climate_store,
    "sentinel_hub": _sentinel_hub,
    "planet": _planet,
    "folder": _folder,
}
