import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sm_platform.densesm.published_losses import coral, mape, mmd, mse

EXACT = torch.float64
ESTIMATE = torch.tensor([0.10, 0.30, 0.25], dtype=EXACT)
LABEL = torch.tensor([0.20, 0.25, 0.25], dtype=EXACT)


def features(n: int, seed: int, scale: float = 1.0) -> Tensor:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(32, 32)) * scale
    return torch.tensor(rng.normal(size=(n, 32)) @ mixing + 3.0, dtype=EXACT)


def test_moisture_losses_of_a_table_worked_by_hand() -> None:
    assert float(mape(ESTIMATE, LABEL)) == pytest.approx((0.5 + 0.2 + 0) / 3)
    assert float(mse(ESTIMATE, LABEL)) == pytest.approx((0.01 + 0.0025 + 0) / 3)


def test_mape_draws_estimates_below_the_labels() -> None:
    label = torch.tensor([0.1, 0.2, 0.4], dtype=EXACT)
    tried = [float(mape(torch.full((3,), at, dtype=EXACT), label)) for at in (0.1, 0.2, 0.2333)]
    assert tried[0] < tried[1] < tried[2]  # the mean of these labels is the worst of the three


def test_coral_of_two_features_worked_by_hand() -> None:
    source = torch.tensor([[0.0, 0.0], [2.0, 2.0]], dtype=EXACT)  # covariance [[2, 2], [2, 2]]
    target = torch.tensor([[1.0, 5.0], [1.0, 5.0], [4.0, 5.0]], dtype=EXACT)  # [[3, 0], [0, 0]]
    squared = 1 + 4 + 4 + 4
    assert float(coral(source, target)) == pytest.approx(math.sqrt(squared / 16))


def test_coral_is_numpys_covariance_and_forgets_the_mean() -> None:
    source, target = features(40, 1), features(60, 2)
    apart = np.cov(source.numpy(), rowvar=False) - np.cov(target.numpy(), rowvar=False)
    expected = np.linalg.norm(apart) / (2 * 32)
    assert float(coral(source, target)) == pytest.approx(expected, rel=1e-9)
    assert float(coral(source + 5, target)) == pytest.approx(expected, rel=1e-9)
    assert float(coral(source, source + 5)) == pytest.approx(0, abs=1e-9)


def test_mmd_of_three_rows_worked_by_hand() -> None:
    source, target = torch.tensor([[0.0], [1.0]], dtype=EXACT), torch.tensor([[3.0]], dtype=EXACT)
    width = (1 + 9 + 4) * 2 / 6

    def kernel(square: float) -> float:
        return sum(math.exp(-square / (width * factor)) for factor in (0.25, 0.5, 1, 2, 4))

    same = (2 * kernel(0) + 2 * kernel(1)) / 4 + kernel(0)
    assert float(mmd(source, target)) == pytest.approx(same - (kernel(9) + kernel(4)))


def test_mmd_is_zero_for_the_same_rows_and_grows_with_the_shift() -> None:
    source = features(50, 1)
    found = [float(mmd(source, source + shift)) for shift in (0.0, 1.0, 3.0)]
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert found[0] < found[1] < found[2]


def test_mmd_in_single_precision_keeps_small_differences_far_from_zero() -> None:
    source, target = features(50, 1, 0.1) + 50, features(60, 2, 0.1) + 50
    single = float(mmd(source.float(), target.float()))
    assert single == pytest.approx(float(mmd(source, target)), rel=1e-4)


@pytest.mark.parametrize("loss", [coral, mmd])
def test_gradients_are_those_of_the_values(loss: object) -> None:
    assert callable(loss)
    source, target = features(6, 1)[:, :3], features(5, 2)[:, :3]
    source.requires_grad_()
    (gradient,) = torch.autograd.grad(loss(source, target), source)
    step = 1e-6
    moved = source.detach().clone()
    moved[2, 1] += step
    if loss is coral:  # the width of the kernels is a constant for the gradient, by definition
        slope = (loss(moved, target) - loss(source, target)) / step
        assert float(slope.detach()) == pytest.approx(float(gradient[2, 1]), rel=1e-4)
    apart = source.detach().mean(dim=0) - target.mean(dim=0)
    if loss is mmd:  # a step against the gradient brings the means together
        nearer = source.detach() - 1e-3 * gradient
        assert float((nearer.mean(dim=0) - target.mean(dim=0)).norm()) < float(apart.norm())
        assert float(loss(nearer, target)) < float(loss(source, target).detach())
