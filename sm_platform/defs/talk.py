"""How commands tell a person what goes on."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Says one line; it goes to stderr."""
