"""One way to open a checkpoint of any kind, to score rows with it, and to map with it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks._sample_lake import write_drivers, write_passes
from benchmarks.extraction import synthetic
from sm_platform.defs.assets.features import write_features
from sm_platform.defs.choice import Chosen
from sm_platform.defs.commands.predict import predict_command
from sm_platform.defs.estimators import open_estimator, read_card
from sm_platform.defs.feature_inputs import open_inputs
from sm_platform.defs.mapping import Mapper
from sm_platform.densesm import checkpoint as densesm_checkpoint
from sm_platform.densesm.network import Architecture
from sm_platform.densesm.prediction import predict, prepare
from sm_platform.errors import CheckpointError, RecipeError, UsageError
from sm_platform.lake.layout import Layout
from sm_platform.maps.names import item_file
from sm_platform.schema.prediction import Estimator
from sm_platform.schema.recipes import EOV_2025, SM_100M_V1
from sm_platform.schema.region import Region
from sm_platform.schema.rows import dense
from sm_platform.trees import checkpoint as trees_checkpoint
from sm_platform.trees.boosting import fit_trees
from sm_platform_tests.defs.sample_lake import DAY
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.trees.making import QUICK, blocks_of, moisture, rows_of_blocks

NETWORKS = replace(random_checkpoint(Architecture(1, 8), Architecture(2, 8)), checkpoint_id="nets")
KINDS = ("nets", "trees")


ROWS = rows_of_blocks(8)
TREES = trees_checkpoint.TreeCheckpoint(
    "trees",
    fit_trees(ROWS, moisture(ROWS), blocks_of(ROWS), QUICK),
    {"trained_until": "2024-01-01"},
)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A checkpoint of each kind."""
    for name in KINDS:
        (tmp_path / name).mkdir()
    densesm_checkpoint.save(NETWORKS, tmp_path / "nets")
    trees_checkpoint.save(TREES, tmp_path / "trees")
    return tmp_path


def test_both_kinds_predict_behind_one_interface(folders: Path) -> None:
    plain = (
        predict(prepare(NETWORKS), ROWS, members=True),
        TREES.ensemble.predict(ROWS, members=True),
    )
    foreign = replace(ROWS, recipe_id=EOV_2025.recipe_id, recipe_fingerprint=EOV_2025.fingerprint)
    for name, expected in zip(KINDS, plain, strict=True):
        estimator: Estimator = open_estimator(folders / name, device="cpu")
        found = estimator.predict(ROWS, members=True)
        np.testing.assert_array_equal(found.mean, expected.mean)
        np.testing.assert_array_equal(found.sd, expected.sd)
        np.testing.assert_array_equal(found.members, expected.members)
        assert found.members is not None
        assert found.members.shape == (len(ROWS), len(estimator.names))
        assert estimator.predict(ROWS).members is None
        assert estimator.recipe_id == ROWS.recipe_id
        assert estimator.recipe_fingerprint == ROWS.recipe_fingerprint
        with pytest.raises(RecipeError, match=r"'sm-100m-v1'.*'eov-2025'"):
            estimator.predict(foreign)
    assert prepare(NETWORKS).names == ("1_8", "2_8")


@pytest.mark.parametrize("name", KINDS)
def test_a_card_tells_what_the_checkpoint_is(folders: Path, name: str) -> None:
    made = {"nets": NETWORKS, "trees": TREES}[name]
    card = read_card(folders / name)
    assert (card.checkpoint_id, card.fingerprint) == (name, made.fingerprint)
    assert card.kind == {"nets": "densesm", "trees": "trees"}[name]
    assert card.names == open_estimator(folders / name).names
    assert card.metadata == made.metadata


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("file", ["members.safetensors", "checkpoint.json"])
def test_a_changed_or_absent_file_is_refused_by_both(folders: Path, name: str, file: str) -> None:
    path = folders / name / file
    content = bytearray(path.read_bytes())
    content[content.index(b"trained_until") if file.endswith("json") else -5] ^= 1
    path.write_bytes(content)
    for reading in (read_card, open_estimator):
        with pytest.raises(CheckpointError, match=f"{path} was changed"):
            reading(folders / name)
    path.unlink()
    for reading in (read_card, open_estimator):
        with pytest.raises(CheckpointError, match=file):
            reading(folders / name)


def test_a_kind_is_not_read_as_the_other_and_devices_are_checked(folders: Path) -> None:
    with pytest.raises(CheckpointError, match="holds trees, not networks"):
        densesm_checkpoint.load(folders / "trees")
    with pytest.raises(CheckpointError, match="holds densesm, not trees"):
        trees_checkpoint.load(folders / "nets")
    with pytest.raises(UsageError, match="no device 'tpu'"):
        open_estimator(folders / "nets", device="tpu")


@pytest.mark.parametrize("name", KINDS)
def test_rows_of_a_file_are_scored_by_either_kind(folders: Path, name: str) -> None:
    inputs = dense(ROWS)
    inputs[3, 20] = np.nan
    frame = pd.DataFrame(inputs, columns=[str(number) for number in range(153)])
    frame.to_parquet(folders / "rows.parquet")
    out, said = folders / "out.parquet", list[str]()
    file, folder = folders / "rows.parquet", str(folders / name)
    predict_command(file, folder, out, members=True, say=said.append)
    found, estimator = pd.read_parquet(out), open_estimator(folders / name)
    names = [f"member_{one}" for one in estimator.names]
    assert list(found.columns) == ["sm_mean", "sm_sd", *names]
    expected = estimator.predict(ROWS).mean
    expected[3] = np.nan
    np.testing.assert_allclose(found["sm_mean"], expected, atol=1e-6)
    np.testing.assert_allclose(found[names].mean(axis=1), found["sm_mean"], atol=1e-6)
    assert said[-1] == f"{out}: 320 rows, 2 members of {name}"


@pytest.mark.parametrize(
    ("name", "citation"), [("nets", "Zhu et al. 2024"), ("trees", "Boosting: Ke et al. 2017")]
)
def test_a_pass_is_mapped_by_either_kind_and_says_so(
    folders: Path, layout: Layout, name: str, citation: str
) -> None:
    drivers, scene = synthetic(12, seed=3)
    write_drivers(layout, "delta", drivers)
    write_passes(layout, "delta", DAY, [("S1A_UP", scene)])
    region = Region("delta", drivers.window, "archive", "a")
    write_features(layout, open_inputs(layout, region, [DAY], SM_100M_V1), DAY, 0.5)
    chosen = Chosen(read_card(folders / name), DAY)
    (row,) = Mapper(layout, region, chosen, open_estimator(folders / name)).map_day(DAY)
    assert (row["checkpoint_id"], row["status"]) == (name, "mapped")
    assert row["checkpoint_fingerprint"] == chosen.checkpoint.fingerprint
    assert row["n_valid"] > 0
    item = layout.root / row["path"] / item_file(row["map_id"])
    assert json.loads(item.read_text())["properties"]["sci:citation"].startswith(citation)
