"""Fleet: which satellites fly over a simulated world, where it is not the usual ones."""

from dataclasses import dataclass
from datetime import date

from sm_platform.errors import UsageError

LARGEST_BIAS_DB = 10.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sensors that end or begin; by default MODIS, Sentinel-1A and 1C, and no other."""

    modis_last: date | None = None
    """Day on which the last composite of MODIS begins; None: it does not end."""
    viirs_first: date | None = None
    """Day from which composites of VIIRS begin; None: there is none."""
    imerg_first: date | None = None
    """Day from which there is the late rain of GPM IMERG; None: there is none."""
    s1d_first: date | None = None
    """Day from which Sentinel-1D flies the tracks of the others; None: it does not."""
    s1d_bias_db: float = 0.0
    """How much higher Sentinel-1D reads than Sentinel-1A, VV and VH alike."""

    def __post_init__(self) -> None:
        if abs(self.s1d_bias_db) > LARGEST_BIAS_DB or (self.s1d_bias_db and not self.s1d_first):
            raise UsageError(
                f"Sentinel-1D cannot read {self.s1d_bias_db} dB higher from {self.s1d_first} on: "
                f"give its first day, and a bias of at most {LARGEST_BIAS_DB} dB."
            )

    def unusual(self) -> dict[str, str | float]:
        """Name and value of each choice that is not the default."""
        days = {
            "modis_last": self.modis_last,
            "viirs_first": self.viirs_first,
            "imerg_first": self.imerg_first,
            "s1d_first": self.s1d_first,
        }
        told: dict[str, str | float] = {name: f"{day}" for name, day in days.items() if day}
        return told | ({"s1d_bias_db": self.s1d_bias_db} if self.s1d_bias_db else {})


USUAL_FLEET = Fleet()
