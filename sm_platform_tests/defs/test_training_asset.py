"""The asset `checkpoints`: what a training leaves behind, and what it refuses before it begins."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from sm_platform import __version__
from sm_platform.defs import training_watch
from sm_platform.defs.assets.checkpoints import checkpoints
from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.training_choice import MEMBER_ORDER, choice_from
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.errors import UsageError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.models import ModelStore
from sm_platform.schema.recipes import DENSESM_2024, SM_100M_V1
from sm_platform.schema.registry_tables import CHECKPOINTS
from sm_platform_tests.defs.sample_lake import NAME
from sm_platform_tests.defs.taught_lake import CUT_OFF, ELSEWHERE, taught_region, trained_here
from sm_platform_tests.densesm.making import random_checkpoint

QUICK = {"members": 1, "epochs": 2}


PICTURE = "![{}](data:image/png;base64,"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two regions with samples; checkpoints are added."""
    layout = Layout(tmp_path_factory.mktemp("taught") / "lake")
    taught_region(layout)
    taught_region(layout, ELSEWHERE)
    return layout


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def rows_of(layout: Layout) -> list[dict[str, Any]]:
    made = store.read(layout, CHECKPOINTS, NAME, CUT_OFF)
    return made.rows.to_pylist() if made else []


def trained(layout: Layout, models: ModelStore, config: Mapping[str, object]) -> dict[str, Any]:
    """The newest row after a run that must go well."""
    result = trained_here(layout, models, [checkpoints], config)
    assert result.success
    return rows_of(layout)[-1]


def refused(layout: Layout, models: ModelStore, config: Mapping[str, object]) -> str:
    """Why a run failed."""
    result = trained_here(layout, models, [checkpoints], config)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    error = failure.step_failure_data.error
    return str(data.description) if data else str(error and error.cause or error)


# What it leaves behind.


def test_a_checkpoint_is_stored_and_its_row_tells_how_it_came_to_be(
    lake: Layout, models: ModelStore
) -> None:
    row = trained(lake, models, {"members": 2, "epochs": 8, "seed": 3})
    name = row["checkpoint_id"]
    assert name.startswith(f"{NAME}-20260302-sm-100m-v1-{row['checkpoint_fingerprint'][:6]}")
    assert models.names() == [name]
    card = read_card(models.folder(name))
    assert {key: row[key] for key in ("kind", "profile", "scheme", "seed", "parent_id")} == {
        "kind": "densesm",
        "profile": "recommended",
        "scheme": "block",
        "seed": 3,
        "parent_id": None,
    }
    assert (row["n_members"], row["n_samples"]) == (2, 320)
    assert (row["label_sources"], row["licences"]) == (["planet_swc"], ["simulated"])
    assert (row["reference"], row["code_version"]) == ("product", __version__)
    assert row["samples_fingerprint"] == card.metadata["samples_fingerprint"]
    assert 0 < row["rmse_m3m3"] < 0.09, "labels spread by 0.115 and can be learnt"
    assert row["r"] > 0.5
    assert card.names == tuple(Architecture(*one).name for one in MEMBER_ORDER[:2])
    assert card.metadata["choice"]["members"] == 2
    assert card.metadata["trained_until"] == CUT_OFF.isoformat()
    assert {one["repeat"] for one in card.metadata["seeds"].values()} == {1}
    assert not (models.root / ".training").exists(), "snapshots are gone once it is stored"


def test_the_same_again_is_the_same_checkpoint_and_another_seed_another(
    lake: Layout, models: ModelStore
) -> None:
    first = trained(lake, models, QUICK)
    before = len(rows_of(lake))
    assert trained(lake, models, QUICK) == first
    assert len(rows_of(lake)) == before
    other = trained(lake, models, {**QUICK, "seed": 2})
    assert other["checkpoint_fingerprint"] != first["checkpoint_fingerprint"]
    assert other["samples_fingerprint"] == first["samples_fingerprint"]
    assert len(models.names()) == 2


def test_repeats_are_members_of_one_ensemble_and_the_first_is_that_of_one_repeat(
    lake: Layout, models: ModelStore
) -> None:
    one = read_card(models.folder(trained(lake, models, QUICK)["checkpoint_id"]))
    two = trained(lake, models, {**QUICK, "repeats": 2})
    card = read_card(models.folder(two["checkpoint_id"]))
    assert card.names == (*one.names, *(f"{name}_r2" for name in one.names))
    best = card.metadata["best_validation_rmse"]
    assert {name: best[name] for name in one.names} == one.metadata["best_validation_rmse"]
    assert len(set(best.values())) == 2


@pytest.mark.parametrize(
    ("config", "kind", "names"),
    [
        ({"profile": "trees", "members": 2, "epochs": 15}, "trees", ("trees_1", "trees_2")),
        (
            {"profile": "parity", "members": 1, "repeats": 2, "epochs": 2},
            "densesm",
            ("1_64", "1_64_r2"),
        ),
        ({**QUICK, "members": 1, "scheme": "time", "fewest_blocks": 1}, "densesm", ("1_64",)),
    ],
)
def test_every_profile_ends_as_an_estimator(
    lake: Layout,
    models: ModelStore,
    config: Mapping[str, object],
    kind: str,
    names: tuple[str, ...],
) -> None:
    row = trained(lake, models, config)
    estimator = open_estimator(models.folder(row["checkpoint_id"]))
    assert (row["kind"], row["profile"]) == (kind, config.get("profile", "recommended"))
    assert estimator.names == names
    assert estimator.recipe_fingerprint == SM_100M_V1.fingerprint
    assert row["scheme"] == config.get("scheme", "block")


def test_a_start_is_the_parent_and_its_licence_is_told(lake: Layout, models: ModelStore) -> None:
    first = trained(lake, models, QUICK)
    tuned = trained(lake, models, {**QUICK, "epochs": 1, "start": first["checkpoint_id"]})
    assert tuned["parent_id"] == first["checkpoint_id"]
    assert tuned["licences"] == ["simulated", f"{first['checkpoint_id']}: simulated"]
    card = read_card(models.folder(tuned["checkpoint_id"]))
    assert card.metadata["parent_fingerprint"] == first["checkpoint_fingerprint"]


def test_a_stored_checkpoint_is_registered_as_imported(lake: Layout, models: ModelStore) -> None:
    models.add("test-1", lambda folder: save(random_checkpoint(), folder))
    row = trained(lake, models, {"source_checkpoint": "test-1"})
    assert (row["checkpoint_id"], row["profile"]) == ("test-1", "imported")
    assert (row["n_samples"], row["scheme"], row["rmse_m3m3"]) == (None, None, None)
    assert row["licences"] == ["not known"]


# What is seen of it.


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every epoch is told and shown."""
    monkeypatch.setattr(training_watch, "LINE_SECONDS", 0.0)
    monkeypatch.setattr(training_watch, "PICTURE_SECONDS", 0.0)
    yield


@pytest.mark.usefixtures("talkative")
def test_curves_appear_while_it_goes_and_a_picture_afterwards(
    lake: Layout, models: ModelStore
) -> None:
    result = trained_here(lake, models, [checkpoints], QUICK)
    assert result.success
    seen = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION
    ]
    assert len(seen) == 2
    assert {one.partition for one in seen} == {f"{CUT_OFF}|{NAME}"}
    for one in seen:
        assert "![loss curves so far](data:image/png;base64," in str(
            one.metadata["loss_curves"].value
        )
    assert "min left" in str(seen[0].metadata["now"].value)
    (made,) = result.asset_materializations_for_node("checkpoints")
    told = made.metadata
    assert str(told["loss_and_scatter"].value).startswith(PICTURE.format("loss and scatter"))
    assert told["test_rows"].value == 80
    assert f"# {told['checkpoint_id'].value}" in str(told["model_card"].value)
    assert np.isfinite(float(str(told["rmse_m3m3"].value)))


# What it refuses.


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"start": "nobody"}, r"There is no checkpoint 'nobody'"),
        ({"domain_loss": "mean"}, "There is no domain_loss 'mean': choose of none, coral, mmd"),
        ({"domain_loss": "coral"}, "has no radar rows at its sites .* `s1_backscatter`"),
        ({"members": 0}, "members"),
        ({"members": 26}, "members"),
        ({"own_sites": 0}, "Without labels of its own"),
        ({"source_regions": ["nowhere"]}, "nowhere has no roles of its samples"),
        ({"source_regions": [NAME]}, f"name each once, not {NAME}"),
        ({"sources": ["ismn"]}, r"No sample of delta is of ismn .* \(there: planet_swc\)"),
        ({"sources": ["hearsay"]}, "There is no label source 'hearsay'"),
        ({"fewest_sites": 60}, "has 24 sites in 6 blocks of 3 km, at least 60 in 3 are needed"),
        ({"fewest_blocks": 9}, "Role validation of scheme block has 24 sites in 6 blocks"),
        ({"profile": "parity", "stage": "ft13"}, "stands for 1500 to 10000 m of ground"),
        ({"profile": "trees", "start": "x"}, "Trees start from nothing"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(
    lake: Layout, models: ModelStore, config: Mapping[str, object], said: str
) -> None:
    before = rows_of(lake)
    why = refused(lake, models, config)
    assert re.search(said, why), why
    assert rows_of(lake) == before
    assert not list(models.root.glob(".training/*"))


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("profile", "best"),
        ("profile", "pretrain"),
        ("scheme", "region"),
        ("scheme", "random"),
        ("stage", "ft99"),
        ("loss", "mae"),
    ],
)
def test_a_word_that_is_none_of_the_choices_is_refused_where_it_is_typed(
    lake: Layout, models: ModelStore, setting: str, word: str
) -> None:
    with pytest.raises(
        dg.DagsterInvalidConfigError, match=f"config:{setting} not in enum .*{word}"
    ):
        refused(lake, models, {setting: word})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"profile": "best"}, "no profile 'best': choose of recommended, parity, trees"),
        ({"scheme": "region"}, "Scheme region has no training rows"),
        ({"scheme": "area"}, "There is no scheme 'area'"),
        ({"profile": "parity", "loss": "mae"}, "There is no loss 'mae'"),
    ],
)
def test_the_command_line_says_the_same_in_words(told: Mapping[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choice_from(told)


def test_a_start_of_another_recipe_is_refused_unless_named(
    lake: Layout, models: ModelStore
) -> None:
    wanted = [Architecture(*one) for one in MEMBER_ORDER[:1]]
    foreign = random_checkpoint(*wanted, recipe=DENSESM_2024)
    models.add("test-1", lambda folder: save(foreign, folder))
    why = refused(lake, models, {**QUICK, "start": "test-1"})
    assert "Start 'test-1' is of recipe 'densesm-2024'" in why
    assert "the rows are of 'sm-100m-v1'" in why
    meant = {**QUICK, "start": "test-1", "start_recipe": "densesm-2024"}
    assert trained(lake, models, meant)["parent_id"] == "test-1"


def test_a_start_that_has_seen_later_labels_is_refused(lake: Layout, models: ModelStore) -> None:
    told = {"trained_until": "2026-03-09", "region": NAME}
    later = replace(random_checkpoint(recipe=SM_100M_V1), metadata=told)
    models.add("test-1", lambda folder: save(later, folder))
    why = refused(lake, models, {**QUICK, "start": "test-1"})
    assert "has learned from labels up to 2026-03-09, after the cut-off 2026-03-02" in why
