"""Loss curves, learning rate and scatter of a training as pictures for the UI."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sm_platform.defs.learned import Curves
from sm_platform.defs.training import TestedOn

UNIT = "m3/m3"
MOST_POINTS = 3000
MOST_NAMED = 10
"""Members that are worth a legend."""
HEIGHT_IN, PANEL_IN = 3.2, 3.6


def curves_figure(curves: Curves) -> bytes:
    """PNG: validation error and learning rate of each member over its epochs."""
    figure = _figure(2)
    losses, rates = figure.subplots(1, 2)
    _draw_losses(losses, curves)
    _draw_rates(rates, curves)
    return _png(figure)


def training_figure(curves: Curves, tested: TestedOn | None) -> bytes:
    """PNG: the curves, where there are any, and predictions against labels not learnt from."""
    panels = [_draw_losses, _draw_rates] if curves else []
    figure = _figure(len(panels) + 1)
    axes = figure.subplots(1, len(panels) + 1, squeeze=False)[0]
    for draw, place in zip(panels, axes, strict=False):
        draw(place, curves)
    _draw_scatter(axes[-1], tested)
    return _png(figure)


def _draw_losses(axes: Axes, curves: Curves) -> None:
    for name, epochs in curves.items():
        error = np.sqrt([epoch.validation_loss for epoch in epochs])
        axes.plot(np.arange(1, len(error) + 1), error, label=name, lw=1)
    axes.set(xlabel="epoch", ylabel=f"validation RMSE ({UNIT})", title="Training")
    if len(curves) <= MOST_NAMED:
        axes.legend(fontsize=7, title="member", title_fontsize=7)


def _draw_rates(axes: Axes, curves: Curves) -> None:
    for epochs in curves.values():
        rate = [epoch.learning_rate for epoch in epochs]
        axes.semilogy(np.arange(1, len(rate) + 1), rate, lw=1)
    axes.set(xlabel="epoch", ylabel="learning rate", title="Learning rate")


def _draw_scatter(axes: Axes, tested: TestedOn | None) -> None:
    axes.plot([0, 0.6], [0, 0.6], color="0.6", lw=1)
    axes.set(xlim=(0, 0.6), ylim=(0, 0.6), xlabel=f"label ({UNIT})", ylabel=f"mean ({UNIT})")
    if tested is None:
        axes.set_title("No labels to be tested on", fontsize=9)
        return
    step = max(len(tested.label) // MOST_POINTS, 1)
    axes.scatter(tested.label[::step], tested.predicted[::step], s=3, alpha=0.4, color="#12457E")
    score = tested.score
    said = f"Unseen: RMSE {score.rmse:.3f}, bias {score.bias:+.3f}, R {score.r:.2f}"
    axes.set_title(said, fontsize=9)


def _figure(panels: int) -> Figure:
    figure = Figure(figsize=(panels * PANEL_IN, HEIGHT_IN), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
