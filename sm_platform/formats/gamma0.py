"""Gamma0 corrected for the terrain, as frames: linear power to dB, the angle from the orbit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import GranuleError, GridError
from sm_platform.formats.geotiff import Stored, read_first
from sm_platform.formats.ranges import BACKSCATTER_DB, in_range
from sm_platform.formats.s1_earth_engine import SceneProperties
from sm_platform.grid.ellipsoid_angle import angle_on
from sm_platform.grid.window import Raster

MOST_NEGATIVE = 0.5
"""Share of a band: the removal of noise leaves little power below zero; of dB nearly all is."""


def read_power(path: Path, field: str) -> Stored:
    """One band of linear power; raises GranuleError as `geotiff.read_first`, or when it is dB."""
    stored = read_first(path, field, dtypes=("float32",))
    there = _there(stored)
    if there.size and np.mean(there < 0) > MOST_NEGATIVE:
        raise GranuleError(
            f"{path.name}: {field} is negative in most cells, so dB and not linear power: fetch "
            "the provider's own file."
        )
    return stored


def gamma0_frame(
    vv: Stored,
    vh: Stored,
    found: SceneProperties,
    *,
    is_bad: NDArray[np.bool_] | None = None,
) -> Raster:
    """`vv_db`, `vh_db` (gamma0, dB) and `angle_deg` (on the ellipsoid), float32.

    NaN in all bands where neither polarisation is measured or `is_bad`; NaN in one where it has no
    power, or numbers that no radar measures.

    Raises:
        GranuleError: bands of two grids, no relative orbit, or one that does not see the place.
    """
    if vv.window != vh.window:
        raise GranuleError(f"{found.granule_id}: VV and VH lie on two grids: fetch it again.")
    bands = {"vv_db": _decibels(vv), "vh_db": _decibels(vh)}
    is_there = ~(np.isnan(bands["vv_db"]) & np.isnan(bands["vh_db"]))
    if is_bad is not None:
        is_there &= ~is_bad
    bands["angle_deg"] = _angle(vv, found, is_there)
    nothing = np.float32(np.nan)
    return Raster(vv.window, {n: np.where(is_there, band, nothing) for n, band in bands.items()})


def need_files(folder: Path, names: Sequence[str]) -> list[Path]:
    """Paths of a granule's files; raises GranuleError naming the first that is absent."""
    for name in names:
        if not (folder / name).is_file():
            raise GranuleError(f"{name}: is missing: fetch the granule again.")
    return [folder / name for name in names]


def _angle(
    stored: Stored, found: SceneProperties, is_there: NDArray[np.bool_]
) -> NDArray[np.float32]:
    if found.relative_orbit is None:
        raise GranuleError(
            f"{found.granule_id}: its relative orbit is not known, so neither is its angle: leave "
            "this granule out."
        )
    try:
        angle = angle_on(stored.window, found.relative_orbit, found.orbit_state)
    except GridError as error:
        raise GranuleError(
            f"{found.granule_id}: relative orbit {found.relative_orbit} {found.orbit_state} is "
            f"wrong ({error}): fetch it again."
        ) from error
    if np.isnan(angle[is_there]).any():
        raise GranuleError(
            f"{found.granule_id}: relative orbit {found.relative_orbit} {found.orbit_state} does "
            "not see its place: the file is another granule's, fetch it again."
        )
    return angle


def _there(stored: Stored) -> NDArray[np.float32]:
    band = np.asarray(stored.bands[0], np.float32)
    return np.asarray(band[np.isfinite(band) & (band != stored.nodata)])


def _decibels(stored: Stored) -> NDArray[np.float32]:
    band = np.asarray(stored.bands[0], np.float32)
    nodata = np.nan if stored.nodata is None else stored.nodata
    power = np.where(np.isfinite(band) & (band != nodata) & (band > 0), band, np.float32(np.nan))
    return in_range((10 * np.log10(power)).astype(np.float32), *BACKSCATTER_DB)[0]
