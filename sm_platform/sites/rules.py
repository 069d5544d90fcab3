"""What a person asks of the sites of a region."""

import math
from dataclasses import dataclass

from sm_platform.errors import UsageError
from sm_platform.sites.cells import SITE_LEVELS

CELLS_PER_KM = 10
"""100 m cells of EASE-Grid 2.0 (100.0895 m) along a nominal kilometre."""
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SiteRules:
    """How many sites are drawn from which cells; checked when made."""

    count: int
    """Sites wanted; fewer come where fewer cells qualify."""
    seed: int
    """The same seed draws the same sites."""
    level: str = "100m"
    """EASE-Grid 2.0 level of the cells: 100m, 1km, 3km or 9km."""
    spacing_km: float | None = None
    """At most one site in each square of this many nominal kilometres (10 cells of 100 m), counted
    from the corner of EASE-Grid 2.0; None: no such rule. Neighbours across an edge may be near."""
    min_purity: float = 0.6
    """Least share of the largest land cover class in the cell, above 0 and up to 1."""
    classes: tuple[int, ...] | None = None
    """Codes in the land cover's own numbering; None: its classes where radar sees soil."""
    min_valid_share: float = 0.9
    """Least share of the cell's pixels that lie in the region and have land cover."""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"{self.count} sites cannot be selected: ask for 1 or more.")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise UsageError(f"Seed {self.seed} is not a whole number from 0 to {LARGEST_SEED}.")
        if self.level not in SITE_LEVELS:
            raise UsageError(
                f"There are no sites of level '{self.level}': choose of {', '.join(SITE_LEVELS)}."
            )
        if self.classes is not None and not self.classes:
            raise UsageError("No land cover class is wanted: name one or more.")
        _check_share("min_purity", self.min_purity)
        _check_share("min_valid_share", self.min_valid_share)
        _check_spacing(self.spacing_km)

    @property
    def square_cells(self) -> int | None:
        """Side of a spacing square in 100 m cells; None without such a rule."""
        return None if self.spacing_km is None else round(self.spacing_km * CELLS_PER_KM)


def _check_share(name: str, share: float) -> None:
    if not 0 < share <= 1:
        raise UsageError(f"{name} is {share}: give a share above 0 and at most 1.")


def _check_spacing(spacing_km: float | None) -> None:
    if spacing_km is None:
        return
    cells = spacing_km * CELLS_PER_KM
    if not (math.isfinite(cells) and cells > 0.5 and abs(cells - round(cells)) < 1e-6):
        raise UsageError(
            f"A spacing of {spacing_km} km does not fit cells of 100 m: give tenths of a km."
        )
