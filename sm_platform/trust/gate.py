"""Whether a checkpoint has earned its use: figures against thresholds, by kind of reference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from sm_platform.errors import UsageError
from sm_platform.trust.comparison import Difference

PRODUCT_RMSE = 0.045
"""m3/m3 against products, models and the simulated truth: .004 above the worst of the published
networks on its own validation rows (.032 to .041), which were not independent."""
IN_SITU_RMSE = 0.080
"""m3/m3 against stations: a published comparison has .038 on random rows of the same stations,
.060 later in time and .079 at stations not seen, which is what is asked for here."""
IN_SITU_UBRMSE = 0.055
"""m3/m3 against stations: the SMAP mission's .040 for 9 km means of many sensors (Entekhabi et al.
2010, 10.1109/JPROC.2010.2043918), and room for what one sensor differs from its 100 m cell."""
GREATEST_BIAS = 0.02
"""m3/m3 either way: half of the SMAP mission's .040."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest figures that pass, in m3/m3; None where a figure is not asked for."""

    rmse: float
    ubrmse: float | None
    bias: float = GREATEST_BIAS


LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        "product": Limits(PRODUCT_RMSE, None),
        "model": Limits(PRODUCT_RMSE, None),
        "simulated": Limits(PRODUCT_RMSE, None),
        "in_situ": Limits(IN_SITU_RMSE, IN_SITU_UBRMSE),
    }
)
"""By reference."""


@dataclass(frozen=True, slots=True)
class GateFigures:
    """What a checkpoint shows on rows that were not used for it; all but the counts in m3/m3."""

    reference: str
    """product, model, in_situ or simulated."""
    rmse: float
    bias: float
    ubrmse: float
    n: int
    """Pairs."""
    n_sites: int
    difference: Difference | None
    """Its rmse minus that of the accepted checkpoint on the same rows; None when there is none."""
    baselines: Mapping[str, float]
    """rmse of each baseline on the same rows; NaN where it is not known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and all that speaks against the checkpoint."""

    is_passed: bool
    failures: tuple[str, ...]
    """A sentence each, naming figure and threshold; empty when passed."""
    better_baselines: tuple[str, ...]
    """Baselines of smaller rmse, the best first; they do not fail a checkpoint."""
    text: str
    """All of it for a person, in one paragraph."""


def judge(figures: GateFigures) -> Verdict:
    """The verdict on figures; a figure that is not known (NaN) fails.

    Raises:
        UsageError: a reference that has no limits.
    """
    if figures.reference not in LIMITS:
        raise UsageError(
            f"No limits for reference '{figures.reference}': it is one of {', '.join(LIMITS)}."
        )
    failures = (*_beyond(figures, LIMITS[figures.reference]), *_worse(figures.difference))
    known = {name: value for name, value in figures.baselines.items() if value < figures.rmse}
    better = tuple(sorted(known, key=lambda name: (known[name], name)))
    told = [_opening(figures, is_passed=not failures), *failures]
    told += [f"Baseline {name} is better: rmse {known[name]:.4f} m3/m3." for name in better]
    return Verdict(not failures, failures, better, " ".join(told))


def _opening(figures: GateFigures, *, is_passed: bool) -> str:
    return (
        f"{'Passed' if is_passed else 'Failed'} against reference={figures.reference} with "
        f"{figures.n} pairs of {figures.n_sites} sites: rmse {figures.rmse:.4f}, bias "
        f"{figures.bias:+.4f}, ubrmse {figures.ubrmse:.4f} m3/m3."
    )


def _beyond(figures: GateFigures, limits: Limits) -> Iterator[str]:
    """A sentence for each figure that is not within its limit, NaN included."""
    asked = [("rmse", figures.rmse, limits.rmse), ("ubrmse", figures.ubrmse, limits.ubrmse)]
    for name, value, limit in asked:
        if limit is not None and not value <= limit:
            yield f"{name} {value:.4f} m3/m3 is not within {limit:.3f}."
    if not abs(figures.bias) <= limits.bias:
        yield f"bias {figures.bias:+.4f} m3/m3 is not within {limits.bias:.3f} either way."


def _worse(difference: Difference | None) -> Iterator[str]:
    """A sentence when the accepted checkpoint is better beyond doubt.

    Too few blocks for an interval leave the difference itself to decide.
    """
    if difference is None:
        return
    lowest = difference.low if np.isfinite(difference.low) else difference.value
    if not lowest <= 0:
        sure = f"95 % interval {difference.low:+.4f} to {difference.high:+.4f}"
        yield (
            f"rmse minus that of the accepted checkpoint is {difference.value:+.4f} m3/m3 "
            f"({difference.note or sure}), the threshold is 0."
        )
