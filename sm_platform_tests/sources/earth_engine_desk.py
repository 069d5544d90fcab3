"""Fetching into a folder of its own, and comparing rasters of two sources cell by cell."""

from pathlib import Path

import numpy as np

from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sources.protocol import Granule, Source


def fetched(source: Source, granule: Granule, window: GridWindow, folder: Path) -> Path:
    home = folder / f"{source.name}_{granule.granule_id}"
    home.mkdir()
    source.fetch(granule, window, home)
    assert sorted(path.name for path in home.iterdir()) == sorted(granule.files)
    return home


def check_same(found: Raster, expected: Raster) -> int:
    """Every cell of the expected raster is there bit for bit; floats beside it are missing.

    Returns the number of cells beside it.
    """
    inverse = ~found.window.affine
    col, row = inverse @ (expected.window.affine.c, expected.window.affine.f)
    assert max(abs(col - round(col)), abs(row - round(row))) < 1e-3
    here, there = zip(
        *(
            (slice(max(shift, 0), max(shift, 0) + n), slice(max(-shift, 0), max(-shift, 0) + n))
            for shift, mine, theirs in zip(
                (round(row), round(col)), found.window.shape, expected.window.shape, strict=True
            )
            for n in [min(theirs - max(-shift, 0), mine - max(shift, 0))]
        ),
        strict=True,
    )
    beside = np.ones(found.window.shape, bool)
    beside[here] = False
    assert (~beside).sum() > 10
    for name, values in expected.values.items():
        np.testing.assert_array_equal(found.values[name][here], values[there], err_msg=name)
        assert found.values[name].dtype == values.dtype
        if values.dtype.kind == "f":
            assert np.isnan(found.values[name][beside]).all()
    return int(beside.sum())
