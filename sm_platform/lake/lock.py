"""One writer at a time where a partition is read, changed and written back."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from sm_platform.lake.atomic import explained
from sm_platform.lake.layout import Layout


@contextmanager
def locked(layout: Layout, name: str) -> Iterator[None]:
    """Hold the lake's lock of that name; who comes second waits. A dead holder's lock is free.

    Raises:
        LakeError: the lake cannot be written.
    """
    path = layout.lock(name)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.open("w")
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
