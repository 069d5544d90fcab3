import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from sm_platform.densesm.admission import admit
from sm_platform.densesm.averaging import estimate
from sm_platform.densesm.checkpoint import Checkpoint, Member
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.new_network import blank
from sm_platform.densesm.training_data import Scales, enter, export
from sm_platform.errors import CheckpointError, RecipeError
from sm_platform.schema.recipes import DENSESM_2024, EOV_2025
from sm_platform_tests.densesm import learning
from sm_platform_tests.densesm.learning import LEARN, QUICK, STEER, checkpoint_of, is_same, run
from sm_platform_tests.densesm.making import random_checkpoint

ARCHITECTURES = (Architecture(1, 16), Architecture(2, 8))
GENTLE = replace(QUICK, epochs=1, learning_rate=1e-9)


def test_entering_and_leaving_training_changes_no_prediction() -> None:
    table = admit("training", LEARN)
    scales = Scales.of(table)
    inputs = scales.standardised(table.inputs)
    start = random_checkpoint(*ARCHITECTURES)
    left, inside = [], []
    for member in start.members:
        network = blank(member.architecture)
        network.load_state_dict(enter(member.state, scales))
        inside.append(estimate(network.eval(), inputs, scales).numpy())
        left.append(Member(member.name, member.architecture, export(network, scales)))
    before = learning.estimate(start, LEARN.rows)
    after = learning.estimate(replace(start, members=tuple(left)), LEARN.rows)
    np.testing.assert_allclose(after, before, atol=1e-6)
    np.testing.assert_allclose(np.stack(inside, axis=1), before, atol=1e-5)


def test_members_go_on_from_the_start() -> None:
    first = run()
    again = run(GENTLE, start=checkpoint_of(first))
    afresh = run(GENTLE)
    for old, new, other in zip(first.members, again.members, afresh.members, strict=True):
        best = old.history[old.best_epoch].validation_loss
        assert new.history[0].validation_loss == pytest.approx(best, rel=0.05)
        assert other.history[0].validation_loss > 3 * best


def test_a_repeat_starts_from_its_own_member_and_else_from_the_first() -> None:
    one, two = (random_checkpoint(Architecture(2, 8), seed=s).members[0] for s in (1, 2))
    both = replace(random_checkpoint(), members=(one, replace(two, name="2_8_r2")))
    settings = replace(GENTLE, members=((2, 8),), repeat=2)

    def from_one(member: Member) -> Checkpoint:
        return replace(both, members=(replace(member, name="2_8"),))

    started = run(settings, start=both)
    assert is_same(started, run(settings, start=from_one(two)))
    assert not is_same(started, run(settings, start=from_one(one)))


def test_a_start_without_a_member_is_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match=r"'test-1' has no member 2_8: .*\(1_16\)"):
        run(start=random_checkpoint(Architecture(1, 16)))


def test_a_start_of_another_recipe_is_refused_unless_it_is_named() -> None:
    start = random_checkpoint(*ARCHITECTURES, recipe=DENSESM_2024)
    with pytest.raises(RecipeError) as refused:
        run(GENTLE, start=start)
    for said in ("'densesm-2024'", "'sm-100m-v1'", "vegetation (the 46 newest", "only_available"):
        assert said in str(refused.value)
    assert "series" not in str(refused.value)
    with pytest.raises(RecipeError, match="not of 'eov-2025'"):
        run(GENTLE, start=start, start_recipe="eov-2025")
    trained = run(GENTLE, start=start, start_recipe="densesm-2024")
    assert trained.recipe_id == "sm-100m-v1"


def test_a_recipe_of_other_ranges_is_told_by_its_inputs() -> None:
    rows = replace(
        LEARN.rows, recipe_id="densesm-2024", recipe_fingerprint=DENSESM_2024.fingerprint
    )
    start = random_checkpoint(*ARCHITECTURES)
    unknown = replace(start, recipe_id="old", recipe_fingerprint="0000")
    learn, steer = replace(LEARN, rows=rows), STEER
    steer = replace(steer, rows=replace(steer.rows, recipe_fingerprint=rows.recipe_fingerprint))
    with pytest.raises(RecipeError, match=re.escape("'old' (0000)") + ".*not known here"):
        run(GENTLE, learn, steer, start=unknown)
    seed = random_checkpoint(*ARCHITECTURES, recipe=EOV_2025)
    with pytest.raises(RecipeError, match=r"temperature_2m 273.15..318.15 K / temperature_2m 263"):
        run(GENTLE, learn, steer, start=seed)


def test_the_start_decides_and_not_the_random_weights() -> None:
    start = random_checkpoint(*ARCHITECTURES)
    state = run(GENTLE, start=start).members[0].state
    kernel = start.members[0].state["conv_block.conv2.weight"]
    torch.testing.assert_close(state["conv_block.conv2.weight"], kernel, atol=1e-4, rtol=1e-4)
