"""Checkpoints outside the store: a folder or a zip of a few files, to be carried elsewhere."""

import shutil
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sm_platform.errors import CheckpointError, UsageError
from sm_platform.lake.atomic import explained

MOST_BYTES = 1 << 30
"""Of one file in a zip: more is no checkpoint, whatever the zip's own size."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: the same files, the same bytes."""
ZIP = ".zip"
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
    *(NotImplementedError, RuntimeError),  # a method that is not known, a password
)
"""What is raised for a damaged zip, by the place of the damage."""


def write_exported(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files (by name) into a new folder, or a zip where `out` ends in .zip; all or none.

    Raises:
        UsageError: something is there already, or no folder to write to.
        LakeError: the disk is full or cannot be written.
    """
    if out.exists() and (out.suffix == ZIP or not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already: name a new folder or zip with --out.")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to: make it first.")
    draft = out.with_name(f".{out.name}.part")
    try:
        with explained(out):
            _write(draft, files, as_zip=out.suffix == ZIP)
            draft.replace(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if draft.is_file():
            draft.unlink()


def is_export(path: Path, card_name: str) -> bool:
    """Whether a path looks like an export: a zip, or a folder with a card."""
    return path.suffix == ZIP or (path / card_name).is_file()


@contextmanager
def opened_export(path: Path, names: Collection[str]) -> Iterator[Path]:
    """The export as a folder with these files alone; a zip is unpacked aside for that long.

    Raises:
        CheckpointError: the zip is damaged, or there are other files (nothing is guessed about
            them, and pickled networks are never read beside a card).
    """
    if path.is_dir():
        _refuse_others(path, {one.name for one in path.iterdir()}, names)
        yield path
        return
    with TemporaryDirectory() as folder:
        _unpack(path, Path(folder), names)
        yield Path(folder)


def _write(draft: Path, files: Mapping[str, bytes], *, as_zip: bool) -> None:
    if not as_zip:
        draft.mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        return
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)


def _unpack(path: Path, folder: Path, names: Collection[str]) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            _refuse_others(path, set(packed.namelist()), names)
            for one in packed.infolist():
                if one.file_size > MOST_BYTES:
                    raise CheckpointError(f"{path}: {one.filename} is of {one.file_size} bytes.")
                (folder / one.filename).write_bytes(packed.read(one))
    except UNREADABLE as error:
        raise CheckpointError(
            f"{path} is no zip that can be read ({error}): export the checkpoint again."
        ) from error


def _refuse_others(path: Path, found: set[str], names: Collection[str]) -> None:
    others = sorted(found - set(names))
    if others:
        raise CheckpointError(
            f"{path} holds {', '.join(others[:3])} beside a checkpoint's files "
            f"({', '.join(names)}): take out what does not belong to it."
        )
