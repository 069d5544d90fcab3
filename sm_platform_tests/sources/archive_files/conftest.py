"""Label files of one full region, for the tests that ask for statistics."""

import pytest

from sm_platform_tests.sources.archive_files.full_labels import FullLabels, full_labels
from sm_platform_tests.sources.simulated.full_worlds import full_world


@pytest.fixture(scope="session")
def highland(tmp_path_factory: pytest.TempPathFactory) -> FullLabels:
    """The highland's; drained nearly everywhere, so that the truth is what a label should tell."""
    return full_labels(tmp_path_factory.mktemp("labels"), full_world("highland"))
