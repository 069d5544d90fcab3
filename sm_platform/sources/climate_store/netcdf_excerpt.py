"""A few time steps of netCDF-4 files as a file of their own, all else as its provider made it.

Names, types, attributes, fill values, dimension scales and the encoding (chunks, compression) are
kept; only the time dimension becomes shorter. Files may follow each other in time, or be ZIPs whose
members hold one variable each, as the Climate Data Store sends them: then the excerpt is a ZIP too.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sm_platform.errors import SourceError

TIME = "valid_time"
SCALE_ATTRIBUTES = frozenset({"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST"})
"""Written by HDF5 itself when a dimension scale is made or attached."""
MADE = (1980, 1, 1, 0, 0, 0)
"""Date of the members of a ZIP: the same input makes the same bytes."""

Members = dict[str, h5py.File]
"""Open netCDF files by their name in a ZIP; a file that is none has the name ""."""


def write_excerpt(sources: Sequence[Path], times: NDArray[np.int64], target: Path) -> None:
    """Write the steps at these times, taken from whichever source holds them.

    Args:
        sources: files of the same variables on the same grid; the first one decides the form.
        times: numbers as they stand along `valid_time`, ascending.
        target: written anew.

    Raises:
        SourceError: a step is in no source, the sources differ, or one of them is damaged.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(_opened(path)) for path in sources]
        try:
            made = {
                name: _image([_alike(one, file) for one in opened], times)
                for name, file in opened[0].items()
            }
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            names = ", ".join(path.name for path in sources)
            raise SourceError(
                f"{names}: cannot be cut into days ({str(error)[:160]}): fetch the month again."
            ) from error
    target.write_bytes(made[""] if "" in made else _zipped(made))


def times_in(path: Path) -> NDArray[np.int64]:
    """The numbers along `valid_time`.

    Raises:
        SourceError: the file is no netCDF-4 file, or has no such dimension.
    """
    with _opened(path) as members:
        try:
            return np.asarray(next(iter(members.values()))[TIME][:], np.int64)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise SourceError(
                f"{path.name}: {TIME} cannot be read ({str(error)[:160]}): fetch it again."
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Members]:
    with ExitStack() as stack:
        try:
            contents: dict[str, Path | io.BytesIO] = {"": path}
            if zipfile.is_zipfile(path):
                contents = _members(path)
            yield {
                name: stack.enter_context(h5py.File(content, "r"))
                for name, content in contents.items()
            }
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise SourceError(
                f"{path.name}: is damaged or no netCDF-4 file ({str(error)[:160]}): fetch it again."
            ) from error


def _members(path: Path) -> dict[str, Path | io.BytesIO]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".nc"))
        if not names:
            raise SourceError(f"{path.name}: a ZIP without a .nc member: ask for netCDF again.")
        return {name: io.BytesIO(archive.read(name)) for name in names}


def _alike(members: Members, file: h5py.File) -> h5py.File:
    """The member that holds all that the file holds."""
    for one in members.values():
        if set(file) <= set(one):
            return one
    raise ValueError(f"another file lacks one of {', '.join(sorted(file))}")


def _image(files: Sequence[h5py.File], times: NDArray[np.int64]) -> bytes:
    """The excerpt of files that follow each other, as bytes of a file."""
    picks = _picks(files, times)
    target = io.BytesIO()
    with h5py.File(target, "w") as made:
        _copy_attributes(files[0], made)
        names = sorted(files[0], key=lambda name: not files[0][name].is_scale)
        for name in names:
            _copy_dataset([file[name] for file in files], picks, made)
        for name in names:
            _attach_scales(files[0][name], made[name], made)
    return target.getvalue()


def _picks(files: Sequence[h5py.File], times: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Positions of the times in each file, each time in the first file that holds it."""
    lacking, picks = np.asarray(times), []
    for file in files:
        held = np.asarray(file[TIME][:], np.int64)
        is_here = np.isin(lacking, held)
        order = np.argsort(held, kind="stable")
        found = order[np.searchsorted(held, lacking[is_here], sorter=order)]
        picks.append(np.asarray(found, np.intp))
        lacking = lacking[~is_here]
    if lacking.size:
        raise ValueError(f"{lacking.size} of {len(times)} hours are missing, as {lacking[0]}")
    return picks


def _copy_dataset(
    parts: Sequence[h5py.Dataset], picks: Sequence[NDArray[np.intp]], made: h5py.File
) -> None:
    first = parts[0]
    name = first.name.strip("/")
    axis = _time_axis(first, name)
    if axis is None:
        values = first[()]
        _check_same(name, values, parts[1:])
    else:
        held = [pair for pair in zip(parts, picks, strict=True) if len(pair[1])]
        values = np.concatenate([_steps(part, pick, axis) for part, pick in held], axis)
    copied = made.create_dataset(name, data=values, dtype=first.dtype, **_encoding(first, values))
    _copy_attributes(first, copied)
    if first.is_scale:
        told = first.attrs.get("NAME", name)
        copied.make_scale(told.decode() if isinstance(told, bytes) else str(told))


def _steps(stored: h5py.Dataset, pick: NDArray[np.intp], axis: int) -> NDArray[Any]:
    """The picked steps; HDF5 itself takes neither repeated nor unordered positions."""
    low, high = int(pick.min()), int(pick.max()) + 1
    read = stored[(slice(None),) * axis + (slice(low, high),)]
    return np.asarray(np.take(read, pick - low, axis))


def _time_axis(stored: h5py.Dataset, name: str) -> int | None:
    """Which axis is the time; None for what does not depend on it."""
    if name == TIME:
        return 0
    for axis, dimension in enumerate(stored.dims):
        if any(scale.name.strip("/") == TIME for scale in dimension.values()):
            return axis
    return None


def _check_same(name: str, values: Any, others: Sequence[h5py.Dataset]) -> None:  # noqa: ANN401
    for other in others:
        if not np.array_equal(np.asarray(values), np.asarray(other[()])):
            raise ValueError(f"{name} is not the same in all files")


def _encoding(stored: h5py.Dataset, values: NDArray[Any]) -> dict[str, Any]:
    """How the numbers lie in the file, in words of `create_dataset`."""
    if stored.shape == ():
        return {}
    filled = stored.id.get_create_plist().fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    fill = {"fillvalue": stored.fillvalue} if filled else {}
    if stored.chunks is None:
        return fill
    chunks = tuple(min(pair) for pair in zip(stored.chunks, values.shape, strict=True))
    return fill | {
        "chunks": chunks,
        "compression": stored.compression,
        "compression_opts": stored.compression_opts,
        "shuffle": stored.shuffle,
        "fletcher32": stored.fletcher32,
    }


def _copy_attributes(stored: h5py.HLObject, made: h5py.HLObject) -> None:
    for name in stored.attrs:
        if name not in SCALE_ATTRIBUTES:
            dtype = stored.attrs.get_id(name).dtype
            made.attrs.create(name, stored.attrs[name], dtype=dtype)


def _attach_scales(stored: h5py.Dataset, copied: h5py.Dataset, made: h5py.File) -> None:
    if stored.is_scale:
        return
    for axis, dimension in enumerate(stored.dims):
        for scale in dimension.values():
            copied.dims[axis].attach_scale(made[scale.name])


def _zipped(made: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, image in made.items():
            archive.writestr(zipfile.ZipInfo(name, MADE), image)
    return target.getvalue()
