"""Layers for other tools: another CRS, plain float32, several layers in one file."""

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.window import GridWindow, link
from sm_platform.maps.cog import window_of
from sm_platform.maps.geotiff import Band, cog_bytes
from sm_platform.maps.targets import target_window
from sm_platform.schema.product import NODATA, Overview


def export_layer(
    paths: Sequence[Path],
    out: Path,
    *,
    crs: str | None = None,
    as_float: bool = False,
    stack: bool = False,
) -> GridWindow:
    """Write one file from layers of one map and return its grid; NEAREST throughout.

    One source cell supplies value, interval and quality of a target cell together. Without an
    option the file of the archive is copied as it is.

    Args:
        paths: files of the layers; one, or several with `stack`.
        out: the file to write, replaced when it exists; its folder must exist.
        crs: target CRS; None keeps the grid. See `target_window` for cell size and snapping.
        as_float: float32 in physical units with NaN instead of DN with scale.
        stack: one band a layer, in the order of `paths`.

    Raises:
        UsageError: nowhere to write, an unusable CRS, or several layers without `stack`.
        ProductError: a file is no layer of a map, or the layers are not of one map.
    """
    _check_place(out)
    if not paths or (len(paths) > 1 and not stack):
        raise UsageError(f"{len(paths)} layers do not fit one plain file: export with --stack.")
    with ExitStack() as opened:
        files = [opened.enter_context(_open(path)) for path in paths]
        _check_one_map(files)
        window = window_of(files[0])
        target = target_window(window, crs) if crs else window
        if target == window and not as_float and not stack:
            _write(out, paths[0])
            return window
        _write(out, _converted(files, target, as_float=as_float))
    return target


def _check_place(out: Path) -> None:
    if out.is_dir():
        raise UsageError(f"{out} is a folder: name the file to write.")
    if not out.parent.is_dir():
        raise UsageError(f"The folder {out.parent} does not exist: make it first.")


def _open(path: Path) -> DatasetReader:
    try:
        file = rasterio.open(path)
    except RasterioError as error:
        raise ProductError(f"{path} cannot be read: give a layer's file of a map.") from error
    if file.count != 1 or file.dtypes != ("uint16",) or "LAYER" not in file.tags():
        file.close()
        raise ProductError(f"{path} is no layer of a map: give a file of the maps folder.")
    return file


def _check_one_map(files: Sequence[DatasetReader]) -> None:
    first, names = files[0], [file.tags().get("PRODUCT_ID") for file in files]
    if len(set(names)) > 1 or any(window_of(file) != window_of(first) for file in files):
        raise ProductError(f"The layers are of several maps, {', '.join(map(str, names))}.")


def _converted(files: Sequence[DatasetReader], target: GridWindow, *, as_float: bool) -> bytes:
    tags = files[0].tags() | {"LAYER": ",".join(file.tags()["LAYER"] for file in files)}
    return cog_bytes(
        target,
        [_band(file, target, as_float=as_float) for file in files],
        nodata=float("nan") if as_float else NODATA,
        tags=tags,
        overview=Overview.NEAREST,
    )


def _band(file: DatasetReader, target: GridWindow, *, as_float: bool) -> Band:
    # the COG driver keeps statistics that are there already, though wrong on the new grid
    tags = {key: text for key, text in file.tags(1).items() if not key.startswith("STATISTICS_")}
    numbers = _nearest(file, target)
    scale, offset = file.scales[0], file.offsets[0]
    if not as_float:
        return Band(file.descriptions[0], file.units[0], scale, offset, numbers, tags)
    values = np.where(numbers == NODATA, np.nan, numbers * scale + offset).astype(np.float32)
    del tags["valid_range"]
    return Band(file.descriptions[0], file.units[0], 1.0, 0.0, values, tags)


def _nearest(file: DatasetReader, target: GridWindow) -> NDArray[np.uint16]:
    """DN of the source cell at each target centre, nodata where there is none."""
    numbers, source = np.asarray(file.read(1), dtype=np.uint16), window_of(file)
    if target == source:
        return numbers
    index = link(target, source)
    return np.where(index < 0, np.uint16(NODATA), numbers.ravel()[index])


def _write(out: Path, content: bytes | Path) -> None:
    """Write aside and rename: the file is whole or absent."""
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if isinstance(content, Path):
            shutil.copyfile(content, aside)
        else:
            aside.write_bytes(content)
        aside.replace(out)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written ({error.strerror}): check the folder."
        ) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
