"""Nothing of this folder runs unless it is asked for by its marker."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
WHY = "asks real services: run it with `pytest -m live sm_platform_tests/live`"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the cases, saying how they are run, when the marker is not named."""
    if "live" in (config.option.markexpr or ""):
        return
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=WHY))
