"""write_archive: simulate places and write all that their providers would have published.

The folder appears in one step, by renaming, when all is written: a killed run leaves only a
hidden folder beside it (`.<name>.aside-<pid>`), which the next run sweeps away.
"""

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from zlib import crc32

from sm_platform.errors import SourceError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive_clock import Clock, end_of, write_clock
from sm_platform.sources.archive_folder import INDEX_NAME
from sm_platform.sources.simulated.archive_index import Entry, write_index, write_regions
from sm_platform.sources.simulated.fields import FULL_SIZE
from sm_platform.sources.simulated.fleet import USUAL_FLEET, Fleet
from sm_platform.sources.simulated.period import WHOLE, Period
from sm_platform.sources.simulated.places import PLACES, Place
from sm_platform.sources.simulated.replace_folder import beside, show, sweep
from sm_platform.sources.simulated.shown import Shown, shown_world
from sm_platform.sources.simulated.truth import write_truth
from sm_platform.sources.simulated.world import simulate
from sm_platform.sources.simulated.write_elevation import write_elevation
from sm_platform.sources.simulated.write_era5 import write_era5
from sm_platform.sources.simulated.write_imerg import write_imerg
from sm_platform.sources.simulated.write_ismn import write_ismn
from sm_platform.sources.simulated.write_land_cover import write_land_cover
from sm_platform.sources.simulated.write_modis import write_modis
from sm_platform.sources.simulated.write_nsidc import write_nsidc
from sm_platform.sources.simulated.write_sentinel1 import write_sentinel1
from sm_platform.sources.simulated.write_smap_l3 import write_smap_l3
from sm_platform.sources.simulated.write_smap_l4 import write_smap_l4
from sm_platform.sources.simulated.write_soil import write_soil
from sm_platform.sources.simulated.write_swc import write_swc
from sm_platform.sources.simulated.write_viirs import write_viirs

PARAMETERS_NAME = "parameters.json"
REVISION = 4
"""Of what is written for the same parameters: raised with each change of it."""

USUAL = Shown()

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the content of an archive."""

    seed: int
    places: tuple[Place, ...]
    size: int
    period: Period
    shown: Shown
    fleet: Fleet = USUAL_FLEET

    def as_json(self) -> str:
        """The settings as the archive keeps them; equal text means equal content."""
        content = {
            "revision": REVISION,
            "seed": self.seed,
            "places": {one.region_id: f"{crc32(repr(one).encode()):08x}" for one in self.places},
            "size": self.size,
            "drivers_first": self.period.drivers_first.isoformat(),
            "radar_first": self.period.radar_first.isoformat(),
            "last": self.period.last.isoformat(),
            **self.shown.unusual(),
            **self.fleet.unusual(),
        }
        return json.dumps(content, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What lies in the folder now."""

    folder: Path
    granules: dict[str, int]
    """Number of granules by product; empty when the archive was there already."""
    n_bytes: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Region:
    """What one process brings home."""

    place: Place
    window: GridWindow
    entries: list[Entry]


def write_archive(
    folder: Path,
    *,
    seed: int,
    places: Sequence[Place] = PLACES,
    size: int = FULL_SIZE,
    period: Period = WHOLE,
    shown: Shown = USUAL,
    fleet: Fleet = USUAL_FLEET,
    today: date | None = None,
    workers: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> ArchiveReport:
    """Write an archive; the same parameters give the same bytes, and a finished one is kept.

    Args:
        folder: of the archive; appears when everything is written.
        seed: of everything random, 0 or more.
        places: the regions.
        size: rows and columns of each region, pixels of 100 m.
        period: the days to write.
        shown: what labels and truth show.
        fleet: which satellites end or begin.
        today: day at whose end its clock starts; the last of the period by default.
        workers: processes, a region each; by default as many as there are processors.
        force: replace an archive of other parameters.
        progress: told a sentence as each region is finished.

    Raises:
        UsageError: the folder holds another archive (without `force`) or something else.
        SourceError: writing failed; what was there before is untouched.
    """
    settings = Settings(seed, tuple(places), size, period, shown, fleet)
    clock = Clock(end_of(today or period.last), period.last)
    _check(settings, clock)
    sweep(folder)
    if _is_finished(folder, settings, force=force):
        return ArchiveReport(folder, {}, _n_bytes(folder), is_new=False)
    aside = beside(folder, "aside")
    try:
        aside.mkdir(parents=True)
        counts = _fill(aside, settings, _workers(settings, workers), progress or _silent)
        write_clock(aside, clock)
        (aside / PARAMETERS_NAME).write_text(settings.as_json())
        n_bytes = _n_bytes(aside)
        if not _is_finished(folder, settings, force=force):  # by another process meanwhile
            show(aside, folder)
    except (OSError, BrokenProcessPool) as error:
        raise SourceError(
            f"The archive {folder} cannot be written ({error}): free space or name another "
            "folder, then try again."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return ArchiveReport(folder, counts, n_bytes, is_new=True)


def _check(settings: Settings, clock: Clock) -> None:
    names = [place.region_id for place in settings.places]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"An archive needs regions with different names, not {names}.")
    if not settings.period.radar_first <= clock.today <= clock.last_day:
        raise UsageError(
            f"The clock cannot start on {clock.today}: choose a day from "
            f"{settings.period.radar_first} to {clock.last_day}."
        )


def _is_finished(folder: Path, settings: Settings, *, force: bool) -> bool:
    """Whether the folder holds this very archive; refuses to touch what must not be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    parameters = folder / PARAMETERS_NAME
    if not parameters.is_file() or not (folder / INDEX_NAME).is_file():
        raise UsageError(f"{folder} holds something that is no archive: name another folder.")
    if parameters.read_text() == settings.as_json():
        return True
    if not force:
        differing = ", ".join(_differing(parameters.read_text(), settings.as_json()))
        raise UsageError(
            f"{folder} holds an archive of other parameters ({differing}; {parameters.name}): name "
            "another folder, or remove this one first."
        )
    return False


def _differing(stored: str, wanted: str) -> list[str]:
    """Names of the parameters that are not the same; none is known of a damaged file."""
    try:
        there, here = json.loads(stored), json.loads(wanted)
        return sorted(name for name in there | here if there.get(name) != here.get(name))
    except (ValueError, TypeError, AttributeError):
        return ["unreadable"]


def _fill(root: Path, settings: Settings, workers: int, progress: Progress) -> dict[str, int]:
    """Write all regions and the lists of them; returns granules by product."""
    regions = sorted(
        _regions(root, settings, workers, progress),
        key=lambda one: settings.places.index(one.place),
    )
    entries = [entry for region in regions for entry in region.entries]
    write_index(root, entries)
    write_regions(root, [(region.place, region.window) for region in regions])
    return dict(sorted(Counter(entry.product.value for entry in entries).items()))


def _regions(root: Path, settings: Settings, workers: int, progress: Progress) -> Iterator[_Region]:
    if workers == 1:
        for place in settings.places:
            yield _told(write_region(root, place, settings), progress)
        return
    # Started afresh, not forked: libraries loaded here may hold threads and locks.
    # Ctrl-C reaches them too: they end without a word, this process says what happened.
    quiet = (signal.signal, (signal.SIGINT, signal.SIG_DFL))
    afresh = get_context("spawn")
    with ProcessPoolExecutor(workers, afresh, *quiet) as pool:
        jobs: list[Future[_Region]] = [
            pool.submit(write_region, root, place, settings) for place in settings.places
        ]
        for job in as_completed(jobs):
            yield _told(job.result(), progress)


def write_region(root: Path, place: Place, settings: Settings) -> _Region:
    """Simulate one place and write all its granules and its truth."""
    world = simulate(place, settings.seed, size=settings.size)
    period, shown = settings.period, shown_world(world, settings.shown.truth)
    fleet = settings.fleet
    entries = [
        *write_sentinel1(root, world, period, fleet),
        *write_modis(root, world, period, fleet.modis_last),
        *(write_viirs(root, world, period, fleet.viirs_first) if fleet.viirs_first else ()),
        *write_era5(root, world, period),
        *(write_imerg(root, world, period, fleet.imerg_first) if fleet.imerg_first else ()),
        *write_soil(root, world),
        *write_elevation(root, world),
        *write_land_cover(root, world),
        *write_swc(root, shown, period, settings.shown.labels),
        *write_smap_l3(root, shown, period),
        *write_nsidc(root, shown, period),
        *write_smap_l4(root, shown, period),
        *write_ismn(root, shown, period),
    ]
    write_truth(root, shown, period)
    return _Region(place, world.window, entries)


def _told(region: _Region, progress: Progress) -> _Region:
    progress(f"{region.place.region_id}: {len(region.entries)} granules written")
    return region


def _silent(_: str) -> None:
    return None


def _workers(settings: Settings, asked: int | None) -> int:
    return max(1, min(asked or os.cpu_count() or 1, len(settings.places)))


def _n_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
