"""The rows that checkpoints are judged on: the right ones, each once, with what is known there."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmarks._sample_lake import label_rows, write_labels
from sm_platform.defs.evaluation_scores import score_rows
from sm_platform.defs.evaluation_set import EvaluationSet, coarse_cells, evaluation_set, joined
from sm_platform.defs.evaluation_strata import moisture_bins, seasons
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.sample_set import SampleSet, gather
from sm_platform.defs.splitting import write_splits
from sm_platform.defs.stored_scores import CHECKPOINT
from sm_platform.errors import DataError, RecipeError
from sm_platform.grid.ease2 import LEVEL_3KM, LEVEL_9KM
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_tables import TRAINING_SAMPLES
from sm_platform.schema.rows import dense
from sm_platform_tests.defs.judged_lake import (
    CUT_OFF,
    EVERY_DAYS,
    FLOODED_PASS,
    N_PASSES,
    NOISE,
    RULES,
    judged_lake,
    moisture,
)
from sm_platform_tests.defs.label_lake import at
from sm_platform_tests.defs.sample_lake import COL, DAY, NAME, ROW, with_column, write_samples

PASS = DAY + timedelta(EVERY_DAYS * FLOODED_PASS)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Read only."""
    return judged_lake(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def samples(lake: Layout) -> SampleSet:
    return gather(lake, NAME, CUT_OFF, 10**6, "block")


@pytest.fixture(scope="module")
def judged(lake: Layout, samples: SampleSet) -> EvaluationSet:
    return evaluation_set(lake, find_region(lake, NAME), samples)


def reference(judged: EvaluationSet, source: str) -> np.ndarray:  # type: ignore[type-arg]
    (found,) = (one.sm_m3m3 for one in judged.references if one.source == source)
    return found


def test_only_rows_of_role_test_are_judged(samples: SampleSet, judged: EvaluationSet) -> None:
    test = samples.about.filter(pa.array(samples.role == "test")).to_pandas()
    wanted = sorted(zip(test["site_id"], test["scene_id"], strict=True))
    assert list(zip(judged.site_id, judged.scene_id, strict=True)) == wanted
    others = samples.about.filter(pa.array(samples.role != "test"))
    assert not set(judged.block_id.tolist()) & set(others["block_id"].to_pylist())


def test_labels_and_inputs_are_those_of_the_row(samples: SampleSet, judged: EvaluationSet) -> None:
    assert [(one.label_type, one.source) for one in judged.references] == [
        ("product", "planet_swc"),
        ("simulated", "archive"),
    ]
    about = samples.about.to_pandas()
    keys = zip(about["site_id"], about["scene_id"], strict=True)
    label = dict(zip(keys, samples.sm_m3m3, strict=True))
    ours = zip(judged.site_id, judged.scene_id, strict=True)
    assert [label[key] for key in ours] == reference(judged, "planet_swc").tolist()
    error = reference(judged, "planet_swc") - moisture(dense(judged.rows))
    assert error.std() == pytest.approx(NOISE, rel=0.1)


def test_the_truth_is_that_of_the_sites_pixel_and_day(judged: EvaluationSet) -> None:
    truth = reference(judged, "archive")
    assert truth == pytest.approx(moisture(dense(judged.rows)), abs=1e-4)
    is_pass = judged.day == np.datetime64(PASS)
    assert judged.is_flooded[is_pass].any() and not judged.is_flooded[~is_pass].any()


def test_strata_name_what_is_there(judged: EvaluationSet) -> None:
    assert set(judged.land_cover) == {"crop"}
    assert set(judged.track) == {"unknown"}
    assert set(judged.season) == {"DJF", "MAM", "JJA", "SON"}
    months = np.array(["2025-02-28", "2025-03-01", "2025-08-31", "2025-09-01", "2025-12-01"])
    days = months.astype("datetime64[D]")
    assert seasons(days).tolist() == ["DJF", "MAM", "JJA", "SON", "DJF"]
    bins = moisture_bins(np.array([0.1, 0.15, 0.3, 0.35]))
    assert bins.tolist() == ["0.00-0.15", "0.15-0.25", "0.25-0.35", "0.35-1.00"]


def test_nine_blocks_of_3_km_make_a_cell_of_9_km() -> None:
    row, col = 3 * 500, 3 * 3445
    blocks = np.array([(row + r) * LEVEL_3KM.shape[1] + col + c for r in range(4) for c in (0, 2)])
    cell = 500 * LEVEL_9KM.shape[1] + 3445
    assert coarse_cells(blocks).tolist() == [cell] * 6 + [cell + LEVEL_9KM.shape[1]] * 2


def test_two_labels_of_a_site_and_pass_are_one_row_with_two_references(tmp_path: Path) -> None:
    layout = judged_lake(tmp_path)
    stored = store.read(layout, TRAINING_SAMPLES, NAME, DAY)
    assert stored is not None
    again = with_column(stored.rows, "source", ["ismn"] * stored.rows.num_rows)
    again = with_column(again, "label_type", ["in_situ"] * stored.rows.num_rows)
    again = with_column(again, "sm_m3m3", np.full(stored.rows.num_rows, 0.4))
    write_samples(layout, DAY, pa.concat_tables([stored.rows, again]))
    write_splits(layout, NAME, CUT_OFF, RULES)
    samples = gather(layout, NAME, CUT_OFF, 10**6, "block")
    judged = evaluation_set(layout, find_region(layout, NAME), samples)
    assert len(judged) == N_PASSES * len(set(judged.site_id))
    kinds = [(one.label_type, one.source) for one in judged.references]
    assert kinds[:2] == [("in_situ", "ismn"), ("product", "planet_swc")]
    is_first = judged.day == np.datetime64(DAY)
    station = reference(judged, "ismn")
    assert np.unique(station[is_first]).tolist() == [np.float32(0.4)]
    assert np.isnan(station[~is_first]).all()
    assert np.isfinite(reference(judged, "planet_swc")).all()


def test_product_labels_beside_water_are_counted_apart(tmp_path: Path) -> None:
    """Of the first pass land around each site is flooded; the truth of a drained site stands."""
    layout = judged_lake(tmp_path)
    stored = store.read(layout, TRAINING_SAMPLES, NAME, DAY)
    assert stored is not None
    beside = np.full(stored.rows.num_rows, 0.5, np.float32)
    write_samples(layout, DAY, with_column(stored.rows, "inundated_share", beside))
    write_splits(layout, NAME, CUT_OFF, RULES)
    samples = gather(layout, NAME, CUT_OFF, 10**6, "block")
    judged = evaluation_set(layout, find_region(layout, NAME), samples)
    said = moisture(dense(judged.rows))
    said[judged.day == np.datetime64(DAY)] = 0.9  # a gross error, where it must not count
    scores = list(score_rows("any", judged, {CHECKPOINT: said}))
    n_beside = len(set(judged.site_id))

    def rmse(source: str, *stratum: str) -> tuple[int, float]:
        keys = (source, *(stratum or ("all", "all")), "pooled", "rmse")
        names = ("source", "stratum", "stratum_value", "pooling", "metric")
        (found,) = [row for row in scores if tuple(getattr(row, name) for name in names) == keys]
        return found.n, found.value or 0.0

    assert rmse("planet_swc") == (len(judged) - n_beside, pytest.approx(NOISE, rel=0.1))
    assert rmse("planet_swc", "surroundings", "beside_water") == (
        n_beside,
        pytest.approx(0.6, abs=0.1),
    )
    assert rmse("planet_swc", "surroundings", "any")[0] == len(judged)
    assert rmse("archive")[0] == int((~judged.is_flooded).sum())


def test_without_an_archive_of_its_own_a_region_has_no_simulated_reference(
    lake: Layout, samples: SampleSet, tmp_path: Path
) -> None:
    region = find_region(lake, NAME)
    smaller = replace(region.window, shape=(90, 90))
    for other in (
        replace(region, source_path=str(tmp_path)),
        replace(region, source="seed_layout"),
        replace(region, window=smaller),
    ):
        found = evaluation_set(lake, other, samples)
        assert [one.source for one in found.references] == ["planet_swc"]
        assert not found.is_flooded.any()


def test_a_coarse_product_is_read_at_the_cell_that_holds_the_site(
    tmp_path: Path,
) -> None:
    layout = judged_lake(tmp_path)
    wide = [f"9km-{ROW // 90 + r}-{COL // 90 + c}" for r in (0, 1) for c in (0, 1)]
    scene, start = f"S1A_{DAY:%Y%m%d}", at(22, DAY)
    near = label_rows(wide, [0.1, 0.2, 0.3, 0.4], at(21, DAY), (scene, start), source="spl4smgp")
    late = label_rows(wide, [0.9] * 4, at(12, DAY), (scene, start), source="spl4smgp")
    far = label_rows(wide, [0.8] * 4, at(9, DAY), (scene, start), source="spl3smp_e")
    write_labels(layout, NAME, DAY, late, near, far)
    samples = gather(layout, NAME, CUT_OFF, 10**6, "block")
    judged = evaluation_set(layout, find_region(layout, NAME), samples)
    assert set(judged.products) == {"spl4smgp"}  # the other reading is 13 h away
    value = judged.products["spl4smgp"]
    is_first = judged.day == np.datetime64(DAY)
    assert np.isnan(value[~is_first]).all()
    cells = np.array([[int(part) for part in site.split("-")[1:]] for site in judged.site_id])
    south, east = (cells - (ROW, COL)).T // 90
    assert value[is_first] == pytest.approx((0.1 + 0.2 * south + 0.1 * east)[is_first])


def test_sets_of_two_regions_are_judged_as_one(lake: Layout, judged: EvaluationSet) -> None:
    products = {"spl4smgp": np.ones(len(judged), np.float32)}
    bare = replace(judged, references=judged.references[:1], products=products)
    both = joined([judged, bare])
    assert len(both) == 2 * len(judged)
    assert dense(both.rows) == pytest.approx(np.tile(dense(judged.rows), (2, 1)))
    assert np.isnan(reference(both, "archive")[len(judged) :]).all()
    assert np.isnan(both.products["spl4smgp"][: len(judged)]).all()
    assert both.products["spl4smgp"][len(judged) :].tolist() == [1.0] * len(judged)


def test_sets_of_two_recipes_are_not_judged_as_one(judged: EvaluationSet) -> None:
    """Rows of the second would be read as if they were of the first one's recipe."""
    other = replace(judged.rows, recipe_id="eov-2025", recipe_fingerprint="0" * 16)
    with pytest.raises(RecipeError, match=r"eov-2025 \(0+\), sm-100m-v1 .*: judge them one by"):
        joined([judged, replace(judged, rows=other)])


def test_a_scheme_without_test_rows_is_named(lake: Layout, samples: SampleSet) -> None:
    nothing = np.zeros(len(samples.role), np.bool_)
    with pytest.raises(DataError, match="Scheme block of delta leaves no sample to be judged on"):
        evaluation_set(lake, find_region(lake, NAME), samples, is_kept=nothing)
