"""Radar of another quantity than the recipe takes: told before any of it is downloaded."""

import pytest

from sm_platform.defs.radar_quantity import CORRECTED, check_source, only_for
from sm_platform.errors import RecipeError
from sm_platform.schema.recipes import SM_100M_V1, SM_100M_V1_RTC
from sm_platform.schema.region import ARCHIVE, LIVE, Region
from sm_platform.sources.configuration import CHOICES
from sm_platform_tests.sources.made_archive import WINDOW

REGION = Region("delta", WINDOW, LIVE, "")
SIGMA = [one for one in CHOICES["sentinel1"] if one not in CORRECTED]


@pytest.mark.parametrize("choice", sorted(CORRECTED))
def test_gamma0_serves_its_own_recipe_only(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_SOURCES", f"sentinel1={choice}")
    with pytest.raises(RecipeError, match="the recipe sm-100m-v1 takes sigma0") as caught:
        check_source(REGION, SM_100M_V1)
    assert f"of region delta from {choice} is gamma0" in str(caught.value)
    assert "choose the recipe sm-100m-v1-rtc with a checkpoint of it" in str(caught.value)
    check_source(REGION, SM_100M_V1_RTC)
    assert str(only_for(REGION)).endswith("this radar serves the recipe sm-100m-v1-rtc only.")


@pytest.mark.parametrize("choice", SIGMA)
def test_sigma0_serves_all_others(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_SOURCES", f"sentinel1={choice}")
    check_source(REGION, SM_100M_V1)
    assert only_for(REGION) is None
    with pytest.raises(RecipeError, match="sm-100m-v1-rtc takes gamma0"):
        check_source(REGION, SM_100M_V1_RTC)


def test_every_corrected_choice_can_be_configured() -> None:
    assert set(CHOICES["sentinel1"]) > CORRECTED
    assert {one for one in CHOICES["sentinel1"] if "RTC" in one} == CORRECTED


def test_folders_and_lacking_services_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files tell it, or the listing that there is none."""
    monkeypatch.setenv("SM_SOURCES", "sentinel1=planetary_computer:RTC")
    folder = Region("delta", WINDOW, ARCHIVE, "somewhere")
    check_source(folder, SM_100M_V1)
    assert only_for(folder) is None
    for sources in ("weather=archive", ""):
        monkeypatch.setenv("SM_SOURCES", sources)
        check_source(REGION, SM_100M_V1)
        assert only_for(REGION) is None
