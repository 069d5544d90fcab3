"""Feature recipes: what the 153 inputs of the network are, in which order, unit and range.

A recipe is a value with a fingerprint. Training and mapping build rows through the same code from
the same recipe, a checkpoint carries it, and rows of another recipe are refused by name.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from sm_platform.errors import RecipeError
from sm_platform.grid.calendar import N_STEPS


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the network: `low`..`high` in `unit` is mapped to 0..1 and clipped."""

    name: str
    unit: str
    low: float
    high: float


class VegetationRule(StrEnum):
    """Which NDVI composites make the 46 steps."""

    COMPOSITES_BEFORE_DAY = "the 46 newest composites dated before the day"
    YEAR_TO_LAST_COMPOSITE = "the last composite up to the day and the 363 days before it"
    OBSERVED_STEPS_BEFORE_DAY = "46 steps of 8 days ending the day before, newest observation each"


class WeatherRule(StrEnum):
    """How temperature and rain get their 46 values."""

    MEAN_FROM_COMPOSITE_DATE = "mean of the 8 days from each composite's date"
    COMPOSITE_DAY = "the one day of each composite's date"
    MEAN_OF_STEP = "mean over the step's days"


class PlaceRule(StrEnum):
    """What the grid position inputs hold."""

    CELL_OF_SITE = "integer row (1-based) and column (0-based) of the cell, over 9 km / cell"
    ROUNDED_CELL_OF_SITE = "the same on cells of 100.09 m, as the seed system rounds them"
    EXACT_FRACTION = "exact fractional row and column of the 9 km grid"


class NdviSensor(StrEnum):
    """Whose red and near infrared the vegetation index is made of: each sees it a little apart."""

    MODIS = "MODIS"
    VIIRS = "VIIRS"


class RadarQuantity(StrEnum):
    """What the backscatter is normalised by: two quantities, never mixed."""

    SIGMA0_ELLIPSOID = "sigma0 on the ellipsoid, orthorectified"
    GAMMA0_TERRAIN = "gamma0, corrected for the terrain's radiometry"


class LateRain(StrEnum):
    """Whose rain stands in on the newest days, which ERA5-Land does not have yet."""

    NONE = "nobody's: such days are missing"
    IMERG_LATE = "GPM IMERG, late run"


class TerrainRule(StrEnum):
    """Over which footprint terrain is averaged, and how aspect is."""

    PIXEL_VECTOR_ASPECT = "mean over the pixel; aspect averaged as sine and cosine"
    ROUNDED_CELL_ANGLE_ASPECT = "mean over the rounded 100.09 m cell; aspect averaged as an angle"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the value of the 153 inputs; immutable and versioned by its id."""

    recipe_id: str
    scalars: tuple[Input, ...]
    """The 15 inputs 0..14, in order."""
    series: tuple[Input, ...]
    """NDVI, temperature, precipitation: 46 values each, oldest first, inputs 15..152."""
    vegetation: VegetationRule
    weather: WeatherRule
    place: PlaceRule
    terrain: TerrainRule
    zero_is_missing: bool
    """Soil and terrain values of exactly 0.0 become missing (a defect kept for parity)."""
    only_available: bool
    """Only values that were available `ISSUE_DELAY_H` after the pass are used."""
    only_missing_masks: bool
    """Only a missing input masks a pixel; the critical bits of `qa` are reported, not applied."""
    ndvi_sensor: NdviSensor = NdviSensor.MODIS
    """Of the rows that a checkpoint is trained on; a map of another's says so in `qa`."""
    radar_quantity: RadarQuantity = RadarQuantity.SIGMA0_ELLIPSOID
    late_rain: LateRain = LateRain.NONE

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits over every field: two recipes share it only when they are equal.

        Fields that came later count only where they differ from what was the rule before them.
        """
        fields = {
            name: value.name if isinstance(value, StrEnum) else value
            for name, value in asdict(self).items()
            if name not in LATER_FIELDS or value is not LATER_FIELDS[name]
        }
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


LATER_FIELDS = {
    "radar_quantity": RadarQuantity.SIGMA0_ELLIPSOID,
    "late_rain": LateRain.NONE,
}
"""Fields that older checkpoints do not know, and what they mean by that."""
ISSUE_DELAY_H = 24
"""A map is issued this many hours after its pass: when Sentinel-1 GRD is normally at hand."""
N_SCALARS = 15
N_SERIES = 3
N_INPUTS = N_SCALARS + N_SERIES * N_STEPS

SCALARS = (
    Input("s1_vv", "dB", -30.0, 5.0),
    Input("s1_vh", "dB", -35.0, 0.0),
    Input("incidence_angle", "deg", 29.1, 46.0),
    Input("day_sin", "1", -1.0, 1.0),
    Input("day_cos", "1", -1.0, 1.0),
    Input("sand", "g/kg", 0.0, 1000.0),
    Input("clay", "g/kg", 0.0, 1000.0),
    Input("bulk_density", "cg/cm3", 100.0, 180.0),
    Input("elevation", "m", 0.0, 5500.0),
    Input("slope", "deg", 0.0, 40.0),
    Input("aspect_sin", "1", -1.0, 1.0),
    Input("aspect_cos", "1", -1.0, 1.0),
    Input("grid_row", "1", -1.0, 1.0),
    Input("grid_col_sin", "1", -1.0, 1.0),
    Input("grid_col_cos", "1", -1.0, 1.0),
)
NDVI = Input("ndvi", "NDVI x 10000", -2000.0, 10000.0)
RAIN = Input("precipitation", "m/day", 0.0, 0.3)
PUBLISHED_TEMPERATURE = Input("temperature_2m", "K", 263.15, 308.15)
SEED_TEMPERATURE = Input("temperature_2m", "K", 273.15, 318.15)

DENSESM_2024 = Recipe(
    recipe_id="densesm-2024",
    scalars=SCALARS,
    series=(NDVI, PUBLISHED_TEMPERATURE, RAIN),
    vegetation=VegetationRule.COMPOSITES_BEFORE_DAY,
    weather=WeatherRule.MEAN_FROM_COMPOSITE_DATE,
    place=PlaceRule.CELL_OF_SITE,
    terrain=TerrainRule.PIXEL_VECTOR_ASPECT,
    zero_is_missing=False,
    only_available=False,
    only_missing_masks=False,
)
EOV_2025 = Recipe(
    recipe_id="eov-2025",
    scalars=SCALARS,
    series=(NDVI, SEED_TEMPERATURE, RAIN),
    vegetation=VegetationRule.YEAR_TO_LAST_COMPOSITE,
    weather=WeatherRule.COMPOSITE_DAY,
    place=PlaceRule.ROUNDED_CELL_OF_SITE,
    terrain=TerrainRule.ROUNDED_CELL_ANGLE_ASPECT,
    zero_is_missing=True,
    only_available=False,
    only_missing_masks=True,
)
SM_100M_V1 = Recipe(
    recipe_id="sm-100m-v1",
    scalars=SCALARS,
    series=(NDVI, PUBLISHED_TEMPERATURE, RAIN),
    vegetation=VegetationRule.OBSERVED_STEPS_BEFORE_DAY,
    weather=WeatherRule.MEAN_OF_STEP,
    place=PlaceRule.EXACT_FRACTION,
    terrain=TerrainRule.PIXEL_VECTOR_ASPECT,
    zero_is_missing=False,
    only_available=True,
    only_missing_masks=False,
)
SM_100M_V1_VIIRS = replace(SM_100M_V1, recipe_id="sm-100m-v1-viirs", ndvi_sensor=NdviSensor.VIIRS)
SM_100M_V1_RTC = replace(
    SM_100M_V1, recipe_id="sm-100m-v1-rtc", radar_quantity=RadarQuantity.GAMMA0_TERRAIN
)
SM_100M_V1_IMERG = replace(SM_100M_V1, recipe_id="sm-100m-v1-imerg", late_rain=LateRain.IMERG_LATE)
RECIPES = (
    DENSESM_2024,
    EOV_2025,
    SM_100M_V1,
    SM_100M_V1_VIIRS,
    SM_100M_V1_RTC,
    SM_100M_V1_IMERG,
)
DEFAULT_RECIPE = SM_100M_V1


def find_recipe(recipe_id: str) -> Recipe:
    """The recipe of that id; raises RecipeError listing the known ones."""
    for recipe in RECIPES:
        if recipe.recipe_id == recipe_id:
            return recipe
    known = ", ".join(recipe.recipe_id for recipe in RECIPES)
    raise RecipeError(f"There is no recipe '{recipe_id}': choose one of {known}.")
