"""What fetching costs: requests, bytes and compute, counted where they are spent.

A caller opens a meter around what it asks for; whoever speaks to a service adds to the meters
that are open in its thread. Work handed to other threads is added by the thread that waits for it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """Sums since it was opened; failed tries count as well."""

    requests: int = 0
    received_bytes: int = 0
    eecu_s: float | None = None
    """Earth Engine compute units, EECU seconds; None where none were told."""
    watch: Callable[[int], None] | None = None
    """Called with the bytes of each addition; what it raises ends the work that is metered."""


_OPEN: ContextVar[tuple[Meter, ...]] = ContextVar("open_meters", default=())


@contextmanager
def metered(watch: Callable[[int], None] | None = None) -> Iterator[Meter]:
    """A meter of what is spent in this thread inside the block."""
    meter = Meter(watch=watch)
    token = _OPEN.set((*_OPEN.get(), meter))
    try:
        yield meter
    finally:
        _OPEN.reset(token)


def spend(*, requests: int = 0, received_bytes: int = 0, eecu_s: float | None = None) -> None:
    """Add to every open meter."""
    for meter in _OPEN.get():
        meter.requests += requests
        meter.received_bytes += received_bytes
        if eecu_s is not None:
            meter.eecu_s = (meter.eecu_s or 0.0) + eecu_s
        if meter.watch is not None:
            meter.watch(received_bytes)
