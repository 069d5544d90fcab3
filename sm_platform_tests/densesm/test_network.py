import numpy as np
import pytest
import torch

from sm_platform.densesm.network import ARCHITECTURES, Architecture, DenseSM, expected_shapes
from sm_platform.errors import CheckpointError
from sm_platform_tests.densesm.making import random_state
from sm_platform_tests.densesm.plain_numpy import evaluate


def test_all_25_members_have_as_many_parameters_as_the_published_ones() -> None:
    counts = [sum(p.numel() for p in DenseSM(a).parameters()) for a in ARCHITECTURES]
    assert (len(counts), sum(counts)) == (25, 1_471_945)


@pytest.mark.parametrize(("blocks", "width"), [(0, 8), (6, 8), (3, 63)])
def test_an_architecture_that_was_never_published_is_refused(blocks: int, width: int) -> None:
    with pytest.raises(CheckpointError, match=f"{blocks} blocks of width {width}"):
        Architecture(blocks, width)


@pytest.mark.parametrize("architecture", [Architecture(1, 8), Architecture(5, 16)])
def test_the_network_is_the_written_formula(architecture: Architecture) -> None:
    state = random_state(architecture)
    network = DenseSM(architecture)
    network.load_state_dict(state)
    inputs = np.random.default_rng(0).random((50, 153))
    with torch.inference_mode():
        found = network.eval()(torch.from_numpy(inputs).float()).numpy()
    expected = evaluate({name: t.double().numpy() for name, t in state.items()}, inputs)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_block_reads_the_outputs_of_all_blocks_before_it() -> None:
    shapes = expected_shapes(Architecture(3, 64))
    read = [shapes[f"dense_layers.{k}.linear1.weight"] for k in range(3)]
    assert read == [(64, 30), (64, 94), (64, 158)]
    assert shapes["fc_layers.0.linear1.weight"] == (32, 222)
