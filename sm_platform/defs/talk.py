"""How commands and assets tell a person what goes on."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

Say = Callable[[str], None]
"""Says one line; it goes to stderr."""
LISTENER: ContextVar[Say | None] = ContextVar("listener", default=None)
"""Who waits at a terminal for the assets that run in this process; None: nobody."""
DIGITS = 4
"""Of a number that is shown: more tell nothing of soil moisture, and of shares."""


def legible(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is told, with its fractions in four digits."""
    return {
        name: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
        for name, value in told.items()
    }


def to_listener(say: Say) -> Say:
    """What says a line and, where somebody waits at a terminal, tells it there as well."""
    listener = LISTENER.get()

    def both(text: str) -> None:
        say(text)
        if listener is not None:
            listener(text)

    return both


def spoken(seconds: float) -> str:
    """A duration for people: seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def counted(n: int, name: str) -> str:
    """A number of things: 1 day, 2 days."""
    return f"{n} {name}" if n == 1 else f"{n} {name}s"
