import numpy as np
import torch

from sm_platform.densesm.branch import branch_codes
from sm_platform.densesm.network import Architecture, DenseSM, SeriesBranch
from sm_platform.densesm.passes import convolved, pair_sums
from sm_platform_tests.densesm.making import random_state


def made_branch() -> SeriesBranch:
    """In training mode, without dropout; convolution biases are 0 as in training."""
    network = DenseSM(Architecture(1, 8))
    network.load_state_dict(random_state(Architecture(1, 8)))
    branch = network.conv_block
    branch.dropout.p = 0.0
    for k in (1, 2, 3):
        torch.nn.init.zeros_(branch.get_submodule(f"conv{k}").get_parameter("bias"))
    return branch.train()


def test_values_and_gradients_are_those_of_the_plain_layers() -> None:
    series = torch.from_numpy(np.random.default_rng(1).random((30, 3, 46), dtype=np.float32))
    found = []
    for evaluate in (lambda branch: branch(series), lambda branch: branch_codes(branch, series)):
        branch = made_branch()
        codes = evaluate(branch)
        codes.square().sum().backward()
        found.append((codes, dict(branch.named_parameters()), dict(branch.named_buffers())))
    (plain, weights, norms), (ours, our_weights, our_norms) = found
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)
    for name, weight in weights.items():
        if not name.startswith("conv") or name.endswith("weight"):
            torch.testing.assert_close(
                our_weights[name].grad, weight.grad, rtol=1e-3, atol=1e-3, msg=name
            )
    for name, norm in norms.items():
        torch.testing.assert_close(our_norms[name], norm, rtol=1e-4, atol=1e-5, msg=name)


def test_an_evaluated_branch_uses_its_running_statistics() -> None:
    series = torch.from_numpy(np.random.default_rng(2).random((9, 3, 46), dtype=np.float32))
    branch = made_branch().eval()
    before = {name: norm.clone() for name, norm in branch.named_buffers()}
    torch.testing.assert_close(branch_codes(branch, series), branch(series), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(norm, before[name]) for name, norm in branch.named_buffers())


def test_dropout_comes_after_each_relu() -> None:
    series = torch.from_numpy(np.random.default_rng(3).random((9, 3, 46), dtype=np.float32))
    shapes: list[tuple[int, ...]] = []

    def nothing_left(x: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(x.shape))
        return x * 0

    assert not branch_codes(made_branch(), series, nothing_left).any()
    assert shapes == [(46, 32, 9), (23, 16, 9), (11, 4, 9)]


def seeded(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def test_passes_hand_their_gradients_on() -> None:
    assert torch.autograd.gradcheck(convolved, (seeded(9, 3, 4), seeded(2, 3, 5)))
    for steps in (6, 7):
        assert torch.autograd.gradcheck(pair_sums, (seeded(steps, 3, 4),))


def test_pair_sums_by_hand() -> None:
    x = torch.tensor([1.0, 2.0, -3.0, 4.0, 9.0]).view(5, 1, 1)
    assert pair_sums(x).flatten().tolist() == [3, 3, 3, 4, 4, 4]
