from dataclasses import replace

import numpy as np
import pytest
import torch

from sm_platform.densesm.admission import admit, admit_target
from sm_platform.densesm.domain import DOMAIN_LOSSES
from sm_platform.densesm.fitting import begin
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.task import Task
from sm_platform.errors import DataError, RecipeError, UsageError
from sm_platform.schema.rows import FeatureRows
from sm_platform_tests.densesm.learning import LEARN, QUICK, STEER, run, samples


def other_region() -> FeatureRows:
    """Drier, hotter, and its radar and soils go together as they do not where labels are."""
    rows = samples(400, 7).rows
    rows.scalars[:, :8] = 0.5 * rows.scalars[:, :1] + 0.4
    rows.series[:, 1] += 0.1
    return rows


TARGET = other_region()


@pytest.mark.parametrize("name", ["coral", "mmd"])
def test_a_domain_loss_brings_the_hidden_features_of_both_regions_together(name: str) -> None:
    apart = []
    learnt = admit("training", LEARN)
    for weight in (0.0, 3.0):
        settings = replace(QUICK, domain_loss=name, domain_weight=weight)
        task = Task.of(learnt, admit("validation", STEER), settings, admit_target(TARGET))
        fit = begin(Architecture(1, 16), task)
        for _ in range(settings.epochs):
            fit.advance()
        with torch.no_grad():
            source, target = fit.hidden_features(torch.arange(400))
        apart.append(float(DOMAIN_LOSSES[name](source, target)))
        assert fit.history[-1].validation_loss < 0.5 * STEER.sm_m3m3.var()
    assert apart[1] < 0.75 * apart[0]


def test_target_rows_with_a_missing_input_are_left_out_and_the_rest_counted() -> None:
    scalars = TARGET.scalars.copy()
    scalars[:100, 0] = np.nan
    settings = replace(QUICK, epochs=1, domain_loss="coral")
    assert run(settings, target=replace(TARGET, scalars=scalars)).n_target == 300
    assert run(replace(settings, domain_loss="none"), target=TARGET).n_target == 0


def test_a_target_that_cannot_serve_is_refused() -> None:
    settings = replace(QUICK, domain_loss="mmd")
    scalars = TARGET.scalars.copy()
    scalars[:, 0] = np.nan
    with pytest.raises(DataError, match="0 whole rows of 400.*target region without radar rows"):
        run(settings, target=replace(TARGET, scalars=scalars))
    with pytest.raises(RecipeError, match="target rows of 'eov-2025'"):
        foreign = replace(TARGET, recipe_id="eov-2025", recipe_fingerprint="0000")
        run(settings, target=foreign)
    with pytest.raises(UsageError, match="'mmd' needs rows of the region"):
        run(settings)
