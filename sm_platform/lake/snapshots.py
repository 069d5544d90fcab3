"""Snapshots of trainings under way: named bytes, each replaced whole or not at all.

A training has a folder below `.training` in the model store, named by what decides its result, so
that the same training started again finds what an attempt before it left. Its owner removes the
folder once the checkpoint is stored; what nobody has touched for a month is swept.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sm_platform.lake.atomic import explained, replacing_file
from sm_platform.lake.layout import safe

TRAINING = ".training"
KEPT = timedelta(days=30)
"""How long a training that was never finished is kept."""


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """The snapshots of one training; several threads may use it, each with names of its own."""

    folder: Path
    aside: Path
    """Where a snapshot is written before it takes its place."""

    def read(self, name: str) -> bytes | None:
        """The content last written under this name; None if there is none."""
        path = self.folder / safe(name)
        with explained(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Replace the content, whole or not at all.

        Raises:
            LakeError: it cannot be written, for example because the disk is full; the content
                from before stays.
        """
        with replacing_file(self.folder / safe(name), self.aside) as draft:
            draft.write_bytes(content)

    def remove(self) -> None:
        """Forget the training; what cannot be removed is swept later."""
        with suppress(OSError):
            shutil.rmtree(self.folder)
            self.folder.parent.rmdir()  # only when it is empty


def open_snapshots(models: Path, fingerprint: str) -> SnapshotFolder:
    """The snapshots of the training of that fingerprint in a model store; makes nothing."""
    return SnapshotFolder(models / TRAINING / safe(fingerprint), models / ".aside")


def sweep_snapshots(models: Path, now: datetime) -> list[str]:
    """Remove trainings that nobody has touched for `KEPT`; their fingerprints, in order."""
    root = models / TRAINING
    old = [
        folder
        for folder in (sorted(root.iterdir()) if root.is_dir() else [])
        if now - _touched(folder) > KEPT
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in old]


def _touched(folder: Path) -> datetime:
    """When something was last written in a folder; what is gone meanwhile counts as new."""
    try:
        times = [path.stat().st_mtime for path in (folder, *folder.glob("*"))]
    except FileNotFoundError:  # its training was finished, or goes on
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp(max(times), UTC)
