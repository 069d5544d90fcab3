import pytest
import torch

from sm_platform.densesm.dropping import dropped


def numbers(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_share_is_dropped_and_the_mean_stays(share: float) -> None:
    x = torch.ones(101, 1001, requires_grad=True)  # not a multiple of 64
    found = dropped(x, share, numbers(1))
    assert set(found.unique().tolist()) == {0.0, torch.tensor(1 / (1 - share)).item()}
    assert float(found.detach().mean()) == pytest.approx(1, abs=0.02)
    for mean in (found.detach().mean(dim=0), found.detach().mean(dim=1)):
        assert float(mean.std()) < 1.2 * (share / (1 - share) / (101 * 1001 / len(mean))) ** 0.5
    found.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, found.detach())


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_generator_decides(share: float) -> None:
    x = torch.ones(50, 7, dtype=torch.float64)
    first, same, other = (dropped(x, share, numbers(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.dtype == x.dtype
    assert torch.equal(dropped(x, 0.0, numbers(3)), x)


def test_neighbouring_bits_are_independent() -> None:
    kept = (dropped(torch.ones(1 << 18), 0.5, numbers(4)) > 0).float() - 0.5
    for lag in (1, 2, 7, 8, 63, 64):
        assert abs(float((kept[lag:] * kept[:-lag]).mean())) < 4 * 0.25 / 512
