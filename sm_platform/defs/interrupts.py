"""Ctrl-C that Python would lose: raised in a callback of the garbage collector it is only printed.

Runs made of many small steps ask before each one, so that a lost Ctrl-C ends them there.
"""

import signal
import sys
import threading
from types import FrameType

_seen = threading.Event()


def remember_interrupts() -> None:
    """From now on Ctrl-C is remembered as well as raised; other threads cannot ask for it."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _remember)
        sys.unraisablehook = _without_interrupts


def stop_if_interrupted() -> None:
    """Raises KeyboardInterrupt when Ctrl-C came, however long ago."""
    if _seen.is_set():
        raise KeyboardInterrupt


def _remember(number: int, frame: FrameType | None) -> None:
    _seen.set()
    signal.default_int_handler(number, frame)


def _without_interrupts(told: "sys.UnraisableHookArgs") -> None:
    """What is remembered needs no stack trace that helps nobody."""
    if told.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(told)
