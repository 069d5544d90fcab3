"""What people ask of services that cannot be, and the words that each of them gets."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sm_platform_tests.live_desk import PLACE, REGION

DAYS = ("--start", "2025-03-30", "--end", "2025-03-31")
BODY = base64.urlsafe_b64encode(json.dumps({"exp": 1_700_000_000}).encode()).decode().rstrip("=")
EXPIRED = f"eyJhbGciOiJSUzI1NiJ9.{BODY}.c2lnbmF0dXJlLW9mLW5vYm9keQ"


@dataclass(frozen=True, slots=True)
class Refused:
    """What a person asks for that cannot be, and what is said to it."""

    words: tuple[str, ...]
    sources: dict[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    place: tuple[float, float] = PLACE
    days: tuple[str, ...] = DAYS
    command: tuple[str, ...] = ("download", "--region", REGION, "--dry-run")
    code: tuple[int, ...] = (1, 2)


USUAL = {"ndvi": "earthdata:VNP13A1", "sentinel1": "sentinel_hub"}
REFUSED = {
    "no credential": Refused(
        ("SH_CLIENT_ID", "not set", "get them at"),
        {},
        {"SH_CLIENT_ID": ""},
    ),
    "wrong credential": Refused(
        ("denied", "SH_CLIENT_SECRET", "expired"),
        {},
        {"SH_CLIENT_SECRET": "wrong-secret-of-nobody"},
    ),
    "expired token": Refused(
        ("the token expired on 2023-11-14", "set EARTHDATA_TOKEN"),
        {},
        {"EARTHDATA_TOKEN": EXPIRED},
    ),
    "retired collection": Refused(
        ("no longer has modis-13Q1-061", "take NDVI of VIIRS from earthdata:VJ113A1"),
        {"ndvi": "planetary_computer"},
    ),
    "open sea": Refused(
        ("farm lies on open sea", "no provider has elevation, land cover", "region on land"),
        {},
        place=(-30.0, 0.5),
        code=(0,),
    ),
    "before the mission": Refused(
        ("no Sentinel-1 before 2014-10-03", "choose later days"),
        {},
        {"SM_FIRST_DAY": "2013-01-01"},
        days=("--start", "2013-02-01", "--end", "2013-02-02"),
    ),
    "before the sensor": Refused(
        ("VNP13A1.002 begins on 2012-01-17", "choose later days"),
        {},
        {"SM_FIRST_DAY": "1949-01-01"},
        days=("--start", "1949-02-01", "--end", "1949-02-02"),
    ),
    "quota used up": Refused(
        ("its quota is used up", "try again in 3600 s"),
        {"sentinel1": "earth_engine"},
    ),
    "led elsewhere": Refused(
        ("leads to https://urs.earthdata.nasa.gov, a host that is not known: refused",),
        {},
        command=("download", "--region", REGION),
    ),
    "far north": Refused(
        ("85",),
        {},
        days=(),
        command=("regions", "add", "north", "--live", "--bbox", "10", "85.0", "10.1", "85.1"),
    ),
}
