from pathlib import Path

import pytest

from sm_platform.lake.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty lake, whose folder does not exist yet."""
    return Layout(tmp_path / "lake")
