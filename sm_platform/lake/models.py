"""The model store: one folder a checkpoint, written whole, never changed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sm_platform.errors import UsageError
from sm_platform.lake.atomic import replacing_folder
from sm_platform.lake.layout import safe


@dataclass(frozen=True, slots=True)
class ModelStore:
    """Folders of checkpoints below one root."""

    root: Path

    def names(self) -> list[str]:
        """Ids of the stored checkpoints, in order."""
        found = self.root.glob("*/checkpoint.json")
        return sorted(path.parent.name for path in found if not path.parent.name.startswith("."))

    def folder(self, checkpoint_id: str) -> Path:
        """Folder of a stored checkpoint; raises UsageError listing those there are."""
        path = self.root / safe(checkpoint_id)
        if not (path / "checkpoint.json").is_file():
            known = ", ".join(self.names()) or "none yet"
            raise UsageError(
                f"There is no checkpoint '{checkpoint_id}' in {self.root} (there: {known}): "
                "import one with `sm-platform models import`."
            )
        return path

    def add(
        self, checkpoint_id: str, save: Callable[[Path], None], *, replace: bool = False
    ) -> Path:
        """Store a checkpoint that `save` writes into an empty folder; returns its folder.

        Raises:
            UsageError: one of that name is there and `replace` was not said.
        """
        target = self.root / safe(checkpoint_id)
        if target.exists() and not replace:
            raise UsageError(
                f"There is a checkpoint '{checkpoint_id}' already: choose another name."
            )
        with replacing_folder(target, self.root / ".aside") as draft:
            save(draft)
        return target
