"""Sentinel-1 RTC of the Planetary Computer: terrain-corrected gamma0 of a frame, 10 m, UTM.

Collection sentinel-1-rtc: assets `vv` and `vh`, float32, linear power, nodata -32768, made of GRD
with the Copernicus DEM; the STAC item beside them names orbit, direction and time. Shadow and
layover have no power and come as nodata; there is no mask and no angle, which comes from the orbit.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sm_platform.errors import GranuleError
from sm_platform.formats.gamma0 import gamma0_frame, need_files, read_power
from sm_platform.formats.s1_earth_engine import SceneProperties
from sm_platform.formats.s1_granule import (
    REPEAT_ORBITS,
    GranuleName,
    parse_granule_id,
    relative_orbit,
)
from sm_platform.grid.window import Raster

NODATA = -32768
STATES = {"ascending": "A", "descending": "D"}
ENDING, UNIQUE = "_rtc", "0000"
"""Ids end so, and lack the unique end of the GRD that they were made of."""
N_PARTS = 8


def read_properties(folder: Path, granule_id: str) -> SceneProperties:
    """Who measured a frame, when and from which orbit.

    Raises:
        GranuleError: no JSON, a property missing or wrong, or those of another granule.
    """
    name = _name(granule_id)
    (path,) = need_files(folder, [f"{granule_id}.json"])
    found = _load(path, granule_id)
    state = STATES.get(str(found.get("sat:orbit_state")))
    if state is None:
        raise GranuleError(f"{path.name}: sat:orbit_state is missing or unknown: fetch it again.")
    start, end = _moment(found, "start_datetime", path), _moment(found, "end_datetime", path)
    orbit = found.get("sat:absolute_orbit", name.absolute_orbit)
    if orbit != name.absolute_orbit or abs((start - name.start_utc).total_seconds()) > 1:
        raise GranuleError(f"{path.name}: orbit or start contradicts its name: fetch it again.")
    return SceneProperties(
        granule_id=granule_id,
        platform=name.platform,
        start_utc=start,
        end_utc=end,
        orbit_state=state,
        relative_orbit=_relative_orbit(found, name, path),
        absolute_orbit=name.absolute_orbit,
        datatake_id=name.datatake_id,
    )


def read_scene(folder: Path, granule_id: str) -> Raster:
    """`vv_db`, `vh_db` (gamma0, dB) and `angle_deg` of a frame, float32, NaN where missing.

    Raises:
        GranuleError: a file is missing, damaged or another's, or nodata is not -32768.
    """
    found = read_properties(folder, granule_id)
    paths = need_files(folder, [f"{granule_id}_{one}.tif" for one in ("vv", "vh")])
    vv, vh = (read_power(path, name) for path, name in zip(paths, ("VV", "VH"), strict=True))
    for path, stored in zip(paths, (vv, vh), strict=True):
        if stored.nodata != NODATA:
            raise GranuleError(
                f"{path.name}: nodata is {stored.nodata}, not {NODATA}, so it is not as the "
                "provider made it: fetch it again."
            )
    return gamma0_frame(vv, vh, found)


def _name(granule_id: str) -> GranuleName:
    """The parts of an id; its unique end, where it has none, is made up."""
    own = granule_id.removesuffix(ENDING)
    if own.count("_") == N_PARTS - 1:
        own = f"{own}_{UNIQUE}"
    return parse_granule_id(own)


def _relative_orbit(found: Mapping[str, Any], name: GranuleName, path: Path) -> int | None:
    """As the item tells it, else by formula."""
    told = found.get("sat:relative_orbit")
    if told is None:
        return relative_orbit(name.platform, name.absolute_orbit, name.start_utc.date())
    if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= REPEAT_ORBITS:
        raise GranuleError(
            f"{path.name}: sat:relative_orbit is {str(told)[:40]!r}, not 1 to {REPEAT_ORBITS}: "
            "fetch it again."
        )
    return told


def _load(path: Path, granule_id: str) -> Mapping[str, Any]:
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GranuleError(f"{path.name}: cannot be read as JSON: fetch it again.") from error
    found = item.get("properties") if isinstance(item, dict) else None
    if not isinstance(found, dict) or item.get("id") != granule_id:
        raise GranuleError(f"{path.name}: is no STAC item of {granule_id}: fetch it again.")
    return found


def _moment(found: Mapping[str, Any], key: str, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(str(found.get(key)))
    except ValueError as error:
        raise GranuleError(f"{path.name}: {key} is missing or no time: fetch it again.") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
