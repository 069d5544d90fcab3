"""`sm-platform run` refuses radar that its recipe does not take before anything is downloaded."""

from pathlib import Path

import pytest

from sm_platform.defs.commands.run import Asked, run_command
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.steps import Step
from sm_platform.densesm.checkpoint import save
from sm_platform.errors import RecipeError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import LIVE, Region
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.sources.made_archive import WINDOW

DAY = "2025-03-01"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {
        "SM_DATA_LAKE": str(tmp_path / "lake"),
        "SM_MODELS": str(tmp_path / "models"),
        "DAGSTER_HOME": str(tmp_path / "home"),
        "SM_SOURCES": "sentinel1=planetary_computer:RTC",
    }.items():
        monkeypatch.setenv(name, value)
    save_region(Layout(tmp_path / "lake"), Region("delta", WINDOW, LIVE, ""))
    return tmp_path


@pytest.mark.parametrize("is_named", [True, False])
def test_radar_of_another_quantity_is_refused_first(root: Path, is_named: bool) -> None:
    """By the recipe of the checkpoint, else by the default one."""
    checkpoint = random_checkpoint(seed=3)
    folder = root / "models" / checkpoint.checkpoint_id
    folder.mkdir(parents=True)
    save(checkpoint, folder)
    choice = (None, checkpoint.checkpoint_id if is_named else None)
    with pytest.raises(RecipeError, match="delta from planetary_computer:RTC is gamma0"):
        run_command(Asked("delta", DAY, DAY), [*Step], None, choice, lambda _: None)
    assert not (root / "home").exists(), "not one run was begun"
