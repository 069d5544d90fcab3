"""MapProduct: the layers of one map with what was seen and what made it, checked as a whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import ProductError
from sm_platform.grid.calendar import utc
from sm_platform.grid.window import GridWindow
from sm_platform.maps.invariants import check_layers
from sm_platform.schema.region import check_region_name

PLATFORM = re.compile(r"S1[A-DX]")
INPUT_STATES = ("preliminary", "final")


@dataclass(frozen=True, slots=True)
class MapPass:
    """What was seen: one radar pass over one region, all its frames together."""

    region_id: str
    start_utc: datetime
    end_utc: datetime
    platform: str
    """`S1A` to `S1D`; `S1X` when not known."""
    orbit_state: str
    """`A` ascending, `D` descending, `X` when not known."""
    relative_orbit: int | None
    """1 to 175; None when not known."""
    absolute_orbit: int | None
    """None when not known."""
    granules: tuple[tuple[str, str], ...]
    """Id and sha256 of each frame."""
    is_day_only: bool = False
    """Only the UTC day is known (a folder of the seed system)."""
    first_start_utc: datetime | None = None
    """Start as revision 0 knew it, which names all later ones; None: `start_utc`."""

    def __post_init__(self) -> None:
        check_region_name(self.region_id)
        if not PLATFORM.fullmatch(self.platform) or self.orbit_state not in ("A", "D", "X"):
            raise ProductError(
                f"Pass {self.platform} {self.orbit_state}: a platform is S1A to S1D or S1X, "
                "an orbit state A, D or X."
            )
        if utc(self.end_utc) < utc(self.start_utc):
            raise ProductError(f"Pass ends {self.end_utc} before it starts {self.start_utc}.")
        if self.relative_orbit is not None and not 1 <= self.relative_orbit <= 175:
            raise ProductError(
                f"Relative orbit {self.relative_orbit} is not in 1 to 175: give None if unknown."
            )

    @property
    def pass_id(self) -> str:
        """Orbit state and relative orbit as in names: `D091`, `D000` without the number."""
        return f"{self.orbit_state}{self.relative_orbit or 0:03d}"


@dataclass(frozen=True, slots=True)
class InputTerms:
    """A product that went into a map: whose, under which licence, and how to cite it."""

    product: str
    source: str
    licence: str
    citation: str | None

    @property
    def is_simulated(self) -> bool:
        """Whether no real place was measured, as its licence says."""
        return self.licence.endswith("(simulated)")

    @property
    def told(self) -> dict[str, str]:
        """As it stands in the STAC item."""
        cited = {"citation": self.citation} if self.citation else {}
        return {"product": self.product, "source": self.source, "licence": self.licence} | cited


@dataclass(frozen=True, slots=True)
class MapLineage:
    """What made a map; together with the granules enough to make it again."""

    recipe_id: str
    recipe_fingerprint: str
    checkpoint_id: str
    checkpoint_fingerprint: str
    code_version: str
    input_hash: str
    """One hash over all inputs."""
    inputs_status: str
    """`preliminary` while better inputs are to come, else `final`."""
    qa_critical_mask: int
    """Bits under which no value is stored; 0 where only a missing input masks."""
    is_in_sample: bool
    """The day is not after the checkpoint's training cut-off."""
    citation: str
    licence: str
    """Licence of the maps, as an SPDX id or `other`."""
    attribution: str | None = None
    """Line on the origin of the radar data; None writes the one that Copernicus asks for."""
    interval_level: float | None = None
    """Share of truths meant to lie between LO and HI; None without a calibration."""
    di_threshold: float | None = None
    """Dissimilarity above which a cell is outside the area of applicability; None without one."""
    ndvi_sensors: tuple[str, ...] = ()
    """Whose NDVI observations are in the series, the recipe's own sensor first; empty: not told."""
    inputs: tuple[InputTerms, ...] = ()
    """Products that went into it."""

    def __post_init__(self) -> None:
        if self.inputs_status not in INPUT_STATES:
            raise ProductError(
                f"Inputs are '{self.inputs_status}': say one of {', '.join(INPUT_STATES)}."
            )


@dataclass(frozen=True, slots=True)
class MapProduct:
    """One map. Its layers keep the product's rules or it cannot be built.

    Raises:
        ProductError: a layer is missing, unknown, of another shape or type, or breaks a rule.
    """

    window: GridWindow
    layers: Mapping[str, NDArray[np.generic]]
    """By name, each of the window's shape: float32 physical values, NaN missing; AGE and QA
    uint16, 65535 missing and outside the region."""
    revision: int
    seen: MapPass
    lineage: MapLineage

    def __post_init__(self) -> None:
        if not 0 <= self.revision <= 99:
            raise ProductError(f"Revision {self.revision} has no place in a name: use 0 to 99.")
        check_layers(self.window, self.layers, self.lineage.qa_critical_mask)


def attribution(product: MapProduct) -> str:
    """The line on the origin of the radar data, as its provider wants it."""
    year = utc(product.seen.start_utc).year
    written = product.lineage.attribution
    return written or f"Contains modified Copernicus Sentinel data {year}"
