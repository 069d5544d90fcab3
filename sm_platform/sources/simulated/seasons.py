"""The farmers' calendar: rice seasons, winter crops, who floods and who irrigates on which day."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from sm_platform.sources.simulated.cover import Codes, Cover
from sm_platform.sources.simulated.fields import Field, Mask, Streams
from sm_platform.sources.simulated.land import Patches
from sm_platform.sources.simulated.places import Place

FLOODED = (-0.15, 0.86)
"""From soaking before transplanting to draining before harvest, in parts of the season."""
MIDSEASON_DRAINAGE = (0.33, 0.42)
WET_DAYS, CYCLE_DAYS = 5, 9
"""After mid-season drainage: days under water of each alternating cycle."""
TILLAGE_LEAD_DAYS = 25
WINTER_LENGTH_DAYS = 85.0
WINTER_GAP_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Season:
    """One crop in the field; a day's stage is 0 at `start` and 1 `length_days` later."""

    start: Field
    """Day of transplanting or sowing, in days after the first day of the world; (rows, cols)."""
    length_days: float
    peak_ndvi: Field
    is_grown: Mask
    is_drained_midseason: Mask

    def stage(self, day: int) -> Field | None:
        """Part of the season that has passed on a day; None when nobody is near this season."""
        stage = (np.float32(day) - self.start) / np.float32(self.length_days)
        return stage if stage.max() > FLOODED[0] and stage.min() < 1 else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """All seasons of the period and the phases of irrigation."""

    rice: tuple[Season, ...]
    winter: tuple[Season, ...]
    is_coffee: Mask
    is_irrigated_dry_crop: Mask
    phase: Field
    """Uniform in 0..1 per field group: when its turn comes."""


def calendar(
    place: Place,
    codes: Codes,
    land: Patches,
    *,
    first_day: date,
    last_day: date,
    streams: Streams,
) -> Calendar:
    """The seasons that touch the period, each with its own offsets of blocks and groups."""
    rice, winter = [], []
    for year in range(first_day.year, last_day.year + 1):
        for number in (0, 1):
            opened = (date(year, 1, 1) - first_day).days - 1
            start = opened + place.rice.transplanting_day[number]
            length = place.rice.length_days[number]
            nominal = _Nominal(f"rice_{year}_{number}", start, length)
            rice.append(_rice(nominal, codes == Cover.PADDY, land, streams))
        if place.rice.has_winter_crop:
            winter.append(_winter(rice[-1], land, year, streams))
    is_dry_crop = (codes == Cover.GARDEN) | (codes == Cover.UPLAND)
    return Calendar(
        rice=tuple(rice),
        winter=tuple(winter),
        is_coffee=codes == Cover.COFFEE,
        is_irrigated_dry_crop=is_dry_crop & streams.is_chosen("irrigated", land.group, 1 / 3),
        phase=streams.rng("phase").random(int(land.group.max()) + 1, np.float32)[land.group],
    )


@dataclass(frozen=True, slots=True)
class _Nominal:
    """A rice season as the calendar of the place has it."""

    name: str
    start: int
    """In days after the first day of the world."""
    length_days: float


def _rice(nominal: _Nominal, is_paddy: Mask, land: Patches, streams: Streams) -> Season:
    """The season with the offsets of irrigation blocks, communes and field groups."""
    offset = (
        9 * streams.per_patch(f"{nominal.name}_block", land.block)
        + 4 * streams.grf(nominal.name, is_paddy.shape, 3000.0)
        + 2 * streams.per_patch(f"{nominal.name}_group", land.group)
    )
    vigour = streams.per_patch(f"{nominal.name}_peak", land.group)
    return Season(
        start=np.round(nominal.start + offset),
        length_days=nominal.length_days,
        peak_ndvi=np.float32(0.80) + np.float32(0.05) * vigour,
        is_grown=is_paddy,
        is_drained_midseason=streams.is_chosen(f"{nominal.name}_drained", land.block, 0.65),
    )


def _winter(before: Season, land: Patches, year: int, streams: Streams) -> Season:
    """Winter maize or vegetables on the paddies of some blocks, after the second harvest."""
    chosen = streams.is_chosen(f"winter_{year}", land.block, 0.30)
    weaker = np.abs(streams.per_patch(f"winter_{year}_peak", land.group))
    return Season(
        start=before.start + np.float32(before.length_days + WINTER_GAP_DAYS),
        length_days=WINTER_LENGTH_DAYS,
        peak_ndvi=np.float32(0.60) - np.float32(0.05) * weaker,
        is_grown=before.is_grown & chosen,
        is_drained_midseason=np.zeros_like(chosen),
    )


def flooded(plan: Calendar, day: int) -> Mask:
    """Which rice fields stand under water on a day."""
    wet = np.zeros(plan.phase.shape, np.bool_)
    for season in plan.rice:
        stage = season.stage(day)
        if stage is None:
            continue
        under = (stage >= FLOODED[0]) & (stage < FLOODED[1])
        since = (stage - np.float32(MIDSEASON_DRAINAGE[1])) * np.float32(season.length_days)
        is_pause = (stage >= MIDSEASON_DRAINAGE[0]) & (since < 0)
        is_off = (since >= 0) & (np.mod(since, CYCLE_DAYS) >= WET_DAYS)
        wet |= season.is_grown & under & ~(season.is_drained_midseason & (is_pause | is_off))
    return wet


def irrigation_mm(plan: Calendar, day: int, day_of_year: int) -> Field:
    """Water given to coffee, dry crops and winter crops on a day, mm."""
    given = np.zeros(plan.phase.shape, np.float32)
    if 10 <= day_of_year <= 105:  # 10 January to 15 April
        given += np.where(plan.is_coffee & _turn(plan, day, 24), np.float32(45), 0)
    given += np.where(plan.is_irrigated_dry_crop & _turn(plan, day, 12), np.float32(20), 0)
    turn = _turn(plan, day, 9)
    for crop in plan.winter:
        stage = crop.stage(day)
        if stage is not None:
            given += np.where(turn & crop.is_grown & (stage >= 0) & (stage < 1), np.float32(18), 0)
    return given


def _turn(plan: Calendar, day: int, every_days: int) -> Mask:
    """Whose turn it is when each group is served once in so many days."""
    return np.asarray(np.floor(plan.phase * every_days) == day % every_days)
