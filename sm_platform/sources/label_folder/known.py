"""What a folder of labels is told of a file: the shape of `formats.recognised.Recognised`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Protocol


class Known(Protocol):
    """What is told of a file."""

    @property
    def product(self) -> str:
        """As in `Product`."""
        ...

    @property
    def format(self) -> str:
        """Name of the module that reads it; empty where none does."""
        ...

    @property
    def granule_id(self) -> str:
        """Safe as a folder name."""
        ...

    @property
    def day(self) -> date | None:
        """UTC day; None when its name tells none."""
        ...

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of its granule."""
        ...

    @property
    def is_companion(self) -> bool:
        """Whether another file of the granule is the one to be read."""
        ...


Recognise = Callable[[Path], Known | None]
"""Tells what a file is, None for an unknown one; a DataError when it cannot be opened."""
