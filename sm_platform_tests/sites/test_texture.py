import numpy as np
import pytest

from sm_platform.sites.texture import Texture, texture_codes


@pytest.mark.parametrize(
    ("sand", "clay", "expected"),
    [
        (900, 50, Texture.COARSE),  # sand
        (651, 179, Texture.COARSE),
        (650, 179, Texture.MEDIUM),  # more than 65 % is coarse
        (651, 180, Texture.MEDIUM),  # less than 18 % is coarse
        (820, 180, Texture.MEDIUM),  # up to 82 % sand where clay reaches 18 %
        (200, 200, Texture.MEDIUM),  # silt loam
        (300, 350, Texture.MEDIUM),  # more than 35 % is fine
        (300, 351, Texture.FINE),
        (0, 1000, Texture.FINE),
        (np.nan, 400, Texture.UNKNOWN),
        (400, np.nan, Texture.UNKNOWN),
        (-1, 400, Texture.UNKNOWN),
        (400, 1001, Texture.UNKNOWN),
    ],
)
def test_texture_follows_the_legend(sand: float, clay: float, expected: Texture) -> None:
    assert texture_codes(sand, clay) == expected


def test_texture_keeps_the_shape() -> None:
    codes = texture_codes(np.full((2, 3), 700, np.float32), np.array([100, 200, 400]))
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(codes, [[1, 2, 3], [1, 2, 3]])
