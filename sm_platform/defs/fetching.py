"""Fetching a granule: asked for again while that may help, checked against what its source told."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_exponential_jitter,
)
from tenacity.stop import stop_base

from sm_platform.errors import BudgetError, DeniedError, PassingError
from sm_platform.formats.magic import first_bytes, mistaken_for
from sm_platform.grid.window import GridWindow
from sm_platform.lake.granules import digest_of
from sm_platform.sources.protocol import Granule, Source

BINARY = (".tif", ".tiff", ".nc", ".h5", ".hdf", ".hdf5", ".he5", ".jp2", ".zip")
"""Endings of files that never begin with text."""
UTF8_TAIL = 3
"""A character may be cut off at the end of the first bytes: it has 4 bytes at most."""
UNKNOWN = "something else"
TRIES_DENIED = 2
"""A token may have been renewed in between; more tries may lock the account."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source is asked for the same again; only after a PassingError."""

    tries: int = 3
    first_wait_s: float = 0.5
    """Doubled each time, and up to as much again at random: not all come back at one moment."""
    longest_wait_s: float = 20.0
    deadline_s: float = 120.0
    """No further try begins after it."""


USUAL = Patience()


def patiently(
    patience: Patience, ask: Callable[[], Answer], stopping: threading.Event | None = None
) -> Answer:
    """The answer of the first try that succeeds.

    Between two tries it waits at least as long as the provider asks for; `stopping` ends that.

    Raises:
        PassingError: of the last try, when all failed or the deadline would come.
    """
    usual = wait_exponential_jitter(
        initial=patience.first_wait_s,
        max=patience.longest_wait_s,
        jitter=patience.first_wait_s,
    )
    stopped = stopping or threading.Event()

    def wait(seconds: float) -> None:
        stopped.wait(seconds)

    retrying = Retrying(
        sleep=wait,
        retry=retry_if_exception_type(PassingError),
        stop=stop_any(
            stop_after_attempt(patience.tries),
            stop_before_delay(patience.deadline_s),
            _Vain(stopped),
        ),
        wait=lambda state: max(usual(state), _asked_to_wait_s(state)),
        reraise=True,
    )
    return retrying(ask)


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


class _Vain(stop_base):
    """Whether another try cannot help: stopped, no money, or credentials denied twice."""

    def __init__(self, stopped: threading.Event) -> None:
        self.stopped = stopped

    def __call__(self, retry_state: RetryCallState) -> bool:
        error = _failure(retry_state)
        is_denied = isinstance(error, DeniedError) and retry_state.attempt_number >= TRIES_DENIED
        return is_denied or isinstance(error, BudgetError) or self.stopped.is_set()


def _asked_to_wait_s(state: RetryCallState) -> float:
    error = _failure(state)
    return (error.retry_after_s or 0.0) if isinstance(error, PassingError) else 0.0


def fetch_whole(
    source: Source,
    granule: Granule,
    window: GridWindow,
    folder: Path,
    *,
    patience: Patience,
    stopping: threading.Event | None = None,
) -> None:
    """Fetch a granule into a folder of its own; what came of the last try stays in it.

    Raises:
        PassingError: it did not come, or not as the source told it, on the last try either.
        SourceError: it cannot be had, now or later.
    """

    def once() -> None:
        _empty(folder)
        source.fetch(granule, window, folder)
        check_fetched(granule, folder)

    patiently(patience, once, stopping)


def check_fetched(granule: Granule, folder: Path) -> None:
    """Compare what came with what the source told of it; nothing is known of absent files.

    Raises:
        PassingError: it is text in the place of data, of another size or of another content.
    """
    files = [folder / name for name in sorted(granule.files)]
    if not all(path.is_file() for path in files):
        return
    strange = text_in_place(granule, folder)
    if strange is not None:
        raise PassingError(strange)
    digest, size = digest_of(files)
    if granule.size_bytes not in (None, size):
        raise PassingError(
            f"{granule.granule_id} came with {size} of {granule.size_bytes} bytes: download again; "
            "when that stays so, its file is damaged at the source."
        )
    if granule.sha256 not in (None, digest):
        raise PassingError(
            f"{granule.granule_id} came with another checksum than its source tells: download "
            "again; when that stays so, its file is damaged at the source."
        )


def text_in_place(granule: Granule, folder: Path) -> str | None:
    """A sentence when a file that should hold binary data begins with text, else None."""
    for name in granule.files:
        path = folder / name
        if path.suffix.lower() in BINARY and path.is_file() and _is_text(first_bytes(path)):
            what = mistaken_for(path)
            what = "text" if what == UNKNOWN else what
            return (
                f"{granule.granule_id}: {name} is {what} instead of data: see to the account or "
                "the link, then download again."
            )
    return None


def _is_text(start: bytes) -> bool:
    try:
        start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - UTF8_TAIL:
            return False
    return bool(start) and b"\0" not in start


def _empty(folder: Path) -> None:
    """Take away what an earlier try left."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
