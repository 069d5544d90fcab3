"""What the tests of NASA Earthdata share: a source over the stand-in, granules in its catalogue."""

from datetime import date, datetime
from urllib.parse import urlsplit

from sm_platform.sources.earthdata.source import EarthdataSource
from sm_platform.sources.transfer import Limits
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.earthdata import TOKEN, item_of


def source_at(servers: StandIn) -> EarthdataSource:
    """A source with the good token that reaches nothing but the stand-in."""
    return EarthdataSource(
        token=TOKEN,
        cmr_url=f"{servers.tls_url}/search/",
        login_host=urlsplit(servers.tls_url).netloc,
        trusted_hosts=("localhost",),
        download_hosts=("127.0.0.1",),
        patience_s=5.0,
        limits=Limits(connect_s=5, read_s=5, deadline_s=10, resumptions=1),
    )


def spl4(servers: StandIn, day: date, hour: str, version: str = "Vv8011_001") -> dict[str, object]:
    name = f"SMAP_L4_SM_gph_{day:%Y%m%d}T{hour}_{version}.h5"
    return item_of(
        "SPL4SMGP.008", day, {f"{servers.tls_url}/earthdata/archive/{name}": 150_000_000}
    )


def burst(servers: StandIn, moment: datetime, made: str, *, number: int = 1) -> dict[str, object]:
    stem = f"OPERA_L2_RTC-S1_T055-11777{number}-IW2_{moment:%Y%m%dT%H%M%S}Z_{made}Z_S1A_30_v1.0"
    base = f"{servers.tls_url}/earthdata/archive/made/{stem}"
    sizes = {f"{base}_{end}": None for end in ("VV.tif", "VH.tif", "mask.tif", "BROWSE.png")}
    return item_of("OPERA_L2_RTC-S1_V1.1", moment.date(), sizes)
