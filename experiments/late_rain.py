"""How far is the rain of the newest eight days from the truth, without and with late rain?

    python -m experiments.late_rain --seeds 3

Of each day as a pass: the last step of the look-back as recipes sm-100m-v1 and sm-100m-v1-imerg
build it at its moment of issue, and what it will be once ERA5-Land has come, against the rain that
fell on the pixel. Worlds are simulated afresh; nothing is trained.
"""

import numpy as np

from experiments.arguments import parse
from experiments.sample_tables import Array
from experiments.tables import Results
from sm_platform.grid.calendar import STEP
from sm_platform.grid.window import GridWindow, cell_index, lonlat
from sm_platform.sources.simulated.places import PLACES
from sm_platform.sources.simulated.weather_errors import coarse_weather
from sm_platform.sources.simulated.world import TRUTH_DAY, World, simulate
from sm_platform.sources.simulated.write_imerg import late_rain, utc_days

EVERY = 10
"""Pixels along rows and columns of which one is judged."""
KNOWN_DAYS = 4
"""Of the eight before a pass, those that ERA5-Land has when its map is issued (pass + 24 h)."""
NOW, STAND_IN, FINAL = "ERA5-Land there is", "with IMERG Late", "ERA5-Land once it has come"


def main() -> None:
    """Print RMSE, bias (mm/day) and R of the rain of the last step."""
    told = parse(str(__doc__))
    found = Results(("region", "rain of the last step"))
    for place in PLACES:
        for seed in told.seeds if place.region_id in told.regions else ():
            world = simulate(place, seed)
            truth, estimates = last_steps(world)
            for name, said in estimates.items():
                error, r = said - truth, np.corrcoef(said.ravel(), truth.ravel())[0, 1]
                rmse = float(np.sqrt((error**2).mean()))
                found.add((place.region_id, name), rmse=rmse, bias=float(error.mean()), r=float(r))
    found.show(f"Rain of the eight days before a pass, mm/day, {len(told.seeds)} worlds")


def last_steps(world: World) -> tuple[Array, dict[str, Array]]:
    """Mean rain of the last step in mm/day, (passes, pixels): the truth, and by what is known."""
    judged = np.zeros(world.window.shape, np.bool_)
    judged[::EVERY, ::EVERY] = True
    pixels = world.rain_m[:, judged].astype(float)
    truth = utc_days(pixels[:, :, None], world.first_day)[:, :, 0]
    era5, late = coarse_weather(world), late_rain(world)
    daily = era5.rain_m.reshape(world.n_days, 24, *era5.window.shape).sum(axis=1)
    own = _at_pixels(daily, era5.window, world, judged)
    other = _at_pixels(late.rain_m, late.window, world, judged)
    days = range(world.index(TRUTH_DAY), world.n_days)

    def mean(series: Array, before: int) -> Array:
        """Over the days of the step, the last `before` of which are unknown where NaN."""
        steps = [series[n - STEP.days : n - STEP.days + before] for n in days]
        return np.nanmean(np.stack(steps), axis=1) * 1000

    joined = np.stack(
        [
            np.concatenate([own[n - STEP.days :][:KNOWN_DAYS], other[n - KNOWN_DAYS : n]])
            for n in days
        ]
    )
    return mean(truth, STEP.days), {
        NOW: mean(own, KNOWN_DAYS),
        STAND_IN: np.nanmean(joined, axis=1) * 1000,
        FINAL: mean(own, STEP.days),
    }


def _at_pixels(cells: Array, window: GridWindow, world: World, judged: Array) -> Array:
    """(days, rows, cols) of coarse cells at the judged pixels, (days, pixels)."""
    link = cell_index(window, *lonlat(world.window))[judged]
    return np.asarray(cells.reshape(len(cells), -1)[:, link])


if __name__ == "__main__":
    main()
