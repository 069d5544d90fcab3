"""A look at a file in a process of its own, for libraries that a damaged file kills.

The HDF 4 library trusts what a file says of its own layout: changed bytes end the process.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from sm_platform.errors import GranuleError
from sm_platform.formats.inspected import Inspection, Place
from sm_platform.formats.recognised import Recognised

Look = Callable[[Path, Recognised, Place | None], Inspection]


def inspect_apart(look: Look, path: Path, known: Recognised, place: Place | None) -> Inspection:
    """What `look` finds.

    Raises:
        GranuleError: as `look`, or the process ended without an answer.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_be_quiet) as pool:
        try:
            return pool.submit(look, path, known, place).result()
        except BrokenProcessPool as error:
            raise GranuleError(
                f"{path.name}: the file is damaged or cut off (it ends the HDF library): "
                "fetch it again."
            ) from error


def _be_quiet() -> None:
    """The dying library's last words are for nobody."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
