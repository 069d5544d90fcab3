"""Loss curves and scatter of a training as one picture for the UI."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sm_platform.defs.training import Trained

UNIT = "m3/m3"
MOST_POINTS = 3000


def training_figure(made: Trained) -> bytes:
    """PNG: loss of each member over its epochs, and predictions on unseen blocks."""
    figure = Figure(figsize=(7.2, 3.2), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for member in made.ensemble.members:
        losses = [epoch.validation_loss for epoch in member.history]
        left.plot(np.sqrt(losses), label=member.architecture.name, lw=1)
    left.set(xlabel="epoch", ylabel=f"validation RMSE ({UNIT})", title="Training")
    left.legend(fontsize=7, title="member", title_fontsize=7)
    step = max(len(made.truth) // MOST_POINTS, 1)
    right.plot([0, 0.6], [0, 0.6], color="0.6", lw=1)
    right.scatter(made.truth[::step], made.predicted[::step], s=3, alpha=0.4, color="#12457E")
    right.set(xlim=(0, 0.6), ylim=(0, 0.6), xlabel=f"label ({UNIT})", ylabel=f"mean ({UNIT})")
    score = made.test
    right.set_title(
        f"Unseen blocks: RMSE {score.rmse:.3f}, bias {score.bias:+.3f}, R {score.r:.2f}"
    )
    right.title.set_fontsize(9)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
