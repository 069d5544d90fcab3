"""Credentials that only the stand-ins know: a user of all services, as files and variables."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sm_platform_tests.servers import StandIn, guarded
from sm_platform_tests.servers.climate_store import KEY as CDS_KEY
from sm_platform_tests.servers.earthdata import TOKEN as EARTHDATA_TOKEN
from sm_platform_tests.servers.planet import KEY as PLANET_KEY
from sm_platform_tests.servers.sentinel_hub import CLIENT_ID, CLIENT_SECRET

LABELS = {
    "late_rain": "earthdata",
    "planet_swc": "planet",
    "nsidc_0779": "earthdata",
    "spl3smp_e": "earthdata",
    "spl4smgp": "earthdata",
}
"""Late rain and the labels from the services that have them."""


def key_file(path: Path, stand_in: StandIn) -> Path:
    """The key file of a Google service account whose tokens the stand-in gives."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = "made@made-project.iam.gserviceaccount.com"
    told = {
        "type": "service_account",
        "project_id": "made-project",
        "private_key_id": "made",
        "private_key": pem.decode(),
        "client_email": account,
        "client_id": "1",
        "token_uri": f"{stand_in.url}/google/token",
    }
    path.write_text(json.dumps(told))
    return path


def sources_file(path: Path, stand_in: StandIn, **changed: str) -> Path:
    """A configuration that points every service at the stand-ins."""
    chosen = {
        "sentinel1": "earth_engine",
        "ndvi": "planetary_computer",
        "weather": "climate_store",
        "soil": "isric",
        "elevation": "copernicus_dem",
        "land_cover": "worldcover",
        **changed,
    }
    url = stand_in.url
    options: dict[str, dict[str, object]] = {
        "earth_engine": {"project": "test-project", "url": url},
        "planetary_computer": {
            "stac_url": f"{url}/pc/stac/v1",
            "token_url": f"{url}/pc/sas/token",
        },
        "climate_store": {"url": f"{url}/cds/api"},
        "isric": {"url": f"{url}/soilgrids"},
        "copernicus_dem": {"url": f"{url}/dem"},
        "worldcover": {"url": f"{url}/worldcover"},
        "sentinel_hub": {
            "url": url,
            "token_url": f"{url}/auth/realms/CDSE/protocol/openid-connect/token",
        },
        "planet": {"url": f"{url}/planet"},
        "earthdata": {
            "cmr_url": f"{stand_in.tls_url}/search/",
            "login_host": stand_in.tls_url.removeprefix("https://"),
            "trusted_hosts": ["localhost"],
            "download_hosts": ["127.0.0.1"],
        },
    }
    tables: dict[str, dict[str, object]] = {"sources": {**chosen}, **options}
    lines = [
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()))
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def variables(home: Path, stand_in: StandIn) -> dict[str, str]:
    """Environment of that user: credentials, and nothing reached but the stand-ins."""
    return guarded(stand_in.ca, home) | {
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file(home / "key.json", stand_in)),
        "CDSAPI_KEY": CDS_KEY,
        "EARTHDATA_TOKEN": EARTHDATA_TOKEN,
        "SH_CLIENT_ID": CLIENT_ID,
        "SH_CLIENT_SECRET": CLIENT_SECRET,
        "PL_API_KEY": PLANET_KEY,
        "NO_GCE_CHECK": "true",
    }
