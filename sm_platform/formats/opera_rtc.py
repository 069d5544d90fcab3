"""OPERA RTC-S1: gamma0 of one burst of Sentinel-1, corrected for the terrain, 30 m, UTM.

OPERA product specification, RTC-S1 version 1 (JPL D-108758): a GeoTIFF a layer; VV and VH float32,
linear power, NaN where there is none; mask uint8 with the classes below. File tags name the
absolute orbit, the track (relative orbit), the direction of the pass, start and end, and the SLC
that the burst was cut of, whose name holds the datatake. The file has no angle on the ellipsoid
(the static layers do): it comes from the orbit.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError
from sm_platform.formats.gamma0 import gamma0_frame, need_files, read_power
from sm_platform.formats.geotiff import Stored, opened, read_first
from sm_platform.formats.s1_earth_engine import SceneProperties
from sm_platform.grid.window import Raster

GOOD, SHADOW, LAYOVER, BOTH, FILL = 0, 1, 2, 3, 255
CLASSES = (GOOD, SHADOW, LAYOVER, BOTH, FILL)
"""Of the mask; all but good are missing here."""
STATES = {"ascending": "A", "descending": "D"}
_ID = re.compile(
    r"OPERA_L2_RTC-S1_T(?P<track>\d{3})-(?P<burst>\d{6}-IW[123])_(?P<start>\d{8}T\d{6})Z_"
    r"\d{8}T\d{6}Z_(?P<platform>S1[A-D])_30_v\d+\.\d+",
    re.ASCII,
)
_SLC = re.compile(r"(S1[A-D])_IW_SLC__1S[DS][VH]_(?:\d{8}T\d{6}_){2}(\d{6})_([0-9A-F]{6})_")


def burst_of(granule_id: str) -> str:
    """Burst and subswath of a granule, for example `176965-IW1`; raises GranuleError."""
    return _name(granule_id)["burst"]


def read_properties(folder: Path, granule_id: str) -> SceneProperties:
    """Who measured a burst, when and from which orbit.

    Raises:
        GranuleError: a tag is missing or wrong, or the tags are another granule's.
    """
    name = _name(granule_id)
    (path,) = need_files(folder, [f"{granule_id}_VV.tif"])
    with opened(path) as file:
        tags = {key.upper(): str(value) for key, value in file.tags().items()}
    state = STATES.get(_need(tags, "ORBIT_PASS_DIRECTION", path).lower())
    if state is None:
        raise GranuleError(f"{path.name}: ORBIT_PASS_DIRECTION is unknown: fetch it again.")
    orbit, track = (_number(tags, key, path) for key in ("ABSOLUTE_ORBIT_NUMBER", "TRACK_NUMBER"))
    start, end = (_moment(tags, f"ZERO_DOPPLER_{one}_TIME", path) for one in ("START", "END"))
    told = datetime.strptime(name["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    if track != int(name["track"]) or abs((start - told).total_seconds()) > 1:
        raise GranuleError(f"{path.name}: track or start contradicts its name: fetch it again.")
    return SceneProperties(
        granule_id=granule_id,
        platform=name["platform"],
        start_utc=start,
        end_utc=end,
        orbit_state=state,
        relative_orbit=track,
        absolute_orbit=orbit,
        datatake_id=_datatake(tags, (name["platform"], orbit)),
    )


def read_burst(folder: Path, granule_id: str) -> Raster:
    """`vv_db`, `vh_db` (gamma0, dB), `angle_deg`, float32, NaN where missing, shadow or layover.

    Raises:
        GranuleError: a file is missing, damaged or another's, or the mask has an unknown class.
    """
    found = read_properties(folder, granule_id)
    names = [f"{granule_id}_{layer}.tif" for layer in ("VV", "VH", "mask")]
    vv, vh, mask = need_files(folder, names)
    power = read_power(vv, "VV")
    is_bad = _is_bad(mask, power)
    return gamma0_frame(power, read_power(vh, "VH"), found, is_bad=is_bad)


def _is_bad(path: Path, power: Stored) -> NDArray[np.bool_]:
    stored = read_first(path, "mask", dtypes=("uint8",))
    classes = stored.bands[0]
    if stored.window != power.window:
        raise GranuleError(f"{path.name}: lies on another grid than VV: fetch it again.")
    unknown = ~np.isin(classes, CLASSES)
    if unknown.any():
        raise GranuleError(
            f"{path.name}: holds the class {classes[unknown][0]}, known are {CLASSES}: see whether "
            "the product has changed."
        )
    return np.asarray(classes != GOOD)


def _name(granule_id: str) -> re.Match[str]:
    found = _ID.fullmatch(granule_id)
    if found is None:
        raise GranuleError(f"{granule_id}: is no id of an OPERA RTC-S1 burst: check its name.")
    return found


def _need(tags: Mapping[str, str], key: str, path: Path) -> str:
    if key not in tags:
        raise GranuleError(f"{path.name}: tag {key} is missing: fetch the provider's own file.")
    return tags[key]


def _number(tags: Mapping[str, str], key: str, path: Path) -> int:
    text = _need(tags, key, path)
    if not text.isdecimal():
        raise GranuleError(f"{path.name}: tag {key} is {text[:40]!r}, no number: fetch it again.")
    return int(text)


def _moment(tags: Mapping[str, str], key: str, path: Path) -> datetime:
    text = _need(tags, key, path)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise GranuleError(
            f"{path.name}: tag {key} is {text[:40]!r}, no time: fetch it again."
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _datatake(tags: Mapping[str, str], orbit: tuple[str, int]) -> str:
    """Of the SLC's name, in whichever tag it stands; else the absolute orbit, one pass as well."""
    for text in tags.values():
        for platform, number, datatake in _SLC.findall(text):
            if (platform, int(number)) == orbit:
                return str(datatake)
    return f"{orbit[1]:06d}"
