"""Sentinel-1 GRD as Earth Engine exports it: a GeoTIFF with VV, VH (dB) and angle, and its JSON.

Catalogue page of COPERNICUS/S1_GRD: sigma0 in dB, `angle` the ellipsoid incidence in degrees,
masked where there is no measurement. An export writes masked pixels as NaN, or as 0 in all bands.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.geotiff import Stored, read_bands
from sm_platform.formats.ranges import BACKSCATTER_DB, range_code
from sm_platform.formats.s1_granule import (
    REPEAT_ORBITS,
    GranuleName,
    parse_granule_id,
    relative_orbit,
)
from sm_platform.grid.window import Raster

__all__ = ["SceneProperties", "parse_granule_id", "read_frame", "read_properties", "relative_orbit"]

_STATES = {"ASCENDING": "A", "DESCENDING": "D"}


@dataclass(frozen=True, slots=True)
class SceneProperties:
    """Who measured a frame, when and from which orbit."""

    granule_id: str
    platform: str
    start_utc: datetime
    end_utc: datetime
    orbit_state: str
    """`A` ascending, `D` descending."""
    relative_orbit: int | None
    """1 to 175; None when neither the metadata nor a formula knows it."""
    absolute_orbit: int
    datatake_id: str


def read_properties(json_path: Path) -> SceneProperties:
    """Properties of a frame from the collection's JSON, checked against the granule's id.

    Accepts the bare properties or the image's whole description with a `properties` member; the id
    is `system:index`, or the file's name where an export left that out.

    Raises:
        GranuleError: no JSON, a property missing or wrong, or properties of another granule.
    """
    found = _load(json_path)
    granule_id = str(found.get("system:index", json_path.stem))
    name = parse_granule_id(granule_id)
    if _get(found, "instrumentMode", json_path) != "IW" or name.mode != "IW":
        raise GranuleError(f"{json_path.name}: instrumentMode is not IW: leave this granule out.")
    state = _STATES.get(str(_get(found, "orbitProperties_pass", json_path)))
    if state is None:
        raise GranuleError(f"{json_path.name}: orbitProperties_pass is unknown: fetch it again.")
    start = _moment(found, "system:time_start", json_path)
    _check_same(json_path, found, name, start)
    return SceneProperties(
        granule_id=granule_id,
        platform=name.platform,
        start_utc=start,
        end_utc=_end(found, start, name, json_path),
        orbit_state=state,
        relative_orbit=_relative_orbit(found, name, json_path),
        absolute_orbit=name.absolute_orbit,
        datatake_id=name.datatake_id,
    )


def read_frame(tif_path: Path) -> Raster:
    """`vv_db`, `vh_db` (dB) and `angle_deg` of a frame, float32, on the file's own grid.

    NaN where the band is NaN, infinite or its nodata tag, and in all bands where the angle is not
    within 0..90 deg (an export writes masked pixels as 0); a backscatter of exactly 0 dB under a
    valid angle is a measurement.

    Raises:
        GranuleError: a band is missing or not floating point, no CRS, linear power instead of dB,
            numbers that no radar measures.
    """
    stored = read_bands(tif_path, ("VV", "VH", "angle"), dtypes=("float32", "float64"))
    vv, vh, angle = _floats(stored)
    measured = (angle > 0) & (angle < 90)
    bands = {"vv_db": vv, "vh_db": vh, "angle_deg": angle}
    values = {name: np.where(measured, band, np.float32(np.nan)) for name, band in bands.items()}
    _refuse_linear_power(tif_path, values["vv_db"], values["vh_db"])
    _refuse_nonsense(tif_path, values["vv_db"], values["vh_db"])
    return Raster(stored.window, values)


def _floats(stored: Stored) -> list[NDArray[np.float32]]:
    """Bands as float32, NaN where infinite or equal to the nodata tag."""
    nodata = np.nan if stored.nodata is None else stored.nodata
    return [
        np.where(np.isfinite(band) & (band != nodata), band, np.nan).astype(np.float32)
        for band in stored.bands
    ]


def _refuse_linear_power(path: Path, vv: NDArray[np.float32], vh: NDArray[np.float32]) -> None:
    """Power is positive everywhere, while no scene lies wholly above 0 dB in both bands."""
    both = ~(np.isnan(vv) | np.isnan(vh))
    if both.any() and min(vv[both].min(), vh[both].min()) > 0:
        raise GranuleError(
            f"{path.name}: VV and VH are positive everywhere, so linear power and not dB: "
            "export COPERNICUS/S1_GRD, not S1_GRD_FLOAT."
        )


def _refuse_nonsense(path: Path, vv: NDArray[np.float32], vh: NDArray[np.float32]) -> None:
    lowest, highest = BACKSCATTER_DB
    for name, band in (("VV", vv), ("VH", vh)):
        wrong = band[range_code(band, lowest, highest) != 0]
        if wrong.size:
            raise GranuleError(
                f"{path.name}: {name} holds {wrong[0]:g} dB, outside {lowest:g}..{highest:g} "
                f"({wrong.size} such cells): fetch it again."
            )


def _load(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GranuleError(f"{path.name}: cannot be read as JSON: fetch it again.") from error
    inner = found.get("properties", found) if isinstance(found, dict) else None
    if not isinstance(inner, dict):
        raise GranuleError(f"{path.name}: holds no properties of an image: fetch it again.")
    return inner


def _get(found: dict[str, object], key: str, path: Path) -> object:
    if key not in found:
        raise GranuleError(f"{path.name}: property {key} is missing: fetch it again.")
    return found[key]


def _number(found: dict[str, object], key: str, path: Path) -> float:
    value = _get(found, key, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GranuleError(f"{path.name}: property {key} is no number: fetch it again.")
    return value


def _moment(found: dict[str, object], key: str, path: Path) -> datetime:
    """A moment stored as milliseconds since 1970 UTC."""
    try:
        return datetime.fromtimestamp(_number(found, key, path) / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise GranuleError(f"{path.name}: property {key} is no time: fetch it again.") from error


def _end(found: dict[str, object], start: datetime, name: GranuleName, path: Path) -> datetime:
    """The frame's end; of the id where there is none, or where it is the start, as usual."""
    if "system:time_end" not in found:
        return name.end_utc
    end = _moment(found, "system:time_end", path)
    return end if end > start else name.end_utc


def _relative_orbit(found: dict[str, object], name: GranuleName, path: Path) -> int | None:
    """The metadata's own relative orbit; the formula only where they have none."""
    if found.get("relativeOrbitNumber_start") is None:
        return relative_orbit(name.platform, name.absolute_orbit, name.start_utc.date())
    number = _number(found, "relativeOrbitNumber_start", path)
    if not 1 <= number <= REPEAT_ORBITS or number != int(number):
        raise GranuleError(f"{path.name}: relativeOrbitNumber_start is {number}: fetch it again.")
    return int(number)


def _check_same(path: Path, found: dict[str, object], name: GranuleName, start: datetime) -> None:
    """Platform, orbit and start must be those of the id: else the JSON is another granule's."""
    told = {
        "platform_number": (f"S1{_get(found, 'platform_number', path)}", name.platform),
        "orbitNumber_start": (_number(found, "orbitNumber_start", path), name.absolute_orbit),
        "system:time_start": (abs((start - name.start_utc).total_seconds()) < 1, True),
    }
    for key, (mine, expected) in told.items():
        if mine != expected:
            raise GranuleError(f"{path.name}: {key} contradicts the granule's id: fetch it again.")
