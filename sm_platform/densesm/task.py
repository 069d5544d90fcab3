"""What all members of a training share: rows on standardised series, settings, scales."""

from dataclasses import dataclass, replace

import torch

from sm_platform.densesm.domain import DOMAIN_LOSSES, DomainLoss
from sm_platform.densesm.training_data import Inputs, Scales, Table
from sm_platform.densesm.training_settings import TrainingSettings


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What all members of a training share; nothing in it changes."""

    learn: Table
    """Here and below, series are standardised."""
    steer: Table
    """Decides which epoch is kept and when to stop."""
    settings: TrainingSettings
    scales: Scales
    """Of `learn` as it was."""
    target: Inputs | None = None
    """Rows of the region to be mapped, where a domain loss is wanted."""
    domain_loss: DomainLoss | None = None
    """Given together with `target`."""

    @staticmethod
    def of(
        learn: Table, steer: Table, settings: TrainingSettings, target: Inputs | None = None
    ) -> "Task":
        """From raw tables; a target is used where the settings name a domain loss."""
        scales, loss = Scales.of(learn), DOMAIN_LOSSES.get(settings.domain_loss)
        return Task(
            learn=replace(learn, inputs=scales.standardised(learn.inputs)),
            steer=replace(steer, inputs=scales.standardised(steer.inputs)),
            settings=settings,
            scales=scales,
            target=scales.standardised(target) if target is not None and loss else None,
            domain_loss=loss if target is not None else None,
        )

    @property
    def device(self) -> torch.device:
        """Where everything is."""
        return self.learn.target.device
