"""What a person asks a backfill for; what cannot be done is refused before anything is queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from sm_platform.defs.choice import choose_checkpoint, choose_recipe
from sm_platform.defs.estimators import read_card
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.local_time import JUST_BEFORE, utc_span
from sm_platform.defs.map_chain import CHAIN
from sm_platform.defs.region_source import open_source
from sm_platform.defs.resources import settings
from sm_platform.errors import RecipeError, UsageError
from sm_platform.grid.calendar import days_between, parse_day
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.region import Region


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a person typed, both included."""

    first: date
    last: date
    is_local: bool = False
    """Whether they are days in the time zone of each region instead of UTC days."""

    def days_of(self, region: Region) -> list[date]:
        """The UTC days meant for a region.

        Raises:
            UsageError: they begin before the first partition or end in the future, or after the
                clock of the region's archive.
        """
        first, last = self.first, self.last
        if self.is_local:
            first, last = utc_span(region, first, last, open_source(region).now())
        _check_days(region, first, last)
        return days_between(first, last)


def parse_period(start: str | None, end: str | None, *, is_local: bool) -> Period:
    """The period of two days as typed; raises UsageError when they are none."""
    if not start or not end:
        raise UsageError("Say which days: --start YYYY-MM-DD --end YYYY-MM-DD.")
    first, last = parse_day(start), parse_day(end)
    days_between(first, last)
    return Period(first, last, is_local)


def parse_assets(said: Sequence[str]) -> tuple[str, ...]:
    """The dated assets named, in the order of their making; all when none is.

    Raises:
        UsageError: one is none of them.
    """
    named = {name.strip() for words in said for name in words.split(",") if name.strip()}
    unknown = sorted(named - set(CHAIN))
    if unknown:
        raise UsageError(
            f"'{unknown[0]}' is no asset that a backfill makes: name some of {', '.join(CHAIN)}."
        )
    return tuple(asset for asset in CHAIN if asset in named or not named)


def named_regions(layout: Layout, names: Sequence[str]) -> list[Region]:
    """The stored regions of these names, each once; raises UsageError for an unknown one."""
    if not names:
        raise UsageError("Say which regions: --region NAME, again for more.")
    return [find_region(layout, name) for name in dict.fromkeys(names)]


def check_checkpoint(layout: Layout, region: Region, days: Sequence[date]) -> None:
    """Refuse what could not be mapped: no checkpoint may be used, or it is of another recipe.

    Raises:
        MissingInputError: none is named and none accepted.
        CheckpointError: it is not in the store or not whole.
        RecipeError: the region's features would be of another recipe than its checkpoint.
    """
    models = ModelStore(settings().models)
    read = cache(lambda name: read_card(models.folder(name)))
    chosen = choose_checkpoint(layout, read, region, None, days[0]).checkpoint
    recipe = choose_recipe(region, None, models)
    if chosen.recipe_fingerprint != recipe.fingerprint:
        raise RecipeError(
            f"The features of {region.region_id} are of recipe {recipe.recipe_id}, its checkpoint "
            f"{chosen.checkpoint_id} is of {chosen.recipe_id}: accept one of {recipe.recipe_id}, "
            f"or run a day with --checkpoint {chosen.checkpoint_id} to keep it for the region."
        )


def _check_days(region: Region, first: date, last: date) -> None:
    """Days after an archive's own clock must not pass for days without a pass."""
    begin, today = settings().first_day, datetime.now(UTC).date()
    if first < begin:
        raise UsageError(f"{first} lies before {begin}: set SM_FIRST_DAY to map earlier.")
    if last > today:
        raise UsageError(f"{last} lies in the future: end with {today} or before.")
    clock = (open_source(region).now() - JUST_BEFORE).date()
    if last > clock:
        raise UsageError(
            f"The clock of {region.region_id}'s {region.source} stands at {clock}, {last} lies "
            "after it: end earlier, or move it with `sm-platform archive advance`."
        )
