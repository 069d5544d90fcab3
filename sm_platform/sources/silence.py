"""Addresses with a signature in them, kept out of what libraries log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sm_platform.sources.services import blotted

TALKERS = (
    "rasterio._base",
    "rasterio._env",
    "rasterio._err",
    "rasterio._io",
    "rasterio.env",
    "urllib3.connectionpool",
)
"""Loggers that tell addresses: a filter sees only what its own logger is given."""


@contextmanager
def silenced(secret: str) -> Iterator[None]:
    """Inside the block no logger of these libraries shows the secret, in any thread."""
    mask = _Mask(secret)
    for name in TALKERS:
        logging.getLogger(name).addFilter(mask)
    try:
        yield
    finally:
        for name in TALKERS:
            logging.getLogger(name).removeFilter(mask)


class _Mask(logging.Filter):
    """Lets every record pass, without the secret."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secrets = [secret]

    def filter(self, record: logging.LogRecord) -> bool:
        if self._secrets[0]:
            record.msg, record.args = blotted(record.getMessage(), self._secrets), ()
        return True
