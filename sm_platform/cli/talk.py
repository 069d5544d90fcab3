"""How commands speak: results to stdout, talk to stderr."""

import sys


def say(text: str) -> None:
    """Talk goes to stderr."""
    print(text, file=sys.stderr, flush=True)
