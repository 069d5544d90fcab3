"""The known truth of a place, kept apart from what any source shows: to judge, never to feed.

<archive>/truth/<region_id>/sm_YYYYMM.npz holds `days` (proleptic ordinals), `sm_dn` (days, rows,
cols; x 0.0001 m3/m3) and `is_flooded`; static.npz what does not change.
"""

from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import SourceError
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.world import World

FOLDER = "truth"
SCALE_M3M3 = 1e-4


def write_truth(root: Path, world: World, period: Period) -> None:
    """Write soil moisture and flooding of the period's radar days, a file a month."""
    folder = root / FOLDER / world.place.region_id
    folder.mkdir(parents=True)
    for _, group in groupby(period.radar_days, key=lambda day: (day.year, day.month)):
        days = list(group)
        first = world.index(days[0])
        rows = slice(first, first + len(days))
        np.savez_compressed(
            _month(folder, days[0]),
            days=np.array([day.toordinal() for day in days], np.int32),
            sm_dn=np.round(world.sm_m3m3[rows] / SCALE_M3M3).astype(np.uint16),
            is_flooded=np.packbits(world.is_flooded[rows]),
        )
    np.savez_compressed(
        folder / "static.npz",
        cover_code=world.cover_code,
        elevation_m=world.elevation_m,
        sand_fraction=world.sand_fraction,
        clay_fraction=world.clay_fraction,
        bulk_density_g_cm3=world.bulk_density_g_cm3,
        fraction_names=np.array(list(world.fractions)),
        fractions=np.stack(list(world.fractions.values())),
    )


def read_truth(root: Path, region_id: str, window: GridWindow, day: date) -> Raster:
    """Bands sm_m3m3 (float32) and is_flooded (bool) at the end of a local day, 17 UTC.

    Args:
        root: folder of the archive.
        region_id: one of its regions.
        window: the region's window, as `archive_regions` gives it.
        day: UTC day.

    Raises:
        SourceError: the archive holds no truth of that region and day.
    """
    path = _month(root / FOLDER / region_id, day)
    try:
        with np.load(path) as stored:
            n = int(np.flatnonzero(stored["days"] == day.toordinal())[0])
            digits: NDArray[np.uint16] = stored["sm_dn"][n]
            flooded = np.unpackbits(stored["is_flooded"]).astype(np.bool_)
    except (OSError, IndexError) as error:
        raise SourceError(
            f"{path} holds no truth of {day}: take a day with radar of this archive's period."
        ) from error
    start = n * window.size
    return Raster(
        window,
        {
            "sm_m3m3": (digits * SCALE_M3M3).astype(np.float32),
            "is_flooded": flooded[start : start + window.size].reshape(window.shape),
        },
    )


def truth_days(root: Path, region_id: str) -> list[date]:
    """The days of which the archive holds the truth of a region, in order."""
    days: list[date] = []
    for path in sorted((root / FOLDER / region_id).glob("sm_*.npz")):
        with np.load(path) as stored:
            first = date.fromordinal(int(stored["days"][0]))
            days += [first + timedelta(days=n) for n in range(len(stored["days"]))]
    return days


def _month(folder: Path, day: date) -> Path:
    return folder / f"sm_{day:%Y%m}.npz"
