"""What becomes of the maps when MODIS ends and VIIRS goes on?

    python -m experiments.ndvi_succession --regions red-river highland

A small world with both sensors. Networks learn from rows made of MODIS and map the months after:
once as if MODIS had gone on, once as if it had ended on the last day of learning and VIIRS followed
(so that the share of VIIRS in the series grows from pass to pass), once from VIIRS alone. Told are
the difference of the two sensors where both saw the ground well, that of the maps to those of
MODIS, and the error of all to the truth.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
from numpy.typing import NDArray

from experiments.methods import Predictor, checkpoint, predictor
from experiments.tables import Results
from sm_platform.defs.assets.drivers import extract_day
from sm_platform.defs.assets.scenes import write_backscatter, write_scenes
from sm_platform.defs.assets.static import land_cover_cells, soil_cells, static_drivers
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.lake_access import dated_rasters, save_region
from sm_platform.defs.landing import Landing
from sm_platform.defs.resources import LakeResource
from sm_platform.densesm.training import train
from sm_platform.densesm.training_data import LabelledRows
from sm_platform.densesm.training_settings import REDUCED_MEMBERS, TrainingSettings
from sm_platform.features.build import build
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import DatedRaster, link
from sm_platform.lake.granules import LandedGranule, landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.driver_tables import NDVI, WEATHER
from sm_platform.schema.product import QA_CRITICAL_MASK
from sm_platform.schema.recipes import SM_100M_V1, NdviSensor
from sm_platform.schema.region import Region
from sm_platform.schema.rows import FeatureRows, take
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.ndvi_sensors import ndvi_sensor_of
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.build import write_archive
from sm_platform.sources.simulated.fleet import Fleet
from sm_platform.sources.simulated.period import Period
from sm_platform.sources.simulated.places import Place, place_named
from sm_platform.sources.simulated.truth import read_truth

SEED, SIZE = 7, 48
FIRST, RADAR_FIRST, MODIS_ENDS, LAST = (
    date(2023, 12, 19),
    date(2025, 1, 1),
    date(2025, 4, 15),
    date(2025, 7, 31),
)
PIXELS = 300
"""Of each pass, taken for learning and mapping alike."""
MODIS, VIIRS = NdviSensor.MODIS, NdviSensor.VIIRS
Used = Callable[[LandedGranule], bool]
CASES: dict[str, Used] = {
    "MODIS goes on": lambda one: ndvi_sensor_of(one.format) is MODIS,
    "VIIRS follows": lambda one: _follows(one),
    "VIIRS alone": lambda one: ndvi_sensor_of(one.format) is VIIRS,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the same pixels and passes with their truth; the cases differ in NDVI alone."""

    rows: FeatureRows
    truth: NDArray[np.float32]
    is_good: NDArray[np.bool_]
    """No critical bit, so that the map has a value."""


def _follows(one: LandedGranule) -> bool:
    has_ended = one.day is not None and one.day > MODIS_ENDS
    return ndvi_sensor_of(one.format) is (VIIRS if has_ended else MODIS)


def make_lake(root: Path, place: Place, size: int) -> tuple[Layout, Region, Path]:
    """Everything but NDVI extracted; NDVI of both sensors landed."""
    archive, period = root / "archive", Period(FIRST, RADAR_FIRST, LAST)
    fleet = Fleet(viirs_first=FIRST)
    write_archive(
        archive, seed=SEED, places=(place,), size=size, period=period, fleet=fleet, workers=1
    )
    name, layout = place.region_id, Layout(root / "lake")
    region = Region(name, archive_regions(archive)[name], "archive", str(archive))
    save_region(layout, region)
    landing = Landing(layout, region, ArchiveSource(archive))
    for product in (Product.SOIL, Product.ELEVATION, Product.LAND_COVER):
        landing.land(landing.listed(product, None))
    for product in (Product.NDVI, Product.WEATHER, Product.S1_GRD):
        landing.land(landing.listed(product, period.driver_days))
    for asset in (soil_cells, static_drivers, land_cover_cells):
        asset(dg.build_asset_context(partition_key=name), lake=LakeResource(root=str(layout.root)))
    for day in period.driver_days:
        extract_day(layout, region, WEATHER, landed(layout, "weather", name, day), day)
    for day in period.radar_days:
        write_scenes(layout, region, day)
        write_backscatter(layout, region, day)
    return layout, region, archive


def extract(layout: Layout, region: Region, used: Used) -> list[DatedRaster]:
    """NDVI of all days from the granules of one case."""
    days = days_between(FIRST, LAST)
    for day in days:
        found = [one for one in landed(layout, "ndvi", region.region_id, day) if used(one)]
        extract_day(layout, region, NDVI, found, day)
    return dated_rasters(layout, NDVI, region.region_id, days)[0]


def rows_of(world: tuple[Layout, Region, Path], days: Sequence[date]) -> Rows:
    """Rows of the same random pixels of every pass of these days."""
    layout, region, archive = world
    inputs = open_inputs(layout, region, days, SM_100M_V1)
    rng = np.random.default_rng(SEED)
    scalars, series, truths, goods = [], [], [], []
    for day in days:
        truth = read_truth(archive, region.region_id, region.window, day).values["sm_m3m3"]
        for _, seen in inputs.passes(day):
            found = build(SM_100M_V1, inputs.prepared, seen)
            at = rng.choice(len(found.cell_id), PIXELS, replace=False)
            own = take(found.rows, at)
            scalars.append(own.scalars)
            series.append(own.series[own.series_index])
            truths.append(np.asarray(truth).ravel()[found.cell_id[at]])
            goods.append((found.qa[at] & QA_CRITICAL_MASK) == 0)
    stacked = np.concatenate(scalars)
    told = SM_100M_V1.recipe_id, SM_100M_V1.fingerprint
    index = np.arange(len(stacked), dtype=np.int32)
    rows = FeatureRows(stacked, np.concatenate(series), index, *told)
    return Rows(rows, np.concatenate(truths).astype(np.float32), np.concatenate(goods))


def learn(known: Rows, epochs: int) -> Predictor:
    """Networks that learned from good rows, every fifth of which steers."""
    whole = np.flatnonzero(known.is_good & np.isfinite(known.rows.scalars).all(axis=1))
    steer = np.arange(len(whole)) % 5 == 0
    taught, steering = (
        LabelledRows(take(known.rows, whole[some]), known.truth[whole[some]])
        for some in (~steer, steer)
    )
    settings = TrainingSettings(members=REDUCED_MEMBERS[:3], epochs=epochs, seed=SEED)
    return predictor(checkpoint(train(taught, steering, settings)))


def of_sensors(
    region: Region, one: Sequence[DatedRaster], other: Sequence[DatedRaster]
) -> NDArray[np.floating]:
    """NDVI of the other sensor less that of the one wherever both saw a pixel well, (n,)."""
    later = {dated.day: dated for dated in other}
    both = [(dated, later[dated.day]) for dated in one if dated.day in later]
    apart = [_pair(region, a, b) for a, b in both if a.sensor != b.sensor]
    return np.concatenate([[], *apart])


def _pair(region: Region, one: DatedRaster, other: DatedRaster) -> NDArray[np.floating]:
    values = []
    for dated in (one, other):
        at = link(region.window, dated.raster.window)
        bands = {name: np.asarray(band).ravel()[at] for name, band in dated.raster.values.items()}
        values.append(np.where(bands["reliability_code"] == 0, bands["ndvi"], np.nan))
    difference = values[1] - values[0]
    return difference[np.isfinite(difference)]


def compare(region_id: str, told: argparse.Namespace, found: Results) -> None:
    """Add the figures of one region."""
    with tempfile.TemporaryDirectory() as folder:
        world = make_lake(Path(folder), place_named(region_id), told.size)
        days = days_between(RADAR_FIRST, LAST)
        predict, usual, ndvi = None, None, []
        for case, used in CASES.items():
            rasters = extract(*world[:2], used)
            ndvi = ndvi or rasters
            if predict is None:
                predict = learn(rows_of(world, [d for d in days if d <= MODIS_ENDS]), told.epochs)
            later = rows_of(world, [day for day in days if day > MODIS_ENDS])
            said = np.where(later.is_good, predict(later.rows), np.nan)
            usual = said if usual is None else usual
            apart = of_sensors(world[1], ndvi, rasters)
            figures = _figures(apart, said - usual) | {"RMSE": _rms(said - later.truth)}
            found.add((region_id, case), **figures)


def _figures(ndvi: NDArray[np.floating], maps: NDArray[np.floating]) -> dict[str, float]:
    return {
        "NDVI bias": float(np.mean(ndvi)) if ndvi.size else float("nan"),
        "NDVI RMSD": _rms(ndvi) if ndvi.size else float("nan"),
        "map bias": float(np.nanmean(maps)),
        "map RMSD": _rms(maps),
    }


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.nanmean(np.square(values))))


def main() -> None:
    """Print the table of both regions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", nargs="+", default=["red-river", "highland"])
    parser.add_argument("--size", type=int, default=SIZE, help="rows and columns of a region")
    parser.add_argument("--epochs", type=int, default=20)
    told = parser.parse_args()
    found = Results(("region", "NDVI"))
    for region in told.regions:
        compare(region, told, found)
    found.show("Maps of soil moisture (m3/m3) after MODIS, beside those of MODIS")


if __name__ == "__main__":
    main()
