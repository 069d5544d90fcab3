"""What the radar sees and no driver file tells: roughness states, structure, lasting departures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sm_platform.sources.simulated.fields import Field, Streams
from sm_platform.sources.simulated.land import Patches
from sm_platform.sources.simulated.seasons import TILLAGE_LEAD_DAYS, Calendar, Season
from sm_platform.sources.simulated.vegetation import Vegetation

KS, TILLED_KS, KS_LOG_SD = 1.3, 1.6, 0.25
"""Median roughness ks of lasting fields and of fresh tillage, and the spread of its logarithm."""
SMOOTHING, SMOOTHING_SCALE_M = 0.25, 0.4
"""Rain takes at most a quarter of the roughness, on a scale of 400 mm."""
STRIDE_DAYS = 32
"""Accumulated rain is kept every so many days."""


@dataclass(frozen=True, slots=True)
class Tillage:
    """One ploughing of the paddies, (rows, cols)."""

    day: Field
    """In days after the first day of the world; infinite where nothing is tilled."""
    ks: Field
    rain_before_m: Field
    """Rain from the first day of the world to the tillage."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Lasting properties of the surface, (rows, cols) unless said."""

    group: NDArray[np.intp]
    vegetation: Vegetation
    tillages: tuple[Tillage, ...]
    """The first stands for the state before the world begins."""
    rain_total_m: Field
    """(n, rows, cols): rain from the first day to the start of every 32nd day."""
    leaf_factor: Field
    structure_db: Field
    village_departure_db: Field
    trees_departure_db: Field


def surface(
    green: Vegetation, plan: Calendar, land: Patches, rain_m: Field, streams: Streams
) -> Surface:
    """Draw the lasting properties; `rain_m` is (n_days, rows, cols)."""
    group, shape = land.group, land.group.shape
    totals = np.stack([_sum(rain_m[:n]) for n in range(0, len(rain_m), STRIDE_DAYS)])
    zero = np.zeros(shape, np.float32)
    before = Tillage(zero, _roughness("roughness", KS, group, streams), zero)
    return Surface(
        group=group,
        vegetation=green,
        tillages=(
            before,
            *(_tillage(n, plan.rice[n], group, rain_m, streams) for n in range(len(plan.rice))),
        ),
        rain_total_m=totals,
        leaf_factor=np.exp(0.18 * streams.per_patch("leaf_factor", group)),
        structure_db=streams.per_patch("structure", group),
        village_departure_db=2 * streams.rng("village").standard_normal(shape, np.float32),
        trees_departure_db=np.float32(0.8) * streams.per_patch("trees", group),
    )


def _sum(rain_m: Field) -> Field:
    return np.asarray(rain_m.sum(axis=0), dtype=np.float32)


def _roughness(name: str, median: float, group: NDArray[np.intp], streams: Streams) -> Field:
    return np.asarray(median * np.exp(KS_LOG_SD * streams.per_patch(name, group)), np.float32)


def _tillage(
    number: int, season: Season, group: NDArray[np.intp], rain_m: Field, streams: Streams
) -> Tillage:
    day = np.where(season.is_grown, season.start - TILLAGE_LEAD_DAYS, np.inf)
    before = np.zeros(group.shape, np.float32)
    for value in np.unique(day[(day > 0) & (day < len(rain_m))]):
        at = day == value
        before[at] = rain_m[: int(value), at].sum(axis=0)
    return Tillage(
        day=day.astype(np.float32),
        ks=_roughness(f"tillage_{number}", TILLED_KS, group, streams),
        rain_before_m=before,
    )


def roughness(state: Surface, rain_m: Field, day: int) -> Field:
    """Ks at the end of a day: that of the last tillage, smoothed by the rain since."""
    step = day // STRIDE_DAYS
    fallen = state.rain_total_m[step] + rain_m[step * STRIDE_DAYS : day + 1].sum(axis=0)
    ks, since = state.tillages[0].ks, fallen
    for tillage in state.tillages[1:]:
        is_tilled = tillage.day <= day
        ks = np.where(is_tilled, tillage.ks, ks)
        since = np.where(is_tilled, fallen - tillage.rain_before_m, since)
    worn = 1 - np.exp(-np.maximum(since, 0) / np.float32(SMOOTHING_SCALE_M))
    return np.asarray(ks * (1 - np.float32(SMOOTHING) * worn), dtype=np.float32)
