"""The map product SM100 v1: layers and quality bits, from which files, items and tests derive.

A change of a layer, scale, bit or grid is a new MAJOR version, hence a new collection.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag, StrEnum

from sm_platform.errors import ProductError

PRODUCT = "SM100"
COLLECTION = "sm100-v1"
VERSION = "1.0"
"""MAJOR.MINOR of the product; revisions of one map count separately."""
NODATA = 65535
"""Digital number (DN) of a cell without a value, in every layer."""


class Qa(IntFlag):
    """Bits of the 16-bit quality mask of a cell; 0 is best."""

    NO_SENTINEL1 = 1 << 0
    SCENE_BORDER = 1 << 1
    LAYOVER_SHADOW = 1 << 2
    STEEP_SLOPE = 1 << 3
    OPEN_WATER = 1 << 4
    BUILT_UP = 1 << 5
    FROZEN_SNOW = 1 << 6
    DENSE_VEGETATION = 1 << 7
    NDVI_FILLED = 1 << 8
    WEATHER_FILLED = 1 << 9
    STATIC_FILLED = 1 << 10
    OUTSIDE_APPLICABILITY = 1 << 11
    PREDICTION_CLIPPED = 1 << 12
    RAIN_ON_DAY = 1 << 13
    MINORITY_PASS = 1 << 14
    INUNDATED = 1 << 15


class QaClass(StrEnum):
    """What a bit means for the use of a cell."""

    CRITICAL = "critical"
    """No value is stored."""
    REJECT = "reject"
    """A value is stored and not recommended."""
    CARE = "care"
    """A value is stored and recommended, with a remark."""


@dataclass(frozen=True, slots=True)
class QaBit:
    """One bit: its name in STAC is `Qa`'s in small letters."""

    bit: Qa
    grade: QaClass
    description: str

    @property
    def name(self) -> str:
        """Name in STAC, for example `open_water`."""
        return str(self.bit.name).lower()

    @property
    def offset(self) -> int:
        """Position of the bit, 0 the least significant."""
        return int(self.bit).bit_length() - 1


QA_BITS = (
    QaBit(Qa.NO_SENTINEL1, QaClass.CRITICAL, "no radar measurement in the cell"),
    QaBit(Qa.SCENE_BORDER, QaClass.CRITICAL, "border noise or swath edge"),
    QaBit(Qa.LAYOVER_SHADOW, QaClass.CRITICAL, "radar layover or shadow"),
    QaBit(Qa.STEEP_SLOPE, QaClass.REJECT, "slope above 15 degrees"),
    QaBit(Qa.OPEN_WATER, QaClass.CRITICAL, "permanent water"),
    QaBit(Qa.BUILT_UP, QaClass.REJECT, "settlement"),
    QaBit(Qa.FROZEN_SNOW, QaClass.CRITICAL, "frozen or covered with snow"),
    QaBit(Qa.DENSE_VEGETATION, QaClass.REJECT, "vegetation above the threshold"),
    QaBit(
        Qa.NDVI_FILLED,
        QaClass.CARE,
        "NDVI series held, interpolated or of another sensor than the recipe's",
    ),
    QaBit(Qa.WEATHER_FILLED, QaClass.CARE, "weather filled or preliminary"),
    QaBit(Qa.STATIC_FILLED, QaClass.CARE, "soil or terrain filled from a neighbour"),
    QaBit(Qa.OUTSIDE_APPLICABILITY, QaClass.REJECT, "unlike the training data"),
    QaBit(Qa.PREDICTION_CLIPPED, QaClass.REJECT, "mean clipped to 0..1 m3/m3"),
    QaBit(Qa.RAIN_ON_DAY, QaClass.CARE, "rain on the day of the pass"),
    QaBit(Qa.MINORITY_PASS, QaClass.CARE, "pass differs from the training majority"),
    QaBit(Qa.INUNDATED, QaClass.CRITICAL, "water stands on the field (flooded rice)"),
)


def qa_mask(grades: Iterable[QaClass]) -> int:
    """All bits of these classes together."""
    wanted = set(grades)
    return sum(int(entry.bit) for entry in QA_BITS if entry.grade in wanted)


QA_CRITICAL_MASK = qa_mask([QaClass.CRITICAL])
"""Bits under which no value is stored."""
QA_REJECT_MASK = qa_mask([QaClass.CRITICAL, QaClass.REJECT])
"""Bits that take a cell out of the recommended ones (all critical and all reject bits)."""
QA_OUTSIDE_REGION = NODATA
"""Value of the mask outside the region; no real mask has bits 0 and 15 together."""


class Overview(StrEnum):
    """Resampling of a layer's overviews, which are for display only."""

    AVERAGE = "AVERAGE"
    NEAREST = "NEAREST"
    MODE = "MODE"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, one file: `value = DN * scale + offset`, DN uint16, `NODATA` where missing."""

    name: str
    """In file names, in capitals; in small letters the key of its STAC asset."""
    band: str
    """Description of the band in the file."""
    meaning: str
    unit: str
    scale: float
    valid: tuple[int, int]
    """Lowest and highest DN with a meaning, both included."""
    overview: Overview
    offset: float = 0.0
    is_clipped: bool = False
    """Values above the valid range are stored as its end; else they are refused."""
    is_predicted: bool = True
    """Compressed with a predictor: smaller files except for bit masks."""
    standard_name: str | None = None
    """CF standard name, where CF has the quantity."""
    roles: tuple[str, ...] = ("data",)
    """Roles of the STAC asset."""

    @property
    def is_float(self) -> bool:
        """Whether its values are float32 with NaN; else uint16 with `NODATA`."""
        return self.scale != 1.0


SHARE = "m3 m-3"
SHARE_DN = (0, 10000)
ANY_DN = (0, NODATA - 1)

SM = Layer(
    "SM",
    "sm_mean",
    "soil moisture at 0-5 cm, mean of the ensemble",
    SHARE,
    0.0001,
    SHARE_DN,
    Overview.AVERAGE,
    standard_name="volume_fraction_of_condensed_water_in_soil",
)
SD = Layer(
    "SD",
    "sm_sd",
    "standard deviation of the ensemble's members: a spread, not an error",
    SHARE,
    0.0001,
    SHARE_DN,
    Overview.AVERAGE,
)
LO = Layer(
    "LO",
    "sm_lower",
    "lower end of the calibrated interval",
    SHARE,
    0.0001,
    SHARE_DN,
    Overview.AVERAGE,
)
HI = Layer(
    "HI",
    "sm_upper",
    "upper end of the calibrated interval",
    SHARE,
    0.0001,
    SHARE_DN,
    Overview.AVERAGE,
)
DI = Layer(
    "DI",
    "dissimilarity_index",
    "distance to the training data",
    "1",
    0.001,
    ANY_DN,
    Overview.AVERAGE,
    is_clipped=True,
)
AGE = Layer(
    "AGE",
    "ndvi_age",
    "age of the newest NDVI observation used",
    "d",
    1.0,
    ANY_DN,
    Overview.NEAREST,
)
QA = Layer(
    "QA",
    "qa",
    "quality mask, one bit a reason; 0 is best",
    "1",
    1.0,
    ANY_DN,
    Overview.MODE,
    is_predicted=False,
    roles=("data", "quality"),
)
LAYERS = (SM, SD, LO, HI, DI, AGE, QA)
REQUIRED_LAYERS = (SM, SD, AGE, QA)
"""Layers of every map; the others need a calibration."""


def find_layer(name: str) -> Layer:
    """The layer of that name; raises ProductError listing the known ones."""
    for layer in LAYERS:
        if layer.name == name:
            return layer
    known = ", ".join(layer.name for layer in LAYERS)
    raise ProductError(f"{PRODUCT} has no layer '{name}': choose one of {known}.")
