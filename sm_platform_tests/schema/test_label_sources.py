"""The register of label sources: consistent in itself and with grids and tables."""

from dataclasses import FrozenInstanceError

import pytest

from sm_platform.errors import UsageError
from sm_platform.grid.ease2 import LEVELS
from sm_platform.lake.layout import safe
from sm_platform.schema.label_sources import LABEL_SOURCES, LabelSource, LabelType, find_source
from sm_platform.schema.label_tables import LABEL_TYPE, SUPPORT

each_source = pytest.mark.parametrize("source", LABEL_SOURCES.values(), ids=list(LABEL_SOURCES))


def test_a_source_is_found_by_its_id() -> None:
    for name, source in LABEL_SOURCES.items():
        assert find_source(name) is source
        assert source.source_id == name


@pytest.mark.parametrize("name", ["", "planet", "PLANET_SWC", "ismn "])
def test_an_unknown_source_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match=f"no label source '{name}'") as error:
        find_source(name)
    assert all(known in str(error.value) for known in LABEL_SOURCES)


@each_source
def test_an_id_can_be_the_folder_of_its_granules(source: LabelSource) -> None:
    assert safe(source.source_id) == source.source_id


@each_source
def test_the_support_is_that_of_the_level(source: LabelSource) -> None:
    """To a metre in a hundred: a level is named by its nominal cell."""
    if source.level is not None:
        (level,) = (level for level in LEVELS if level.name == source.level)
        assert source.support_m == pytest.approx(level.cell_m, rel=0.01)
    assert source.support_m >= (SUPPORT.low or 0)


@each_source
def test_points_are_in_situ_and_areas_are_not(source: LabelSource) -> None:
    assert (source.support_m == 0) == (source.label_type == LabelType.IN_SITU)


@each_source
def test_the_layer_lies_below_the_surface_and_is_the_top(source: LabelSource) -> None:
    assert 0 <= source.depth_from_m < source.depth_to_m <= 0.1


@each_source
def test_types_are_those_the_tables_tell_of(source: LabelSource) -> None:
    assert source.label_type.value in LABEL_TYPE.meaning


def test_what_smap_measured_shares_errors_and_sensors_do_not() -> None:
    made = {name: source.made_from for name, source in LABEL_SOURCES.items()}
    smap = [name for name in made if LABEL_SOURCES[name].label_type != LabelType.IN_SITU]
    assert all(made[one] & made[other] for one in smap for other in smap)
    sensors = set(made) - set(smap)
    assert sensors == {"ismn", "user_csv"}
    assert not any(made[one] & made[other] for one in sensors for other in set(made) - {one})


def test_models_know_the_rain_and_products_do_not() -> None:
    rained = {n for n, source in LABEL_SOURCES.items() if "analysed_rain" in source.made_from}
    assert rained == {
        n for n, source in LABEL_SOURCES.items() if source.label_type == LabelType.MODEL
    }


def test_a_source_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        find_source("ismn").support_m = 1.0  # type: ignore[misc]
