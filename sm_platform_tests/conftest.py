"""Fixtures of the whole suite: shared data, a home away from the checkout, one thread."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sm_platform_tests.servers import StandIn

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"
FOLDERS = ("SM_DATA_LAKE", "SM_MODELS", "SM_ARCHIVE", "DAGSTER_HOME")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

settings.register_profile("suite", derandomize=True, deadline=None, database=None)


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module loads torch: one thread, here and in started processes."""
    os.environ["OMP_NUM_THREADS"] = "1"
    settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """The modules that are loaded by now are not looked through again for what can be freed."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that holds lake, models, archive and DAGSTER_HOME of the whole run.

    A test that needs folders of its own sets the variables itself; none reaches the checkout's.
    """
    root = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in FOLDERS:
            folder = root / name.lower()
            folder.mkdir()
            patch.setenv(name, str(folder))
        (root / "dagster_home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        yield root


@pytest.fixture(scope="session")
def server() -> Iterator[IO[str]]:
    """What starts commands at a `Desk`, for all tests that need it."""
    from sm_platform_tests.desk import command_server

    with command_server() as requests:
        yield requests


@pytest.fixture
def servers(running: "StandIn", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "StandIn":
    """The stand-ins that are `running` (each module or folder says over what), made new.

    They have no faults and an empty log; clients of this test reach nothing else.
    """
    from sm_platform_tests.servers import guarded

    for name, value in guarded(running.ca, tmp_path).items():
        monkeypatch.setenv(name, value)
    running.clear()
    return running


@pytest.fixture
def shared() -> Callable[..., Path]:
    """A path below the folder of golden and real files; skips, saying so, when it is absent."""

    def find(*parts: str) -> Path:
        path = SHARED.joinpath(*parts)
        if not path.exists():
            pytest.skip(f"golden or real file {'/'.join(parts)} is not at hand")
        return path

    return find


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium for browser tests; skips, saying so, when this machine has none."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    pytest.skip("no Chromium on this machine: apt-get install chromium")
