"""Frames of one pass on the region's pixels: power is averaged, frames join, gaps stay."""

import numpy as np
import pytest
from affine import Affine

from sm_platform.features.radar import joined_frames
from sm_platform.grid.window import GridWindow, Raster
from sm_platform_tests.features.small import WINDOW, on

NAN = float("nan")


def frame(window: GridWindow = WINDOW, vv: object = -10.0, angle: float = 38.0) -> Raster:
    return on(window, vv_db=vv, vh_db=-17.0, angle_deg=angle)  # type: ignore[arg-type]


def test_finer_cells_are_averaged_as_power() -> None:
    fine = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.scale(0.5), (6, 8))
    vv = np.tile([[-10.0, -20.0], [-10.0, NAN]], (3, 4))
    found = joined_frames(WINDOW, [frame(fine, vv)])
    assert found.values["vv_db"] == pytest.approx(10 * np.log10((0.1 + 0.01 + 0.1) / 3), abs=1e-5)
    assert found.values["vh_db"] == pytest.approx(-17, abs=1e-5)
    assert found.values["angle_deg"] == pytest.approx(38)


def test_frames_meet_where_they_overlap() -> None:
    north = GridWindow(WINDOW.crs, WINDOW.affine, (2, 4))
    south = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.translation(0, 1), (1, 4))
    vv = np.asarray(joined_frames(WINDOW, [frame(south, -20.0), frame(north)]).values["vv_db"])
    assert vv[0] == pytest.approx(-10, abs=1e-5)
    assert vv[1] == pytest.approx(10 * np.log10(0.055), abs=1e-5)
    assert np.isnan(vv[2]).all()


def test_coarser_cells_are_taken_at_the_centre() -> None:
    coarse = GridWindow(WINDOW.crs, WINDOW.affine @ Affine.scale(3), (1, 2))
    vv = np.asarray(
        joined_frames(WINDOW, [frame(coarse, np.array([[-8.0, -12.0]]))]).values["vv_db"]
    )
    assert vv[:, :3] == pytest.approx(-8, abs=1e-5) and vv[:, 3] == pytest.approx(-12, abs=1e-5)
