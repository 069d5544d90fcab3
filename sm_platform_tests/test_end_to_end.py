"""From provider files to maps, as users do it: by commands, each in a process of its own."""

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import IO, Any

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from sm_platform.schema.product import Qa
from sm_platform_tests import archive_story as archive
from sm_platform_tests import golden_story as golden
from sm_platform_tests.conftest import SHARED
from sm_platform_tests.desk import Desk

Stories = tuple["Future[golden.GoldenStory] | None", "Future[archive.ArchiveStory]"]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def stories(server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """Both stories, begun at the same time: a core each."""
    desks = [tmp_path_factory.mktemp(name) for name in ("golden", "archive")]
    with ThreadPoolExecutor(max_workers=2) as pool:
        told = pool.submit(archive.archive_story, Desk(desks[1], server, archive.ENVIRONMENT))
        has_golden = (SHARED / "golden").is_dir()
        seed = (
            pool.submit(golden.golden_story, Desk(desks[0], server, {}), SHARED)
            if has_golden
            else None
        )
        yield seed, told


@pytest.fixture(scope="module")
def gold(stories: Stories) -> golden.GoldenStory:
    if stories[0] is None:
        pytest.skip("golden files are not at hand")
    return stories[0].result()


@pytest.fixture(scope="module")
def simulated(stories: Stories) -> archive.ArchiveStory:
    return stories[1].result()


def index(desk: Desk, region: str, day: str) -> list[Row]:
    """Rows of `sm_maps`, oldest revision first."""
    part = desk.layout.part("sm_maps", region, date.fromisoformat(day))
    rows: list[Row] = pq.read_table(part).to_pylist()
    return rows


def layer(desk: Desk, row: Row, name: str) -> Path:
    return desk.layout.root / str(row["path"]) / f"{row['map_id']}_{name}.tif"


def item(desk: Desk, row: Row) -> Row:
    found: Row = json.loads((desk.layout.root / row["path"] / f"{row['map_id']}.json").read_text())
    return found


def values(path: Path) -> np.ndarray:
    """Physical values, NaN where there is none."""
    with rasterio.open(path) as file:
        stored = file.read(1).astype(float)
        found: np.ndarray = np.where(
            stored == file.nodata, np.nan, stored * file.scales[0] + file.offsets[0]
        )
        return found


def digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.mark.parametrize("day", golden.PASS_DAYS)
def test_map_is_that_of_the_seed_system(gold: golden.GoldenStory, day: str) -> None:
    expected = np.load(SHARED / "golden" / "roi_and_inference.npz")[f"map_{day}"]
    path = layer(gold.desk, index(gold.desk, golden.REGION, day)[0], "SM")
    found = values(path)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    with rasterio.open(path) as made, rasterio.open(seed_radar(gold, day)) as radar:
        assert (made.crs, made.transform, made.shape) == (radar.crs, radar.transform, radar.shape)


def seed_radar(gold: golden.GoldenStory, day: str) -> Path:
    return gold.folder / "s1_images" / f"S1_{day}.tif"


@pytest.mark.parametrize("day", golden.PASS_DAYS)
def test_map_files_are_valid_and_carry_their_lineage(gold: golden.GoldenStory, day: str) -> None:
    row = index(gold.desk, golden.REGION, day)[0]
    checkpoint = gold.desk.checkpoint("published")
    for name in ("SM", "SD", "AGE", "QA"):
        path = layer(gold.desk, row, name)
        is_valid, errors, _ = cog_validate(path, strict=True)
        assert is_valid, errors
        with rasterio.open(path) as file:
            tags = file.tags()
        assert tags["RECIPE"] == "eov-2025"
        assert tags["RECIPE_FINGERPRINT"] == checkpoint["recipe_fingerprint"]
        assert tags["CHECKPOINT_ID"] == "published"
        assert tags["CHECKPOINT_FINGERPRINT"] == checkpoint["fingerprint"]
        assert tags["GRANULES"] == f"S1_{day}:{digest(seed_radar(gold, day))}"


def test_export_is_the_map_in_numbers(gold: golden.GoldenStory) -> None:
    expected = np.load(SHARED / "golden" / "roi_and_inference.npz")[f"map_{golden.FIRST}"]
    with rasterio.open(gold.exported) as file:
        assert file.dtypes == ("float32",)
        assert np.isnan(file.nodata)
        np.testing.assert_allclose(file.read(1), expected, rtol=0, atol=1e-4)


def test_every_day_is_told_and_materialized(gold: golden.GoldenStory) -> None:
    days = [f"2025-01-{n:02d}" for n in range(3, 28)]
    status = {day: index(gold.desk, golden.REGION, day)[0]["status"] for day in days}
    assert {day for day in days if status[day] == "mapped"} == set(golden.PASS_DAYS)
    assert set(status.values()) == {"mapped", "no_pass"}
    for asset in ("s1_granules", "s1_scenes", "scene_features", "sm_maps", "map_figures"):
        assert gold.desk.days_materialized(asset, golden.REGION) == set(days), asset
    counted = gold.desk.table("select status, count(*) n from sm_maps group by all order by all")
    assert counted.to_dict("list") == {"status": ["mapped", "no_pass"], "n": [3, 23]}


def test_materialization_shows_picture_and_lineage(gold: golden.GoldenStory) -> None:
    told = metadata(gold.desk, "sm_maps", f"{golden.FIRST}|{golden.REGION}")
    assert told["status"].value == "mapped"
    assert told["checkpoint"].value == "published"
    assert told["granules"].value == [f"S1_{golden.FIRST}"]
    assert "data:image/png;base64," in told["picture"].value
    assert (
        metadata(gold.desk, "sm_maps", f"2025-01-04|{golden.REGION}")["status"].value == "no_pass"
    )


def metadata(desk: Desk, asset: str, key: str) -> dict[str, Any]:
    """Metadata of the first materialization of a partition that succeeded."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[key])
    with desk.instance() as instance:
        found = instance.fetch_materializations(wanted, limit=10).records
    assert found[-1].asset_materialization is not None
    return dict(found[-1].asset_materialization.metadata)


def test_second_run_changes_nothing(gold: golden.GoldenStory) -> None:
    one, two = gold.after_run, gold.after_again
    assert {path: content for path, (_, content) in one.items()} == {
        path: content for path, (_, content) in two.items()
    }
    lasting = ("granules/", "/maps/sm100-v1/goldroi/", "/ndvi/", "/weather/", "/scene_features/")
    kept = [path for path in one if any(part in path for part in lasting)]
    assert len(kept) > 1000
    assert [path for path in kept if one[path] != two[path]] == []
    assert gold.again.out == gold.run.out.splitlines(keepends=True)[-1]


def test_another_checkpoint_makes_the_next_revision(gold: golden.GoldenStory) -> None:
    old, new = index(gold.desk, golden.REGION, golden.LAST)
    assert (old["revision"], old["is_latest"], old["checkpoint_id"]) == (0, False, "published")
    assert (new["revision"], new["is_latest"], new["checkpoint_id"]) == (1, True, "five")
    assert (old["map_id"][-4:], new["map_id"][-4:]) == ("_r00", "_r01")
    was, now = item(gold.desk, old), item(gold.desk, new)
    assert (was["properties"]["deprecated"], now["properties"]["deprecated"]) == (True, False)
    assert links(was)["successor-version"].endswith(f"{new['map_id']}.json")
    assert links(now)["predecessor-version"].endswith(f"{old['map_id']}.json")
    kept = [path for path in gold.after_again if path.endswith((".tif", ".png"))]
    assert [path for path in kept if gold.after_again[path] != gold.after_revised[path]] == []
    assert new["map_id"] in gold.revised.out
    assert old["map_id"] not in gold.revised.out
    apart = np.abs(values(layer(gold.desk, old, "SM")) - values(layer(gold.desk, new, "SM")))
    assert np.nanmax(apart) > 1e-3


def links(one: Row) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in one["links"]}


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ("extract", "--download"),
        ("process", "--extract"),
        ("inference", "--extract"),
        ("visualize", "--inference"),
    ],
)
def test_step_that_comes_too_early_names_the_one_before(
    gold: golden.GoldenStory, step: str, named: str
) -> None:
    answer = gold.alone[step]
    assert answer.code == 1
    assert f"{named}" in answer.err
    assert golden.REGION in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("region", [archive.DELTA, archive.HILLS])
def test_every_pass_of_the_archive_is_mapped(simulated: archive.ArchiveStory, region: str) -> None:
    first = archive.CUT_OFF if region == archive.DELTA else archive.HILLS_FIRST
    days = [f"2025-03-{n:02d}" for n in range(int(first[-2:]), int(archive.LAST[-2:]) + 1)]
    granules = (simulated.archive / "s1_grd" / region).iterdir()
    taken = {f"{name[:4]}-{name[4:6]}-{name[6:8]}" for name in (g.name[17:25] for g in granules)}
    no_data = {archive.MASKED_DAY} if region == archive.HILLS else set()
    expected = {
        day: "no_data" if day in no_data else "mapped" if day in taken else "no_pass"
        for day in days
    }
    found = {day: index(simulated.desk, region, day) for day in days}
    assert {day: rows[0]["status"] for day, rows in found.items()} == expected
    assert [len(rows) for rows in found.values()] == [1] * len(days)
    assert simulated.desk.days_materialized("sm_maps", region) == set(days)


def current(story: archive.ArchiveStory) -> list[Row]:
    parts = sorted(story.desk.layout.table("sm_maps").rglob("part.parquet"))
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    return [row for row in rows if row["is_latest"]]


def test_lineage_leads_from_each_map_to_the_providers_files(
    simulated: archive.ArchiveStory,
) -> None:
    maps = current(simulated)
    assert len(maps) == 4
    checkpoint = simulated.desk.checkpoint(simulated.checkpoint_id)
    for row in maps:
        homes = [next(simulated.archive.glob(f"s1_grd/*/{name}")) for name in row["granule_ids"]]
        hashes = [digest(*sorted(home.iterdir())) for home in homes]
        assert row["granule_sha256s"] == hashes
        assert row["checkpoint_fingerprint"] == checkpoint["fingerprint"]
        assert row["is_in_sample"] is False
        with rasterio.open(layer(simulated.desk, row, "SM")) as file:
            tags = file.tags()
        pairs = zip(row["granule_ids"], hashes, strict=True)
        assert tags["GRANULES"].split(",") == [f"{name}:{hashed}" for name, hashed in pairs]
        assert tags["CHECKPOINT_FINGERPRINT"] == checkpoint["fingerprint"]
        sources = [link for link in item(simulated.desk, row)["links"] if "derived" in link["rel"]]
        assert [link["href"] for link in sources] == [f"urn:sha256:{one}" for one in hashes]


def test_frames_of_a_pass_are_joined(simulated: archive.ArchiveStory) -> None:
    row = index(simulated.desk, archive.DELTA, archive.TWO_FRAMES_DAY)[0]
    assert len(row["granule_ids"]) == 2
    with rasterio.open(layer(simulated.desk, row, "QA")) as file:
        bits = file.read(1)
    unseen = (bits & int(Qa.NO_SENTINEL1)) > 0
    assert unseen.mean() < 0.02
    heights = [
        rasterio.open(next(simulated.archive.glob(f"s1_grd/*/{name}/*.tif"))).height
        for name in row["granule_ids"]
    ]
    assert max(heights) < len(bits), "no frame holds the pass alone"


def test_slice_made_twice_counts_once(simulated: archive.ArchiveStory) -> None:
    day = date.fromisoformat(archive.TWICE_DAY)
    landed = list(simulated.desk.layout.granules("s1_grd", archive.DELTA, day).iterdir())
    (row,) = index(simulated.desk, archive.DELTA, archive.TWICE_DAY)
    assert len(landed) == 2
    available = {path.name: (path / "granule.json").read_text() for path in landed}
    newest = max(available, key=lambda name: json.loads(available[name])["available_utc"])
    assert row["granule_ids"] == [newest]


def test_scene_in_the_border_noise_ends_without_a_map(simulated: archive.ArchiveStory) -> None:
    (row,) = index(simulated.desk, archive.HILLS, archive.MASKED_DAY)
    assert (row["status"], row["map_id"], row["is_latest"]) == ("no_data", None, False)
    assert "S1A_06D646" in row["status_reason"]
    assert row["scene_id"] == "S1A_06D646"
    line = rf"^{archive.MASKED_DAY} \d\d:\d\d UTC \(1[45] March \d\d:\d\d local\)  no_data  "
    assert re.search(line, simulated.hills.out, re.MULTILINE), simulated.hills.out
    names = [path.name for path in simulated.desk.layout.maps.rglob("SM100_highland_*")]
    assert names
    assert not [name for name in names if "20250314" in name]
    told = metadata(simulated.desk, "sm_maps", f"{archive.MASKED_DAY}|{archive.HILLS}")
    assert told["status"].value == "no_data"


def test_no_label_of_the_mapped_days_was_learnt(simulated: archive.ArchiveStory) -> None:
    told = simulated.desk.checkpoint(simulated.checkpoint_id)
    assert told["metadata"]["trained_until"] == archive.CUT_OFF
    counted = simulated.desk.table(
        f"select day >= '{archive.CUT_OFF}' is_late, count(*) n from training_samples group by all"
    ).set_index("is_late")["n"]
    assert counted[True] > 100, "labels of the mapped days are at hand"
    assert 0 < told["metadata"]["n_samples"] < counted[False]
    assert told["fingerprint"] == simulated.fingerprint_before, "and change nothing"
    assert simulated.desk.checkpoints() == [simulated.checkpoint_id]


def test_archive_is_read_without_its_truth_and_left_as_it_was(
    simulated: archive.ArchiveStory,
) -> None:
    assert not (simulated.archive / "truth").exists()
    assert simulated.archive_before == simulated.archive_after


def test_whole_lake_answers_to_sql(simulated: archive.ArchiveStory) -> None:
    found = simulated.desk.table(
        "select region_id, count(*) n, avg(sm_mean_m3m3) sm from sm_maps where is_latest "
        "group by all order by all"
    )
    assert found["region_id"].tolist() == [archive.HILLS, archive.DELTA]
    assert found["n"].tolist() == [1, 3]
    assert found["sm"].between(0, 1).all()
    assert 0.05 < found["sm"].iloc[1] < 0.75, "the hills are mapped by the delta's network"
