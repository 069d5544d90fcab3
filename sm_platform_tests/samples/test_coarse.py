import numpy as np
import pytest

from sm_platform.samples.coarse import reach_of, support_blocks, withdraw_coarse
from sm_platform_tests.samples.catalogs import block


@pytest.mark.parametrize(
    ("support_m", "blocks"),
    [(0, 0), (100, 0), (1000.9, 0), (3002.69, 0), (9000, 1), (9008.055, 1), (36032.22, 6)],
)
def test_area_in_blocks(support_m: float, blocks: int) -> None:
    assert support_blocks(support_m) == blocks


def test_reach_of_each_row_and_of_a_support_that_is_not_known() -> None:
    assert reach_of(np.array([9000.0, np.nan, 100.0, 9000.0])).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("other", "apart", "buffer_blocks", "is_kept"),
    [
        ("train", 1, 0, True),
        ("validation", 1, 0, False),
        ("validation", 2, 0, True),
        ("validation", 2, 1, True),  # they may touch
        ("test", 2, 0, True),
        ("test", 2, 1, False),
        ("test", 3, 1, True),
        ("calibration", 2, 1, False),
        ("buffer", 1, 1, True),
    ],
)
def test_a_coarse_training_site_keeps_away(
    other: str, apart: int, buffer_blocks: int, is_kept: bool
) -> None:
    role = np.array(["train", other], "<U11")
    blocks = np.array([block(1, 1), block(1, 1 + apart)])
    found = withdraw_coarse(blocks, np.array([1, 0]), role, buffer_blocks)
    assert found.tolist() == ["train" if is_kept else "buffer", other]


def test_two_coarse_sites_whose_areas_meet_both_go() -> None:
    role = np.array(["train", "test"], "<U11")
    blocks = np.array([block(1, 1), block(1, 3)])
    assert withdraw_coarse(blocks, np.array([1, 1]), role, 0).tolist() == ["buffer", "buffer"]
