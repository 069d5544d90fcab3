"""Pre-training on labels of 9 km: a start that is stored by name and never chosen by maps."""

from pathlib import Path

import pytest

from sm_platform.defs.assets.checkpoints import checkpoints
from sm_platform.defs.assets.pretraining import pretrained_checkpoints
from sm_platform.defs.estimators import read_card
from sm_platform.defs.pretraining import PretrainingChoice, prepare_pretraining
from sm_platform.errors import MissingInputError, UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform_tests.defs.sample_lake import NAME
from sm_platform_tests.defs.taught_lake import (
    CUT_OFF,
    ELSEWHERE,
    coarse_samples,
    taught_region,
    trained_here,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two regions with samples of 100 m and of 9 km."""
    layout = Layout(tmp_path_factory.mktemp("taught"))
    for name in (NAME, ELSEWHERE):
        taught_region(layout, name)
        coarse_samples(layout, name)
    return layout


def test_a_start_is_stored_by_name_and_registered_for_no_region(
    lake: Layout, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path)
    made = trained_here(lake, models, [pretrained_checkpoints], {"members": 1, "epochs": 2})
    assert made.success
    (name,) = models.names()
    assert name.startswith(f"pretrain-{NAME}-20260302-sm-100m-v1-")
    card = read_card(models.folder(name))
    assert (card.metadata["profile"], card.metadata["split_scheme"]) == ("pretrain", "time")
    assert card.metadata["label_sources"] == ["spl4smgp"]
    assert store.read(lake, CHECKPOINTS, NAME, CUT_OFF) is None
    (event,) = made.asset_materializations_for_node("pretrained_checkpoints")
    assert event.metadata["checkpoint_id"].value == name
    assert event.metadata["n_samples"].value == card.metadata["n_samples"]
    tuned = {"members": 1, "epochs": 1, "start": name, "fewest_blocks": 1}
    assert trained_here(lake, models, [checkpoints], tuned).success
    rows = store.read(lake, CHECKPOINTS, NAME, CUT_OFF)
    assert rows is not None
    assert [row["parent_id"] for row in rows.rows.to_pylist()] == [name]


def test_only_labels_of_9_km_are_learnt_from_and_those_of_other_regions_added(
    lake: Layout,
) -> None:
    alone = prepare_pretraining(lake, NAME, CUT_OFF, PretrainingChoice())
    both = prepare_pretraining(lake, NAME, CUT_OFF, PretrainingChoice(more_regions=(ELSEWHERE,)))
    for found in (alone, both):
        assert set(found.samples.about["support_m"].to_pylist()) == {9000.0}
    assert len(both.repeats[0].learn) == 2 * len(alone.repeats[0].learn)
    day = alone.samples.about["sample_day"].to_numpy()
    ends = [
        (day[alone.samples.role == role].min(), day[alone.samples.role == role].max())
        for role in ("train", "validation", "test")
    ]
    assert ends[0][1] < ends[1][0]
    assert ends[1][1] < ends[2][0]
    assert set(alone.samples.role) == {"train", "validation", "test"}, "none calibrates"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("planet_swc", "Labels of planet_swc do not stand for 9 km: name spl4smgp or spl3smp_e"),
        ("hearsay", "There is no label source 'hearsay'"),
    ],
)
def test_a_source_of_another_size_is_refused(source: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PretrainingChoice(source=source)


def test_a_region_without_labels_of_9_km_says_what_to_do(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    taught_region(layout)
    with pytest.raises(MissingInputError, match="No sample of delta is of spl4smgp .* bring such"):
        prepare_pretraining(layout, NAME, CUT_OFF, PretrainingChoice())
    with pytest.raises(UsageError, match="name each once"):
        prepare_pretraining(layout, NAME, CUT_OFF, PretrainingChoice(more_regions=(NAME,)))
