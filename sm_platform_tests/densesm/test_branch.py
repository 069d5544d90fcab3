import numpy as np
import torch

from sm_platform.densesm.branch import branch_codes
from sm_platform.densesm.network import Architecture, DenseSM, SeriesBranch
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


def test_the_convolution_passes_its_gradient_on() -> None:
    from sm_platform.densesm.branch import _Convolution

    generator = torch.Generator().manual_seed(2)
    x = torch.randn(9, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(_Convolution.apply, (x, weight))
