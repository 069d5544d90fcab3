"""How a checkpoint does, as one picture: scatter against its reference, RMSE by stratum."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from sm_platform.defs.evaluation_table import Headline
from sm_platform.defs.stored_scores import ALL, BY_SITE, CHECKPOINT, POOLED, StoredScore
from sm_platform.maps.drawing import png_bytes
from sm_platform.maps.label_figures import BLUE, MOST_M3M3, MOST_POINTS, UNIT
from sm_platform.maps.panels import SMALL, neat, new_paper
from sm_platform.trust.pairs import Pairs

SIZE_IN = (8.4, 3.9)
GREY = "0.6"


def evaluation_figure(pairs: Pairs, scores: Sequence[StoredScore], told: Headline) -> bytes:
    """PNG: predictions against the reference, and the pooled RMSE of each stratum.

    Args:
        pairs: the checkpoint's, of the headline's reference.
        scores: those of one checkpoint.
        told: its figures in short.
    """
    ground, rmse, bias = told.ground, told.figures["rmse_m3m3"], told.figures["bias_m3m3"]
    figure = new_paper(*SIZE_IN, f"Rows not used for it, reference={ground.reference}")
    left, right = (neat(one) for one in figure.subplots(1, 2))
    _scatter(left, pairs)
    how = "mean of the sites" if ground.pooling == BY_SITE else "all pairs"
    left.set_title(f"RMSE {rmse:.3f}, bias {bias:+.3f} {UNIT} ({how})", **SMALL)
    left.set_xlabel(f"{ground.source} ({UNIT})", **SMALL)
    left.set_ylabel(f"checkpoint ({UNIT})", **SMALL)
    _bars(right, [one for one in scores if _is_bar(one, told)])
    return png_bytes(figure)


def _is_bar(one: StoredScore, told: Headline) -> bool:
    ground = told.ground
    is_own = (one.estimator, one.pooling, one.metric) == (CHECKPOINT, POOLED, "rmse")
    place = (one.scheme, one.reference, one.source)
    is_there = place == (ground.scheme, ground.reference, ground.source)
    return is_own and is_there and one.value is not None


def _scatter(axes: Axes, pairs: Pairs) -> None:
    n = len(pairs)
    shown = np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(np.intp)
    x, y = pairs.reference[shown], pairs.predicted[shown]
    axes.scatter(x, y, s=5, alpha=0.35, lw=0, color=BLUE)
    ends = (0.0, MOST_M3M3)
    axes.plot(ends, ends, color=GREY, lw=1)
    axes.set(xlim=ends, ylim=ends, aspect="equal")


def _bars(axes: Axes, scores: Sequence[StoredScore]) -> None:
    """A bar for each stratum with its interval on it, all rows on top."""
    place = np.arange(len(scores))
    colors = [GREY if one.stratum == ALL else BLUE for one in scores]
    axes.barh(place, [one.value or 0.0 for one in scores], height=0.7, color=colors)
    for at, one in zip(place, scores, strict=True):
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [at, at], color="0.2", lw=1)
    axes.set_yticks(place, [_named(one) for one in scores])
    axes.tick_params(axis="y", labelsize=6)
    axes.invert_yaxis()
    axes.set_xlabel(f"RMSE, pooled ({UNIT})", **SMALL)


def _named(one: StoredScore) -> str:
    name = ALL if one.stratum == ALL else f"{one.stratum} {one.stratum_value}"
    return f"{name}  n {one.n}"
